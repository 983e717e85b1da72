"""What is to be reviewed today, and when a card comes again.

In: a person's rating of a card, or what an answer in a quiz says about it. Out: a review (only ever added) and the card
as it is planned from now on, in the caller's transaction. A card begins with a review; cramming plans nothing.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db.pool import Database, Session
from db.study_quiz_rows import CardRow, ReviewCard, TabCount
from services.kit.review_settings import ReviewSettings
from services.study import fsrs_cards, steps
from services.study.learning import TABS
from services.study.schedule import Plan, Rating, day_start, postgres_zone

RATED = {"right": Rating.GOOD, "wrong": Rating.AGAIN, "unsure": Rating.HARD, "dont_know": Rating.AGAIN}
"""What an answer says about a card."""
TOMORROW = frozenset({"unsure", "dont_know"})
"""After these a card comes tomorrow, whoever plans it (P11)."""


def zone_of(settings: ReviewSettings) -> ZoneInfo | None:
    """Give the zone of the settings; None stands for the system's."""
    return None if settings.timezone is None else ZoneInfo(settings.timezone)


def planned(card: CardRow, rating: Rating, now: datetime, settings: ReviewSettings, tomorrow: bool = False) -> Plan:
    """Plan a card by its topic's scheduler.

    Args:
        tomorrow: it comes tomorrow at the latest.
    """
    zone, before = zone_of(settings), _before(card)
    if card.topic_scheduler == fsrs_cards.NAME:
        plan = fsrs_cards.plan(before, rating, now, settings.retention_share, card.id)
    else:
        plan = steps.plan(before, rating, now, settings.steps_days, zone)
    latest = day_start(now, 1, zone)
    if tomorrow and plan.due_at is not None and plan.due_at > latest:
        return Plan(plan.scheduler, plan.step, latest, None, plan.lapses, {**plan.state})
    return plan


def _before(card: CardRow) -> Plan | None:
    if not card.has_card:
        return None
    return Plan(card.scheduler or "", card.step, card.due_at, card.graduated_at, card.lapses, card.state or {})


async def rate(
    session: Session, user_id: int, question_id: int, rating: Rating, settings: ReviewSettings, now: datetime
) -> Plan | None:
    """Keep a person's review of a card, its first one too, and plan it; None where there is no such question.

    Runs in the caller's transaction.
    """
    card = await session.one(CardRow, "card_to_review", user_id=user_id, question_id=question_id)
    if card is None:
        return None
    return await _saved(session, user_id, card, rating, planned(card, rating, now, settings), now)


async def follow_answer(
    session: Session, user_id: int, question_id: int, mode: str, outcome: str, settings: ReviewSettings, now: datetime
) -> Plan | None:
    """Plan a card by an answer of a quiz; None where that leaves the schedule alone. Runs in the caller's transaction.

    A review begins cards and moves all of them; another quiz moves a card that there is, and one that was known only
    when it was due: knowing it a day after the last time says little. Cramming moves nothing.
    """
    if mode == "cram":
        return None
    card = await session.one(CardRow, "card_to_review", user_id=user_id, question_id=question_id)
    if card is None or not (mode == "review" or _moved_by_quiz(card, outcome, now, zone_of(settings))):
        return None
    rating = RATED[outcome]
    plan = planned(card, rating, now, settings, outcome in TOMORROW)
    return await _saved(session, user_id, card, rating, plan, now)


def _moved_by_quiz(card: CardRow, outcome: str, now: datetime, zone: ZoneInfo | None) -> bool:
    if not card.has_card:
        return False
    return outcome != "right" or (card.due_at is not None and card.due_at < day_start(now, 1, zone))


async def _saved(session: Session, user_id: int, card: CardRow, rating: Rating, plan: Plan, now: datetime) -> Plan:
    await session.none(
        "save_review",
        user_id=user_id,
        question_id=card.id,
        rating=rating.value,
        scheduler=plan.scheduler,
        state=plan.state,
        step=plan.step,
        due_at=plan.due_at,
        graduated_at=plan.graduated_at,
        lapses=plan.lapses,
        due_before=card.due_at,
        now=now,
    )
    return plan


async def cards_of(
    db: Database, user_id: int, topic_id: int | None, tab: str, most: int, settings: ReviewSettings
) -> tuple[dict[str, int], list[ReviewCard]]:
    """Give how many questions stand in each tab now, and those of one tab, by topic, longest due first."""
    asked = {"user_id": user_id, "topic_id": topic_id}
    async with db.session() as session, session.transaction():
        await set_day(session, settings)
        counted = await session.many(TabCount, "count_review_tabs", **asked)
        cards = await session.many(ReviewCard, "list_review_cards", tab=tab, most=most, **asked)
    counts = {row.tab: row.questions for row in counted}
    return {name: counts.get(name, 0) for name in TABS}, cards


async def set_day(session: Session, settings: ReviewSettings) -> None:
    """Let the day of this transaction be that of the settings' zone."""
    await session.none("set_day_zone", zone=postgres_zone(datetime.now(UTC), zone_of(settings)))
