"""Tells the others how many wait in this process's memory, where the lock manager does not see them.

In: the lines of a gate. Out: one shared advisory lock per endpoint and class, whose number says how many; views count
them. A session is used for it only while somebody waits there, and no table is written.
"""

from collections.abc import Collection
from contextlib import suppress

import anyio

from db.errors import DatabaseError
from db.gate_line import Line
from db.gate_session import GateSession, Sessions
from db.locks import line_lock

PAUSE_S = 0.2
"""At most so often, since it is for the eye: a queue that moves a thousand times a second is not told that often."""


class Report:
    """What this process tells."""

    def __init__(self, sessions: Sessions, lines: Collection[Line]) -> None:
        self._sessions, self._lines = sessions, lines
        self._changed = anyio.Event()
        self._session: GateSession | None = None
        self._told: list[tuple[int, int]] = []

    def change(self) -> None:
        """Hear that a line has become longer or shorter."""
        self._changed.set()

    async def keep(self) -> None:
        """Tell each change, for ever; a change that cannot be told now is told with the next."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            with suppress(DatabaseError):
                await self._tell()
            await anyio.sleep(PAUSE_S)

    async def _tell(self) -> None:
        waiting = [(line.endpoint.key, line_lock(line.place, line.behind)) for line in self._lines if line.behind]
        if self._session is not None and not (waiting and self._session.usable):
            session, self._session, self._told = self._session, None, []
            await self._sessions.clean(session)
        if waiting and self._session is None:
            self._session = await self._sessions.take()
        if self._session is not None and waiting != self._told:
            await self._session.tell([key for key, _ in waiting], [line for _, line in waiting])
            self._told = waiting
