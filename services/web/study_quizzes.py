"""Quizzes over HTTP: drawn, answered one question at a time, finished, read."""

from typing import Annotated

from fastapi import Query

from db.study_quiz_rows import QuizItem, QuizRow
from services.study import quiz as quizzes
from services.study.quiz import Said, Wanted
from services.web.context import OWNER, WebPort
from services.web.study_wire import AnswerIn, AnswerOut, QuizIn, QuizItemOut, QuizOut, QuizzesOut
from services.web.urls import explanation_url, quiz_url
from services.web.wire import DocumentNumber


def _shown(row: QuizRow, items: list[QuizItem] | None = None) -> QuizOut:
    finished = row.status == "finished"
    return QuizOut(
        id=row.id,
        topic_id=row.study_topic_id,
        topic=row.topic,
        mode=row.mode,
        status=row.status,
        question_count=row.question_count,
        answered=row.answered,
        right=row.right_answers,
        wrong=row.wrong_answers,
        unsure=row.unsure_answers,
        dont_know=row.unknown_answers,
        created_at=row.created_at,
        finished_at=row.finished_at,
        url=quiz_url(row.id),
        questions=None if items is None else [_item(item, finished) for item in items],
    )


def _item(item: QuizItem, finished: bool) -> QuizItemOut:
    told = finished or item.outcome is not None
    return QuizItemOut(
        position=item.position,
        question_id=item.id,
        topic_id=item.study_topic_id,
        text=item.text,
        choices=item.choices,
        outcome=item.outcome,
        choice=item.choice,
        was_right=item.was_right,
        correct_choice=item.correct_choice if told else None,
        explanation=item.explanation if told else None,
        ai_explanation=item.ai_explanation if told else None,
        ai_explanation_status=item.ai_explanation_status,
        explanation_url=explanation_url(item.id),
    )


async def create_quiz(said: QuizIn, web: WebPort) -> QuizOut:
    """Draw a quiz: evenly over the topics, in each those first that were asked least, or are due for longest."""
    wanted = Wanted(said.topics(), said.mode, said.count, said.wrong_only)
    return await read_quiz(await quizzes.make_quiz(web.db, OWNER, wanted, web.settings.review), web)


async def list_quizzes(
    web: WebPort,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[DocumentNumber | None, Query()] = None,
    topic_id: Annotated[DocumentNumber | None, Query()] = None,
) -> QuizzesOut:
    """List quizzes, newest first."""
    values = {"user_id": OWNER, "topic_id": topic_id, "before": before, "most": limit + 1}
    rows = await web.db.many(QuizRow, "list_study_quizzes", **values)
    more = rows[limit - 1].id if len(rows) > limit else None
    return QuizzesOut(quizzes=[_shown(row) for row in rows[:limit]], next=more)


async def read_quiz(quiz_id: DocumentNumber, web: WebPort) -> QuizOut:
    """Give a quiz with its questions; reading a finished one has missing explanations made in the background."""
    row, items = await quizzes.read(web.db, OWNER, quiz_id, web.settings.review)
    return _shown(row, items)


async def answer_quiz(quiz_id: DocumentNumber, said: AnswerIn, web: WebPort) -> AnswerOut:
    """Answer a question of an open quiz, once; the reply says what was right."""
    given = said_of(said)
    row, quiz = await quizzes.answer(web.db, OWNER, quiz_id, said.question_id, given, web.settings.review)
    return AnswerOut(
        question_id=row.study_question_id,
        outcome=row.outcome,
        choice=row.choice,
        was_right=row.was_right,
        correct_choice=row.correct_choice,
        answered=quiz.answered,
        question_count=quiz.question_count,
    )


def said_of(said: AnswerIn) -> Said:
    """Read what a caller sent."""
    if isinstance(said.choice, str):
        return Said(None, said.choice)
    return Said(said.choice, "unsure" if said.unsure else None)


async def finish_quiz(quiz_id: DocumentNumber, web: WebPort) -> QuizOut:
    """End a quiz; what was wrong or unsure is explained in the background, before it is clicked."""
    await quizzes.finish(web.db, OWNER, quiz_id)
    return await read_quiz(quiz_id, web)
