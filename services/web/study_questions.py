"""Questions of the bank over HTTP. What would give one away is hidden until it was answered, or is asked for (P10)."""

from typing import Annotated
from uuid import uuid4

from fastapi import Query, Response

from db.errors import Conflict
from db.pool import Session
from db.study_quiz_rows import KnownQuestion
from services.kit.errors import RequestError
from services.web.context import OWNER, WebPort
from services.web.errors import not_found
from services.web.study_wire import (
    MAX_ROUND,
    ExplanationStatus,
    QuestionIn,
    QuestionOut,
    QuestionPatch,
    QuestionsOut,
    State,
)
from services.web.urls import question_url
from services.web.wire import DocumentNumber, Label

WRITTEN = ("text", "choices", "correct_choice", "explanation", "exam_name", "exam_round", "exam_number", "tags")
CLEARED_BY_NULL = frozenset({"explanation", "exam_name", "exam_round", "exam_number"})


def _shown(row: KnownQuestion, reveal: bool) -> QuestionOut:
    told = reveal or row.attempts > 0
    return QuestionOut(
        id=row.id,
        topic_id=row.study_topic_id,
        text=row.text,
        choices=row.choices,
        revealed=told,
        correct_choice=row.correct_choice if told else None,
        explanation=row.explanation if told else None,
        ai_explanation=row.ai_explanation if told else None,
        ai_explanation_status=row.ai_explanation_status,
        exam_name=row.exam_name,
        exam_round=row.exam_round,
        exam_number=row.exam_number,
        tags=row.tags,
        state=row.state,
        attempts=row.attempts,
        last_outcome=row.last_outcome,
        created_at=row.created_at,
        updated_at=row.updated_at,
        url=question_url(row.id),
    )


async def list_questions(
    web: WebPort,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[DocumentNumber | None, Query()] = None,
    topic_id: Annotated[DocumentNumber | None, Query()] = None,
    status: ExplanationStatus | None = None,
    state: State | None = None,
    tag: Annotated[Label | None, Query()] = None,
    reveal: bool = False,
) -> QuestionsOut:
    """List questions, newest first: of a topic, by the status of the explanation, by how well they are known."""
    values = {"topic_id": topic_id, "status": status, "state": state, "tag": tag or None, "before": before}
    rows = await web.db.many(KnownQuestion, "list_study_questions", user_id=OWNER, most=limit + 1, **values)
    more = rows[limit - 1].id if len(rows) > limit else None
    return QuestionsOut(questions=[_shown(row, reveal) for row in rows[:limit]], next=more)


async def read_question(question_id: DocumentNumber, web: WebPort, reveal: bool = False) -> QuestionOut:
    """Give a question; with `reveal` also what would give it away."""
    row = await web.db.one(KnownQuestion, "study_question", user_id=OWNER, id=question_id)
    if row is None:
        raise not_found(f"question {question_id}")
    return _shown(row, reveal)


async def create_question(said: QuestionIn, web: WebPort) -> QuestionOut:
    """Add a question to a topic."""
    _check_choice(said.correct_choice, len(said.choices))
    values = said.model_dump(exclude={"topic_id", "source_key"})
    source_key = said.source_key or str(uuid4())
    try:
        async with web.db.session() as session, session.transaction():
            if await session.value("lock_study_topic", user_id=OWNER, id=said.topic_id) is None:
                raise not_found(f"topic {said.topic_id}")
            values["exam_number"] = await _number(session, said)
            number = await session.value(
                "insert_study_question", user_id=OWNER, topic_id=said.topic_id, source_key=source_key, **values
            )
    except Conflict as error:
        message = f"The topic has a question with the source_key {source_key!r}."
        raise RequestError(409, "already_there", message, "Change that one, or leave the key out.") from error
    return await read_question(int(number), web, reveal=True)


async def _number(session: Session, said: QuestionIn) -> int | None:
    """Give the number in the exam's round: the one that was said, else the lowest that is free."""
    if said.exam_round is None or said.exam_number is not None:
        return said.exam_number
    place = {"topic_id": said.topic_id, "exam_name": said.exam_name, "exam_round": said.exam_round}
    number = await session.value("next_exam_number", **place)
    if number is None:
        message = f"Round {said.exam_round} has {MAX_ROUND} questions already."
        raise RequestError(409, "round_full", message, "Put the question into another round.")
    return int(number)


def _check_choice(correct_choice: int, choices: int) -> None:
    if correct_choice > choices:
        message = f"correct_choice: there are {choices} choices, not {correct_choice}"
        raise RequestError(400, "invalid_request", message, "Choices are counted from 1.")


async def patch_question(question_id: DocumentNumber, said: QuestionPatch, web: WebPort) -> QuestionOut:
    """Change fields of a question; one that is not given stays, null clears what may be empty."""
    given = said.model_dump(include=said.model_fields_set)
    given = {name: value for name, value in given.items() if value is not None or name in CLEARED_BY_NULL}
    async with web.db.session() as session, session.transaction():
        if await session.value("lock_study_question", user_id=OWNER, id=question_id) is None:
            raise not_found(f"question {question_id}")
        row = await session.one(KnownQuestion, "study_question", user_id=OWNER, id=question_id)
        values = {**{name: getattr(row, name) for name in WRITTEN}, **given}
        _check_choice(values["correct_choice"], len(values["choices"]))
        await session.value("update_study_question", user_id=OWNER, id=question_id, **values)
    return await read_question(question_id, web, reveal=True)


async def delete_question(question_id: DocumentNumber, web: WebPort) -> Response:
    """Take a question out of everything; answers that were given to it stay."""
    if await web.db.value("delete_study_question", user_id=OWNER, id=question_id) is None:
        raise not_found(f"question {question_id}")
    return Response(status_code=204)
