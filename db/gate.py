"""The gate: who may call the one scarce model now, decided by a ladder of Postgres advisory locks (docs/gate.md).

In: an endpoint's name, how many calls it takes at once, a class, a label. Out: a place inside for as long as the body
runs. Never more than `capacity` are inside, over all processes and hosts of one database; the highest class that
waits is next, and within a class who came first. Refuses a second entry from inside, a pooler, and a standby.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Self, TypedDict

import anyio
from anyio.abc import TaskGroup

from db.errors import DatabaseError, DatabaseGone, GateLost, GateReentered
from db.gate_line import Endpoint, Line, Slot, Waiter
from db.gate_report import Report
from db.gate_session import Sessions
from db.locks import endpoint_key

LABEL_CHARS = 28
"""What is left of the 63 bytes of application_name."""
UNSAFE = re.compile(r"[^A-Za-z0-9_.,:/#@+=-]+")
MOST_SLOTS = 256
CLOSED = "the gate of this process is closed"


class Priority(IntEnum):
    """Classes of callers; the lower number goes first. gate_status names them by their place in this order."""

    FOREGROUND = 0
    STUDY = 50
    BACKGROUND = 100


DEFAULT = Priority.BACKGROUND
"""A call that says nothing must not push a person aside."""
LAST = max(Priority)
PLACES = {priority: place for place, priority in enumerate(sorted(Priority))}


@dataclass(frozen=True, slots=True)
class Place:
    """A place inside the gate; `wait_ms` is the time from asking to entering."""

    endpoint: str
    priority: Priority
    label: str
    wait_ms: float


class GateListener:
    """Hears what happens at the gate of this process; this one does nothing. Called in the event loop: must not block.

    `seq` numbers the entries asked for in this process; `queue_len` counts who waits here at that endpoint.
    """

    def queued(self, *, endpoint: str, priority: Priority, label: str, seq: int, queue_len: int) -> None:
        """Somebody asks."""

    def entered(
        self, *, endpoint: str, priority: Priority, label: str, seq: int, queue_len: int, wait_ms: float
    ) -> None:
        """Somebody is inside."""

    def left(self, *, endpoint: str, priority: Priority, label: str, seq: int, duration_ms: float) -> None:
        """Somebody was inside for so long, and the slot is free."""

    def starved(self, *, endpoint: str, priority: Priority, label: str, seq: int, wait_ms: float) -> None:
        """Somebody of the last class entered after a wait over the limit."""


class _Who(TypedDict):
    endpoint: str
    priority: Priority
    label: str
    seq: int


@dataclass(eq=False, slots=True)
class _Stay:
    """One entry; `inside` while its body runs."""

    gate: "Gate"
    endpoint: str
    inside: bool = True


_stays: ContextVar[tuple[_Stay, ...]] = ContextVar("gate_stays", default=())
"""What the running task holds; a task that is started from inside inherits it."""


class Gate:
    """The gates of all endpoints in one process; one per event loop, entered before use."""

    def __init__(
        self, dsn: str, *, listener: GateListener | None = None, slice_s: float = 15.0, warn_after_s: float = 300.0
    ) -> None:
        """Remember how to wait.

        Args:
            slice_s: the longest time for which a wait holds back vacuum; see docs/gate.md.
            warn_after_s: a wait of the last class over this is told as `starved`.
        """
        self._sessions = Sessions(dsn, slice_s)
        self._listener = listener
        self._warn_after_ms = warn_after_s * 1000
        self._endpoints: dict[str, Endpoint] = {}
        self._lines: dict[tuple[str, Priority], Line] = {}
        self._seqs = count(1)
        self._tasks: TaskGroup | None = None
        self._report = Report(self._sessions, self._lines.values())

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._report.keep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every session; who still waits gets DatabaseGone, who is inside GateLost."""
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        tasks.cancel_scope.cancel()
        for line in self._lines.values():
            line.fail(DatabaseGone(CLOSED))
        self._sessions.close()
        await tasks.__aexit__(None, None, None)

    @asynccontextmanager
    async def enter(
        self, endpoint: str, *, capacity: int = 1, priority: Priority = DEFAULT, label: str = ""
    ) -> AsyncIterator[Place]:
        """Wait for a place, however long it takes, and give it back when the body ends.

        Args:
            endpoint: names what is scarce; equal names share one gate, in every process on this database.
            capacity: how many may be inside at once, 1 to 256; the same in every process.
            label: shown in gate_status; other than plain ASCII becomes "_", and what is over 28 characters is cut.
        Raises:
            GateReentered: this task holds a place at that endpoint, or was started by one that does: at capacity 1 it
                would wait for itself.
            GateLost: the connection that held the place is gone; the body was cancelled.
            DatabaseGone: no server can be reached to wait at.
            DatabaseUnfit: the server cannot carry the gate (PoolerRefused, a standby).
        """
        who = _Who(endpoint=endpoint, priority=priority, label=label, seq=next(self._seqs))
        asked, whole = perf_counter(), False
        slot = await self._wait(who, capacity)
        entered, stay = perf_counter(), _Stay(self, endpoint)
        wait_ms = (entered - asked) * 1000
        try:
            self._tell_entered(who, wait_ms)
            _stays.set((*_stays.get(), stay))
            with anyio.CancelScope() as scope:
                slot.session.when_lost(scope.cancel)
                yield Place(endpoint, priority, label, wait_ms)
                whole = True
        finally:
            stay.inside = False
            _stays.set(tuple(each for each in _stays.get() if each is not stay))
            await self._leave(slot, endpoint, whole)
            if self._listener is not None:
                self._listener.left(**who, duration_ms=(perf_counter() - entered) * 1000)
        if scope.cancelled_caught:
            raise GateLost(f"the connection that held {endpoint} is gone; the call inside was cancelled")

    async def _wait(self, who: _Who, capacity: int) -> Slot:
        if any(stay.inside and stay.gate is self and stay.endpoint == who["endpoint"] for stay in _stays.get()):
            raise GateReentered(f"{who['label'] or 'a caller'} is inside {who['endpoint']} and asked for it again")
        line = self._line(who["endpoint"], capacity, who["priority"])
        if self._listener is not None:
            self._listener.queued(**who, queue_len=self._queue_len(who["endpoint"]) + 1)
        return await line.wait(Waiter(UNSAFE.sub("_", who["label"])[:LABEL_CHARS]))

    async def _leave(self, slot: Slot, endpoint: str, whole: bool) -> None:
        """Free the slot; the server hands it on in the same statement. Interrupted, it is freed the long way."""
        session, left = slot.session, False
        session.when_lost(None)
        try:
            if whole:
                with suppress(DatabaseError):
                    await session.leave(self._endpoints[endpoint].key, slot.number)
                    left = True
        finally:
            if left:
                self._sessions.give_back(session)
            else:
                await self._sessions.clean(session)

    def _tell_entered(self, who: _Who, wait_ms: float) -> None:
        if self._listener is not None:
            self._listener.entered(**who, wait_ms=wait_ms, queue_len=self._queue_len(who["endpoint"]))
            if who["priority"] is LAST and wait_ms > self._warn_after_ms:
                self._listener.starved(**who, wait_ms=wait_ms)

    def _queue_len(self, endpoint: str) -> int:
        return sum(len(line) for (name, _), line in self._lines.items() if name == endpoint)

    def _line(self, name: str, capacity: int, priority: Priority) -> Line:
        if self._tasks is None:
            raise DatabaseGone(CLOSED)
        if not 1 <= capacity <= MOST_SLOTS:
            raise ValueError(f"capacity is 1 to {MOST_SLOTS}, not {capacity}")
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            endpoint = self._endpoints[name] = Endpoint(name, endpoint_key(name), capacity)
        if endpoint.capacity != capacity:
            endpoint.capacity, endpoint.noted = capacity, False
        line = self._lines.get((name, priority))
        if line is None:
            line = Line(endpoint, PLACES[priority], self._sessions, self._tasks, self._report.change, priority is LAST)
            self._lines[name, priority] = line
        return line
