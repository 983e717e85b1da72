"""When a digest is due: the last moment that a cron line names, in a zone. Pure, but for the system's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

CATCH_UP = timedelta(hours=24)
"""A machine that was off makes up for the last digest, when that was due within so long."""

_TICK = timedelta(microseconds=1)
"""cronsim looks before the moment it is given; one tick later, the moment itself counts."""


def zone_named(name: str | None) -> ZoneInfo | None:
    """Give a zone by its name; None stands for the system's."""
    return None if name is None else ZoneInfo(name)


def last_slot(cron: str, zone: ZoneInfo | None, now: datetime) -> datetime | None:
    """Give the last moment that a cron line names, `now` included, in UTC.

    Where summer time begins or ends a moment comes once: the hour that is missing is made up for, of the hour that
    there is twice the first counts.

    Returns:
        None where the line names no moment within fifty years.
    """
    if zone is not None:
        moment = next(CronSim(cron, now.astimezone(zone) + _TICK, reverse=True), None)
    else:
        # The system's zone has no name here, and `astimezone()` knows the offset of one day only: what is looked at
        # is the clock on the wall, and the moment gets the offset of its own day.
        moment = next(CronSim(cron, now.astimezone().replace(tzinfo=None) + _TICK, reverse=True), None)
    return None if moment is None else moment.astimezone(UTC)


def due_slot(cron: str, zone: ZoneInfo | None, now: datetime) -> datetime | None:
    """Give the slot that a digest is due for, or None where the last one is over a day past."""
    slot = last_slot(cron, zone, now)
    return None if slot is None or now - slot > CATCH_UP else slot


def is_scheduled(cron: str, zone: ZoneInfo | None, slot: datetime) -> bool:
    """Say whether a slot is one of the cron line, and not a moment that a person chose."""
    return last_slot(cron, zone, slot) == slot
