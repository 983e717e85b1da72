"""Sessions of the gate: each is one Postgres connection, whose locks are a place at the gate.

In: a DSN. Out: sessions that climb, hold and leave, with a couple kept warm so that asking costs one round trip.
Refuses a pooler between us and the server, and a standby. Whatever a session holds ends with its connection, so the
one way to let go that always works is to drop it.
"""

import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import anyio
import asyncpg

from db.errors import DatabaseError, DatabaseGone, DatabaseUnfit, PoolerRefused
from db.pool import CONNECT_TIMEOUT_S, Session, translated
from db.queries import query

APPLICATION = "seodang:gate"
WARM = 2
"""Idle sessions that are kept: one for who leaves and one for who asks next."""
LET_GO_S = 3.0
"""How long a session may take to free its locks before its connection is dropped, which frees them too."""


OPEN_TRIES = 3
KEEP_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
"""Seconds, seconds, times: half of what the server is told."""


class SessionCut(DatabaseGone):
    """The server took the connection, and then it was lost."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a new session says about its server process."""

    pid: int
    standby: bool
    set: int


class GateSession:
    """One connection of the gate; serves one task at a time."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._questions = Session(connection)
        self._trying: asyncpg.prepared_stmt.PreparedStatement
        self._leaving: asyncpg.prepared_stmt.PreparedStatement
        self._told: Callable[[], None] | None = None
        self.lost = False
        connection.add_termination_listener(self._end)

    def _end(self, _connection: asyncpg.Connection) -> None:
        self.lost = True
        if self._told is not None:
            self._told()

    @property
    def usable(self) -> bool:
        """Whether the connection stands, as far as this side knows."""
        return not self.lost and not self._connection.is_closed()

    def when_lost(self, told: Callable[[], None] | None) -> None:
        """Call `told` when the connection ends, at once if it has; None: nobody asks any more."""
        self._told = told
        if told is not None and not self.usable:
            told()

    async def settle(self, slice_s: float) -> None:
        """Give the session its settings and look who is at the other end.

        Raises:
            PoolerRefused, DatabaseUnfit: see the sentences.
        """
        told = f"{int(slice_s * 1000)}ms"
        pids = {self._connection.get_server_pid()}
        for _ in range(2):
            try:
                found = await self._questions.one(Settled, "gate_settle", slice=told)
            except DatabaseError as error:
                if isinstance(error.__cause__, asyncpg.InvalidSQLStatementNameError):
                    found = None  # prepared in one server process, asked for in another
                else:
                    raise
            pids.add(found.pid if found else 0)
            if found and found.standby:
                raise DatabaseUnfit(
                    "The gate's database is a read-only standby, which takes no advisory locks: point "
                    "SEODANG_DATABASE_URL at the primary."
                )
        if len(pids) > 1:
            raise PoolerRefused(
                "A pooler stands between the gate and Postgres, and would hand the gate's locks to others: point "
                "SEODANG_DATABASE_URL at the server itself, or at a port of the pooler that passes connections through."
            )
        # The two statements that every call needs are kept, which spares a tenth of a call at a free gate.
        with translated():
            self._trying = await self._connection.prepare(query("gate_try").text)
            self._leaving = await self._connection.prepare(query("gate_leave").text)

    async def register(self, key: int, name: str, capacity: int) -> None:
        """Note an endpoint's name and width for gate_status."""
        await self._questions.none("gate_register", key=key, endpoint=name, capacity=capacity)

    async def try_at_once(self, key: int, place: int, capacity: int, label: str) -> int | None:
        """Give a slot that is free where nobody waits, else None at once."""
        with translated():
            slot: int | None = await self._trying.fetchval(key, place, capacity, label)
        return slot

    async def climb(self, key: int, place: int, capacity: int, waited_ms: float, label: str) -> int | None:
        """Wait for a slot; None: the session has the rung of its class, and all slots are to be watched.

        Raises:
            DatabaseGone: the connection was lost, or somebody cancelled the statement from outside.
        """
        values = {"key": key, "class": place, "capacity": capacity, "waited_ms": waited_ms, "label": label}
        return await self._wait("gate_climb", values)

    async def reach(self, key: int, place: int, label: str, slot: int) -> int | None:
        """Wait for one slot on behalf of the session that has the rung of the class."""
        return await self._wait("gate_reach", {"key": key, "class": place, "label": label, "slot": slot})

    async def _wait(self, name: str, values: dict[str, object]) -> int | None:
        try:
            slot: int | None = await self._questions.value(name, **values)
        except DatabaseError as error:
            if isinstance(error.__cause__, asyncpg.QueryCanceledError):
                self.drop()
                raise DatabaseGone("somebody cancelled a wait at the gate") from error
            raise
        return slot

    async def leave(self, key: int, slot: int) -> None:
        """Free a slot, and nothing else; where this is interrupted, `let_go` is still to be done."""
        with translated():
            await self._leaving.fetchval(key, slot)

    async def let_go(self) -> None:
        """Free all that the session holds, also after a wait that was cancelled; where that fails, drop it."""
        done = False
        try:
            with anyio.move_on_after(LET_GO_S, shield=True), suppress(DatabaseError):
                await self._questions.none("gate_let_go")
                done = True
        finally:
            if not done:
                self.drop()

    async def tell(self, keys: list[int], lines: list[int]) -> None:
        """Tell how many wait in memory."""
        await self._questions.none("gate_tell", keys=keys, lines=lines)

    def drop(self) -> None:
        """End the connection, and with it all it holds."""
        self.lost = True
        self._connection.terminate()


