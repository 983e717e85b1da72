"""From an ask's number to its events, in order, each once and none left out.

In: what the hub hears while the ask runs, and the row, which is the truth. Out: the events after the last one the
client saw (services/answer/told.py).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import anyio
from fastapi import Request

from db.errors import DatabaseError, DatabaseGone
from db.rows import AskRow
from services.answer.events import AskEvent
from services.answer.told import Told
from services.web.context import Web
from services.web.hub import Reader
from services.web.readers import Stay

LOOK_S = 5.0
"""A row is looked at this often without being notified."""
SOON_S, PLACE_S = 0.3, 1.0
"""An ask that is not taken up so soon is told its place, and again, where that has changed, so often."""
DISCONNECT = "http.disconnect"

Events = AsyncGenerator[AskEvent | None, None]


async def follow(web: Web, reader: Reader, last: int = 0, first: bool = True) -> Events:
    """Tell the events of an ask after `last`, until its row is final or the process stops; None marks a quiet while.

    Whoever closes this before its end has left the ask (services/web/readers.py).

    Args:
        first: it is told to who asked, and counts among the asks of this process; not to who looks again.
    """
    with reader.reading() as stay:
        async with aclosing(_events(web, reader, last, stay)) as events:
            async for event in events:
                if first and event is not None and event.name == "done":
                    _count(web, event.data)
                yield event


async def _events(web: Web, reader: Reader, last: int, stay: Stay) -> Events:
    told, look_at, place_at = Told(last), 0.0, anyio.current_time() + SOON_S
    while not web.hub.closed:
        heard, look = reader.take()
        for event in told.live(heard):
            yield event
        if look or anyio.current_time() >= look_at:
            look_at = anyio.current_time() + LOOK_S
            row = await _row(web, reader.ask_id)
            stay.ended = row is not None and row.completed_at is not None
            for event in told.replay(row) if row else ():
                yield event
            if stay.ended:
                return
        if told.may_wait and (told.at_gate_unplaced or anyio.current_time() >= place_at):
            place_at = anyio.current_time() + PLACE_S
            place = await web.waits.place(reader.ask_id, told.priority, told.queued)
            for event in told.place(place) if place else ():
                yield event
        yield None
        await reader.wait(_tick_s(web, told))


def _tick_s(web: Web, told: Told) -> float:
    usual_s = min(LOOK_S, web.settings.answer.heartbeat_s)
    return min(usual_s, SOON_S) if told.may_wait else usual_s


async def _row(web: Web, ask_id: int) -> AskRow | None:
    try:
        return await web.db.one(AskRow, "ask_row", id=ask_id)
    except DatabaseGone:  # it comes back, and the next look finds the row
        return None


async def outcome(web: Web, reader: Reader, request: Request | None = None) -> dict[str, Any] | None:
    """Wait for the end of an ask and give its public form; None when it takes longer than a caller is to wait.

    Args:
        request: of the caller; when it has left nobody waits any more. One that is told to look later has not left, and
            the ask goes on without it.
    """
    result: dict[str, Any] | None = None
    left = False

    async def until_left(scope: anyio.CancelScope) -> None:
        nonlocal left
        while request is not None and not left:
            left = (await request.receive())["type"] == DISCONNECT
        if left:
            scope.cancel()

    with reader.reading() as stay:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_left, tasks.cancel_scope)
            with anyio.move_on_after(web.settings.answer.wait_s):
                async with aclosing(_events(web, reader, 0, stay)) as events:
                    async for event in events:
                        if event is not None and event.name == "done":
                            result = event.data
            tasks.cancel_scope.cancel()
        if result is None and not left:
            with suppress(DatabaseError):  # then it goes on all the same
                await web.db.none("leave_ask_alone", id=reader.ask_id)
            stay.ended = True
    _count(web, result)
    return result


def _count(web: Web, result: dict[str, Any] | None) -> None:
    web.metrics.asks.labels(_kind(result)).inc()


def _kind(result: dict[str, Any] | None) -> str:
    if result is None:
        return "late"
    if result["status"] != "completed":
        return str(result["status"])
    return "refused" if result["refused"] else "answered"
