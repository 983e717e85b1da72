"""Server-sent events (WHATWG HTML, section 9.2): events in, a stream of text out."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Send

from services.answer.events import AskEvent

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""With no-store Chromium counts a stream that was read to its end as aborted. The second keeps nginx from collecting
a stream before it passes it on."""
HEARTBEAT = ": heartbeat\n\n"


def encode(event: AskEvent) -> str:
    """Write one event; JSON has no raw line break, so that one data line holds it."""
    return f"id: {event.id}\nevent: {event.name}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"


async def _lines(events: AsyncGenerator[AskEvent | None, None], heartbeat_s: float) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        written_at = anyio.current_time()
        async for event in events:
            silent_s = anyio.current_time() - written_at
            if event is None and silent_s < heartbeat_s:
                continue
            yield HEARTBEAT if event is None else encode(event)
            written_at = anyio.current_time()


class EventStream(StreamingResponse):
    """Sends events as they come, and a comment when `heartbeat_s` passed without one."""

    def __init__(
        self,
        events: AsyncGenerator[AskEvent | None, None],
        heartbeat_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._text = _lines(events, heartbeat_s)
        super().__init__(self._text, headers={**HEADERS, **(headers or {})}, media_type="text/event-stream")

    async def stream_response(self, send: Send) -> None:
        """Send until the events end or the client goes; either way the events are closed at once."""
        async with aclosing(self._text):
            await super().stream_response(send)


def last_event_id(given: str | None) -> int:
    """Read the id from which a client resumes; what is no number of ours means from the start."""
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 19 else 0
