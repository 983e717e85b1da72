"""One call to the scripted model server: follows what a rule says, from the first byte to the last."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes import model_replies as replies
from tests.fakes.http_exchange import HOLDS_S, Exchange
from tests.fakes.model_log import Call, State
from tests.fakes.model_script import Say


@dataclass
class Turn:
    """What is asked, what shall be said, and to whom; `call` is None for what is no model call."""

    to: Exchange
    kind: str
    say: Say
    body: dict[str, Any]
    state: State
    call: Call | None

    async def follow(self) -> bool:
        """Do what the rule says; gives whether the connection may be used again."""
        to, say = self.to, self.say
        if say.hold is not None:
            await to.wait_for(self.state.holds.setdefault(say.hold, asyncio.Event()))
        await to.pause(say.delay_s)
        if say.end != "whole" and say.after == 0:
            return await self._break_off()
        if say.limit is not None and len(texts_of(self.body)) > say.limit:
            return await self._whole(413 if say.status == 200 else say.status, say.body or {"error": "too many texts"})
        if say.limit is None and (say.body is not None or say.status != 200):
            return await self._whole(say.status, say.body)
        if self.kind == "chat" and (say.raw is not None or (self.body.get("stream") and not say.plain)):
            return await self._stream()
        return await self._whole(200, self._plain())

    def _plain(self) -> Any:
        answers: dict[str, Callable[[Say, dict[str, Any]], Any]] = {
            "chat": replies.whole_answer,
            "embeddings": replies.embeddings,
            "rerank": replies.rerank,
        }
        if self.kind == "models":
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in self.state.script.models]}
        return answers[self.kind](self.say, self.body) if self.kind in answers else {"status": "ok"}

    async def _whole(self, status: int, body: Any) -> bool:
        self._ends()
        await self.to.whole(status, body, self.say.headers)
        return True

    async def _stream(self) -> bool:
        to, say = self.to, self.say
        await to.begin(200, {"Content-Type": "text/event-stream", **say.headers}, close=say.http10)
        for number in range(say.comments):
            await to.send(f": keepalive {number}/{say.comments}{say.newline * 2}".encode())
        await to.pause(say.first_s)
        if say.raw is None:
            await self._pieces()
        if say.end != "whole":
            return await self._break_off()
        self._ends()
        await to.send(self._last())
        await to.finish()
        return not say.http10

    async def _pieces(self) -> None:
        for number, chunk in enumerate(replies.chunks(self.say, self.body)):
            if number == self.say.after and (self.say.end != "whole" or self.say.error is not None):
                return
            await self.to.pause(self.say.token_s if number else 0)
            if self.call is not None and self.call.first_ns is None:
                self.call.first_ns = time.monotonic_ns()
            await self.to.send(replies.event(chunk, self.say))

    def _last(self) -> bytes:
        say = self.say
        if say.raw is not None:
            return say.raw.encode("latin-1")
        if say.error is not None:
            return b"event: error\n" + replies.event({"error": say.error}, say)
        last = b"".join(replies.event(chunk, say) for chunk in replies.last_chunks(say, self.body))
        return last + (replies.event("[DONE]", say) if say.done else b": end\n\n")

    async def _break_off(self) -> bool:
        match self.say.end:
            case "reset":
                self._ends()
                self.to.reset()
            case "hang":
                await self.to.pause(HOLDS_S)
        return False

    def _ends(self) -> None:
        # Before the last bytes, not after them: the client may begin its next call before we run again.
        if self.call is not None:
            self.state.end(self.call)


def texts_of(body: dict[str, Any]) -> list[str]:
    """Give the texts of an embeddings or rerank request."""
    given = body.get("input") or body.get("texts") or body.get("documents") or []
    return [given] if isinstance(given, str) else given
