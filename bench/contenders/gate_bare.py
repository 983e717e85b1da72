"""The floor: one pg_advisory_lock, one asyncpg session for each waiter, two prepared statements.

First come, first served; no classes, no status, no limit on the sessions.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import asyncpg

from bench.contenders.gate_contract import Address, Contender, Urgency

KEY = 1
LOCK = "SELECT pg_advisory_lock($1)"
UNLOCK = "SELECT pg_advisory_unlock($1)"


class _Session:
    def __init__(self, conn: Any, lock: Any, unlock: Any) -> None:
        self.conn = conn
        self.lock = lock
        self.unlock = unlock


class _Door:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._sessions: list[_Session] = []
        self._idle: list[_Session] = []

    async def connect(self) -> _Session:
        conn = await asyncpg.connect(self._dsn)
        session = _Session(conn, await conn.prepare(LOCK), await conn.prepare(UNLOCK))
        self._sessions.append(session)
        return session

    async def warm(self, sessions: int) -> None:
        self._idle += [await self.connect() for _ in range(sessions)]

    def terminate(self) -> None:
        for session in self._sessions:
            session.conn.terminate()

    @asynccontextmanager
    async def enter(self, _urgency: Urgency) -> AsyncIterator[None]:
        session = self._idle.pop() if self._idle else await self.connect()
        try:
            await session.lock.fetchval(KEY)
            try:
                yield
            finally:
                await session.unlock.fetchval(KEY)
        except BaseException:
            # A wait that was cut short may hold the lock: only the end of its session is sure to free it.
            session.conn.terminate()
            raise
        self._idle.append(session)


class _Bare:
    name = "bare"
    version = f"asyncpg {version('asyncpg')}"
    classes = False
    on_postgres = True
    share = 1.0
    poll_s = 0.0
    crowd = 100  # one session each, of a server's 200

    async def prepare(self, dsn: str) -> None:
        """Install nothing: the lock is the server's own."""

    @asynccontextmanager
    async def open(self, address: Address, waiters: int) -> AsyncIterator[_Door]:
        door = _Door(address.dsn)
        try:
            await door.warm(waiters)
            yield door
        finally:
            door.terminate()


CONTENDER: Contender = _Bare()
