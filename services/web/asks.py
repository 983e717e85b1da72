"""Questions over HTTP: a row goes in, and the synthesis daemon answers it; this process only waits and passes on."""

from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Header, Request, Response
from starlette.responses import JSONResponse

from db.rows import AskRow
from services.answer.events import AskEvent, result_of
from services.search.asked import check_asked
from services.web.again import staleness
from services.web.ask_wire import AskIn
from services.web.context import OWNER, Web, WebPort
from services.web.errors import not_found
from services.web.follow import Events, follow, outcome
from services.web.hub import Reader
from services.web.sse import EventStream, last_event_id
from services.web.urls import ask_url
from services.web.wire import AskOut, DocumentNumber

EVENT_STREAM = "text/event-stream"
FAILED = 502
"""The status of an ask that ended in an error: this process did its part, the one behind it did not."""
SKIPPED = 409
"""The status of an ask that was cancelled, or whose row was taken away, while somebody waited for it."""


async def ask(asked: AskIn, web: WebPort, request: Request, accept: Annotated[str, Header()] = "") -> Response:
    """Ask a question; the reply is the cited answer or a refusal, or events when a stream is asked for."""
    check_asked(asked.question, web.settings.search)
    reader = await _enqueue(asked, web)
    if asked.stream or EVENT_STREAM in accept:
        location = {"Location": ask_url(reader.ask_id)}
        events = _told(reader, web) if asked.debug else follow(web, reader)
        return EventStream(events, web.settings.answer.heartbeat_s, location)
    return await _waited(reader, asked.debug, web, request)


async def _enqueue(asked: AskIn, web: Web) -> Reader:
    """Write the row. The reader joins before the commit, and so hears even the quickest daemon from its first word."""
    values = {"question": asked.question, "filters": asked.filters.stored()}
    async with web.db.session() as session, session.transaction():
        ask_id = await session.value("insert_attended_ask", user_id=OWNER, **values)
        return web.hub.join(ask_id)


async def _told(reader: Reader, web: Web) -> Events:
    """Tell the events of an ask, the last one with the trace."""
    async with aclosing(follow(web, reader)) as events:
        async for event in events:
            if event is not None and event.name == "done":
                yield AskEvent(event.id, "done", await _debugged(event.data, web))
            else:
                yield event


async def _waited(reader: Reader, debug: bool, web: Web, request: Request) -> Response:
    result = await outcome(web, reader, request)
    if result is None:
        late = {"id": reader.ask_id, "status": "processing", "url": ask_url(reader.ask_id)}
        return JSONResponse(late, 202, {"Location": ask_url(reader.ask_id)})
    shown = await _debugged(result, web) if debug else result
    return JSONResponse(shown) if result["status"] == "completed" else await _failed(shown, web)


async def _failed(shown: dict[str, Any], web: Web) -> Response:
    """Write the reply for an ask that ended without a result; `shown` is what is known of it all the same."""
    row = await _row(shown["id"], web)
    if row.status == "skipped":  # somebody cancelled it while it was waited for
        error = {"code": row.error_code, "message": row.error_message, "hint": "Ask again."}
        return JSONResponse({**shown, "error": error}, SKIPPED)
    message = row.error_message or "The question could not be answered."
    error = {"code": row.error_code, "message": message, "hint": "`seodang queue retry --stage synthesis` asks again."}
    return JSONResponse({**shown, "error": error}, FAILED)


async def _debugged(result: dict[str, Any], web: Web) -> dict[str, Any]:
    return {**result, "trace": (await _row(result["id"], web)).trace}


async def _row(ask_id: int, web: Web) -> AskRow:
    row = await web.db.one(AskRow, "ask_row", id=ask_id)
    if row is None:
        raise not_found(f"ask {ask_id}")
    return row


async def read_ask(ask_id: DocumentNumber, web: WebPort) -> AskOut:
    """Give an ask as it stands, and whether what it cites still reads so."""
    row = await _row(ask_id, web)
    return AskOut.model_validate({**result_of(row), **await staleness(row, web)})


async def ask_events(
    ask_id: DocumentNumber, web: WebPort, last_seen: Annotated[str | None, Header(alias="Last-Event-ID")] = None
) -> Response:
    """Stream the events of an ask after `Last-Event-ID`, each once, however often the client comes back."""
    await _row(ask_id, web)
    events = follow(web, web.hub.join(ask_id), last_event_id(last_seen), first=False)
    await web.hub.readers.hold()  # before the row is read: another process may be about to cancel it
    return EventStream(events, web.settings.answer.heartbeat_s)
