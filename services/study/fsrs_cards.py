"""The scheduler FSRS (library `fsrs`): the next day is reckoned from how well a card has been remembered. Pure."""

from datetime import datetime
from typing import cast

from fsrs import Card, Scheduler
from fsrs import Rating as FsrsRating
from fsrs.card import CardDict

from services.study.schedule import Plan, Rating

NAME = "fsrs"
RATINGS = {
    Rating.AGAIN: FsrsRating.Again,
    Rating.HARD: FsrsRating.Hard,
    Rating.GOOD: FsrsRating.Good,
    Rating.EASY: FsrsRating.Easy,
}


def plan(card: Plan | None, rating: Rating, now: datetime, retention: float, question_id: int) -> Plan:
    """Plan a card after a review; it comes again after one day or more, and never graduates.

    The library's steps of minutes are left out: a quiz is no drill of an hour. Its fuzz, too, so that the same answers
    give the same day.

    Args:
        card: as it was planned before; what another scheduler left begins here anew.
        retention: share of cards that is still to be known when they come again, over 0 and below 1.
    """
    planner = Scheduler(desired_retention=retention, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    known = Card.from_dict(cast(CardDict, card.state)) if card is not None and card.state else Card(question_id)
    reviewed, _ = planner.review_card(known, RATINGS[rating], now)
    lapses = card.lapses if card is not None else 0
    lapsed = rating is Rating.AGAIN and card is not None
    return Plan(NAME, 0, reviewed.due, None, lapses + lapsed, dict(reviewed.to_dict()))
