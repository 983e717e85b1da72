"""The review over HTTP: what is to be looked at today, and how well a card was known."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

from fastapi import Query

from db.study_quiz_rows import ReviewCard
from services.study import review
from services.study.schedule import Rating
from services.web.context import OWNER, WebPort
from services.web.errors import not_found
from services.web.study_wire import CardOut, RatingIn, ReviewCardOut, ReviewOut, ReviewTopicOut, Tab
from services.web.urls import question_url
from services.web.wire import DocumentNumber


async def read_review(
    web: WebPort,
    tab: Tab = "due_today",
    topic_id: Annotated[DocumentNumber | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ReviewOut:
    """Give how much there is in each tab, and the cards of one by topic, longest due first."""
    tabs, cards = await review.cards_of(web.db, OWNER, topic_id, tab, limit, web.settings.review)
    return ReviewOut(tabs=tabs, tab=tab, topics=by_topic(cards))


def by_topic(cards: list[ReviewCard]) -> list[ReviewTopicOut]:
    """Put cards, which come sorted by topic, under their topics."""
    grouped = [list(each) for _, each in groupby(cards, key=lambda card: card.study_topic_id)]
    return [
        ReviewTopicOut(
            topic_id=group[0].study_topic_id,
            topic=group[0].topic,
            scheduler=group[0].scheduler,
            cards=[_card(card) for card in group],
        )
        for group in grouped
    ]


def _card(card: ReviewCard) -> ReviewCardOut:
    return ReviewCardOut(
        question_id=card.id,
        text=card.text,
        choices=card.choices,
        state=card.state,
        due_at=card.due_at,
        url=question_url(card.id),
    )


async def rate_card(question_id: DocumentNumber, said: RatingIn, web: WebPort) -> CardOut:
    """Keep a review of a question, its first one too, and say when it comes again."""
    rating, now = Rating(said.rating), datetime.now(UTC)
    async with web.db.session() as session, session.transaction():
        plan = await review.rate(session, OWNER, question_id, rating, web.settings.review, now)
    if plan is None:
        raise not_found(f"question {question_id}")
    return CardOut(
        question_id=question_id,
        rating=rating.value,
        scheduler=plan.scheduler,
        step=plan.step,
        lapses=plan.lapses,
        due_at=plan.due_at,
        graduated_at=plan.graduated_at,
    )
