"""From an ask's number to its events, in order, each once and none left out.

In: what the hub hears while the ask runs, and the row, which is the truth. Out: the events after the last one the
client saw (services/answer/told.py).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import anyio

from db.errors import DatabaseGone
from db.rows import AskRow
from services.answer.events import AskEvent
from services.answer.told import Told
from services.web.context import Web
from services.web.hub import Reader

LOOK_S = 5.0
"""A row is looked at this often without being notified."""

Events = AsyncGenerator[AskEvent | None, None]


async def follow(web: Web, reader: Reader, last: int = 0) -> Events:
    """Tell the events of an ask after `last`, until its row is final or the process stops; None marks a quiet while."""
    told, look_at = Told(last), 0.0
    tick_s = min(LOOK_S, web.settings.answer.heartbeat_s)
    while not web.hub.closed:
        heard, look = reader.take()
        for event in told.live(heard):
            yield event
        if look or anyio.current_time() >= look_at:
            look_at = anyio.current_time() + LOOK_S
            row = await _row(web, reader.ask_id)
            for event in told.replay(row) if row else ():
                yield event
            if row and row.completed_at:
                return
        yield None
        await reader.wait(tick_s)


async def _row(web: Web, ask_id: int) -> AskRow | None:
    try:
        return await web.db.one(AskRow, "ask_row", id=ask_id)
    except DatabaseGone:  # it comes back, and the next look finds the row
        return None


async def outcome(web: Web, reader: Reader) -> dict[str, Any] | None:
    """Wait for the end of an ask and give its public form; None when it takes longer than a caller is to wait."""
    row = None
    with anyio.move_on_after(web.settings.answer.wait_s):
        async with aclosing(follow(web, reader)) as events:
            async for event in events:
                if event is not None and event.name == "done":
                    row = event.data
    return row
