"""Questions for which the model of DEEP searches by itself: a row of the mode `react`, waited for as for any other.

In: a question. Out: its answer with `sources`, all that was found, and whether it is `partial`, since the model wrote
nothing in the end; `debug` tells every round. Refuses with 503 before anything is written where the model is not there.
"""

from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Header, Request, Response
from starlette.responses import JSONResponse

from db.rows import AskRow
from services.answer.events import AskEvent, result_of
from services.answer.react_loop import UNAVAILABLE
from services.kit.errors import RequestError
from services.search.asked import check_asked
from services.web.ask_wire import AskIn
from services.web.asks import EVENT_STREAM, FAILED, SKIPPED
from services.web.context import OWNER, Web, WebPort
from services.web.deep import deep_unavailable, refuse_without_deep
from services.web.errors import not_found
from services.web.follow import Events, follow, outcome
from services.web.hub import Reader
from services.web.sse import EventStream
from services.web.urls import ask_url

OFF = "This server does not let a model search by itself."
TURN_ON = "answer.react.enabled turns it on; POST /api/search/ask answers all the same."
ROUNDS = ("rounds", "calls", "searches", "findings", "re_gate", "ms")
"""What `debug` tells of the trace."""


async def react(asked: AskIn, web: WebPort, request: Request, accept: Annotated[str, Header()] = "") -> Response:
    """Ask a question whose answer a model looks for by itself; 503 `deep_unavailable` without that model."""
    if not web.settings.answer.react.enabled:
        raise RequestError(404, "react_disabled", OFF, TURN_ON)
    check_asked(asked.question, web.settings.search)
    if (refusal := await refuse_without_deep(web)) is not None:
        return refusal
    reader = await enqueue(asked.question, "react", asked.filters.stored(), web)
    if asked.stream or EVENT_STREAM in accept:
        location = {"Location": ask_url(reader.ask_id)}
        return EventStream(_told(reader, asked.debug, web), web.settings.answer.heartbeat_s, location)
    return await _waited(reader, asked.debug, web, request)


async def enqueue(question: str, mode: str, filters: dict[str, Any], web: Web) -> Reader:
    """Write the row; the reader joins before the commit, and so hears even the quickest daemon from its first word."""
    values = {"question": question, "mode": mode, "filters": filters}
    async with web.db.session() as session, session.transaction():
        return web.hub.join(await session.value("insert_ask_in_mode", user_id=OWNER, **values))


async def _told(reader: Reader, debug: bool, web: Web) -> Events:
    async with aclosing(follow(web, reader)) as events:
        async for event in events:
            if event is not None and event.name == "done":
                yield AskEvent(event.id, "done", _result(await row_of(reader.ask_id, web), debug))
            else:
                yield event


async def _waited(reader: Reader, debug: bool, web: Web, request: Request) -> Response:
    if await outcome(web, reader, request) is None:
        late = {"id": reader.ask_id, "status": "processing", "url": ask_url(reader.ask_id)}
        return JSONResponse(late, 202, {"Location": ask_url(reader.ask_id)})
    row = await row_of(reader.ask_id, web)
    return JSONResponse(_result(row, debug)) if row.status == "completed" else failure(row, _result(row, debug))


def failure(row: AskRow, shown: dict[str, Any]) -> JSONResponse:
    """Write the reply for an ask that ended without one; `shown` is what is known of it all the same."""
    message = row.error_message or "The question could not be answered."
    if row.error_code == UNAVAILABLE:
        return deep_unavailable(message)
    error = {"code": row.error_code, "message": message, "hint": "Ask again."}
    return JSONResponse({**shown, "error": error}, SKIPPED if row.status == "skipped" else FAILED)


def _result(row: AskRow, debug: bool) -> dict[str, Any]:
    """Give the public form of an ask with what only this loop has (T06 to T08)."""
    trace = row.trace or {}
    return {
        **result_of(row),
        "mode": row.mode,
        "partial": bool(trace.get("partial")),
        "sources": trace.get("sources", []),
        "debug_trace": {name: trace[name] for name in ROUNDS if name in trace} if debug else None,
    }


async def row_of(ask_id: int, web: Web) -> AskRow:
    """Read an ask.

    Raises:
        RequestError: there is none, or no more.
    """
    row = await web.db.one(AskRow, "ask_row", id=ask_id)
    if row is None:
        raise not_found(f"ask {ask_id}")
    return row
