"""Which asks are being read by this process, as the other processes see it: one shared advisory lock per ask.

All are held by one session, so they are gone with the process however it ends: nothing has to be cleaned up, and what a
killed process was reading is nobody's to cancel. In: numbers of asks. Out: whether an ask was cancelled because nobody
reads it. While the database is away nothing is held; the next word to it takes all locks again.
"""

from contextlib import suppress

import anyio

from db.errors import DatabaseError, DatabaseGone
from db.locks import READERS
from db.pool import Session, connect

PATIENCE_S = 5.0
"""A statement that takes longer counts as lost with its connection; each takes a fraction of a millisecond."""
SETTINGS = {"idle_session_timeout": "0", "tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10"}


class Presence:
    """The session of one process, opened when it is needed first."""

    def __init__(self, dsn: str, purpose: str) -> None:
        self._dsn, self._purpose = dsn, purpose
        self._session: Session | None = None
        self._wanted: set[int] = set()
        self._held: set[int] = set()
        self._turn = anyio.Lock()

    def want(self, ask_id: int) -> None:
        """Note that an ask is read here; `hold` shows it."""
        self._wanted.add(ask_id)

    async def hold(self) -> None:
        """Show which asks are read here, as far as that is not seen yet."""
        await self._say(None, 0)

    async def drop(self, ask_id: int) -> None:
        """Show that an ask is not read here any more, and let it be."""
        self._wanted.discard(ask_id)
        await self._say("drop_ask", ask_id)

    async def abandon(self, ask_id: int) -> bool:
        """Do the same, and cancel an attended ask that nobody else reads; says whether it was cancelled."""
        self._wanted.discard(ask_id)
        return bool(await self._say("abandon_ask", ask_id))

    def close(self) -> None:
        """End the session; its locks end with it."""
        if self._session is not None:
            self._session.connection.terminate()
        self._session = None
        self._held.clear()

    async def _say(self, statement: str | None, ask_id: int) -> object:
        """Say it whole, whoever is cancelled meanwhile; to a database that is away nothing is said."""
        with anyio.CancelScope(shield=True), suppress(DatabaseError):
            async with self._turn:
                try:
                    with anyio.fail_after(PATIENCE_S):
                        return await self._said(statement, ask_id)
                except (DatabaseGone, TimeoutError):
                    self.close()
        return None

    async def _said(self, statement: str | None, ask_id: int) -> object:
        if self._session is not None and self._session.connection.is_closed():
            self.close()
        if statement is None and self._wanted <= self._held:
            return None
        if self._session is None:
            self._session = Session(await connect(self._dsn, self._purpose, SETTINGS))
        if statement is not None:
            self._held.discard(ask_id)
            return await self._session.value(statement, readers=READERS, ask_id=ask_id)
        for wanted in self._wanted - self._held:
            await self._session.value("hold_ask", readers=READERS, ask_id=wanted)
            self._held.add(wanted)
        return None
