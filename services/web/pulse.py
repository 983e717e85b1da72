"""How the queues, the daemons and the gate stand, read at most once a second however many are watching."""

from dataclasses import dataclass

import anyio

from db.gate_rows import GateCount
from db.locks import WORKERS
from db.pool import Database
from db.queries import query
from db.queue import QUEUES
from db.rows import QueueCount, WorkerRow

FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The active rows by stage and state, the daemons that live, the gates that were ever used."""

    queues: tuple[QueueCount, ...]
    daemons: tuple[WorkerRow, ...]
    gates: tuple[GateCount, ...]

    def differs(self, former: "Standing | None") -> bool:
        """Say whether more has changed than the age of things."""
        return former is None or self._marks() != former._marks()

    def _marks(self) -> tuple[object, ...]:
        counts = tuple((row.stage, row.status, row.count) for row in self.queues)
        return counts, tuple((row.id, row.in_hand) for row in self.daemons), self.gates


class Pulse:
    """Gives the standing; callers that come together share one reading."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turn = anyio.Lock()
        self._read_at = float("-inf")
        self._standing = Standing((), (), ())

    async def standing(self) -> Standing:
        """Give the standing, at most `FRESH_S` old.

        Raises:
            DatabaseGone: the database is away.
        """
        async with self._turn:
            if anyio.current_time() - self._read_at >= FRESH_S:
                self._standing = await self._read()
                self._read_at = anyio.current_time()
            return self._standing

    async def _read(self) -> Standing:
        asked = query("queue_active")
        async with self._db.session() as session:
            rows = [row for table in QUEUES for row in await session.records(asked.on(table), None)]
            daemons = await session.many(WorkerRow, "list_workers", worker_locks=WORKERS)
            gates = await session.many(GateCount, "gate_counts")
        return Standing(tuple(QueueCount(**row) for row in rows), tuple(daemons), tuple(gates))
