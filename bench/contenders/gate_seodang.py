"""The product's own gate, as its model client uses it: one object a process, one `enter` a call."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any

import anyio.to_thread

from bench.contenders.gate_contract import Address, Contender, Urgency
from db.gate import Gate, Priority
from db.migrate import migrate

ENDPOINT = "bench"
PRIORITIES: dict[Urgency, Priority] = {
    "foreground": Priority.FOREGROUND,
    "study": Priority.STUDY,
    "background": Priority.BACKGROUND,
}


class _Door:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def enter(self, urgency: Urgency) -> AbstractAsyncContextManager[Any]:
        return self._gate.enter(ENDPOINT, priority=PRIORITIES[urgency], label="bench")


class _Seodang:
    name = "seodang"
    version = f"seodang {version('seodang')}"
    classes = True
    on_postgres = True
    share = 1.0
    poll_s = 0.0
    crowd = 500

    async def prepare(self, dsn: str) -> None:
        """Migrate the database as the product does."""
        await anyio.to_thread.run_sync(migrate, dsn)

    @asynccontextmanager
    async def open(self, address: Address, waiters: int) -> AsyncIterator[_Door]:
        async with Gate(address.dsn) as gate:
            yield _Door(gate)


CONTENDER: Contender = _Seodang()