async def open_session(dsn: str, slice_s: float) -> GateSession:
    """Open a session; one that is cut before it is settled is opened again, since the server is there.

    Raises:
        DatabaseGone: no server answers there.
        DatabaseUnfit: what answers cannot carry the gate.
    """
    for _ in range(OPEN_TRIES - 1):
        with suppress(SessionCut):
            return await _open_once(dsn, slice_s)
    return await _open_once(dsn, slice_s)


async def _open_once(dsn: str, slice_s: float) -> GateSession:
    async with AsyncExitStack() as stack:
        with translated():
            connection = await asyncpg.connect(
                dsn, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": APPLICATION}
            )
        stack.callback(connection.terminate)
        _keep_alive(connection)
        session = GateSession(connection)
        try:
            await session.settle(slice_s)
        except DatabaseGone as error:
            raise SessionCut(str(error)) from error
        stack.pop_all()
    return session


def _keep_alive(connection: asyncpg.Connection) -> None:
    """Notice a server that vanished before the server gives us up (a minute, db/sql/gate.sql), so that the call inside
    is cancelled before another begins. The driver has no setting for it."""
    wire = connection._transport.get_extra_info("socket")
    if wire.family != getattr(socket, "AF_UNIX", None):
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEP_ALIVE.items():
            if hasattr(socket, name):  # macOS has no TCP_KEEPIDLE before Python 3.10, Windows none
                wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Sessions:
    """The sessions of one process: lent to climb, given back once when what they won is let go."""

    def __init__(self, dsn: str, slice_s: float) -> None:
        self.dsn, self.slice_s = dsn, slice_s
        self._idle: list[GateSession] = []
        self._lent: set[GateSession] = set()
        self.closed = self._preparing = False

    def warm(self) -> GateSession | None:
        """Lend an idle session, if there is one."""
        while self._idle:
            session = self._idle.pop()
            if session.usable:
                self._lent.add(session)
                return session
        return None

    async def take(self) -> GateSession:
        """Lend a session that holds nothing, warm if there is one.

        Raises:
            DatabaseGone, DatabaseUnfit: see `open_session`.
        """
        return self.warm() or await self._open()

    async def _open(self) -> GateSession:
        session = await open_session(self.dsn, self.slice_s)
        if self.closed:
            session.drop()
            raise DatabaseGone("the gate was closed")
        self._lent.add(session)
        return session

    async def prepare(self) -> None:
        """Have a warm session for the climb that will follow: opening one takes longer than a short call."""
        if self._idle or self._preparing or self.closed:
            return
        self._preparing = True
        try:
            with suppress(DatabaseError):
                self.give_back(await self._open())
        finally:
            self._preparing = False

    def give_back(self, session: GateSession) -> None:
        """Take back a session that holds nothing.

        Raises:
            KeyError: it was not lent. Given back twice, it would free what its next borrower has won.
        """
        self._lent.remove(session)
        session.when_lost(None)
        if session.usable and len(self._idle) < WARM and not self.closed:
            self._idle.append(session)
        else:
            session.drop()

    async def clean(self, session: GateSession) -> None:
        """Take back a session whatever it holds; what it holds is free afterwards, however this is interrupted."""
        session.when_lost(None)
        try:
            if session.usable and not self.closed:
                await session.let_go()
            else:
                session.drop()
        finally:
            self.give_back(session)

    def close(self) -> None:
        """End every session, also those that hold a slot."""
        self.closed = True
        for session in (*self._lent, *self._idle):
            session.drop()
        self._idle.clear()
