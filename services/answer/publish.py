"""Tell whoever listens how an ask goes: nobody need listen.

Events wait in memory for a task of their own that sends them by NOTIFY, all that wait in one statement: the model never
waits for a listener nor for Postgres, words that come fast travel together, and what is lost on the way stands in the
finished row. The one thing that is written on the way is what an attempt has done so far, at each call of a model: if
its process dies, the next attempt counts it (services/answer/attempts.py).
"""

import json
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import anyio

from db.errors import DatabaseError
from db.pool import Database
from services.answer.draft import AnswerStream
from services.answer.events import (
    CHANNEL,
    CHAR,
    CITATIONS,
    REFUSAL,
    AskEvent,
    gate_event,
    gate_id,
    status_id,
    token_events,
)
from services.answer.result import Answer, Refusal
from services.kit.early import companion

NOTIFY_BYTES = 8000
"""Postgres refuses a longer payload. What does not fit is not sent: the finished row has it, and the facade
reads it."""


class _Numbers:
    """Numbers steps, and the calls of a step, in the order in which they come (services/answer/events.py)."""

    def __init__(self) -> None:
        self._nth, self._step, self._call, self._waits = 1, status_id(1), 0, False

    def number(self, event: AskEvent, told: int) -> AskEvent:
        """Give the event its id; words have theirs already."""
        if event.name == "status":
            self._nth, self._call, self._waits = self._nth + 1, 0, False
            self._step = status_id(self._nth, told)
            return replace(event, id=self._step)
        if event.name == "gate":
            self._step = max(self._step, status_id(self._nth, told))
            waits = event.data["state"] == "waits"
            self._call += waits or not self._waits
            self._waits = waits
            return replace(event, id=gate_id(self._step, self._call, event.data["state"]))
        return event


class Publisher:
    """The voice of one ask; speaks while `speaking()` is entered.

    Args:
        claim: under which the ask's row is in hand; None where there is none, and nothing is kept.
    """

    def __init__(self, db: Database, ask_id: int, claim: int | None = None) -> None:
        self._db, self._ask_id, self._claim = db, ask_id, claim
        self._left: dict[str, Any] | None = None
        self._stream, self._numbers = AnswerStream(), _Numbers()
        self._unsent: list[AskEvent] = []
        self._woken, self._closed = anyio.Event(), False

    @property
    def streamed(self) -> str:
        """The text that readers have been told while the model wrote it."""
        return self._stream.text

    def speaking(self) -> AbstractAsyncContextManager[None]:
        """Send events while the body runs, and those still unsent when it ends."""
        return companion(self._keep_sending, self._close)

    def _close(self, _scope: object) -> None:
        self._closed = True
        self._woken.set()

    def publish(self, event: AskEvent) -> None:
        """Send an event as soon as may be; a step's is numbered here."""
        self._unsent.append(self._numbers.number(event, len(self.streamed)))
        self._woken.set()

    def keep(self, left: dict[str, Any]) -> None:
        """Write with the row what has been done so far, as soon as may be; the end of the ask writes over it."""
        if self._claim is not None:
            self._left = left
            self._woken.set()

    def cites(self, known: Collection[int]) -> None:
        """Hear which numbers the evidence has, before the model writes."""
        self._stream.cites(known)

    async def heard(self, piece: str) -> None:
        """Take a piece of what the model writes, and pass on the words of the answer in it."""
        words = self._stream.feed(piece)
        if not words:
            return
        if self._unsent and self._unsent[-1].name == "token":
            words = self._unsent.pop().data["text"] + words
        start = len(self._stream.text) - len(words)
        self.publish(AskEvent(CHAR * len(self._stream.text), "token", {"text": words, "start": start}))

    def tell(self, result: Answer | Refusal, citations: Sequence[dict[str, Any]]) -> None:
        """Send the rest of an answer with its citations, or a refusal. Readers of a draft that was changed since are
        put right by the row."""
        if isinstance(result, Refusal):
            self.publish(AskEvent(REFUSAL, "refusal", {"reason": result.reason, "message": result.sentence}))
            return
        if result.text.startswith(self.streamed):
            told = len(self.streamed)
            self._unsent += token_events(result.text[told:], told)
        self._unsent += [AskEvent(CITATIONS + cited["n"], "citation", cited) for cited in citations]
        self._woken.set()

    async def _keep_sending(self) -> None:
        while self._unsent or self._left or not self._closed:
            await self._woken.wait()
            self._woken = anyio.Event()
            if self._closed:
                self._woken.set()
            events, self._unsent = self._unsent, []
            left, self._left = self._left, None
            with suppress(DatabaseError):  # the row will tell, or the job begins anew
                if left is not None:
                    await self._db.none("note_ask_so_far", id=self._ask_id, claim=self._claim, trace=left)
                if events:
                    await self._send(events)

    async def _send(self, events: Sequence[AskEvent]) -> None:
        payloads = [{"ask": self._ask_id, "seq": event.id, "event": event.name, "data": event.data} for event in events]
        texts = [json.dumps(payload, ensure_ascii=False) for payload in payloads]
        fitting = [text for text in texts if len(text.encode()) < NOTIFY_BYTES]
        await self._db.none("publish", channel=CHANNEL, payloads=fitting)


class Turn:
    """A step's turn at the gate, which may come before the step: told to listeners when the step begins."""

    def __init__(self, voice: Publisher, step: str) -> None:
        self._voice, self._step = voice, step
        self._begun = False
        self._since, self._asked = datetime.now(UTC), perf_counter()
        self._waited_ms: float | None = None

    def admitted(self, wait_ms: float) -> None:
        """Hear that the gate let the call in."""
        self._waited_ms = round(wait_ms, 1)
        if self._begun:
            self._tell()

    def begin(self) -> None:
        """Hear that the step begins."""
        self._begun = True
        self._tell()

    def _tell(self) -> None:
        if self._waited_ms is not None:
            self._voice.publish(gate_event(self._step, "holds", wait_ms=self._waited_ms))
            return
        waited_ms = round((perf_counter() - self._asked) * 1000, 1)
        since = self._since.isoformat(timespec="milliseconds")
        self._voice.publish(gate_event(self._step, "waits", since=since, waited_ms=waited_ms))
