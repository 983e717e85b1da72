"""Explanations before the click: what a quiz showed to be unknown is enqueued, best effort.

In: a quiz. Out: rows of study_question_jobs, behind everything that a person waits for. Nothing that goes wrong here
breaks what it follows (S04, S05); who needs an explanation is the function study_needs_explanation (S06, S07).
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio

from db.errors import DatabaseError, Refused
from db.gate import Priority
from db.pool import Database, Session
from db.study_quiz_rows import Numbered
from services.kit.log import Event, get_logger

log = get_logger()

T = TypeVar("T")
NO_LIMIT = None


async def enqueue_after_finish(session: Session, user_id: int, quiz_id: int) -> int:
    """Enqueue all that are missing of a quiz that ends in this transaction, and its analysis; gives how many are new.

    Each in a savepoint: where a queue refuses, the quiz ends all the same, and reading it makes up for explanations.
    """
    made = await _attempted(session, quiz_id, partial(_enqueue, session, user_id, quiz_id, NO_LIMIT))
    analysis = {"quiz_id": quiz_id, "urgency": int(Priority.BACKGROUND), "payload": None}
    await _attempted(session, quiz_id, partial(session.value, "enqueue_quiz_analysis", **analysis))
    return made or 0


async def _attempted(session: Session, quiz_id: int, work: Callable[[], Awaitable[T]]) -> T | None:
    try:
        async with session.transaction():
            return await work()
    except Refused as error:
        log.warning(Event.EXPLANATIONS_NOT_ENQUEUED, quiz=quiz_id, reason=str(error))
        return None


async def back_fill(db: Database, user_id: int, quiz_id: int, most: int, wait_s: float) -> int:
    """Enqueue up to `most` that are still missing of a finished quiz; gives how many are new.

    Takes `wait_s` at most, so that its reader is not kept; what did not come about then does at the next reading.
    """
    with anyio.move_on_after(wait_s) as scope:
        try:
            async with db.session() as session:
                return await _enqueue(session, user_id, quiz_id, most)
        except DatabaseError as error:
            log.debug(Event.EXPLANATIONS_NOT_ENQUEUED, quiz=quiz_id, reason=str(error))
    if scope.cancelled_caught:
        log.debug(Event.EXPLANATIONS_NOT_ENQUEUED, quiz=quiz_id, reason=f"not done within {wait_s} s")
    return 0


async def _enqueue(session: Session, user_id: int, quiz_id: int, most: int | None) -> int:
    values = {"user_id": user_id, "quiz_id": quiz_id, "urgency": int(Priority.BACKGROUND), "most": most}
    made = await session.many(Numbered, "enqueue_quiz_explanations", **values)
    if made:
        log.debug(Event.EXPLANATIONS_ENQUEUED, quiz=quiz_id, questions=len(made))
    return len(made)
