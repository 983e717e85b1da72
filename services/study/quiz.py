"""A quiz from its drawing to its end.

In: what a person wants to be asked. Out: rows: the quiz, its answers (only ever added), and on its end the explanations
that are missing. Refuses what does not belong together, with a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from db.errors import Conflict
from db.pool import Database, Session
from db.study_quiz_rows import AnswerRow, Numbered, QuizItem, QuizRow
from services.kit.errors import RequestError
from services.kit.review_settings import ReviewSettings
from services.study.prefetch import back_fill, enqueue_after_finish
from services.study.review import follow_answer, set_day

MODES = ("quiz", "wrong_only", "review", "cram")
MOST_QUESTIONS = 300
"""The largest round of an exam (P10)."""
SAID = ("unsure", "dont_know")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to be asked.

    Attributes:
        topic_ids: empty stands for all topics.
        mode: one of MODES; 'cram' leaves the schedule alone.
        count: None stands for the settings' number.
        wrong_only: only what was answered wrong the last time.
    """

    topic_ids: Sequence[int] = ()
    mode: str = "quiz"
    count: int | None = None
    wrong_only: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: a choice from 1 on, 'unsure' with or without one, or 'dont_know' without one."""

    choice: int | None = None
    said: str | None = None


async def make_quiz(db: Database, user_id: int, wanted: Wanted, settings: ReviewSettings) -> int:
    """Draw the questions and make the quiz; gives its number.

    Raises:
        RequestError: there is no such topic, or nothing fits.
    """
    async with db.session() as session, session.transaction():
        for each in sorted(set(wanted.topic_ids)):
            if await session.value("lock_study_topic", user_id=user_id, id=each) is None:
                raise RequestError(404, "not_found", f"There is no topic {each}.")
        await set_day(session, settings)
        drawn = await session.many(Numbered, "draw_study_questions", **_draw(user_id, wanted, settings))
        if not drawn:
            raise nothing_fits(wanted)
        topic_id = wanted.topic_ids[0] if len(wanted.topic_ids) == 1 else None
        values = {"user_id": user_id, "topic_id": topic_id, "mode": wanted.mode}
        return int(await session.value("insert_study_quiz", question_ids=[row.id for row in drawn], **values))


def _draw(user_id: int, wanted: Wanted, settings: ReviewSettings) -> dict[str, object]:
    in_review = wanted.mode == "review"
    default = MOST_QUESTIONS if in_review else settings.quiz_questions
    return {
        "user_id": user_id,
        "topic_ids": list(wanted.topic_ids) or None,
        "wrong_only": wanted.wrong_only or wanted.mode == "wrong_only",
        "to_review": in_review,
        "per_topic": settings.per_topic if in_review and wanted.count is None else None,
        "most": min(wanted.count or default, MOST_QUESTIONS),
    }


def nothing_fits(wanted: Wanted) -> RequestError:
    """Say that there is nothing to ask, and what would help."""
    hints = {
        "review": "Nothing is due today; mode quiz asks anything.",
        "wrong_only": "Nothing was answered wrong the last time; mode quiz asks anything.",
    }
    mode = "wrong_only" if wanted.wrong_only else wanted.mode
    hint = hints.get(mode, "Import questions, or add them to the topic.")
    return RequestError(409, "nothing_to_ask", "There is no question that fits.", hint)


async def answer(
    db: Database, user_id: int, quiz_id: int, question_id: int, given: Said, settings: ReviewSettings
) -> tuple[AnswerRow, QuizRow]:
    """Keep an answer, and let the schedule follow it in the same transaction; gives the quiz as it stands then, too.

    Raises:
        RequestError: the quiz is finished, the question is not in it, was answered, or has no such choice.
    """
    values = {"user_id": user_id, "quiz_id": quiz_id, "question_id": question_id}
    try:
        async with db.session() as session, session.transaction():
            row = await session.one(AnswerRow, "insert_study_answer", choice=given.choice, said=given.said, **values)
            if row is None:
                raise await _refusal(session, user_id, quiz_id, question_id, given)
            quiz = await _quiz(session, user_id, quiz_id)
            now = datetime.now(UTC)
            await follow_answer(session, user_id, question_id, quiz.mode, row.outcome, settings, now)
            return row, quiz
    except Conflict as error:
        message = f"Question {question_id} was answered in quiz {quiz_id}."
        raise RequestError(409, "already_answered", message, "Go on with the next one.") from error


async def _refusal(session: Session, user_id: int, quiz_id: int, question_id: int, given: Said) -> RequestError:
    quiz = await _quiz(session, user_id, quiz_id)
    items = await session.many(QuizItem, "study_quiz_items", quiz_id=quiz_id)
    item = next((each for each in items if each.id == question_id), None)
    if item is None:
        return RequestError(404, "not_found", f"There is no question {question_id} in quiz {quiz_id}.")
    if quiz.status != "open":
        return RequestError(409, "quiz_finished", f"Quiz {quiz_id} is finished.", "Begin a new one.")
    count = len(item.choices)
    return RequestError(
        400, "invalid_request", f"choice: question {question_id} has {count} choices, not {given.choice}"
    )


async def _quiz(session: Session | Database, user_id: int, quiz_id: int) -> QuizRow:
    row = await session.one(QuizRow, "study_quiz", user_id=user_id, id=quiz_id)
    if row is None:
        raise RequestError(404, "not_found", f"There is no quiz {quiz_id}.")
    return row


async def finish(db: Database, user_id: int, quiz_id: int) -> QuizRow:
    """End a quiz and enqueue what its answers call for; one that is finished stays as it is.

    Raises:
        RequestError: there is no such quiz.
    """
    async with db.session() as session, session.transaction():
        if await session.value("finish_study_quiz", user_id=user_id, id=quiz_id) is not None:
            await enqueue_after_finish(session, user_id, quiz_id)
        return await _quiz(session, user_id, quiz_id)


async def read(db: Database, user_id: int, quiz_id: int, settings: ReviewSettings) -> tuple[QuizRow, list[QuizItem]]:
    """Give a quiz with its questions; what is missing of a finished one is enqueued before it is read.

    Raises:
        RequestError: there is no such quiz.
    """
    quiz = await _quiz(db, user_id, quiz_id)
    if quiz.status == "finished":
        await back_fill(db, user_id, quiz_id, settings.backfill, settings.backfill_wait_s)
    return quiz, await db.many(QuizItem, "study_quiz_items", quiz_id=quiz_id)
