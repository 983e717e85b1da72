"""What the tests of the gate share: gates as so many processes, callers, and a look at the locks."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio
import psycopg

from db.gate import Gate, GateListener, Priority
from db.locks import RESERVED

ENDPOINT = "http://model:8080"
LOCKS = """
    SELECT pid, classid::bigint, objid::bigint, mode, granted FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def gate_locks(db: psycopg.Connection) -> list[tuple[int, int, int, str, bool]]:
    """Give the locks of the gate that are held or waited for, of all endpoints."""
    return [row for row in db.execute(LOCKS).fetchall() if row[1] not in RESERVED]


def rows(db: psycopg.Connection, state: str) -> list[tuple[str, str, int, str]]:
    """Give class, label, pid and endpoint of those who hold, or wait."""
    return db.execute("SELECT class, label, pid, endpoint FROM gate_status WHERE state = %s", [state]).fetchall()


def labels(db: psycopg.Connection, state: str) -> set[str]:
    return {row[1] for row in rows(db, state)}


def counted(db: psycopg.Connection) -> int:
    """Count the gate's connections to this database."""
    text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s"
    return db.execute(text, ["seodang:gate%"]).fetchone()[0]


@asynccontextmanager
async def gates(dsn: str, count: int, **given: float) -> AsyncIterator[list[Gate]]:
    """Open so many gates; each stands for a process."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Gate(dsn, **given)) for _ in range(count)]


@asynccontextmanager
async def held(
    gate: Gate, *, capacity: int = 1, priority: Priority = Priority.BACKGROUND, label: str = "holder"
) -> AsyncIterator[None]:
    """Have another task hold a slot for as long as the body runs: what the body starts is not inside."""
    entered, let_go = anyio.Event(), anyio.Event()

    async def hold() -> None:
        async with gate.enter(ENDPOINT, capacity=capacity, priority=priority, label=label):
            entered.set()
            await let_go.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
        await entered.wait()
        try:
            yield
        finally:
            let_go.set()


@dataclass
class Calls:
    """Callers of a model that counts who is inside; `served` keeps the order of entering."""

    capacity: int = 1
    hold_s: float = 0.0
    inside: int = 0
    most: int = 0
    served: list[str] = field(default_factory=list)

    async def call(self, gate: Gate, label: str, priority: Priority = Priority.BACKGROUND) -> None:
        async with gate.enter(ENDPOINT, capacity=self.capacity, priority=priority, label=label):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.served.append(label)
            try:
                await anyio.sleep(self.hold_s)
            finally:
                self.inside -= 1


@dataclass
class Heard(GateListener):
    """Keeps what a gate tells."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def queued(self, **fields: object) -> None:
        self.events.append(("queued", fields))

    def entered(self, **fields: object) -> None:
        self.events.append(("entered", fields))

    def left(self, **fields: object) -> None:
        self.events.append(("left", fields))

    def starved(self, **fields: object) -> None:
        self.events.append(("starved", fields))
