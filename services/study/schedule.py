"""What a planner of reviews is given and gives, and what a day is. Pure, but for the system's zone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class Rating(StrEnum):
    """How well a card was known, worst first."""

    AGAIN = "again"
    HARD = "hard"
    GOOD = "good"
    EASY = "easy"


@dataclass(frozen=True, slots=True)
class Plan:
    """When a card comes again.

    Attributes:
        scheduler: who planned it: 'steps' or 'fsrs'.
        step: how many steps it has come, where steps plan it.
        due_at: None once it has graduated.
        state: the scheduler's own, as JSON.
        lapses: how often it was not known.
    """

    scheduler: str
    step: int = 0
    due_at: datetime | None = None
    graduated_at: datetime | None = None
    lapses: int = 0
    state: dict[str, Any] = field(default_factory=dict)


def day_start(now: datetime, days: int, zone: ZoneInfo | None) -> datetime:
    """Give the midnight that begins the day `days` after today in a zone, in UTC; None stands for the system's.

    A moment, not a number of hours: where summer time begins or ends a day is shorter or longer.
    """
    day = now.astimezone(zone).date() + timedelta(days=days)
    midnight = datetime.combine(day, time(), tzinfo=zone)  # without a zone: the system's clock
    return midnight.astimezone(UTC)


def postgres_zone(now: datetime, zone: ZoneInfo | None) -> str:
    """Name a zone to Postgres. The system's has no name here: its offset of today stands for it.

    POSIX counts offsets westwards, so that Seoul is `<local>-09:00:00`.
    """
    if zone is not None:
        return zone.key
    offset = now.astimezone().utcoffset() or timedelta()
    sign = "-" if offset >= timedelta() else "+"
    minutes = abs(int(offset.total_seconds())) // 60
    return f"<local>{sign}{minutes // 60:02}:{minutes % 60:02}:00"
