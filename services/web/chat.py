"""The chat over HTTP: a message is a row of the mode `chat`; this process waits, tells, and keeps the history.

In: a message. Out: a stream of envelopes in a fixed order, or with `stream: false` the reply. Deep mode is refused with
503 before any stream begins where its model is not there.

    phase searching (deep) | answering -> phase ping while it is silent, gate -> token … -> sources -> done
    and in place of what is missing: correction, error
"""

from contextlib import aclosing
from itertools import count
from typing import Any

import anyio
from fastapi import Request, Response
from starlette.responses import JSONResponse

from db.rows import AskRow
from services.answer.events import AskEvent, result_of
from services.search.asked import check_asked
from services.web.chat_wire import ChatIn, ReplyOut
from services.web.context import OWNER, Web, WebPort
from services.web.deep import refuse_without_deep
from services.web.errors import not_found
from services.web.follow import Events, follow, outcome
from services.web.hub import Reader
from services.web.react import failure, row_of
from services.web.sse import EventStream
from services.web.urls import ask_url, chat_url

TITLE_CHARS = 60
PASSED = frozenset({"gate", "token", "correction", "error"})
"""Events of an ask that are told as they are."""


class Turn:
    """A message on its way: where it belongs, and the numbers of its envelopes."""

    def __init__(self, chat_id: int, reader: Reader, said: ChatIn) -> None:
        self.chat_id, self.reader, self.mode = chat_id, reader, said.mode
        self._numbers = count(1)

    def envelope(self, name: str, data: dict[str, Any]) -> AskEvent:
        """Number an envelope."""
        return AskEvent(next(self._numbers), name, data)

    def phase(self, phase: str) -> AskEvent:
        """Say what goes on."""
        return self.envelope("phase", {"phase": phase, "chat_id": self.chat_id, "ask_id": self.reader.ask_id})


async def chat(said: ChatIn, web: WebPort, request: Request) -> Response:
    """Say something in a chat; the reply is a stream of envelopes, or one answer with `stream: false`."""
    check_asked(said.message, web.settings.search)
    if said.mode == "deep" and (refusal := await refuse_without_deep(web)) is not None:
        return refusal
    turn = await _begin(said, web)
    if said.stream:
        headers = {"Location": chat_url(turn.chat_id)}
        return EventStream(_envelopes(turn, web), web.settings.answer.heartbeat_s, headers)
    return await _waited(turn, web, request)


async def _begin(said: ChatIn, web: Web) -> Turn:
    """Keep the message and enqueue it, both or neither.

    Raises:
        RequestError: there is no such chat.
    """
    async with web.db.session() as session, session.transaction():
        if said.chat_id is None:
            chat_id = await session.value("insert_chat", user_id=OWNER, title=_title(said.message))
        else:
            chat_id = await session.value("touch_chat", id=said.chat_id, user_id=OWNER)
        if chat_id is None:
            raise not_found(f"chat {said.chat_id}")
        asked = {"question": said.message, "mode": "chat", "filters": said.filters.stored()}
        ask_id = await session.value("insert_ask_in_mode", user_id=OWNER, **asked)
        kept = {"chat_id": chat_id, "ask_id": ask_id, "mode": said.mode, "content": said.message}
        await session.value("insert_chat_message", user_id=OWNER, **kept)
        return Turn(chat_id, web.hub.join(ask_id), said)


def _title(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


async def _envelopes(turn: Turn, web: Web) -> Events:
    """Tell how a message is answered; a silent stream says every `answer.heartbeat_s` that it lives (H03)."""
    silent_s = web.settings.answer.heartbeat_s
    yield turn.phase("searching" if turn.mode == "deep" else "answering")
    told_at = anyio.current_time()
    async with aclosing(follow(web, turn.reader)) as events:
        async for event in events:
            if event is None and anyio.current_time() - told_at < silent_s:
                yield None
                continue
            for envelope in [turn.phase("ping")] if event is None else await _told(event, turn, web):
                told_at = anyio.current_time()
                yield envelope


async def _told(event: AskEvent, turn: Turn, web: Web) -> list[AskEvent]:
    """Give the envelopes for an event of the ask; a refusal is words like any others."""
    if event.name in PASSED:
        return [turn.envelope(event.name, event.data)]
    if event.name == "refusal":
        return [turn.envelope("token", {"text": event.data["message"], "start": 0})]
    if event.name != "done":
        return []
    reply = _reply(await row_of(turn.reader.ask_id, web), turn)
    cards = [turn.envelope("sources", {"sources": reply["sources"]})] if reply["status"] == "completed" else []
    return [*cards, turn.envelope("done", reply)]


async def _waited(turn: Turn, web: Web, request: Request) -> Response:
    ask_id = turn.reader.ask_id
    if await outcome(web, turn.reader, request) is None:
        late = {"chat_id": turn.chat_id, "ask_id": ask_id, "status": "processing", "url": ask_url(ask_id)}
        return JSONResponse(late, 202, {"Location": chat_url(turn.chat_id)})
    row = await row_of(ask_id, web)
    return JSONResponse(_reply(row, turn)) if row.status == "completed" else failure(row, _reply(row, turn))


def _reply(row: AskRow, turn: Turn) -> dict[str, Any]:
    trace, result = row.trace or {}, result_of(row)
    reply = ReplyOut(
        chat_id=turn.chat_id,
        ask_id=row.id,
        mode=turn.mode,
        grounded=bool(trace.get("grounded")),
        refused=bool(row.refused),
        sources=trace.get("sources", []),
        **{name: result[name] for name in ("status", "answer", "model", "error_code", "gate_wait_ms", "took_ms")},
    )
    return reply.model_dump(mode="json")
