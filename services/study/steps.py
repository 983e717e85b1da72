"""The scheduler of fixed steps: a card comes again after 3, 7 and 14 days, then it has graduated (P11). Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.study.schedule import Plan, Rating, day_start

NAME = "steps"


def plan(card: Plan | None, rating: Rating, now: datetime, steps_days: Sequence[int], zone: ZoneInfo | None) -> Plan:
    """Plan a card after a review; due times are midnights of the zone.

    Known (good) it goes one step on, with ease (easy) two; what was hard stays on its step and comes tomorrow, what was
    not known begins again tomorrow.

    Args:
        card: as it was planned before, by whichever scheduler; None is a question's first review.
    """
    step = card.step if card is not None else 0
    lapses = card.lapses if card is not None else 0
    if rating is Rating.AGAIN:
        return Plan(NAME, 0, day_start(now, 1, zone), None, lapses + (card is not None))
    if rating is Rating.HARD:
        return Plan(NAME, min(step, len(steps_days)), day_start(now, 1, zone), None, lapses)
    reached = step + (2 if rating is Rating.EASY else 1)
    if reached > len(steps_days):
        return Plan(NAME, len(steps_days), None, now, lapses)
    return Plan(NAME, reached, day_start(now, steps_days[reached - 1], zone), None, lapses)
