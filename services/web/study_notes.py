"""The note of a topic and the analysis of a quiz over HTTP: what is there is given at once, with what it cites.

In: a topic's or a quiz' number. Out: the text with its citations and whether it is stale; while it is being made, 202
and where to look. This process makes none itself: it puts a row at the head of the line of the daemon.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from db.gate import Priority
from db.study_note_rows import AnalysisState, NoteState
from services.kit.errors import RequestError
from services.web.context import OWNER, Web, WebPort
from services.web.errors import not_found
from services.web.urls import page_url
from services.web.wire import CitationOut, DocumentNumber, Shape

FAILED = 502
"""As for an ask: this process did its part, the one behind it did not."""
PENDING = {"responses": {"202": {"description": "It is being made: look again at `url`. A former text comes along."}}}
"""For OpenAPI."""


class MakeIn(Shape):
    """How a text is wanted; with `again` it is made anew, also where one is there."""

    again: bool = False


class StudyTextOut(BaseModel):
    """A note or an analysis.

    `status` is "ready", "stale" (what it was made of has changed), "pending" or "failed" (the text is the former one).
    `text` is null where there is none yet, and where it may no longer be shown because a source became restricted.
    """

    status: str
    url: str
    stale: bool
    text: str | None
    citations: list[CitationOut]
    model: str | None
    prompt_version: str | None
    generated_at: datetime | None


async def read_note(topic_id: DocumentNumber, web: WebPort) -> Response:
    """Give a topic's note; 202 while it is being made."""
    return _reply(await _note(topic_id, web), note_url(topic_id))


async def make_note(topic_id: DocumentNumber, web: WebPort, asked: MakeIn | None = None) -> Response:
    """Have a topic's note made for a person who waits; one that is there is given at once, stale or not."""
    state = await _note(topic_id, web)
    if _is_there(state, asked):
        return _reply(state, note_url(topic_id))
    await web.db.value("enqueue_study_note", topic_id=topic_id, **_wish(asked))
    return _reply(await _note(topic_id, web), note_url(topic_id))


async def read_analysis(quiz_id: DocumentNumber, web: WebPort) -> Response:
    """Give a quiz' analysis; 202 while it is being made."""
    return _reply(await _analysis(quiz_id, web), analysis_url(quiz_id))


async def make_analysis(quiz_id: DocumentNumber, web: WebPort, asked: MakeIn | None = None) -> Response:
    """Have a finished quiz analysed; an analysis that is there is given at once, stale or not."""
    state = await _analysis(quiz_id, web)
    if state.quiz_status != "finished":
        raise RequestError(409, "quiz_open", "The quiz is not finished.", "Finish it: then it is analysed by itself.")
    if _is_there(state, asked):
        return _reply(state, analysis_url(quiz_id))
    await web.db.value("enqueue_quiz_analysis", quiz_id=quiz_id, **_wish(asked))
    return _reply(await _analysis(quiz_id, web), analysis_url(quiz_id))


def note_url(topic_id: int) -> str:
    """Address of a topic's note."""
    return f"/api/study/topics/{topic_id}/note"


def analysis_url(quiz_id: int) -> str:
    """Address of a quiz' analysis."""
    return f"/api/study/quizzes/{quiz_id}/analysis"


async def _note(topic_id: int, web: Web) -> NoteState:
    state = await web.db.one(NoteState, "study_note", user_id=OWNER, topic_id=topic_id)
    if state is None:
        raise not_found(f"topic {topic_id}")
    return state


async def _analysis(quiz_id: int, web: Web) -> AnalysisState:
    state = await web.db.one(AnalysisState, "quiz_analysis", user_id=OWNER, quiz_id=quiz_id)
    if state is None:
        raise not_found(f"quiz {quiz_id}")
    return state


def _is_there(state: NoteState | AnalysisState, asked: MakeIn | None) -> bool:
    return state.status in ("ready", "stale") and state.text is not None and not (asked and asked.again)


def _wish(asked: MakeIn | None) -> dict[str, Any]:
    again = asked is not None and asked.again
    return {
        "urgency": int(Priority.FOREGROUND),
        "payload": {"asked_by": "person", **({"again": True} if again else {})},
    }


def _reply(state: NoteState | AnalysisState, url: str) -> Response:
    """Write a state.

    Raises:
        RequestError: there is no text, and none is being made.
    """
    pending = state.status == "pending"
    if state.text is None and not pending:
        raise _nothing(state)
    shown = StudyTextOut(
        status=state.status,
        url=url,
        stale=state.stale,
        text=state.text,
        citations=[_citation(each) for each in state.citations or ()],
        model=state.model,
        prompt_version=state.prompt_version,
        generated_at=state.generated_at,
    )
    body = shown.model_dump(mode="json")
    return JSONResponse(body, 202, {"Location": url}) if pending else JSONResponse(body)


def _citation(stored: Mapping[str, Any]) -> CitationOut:
    url = page_url(stored["document_id"], stored["page"], stored["start"], stored["end"])
    return CitationOut.model_validate({**stored, "url": url})


def _nothing(state: NoteState | AnalysisState) -> RequestError:
    again = "POST to this address has it made."
    if state.withheld:
        return RequestError(409, "restricted", "It quotes what has become restricted.", f"{again} Without that source.")
    message = state.error_message or "It could not be made."
    if state.status == "skipped":
        return RequestError(409, state.error_code or "skipped", message, again)
    if state.status == "failed":
        return RequestError(FAILED, state.error_code or "unknown", message, again)
    return RequestError(404, "not_made", "It has not been made yet.", again)
