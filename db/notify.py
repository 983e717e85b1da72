"""One LISTEN connection: wake-ups in, calls out.

A wake-up carries no work: it says "look now". Whoever listens also looks by itself now and then, and after each
reconnect, so that a notification lost with a connection costs seconds and no row.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import asyncpg

from db.errors import DatabaseGone
from db.pool import connect, translated

LISTENER_SETTINGS = {
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "4",
    "idle_session_timeout": "0",
}


@asynccontextmanager
async def listening(dsn: str, purpose: str, channel: str, heard: Callable[[str], None]) -> AsyncIterator[anyio.Event]:
    """Call `heard(payload)` for each notification on `channel`; the event is set when the connection is lost.

    Raises:
        DatabaseGone: the connection cannot be made.
    """
    connection = await connect(dsn, f"{purpose}:listen", LISTENER_SETTINGS)
    lost = anyio.Event()
    connection.add_termination_listener(lambda _: lost.set())

    def pass_on(_connection: asyncpg.Connection, _pid: int, _channel: str, payload: object) -> None:
        heard(str(payload))

    try:
        with translated():
            await connection.add_listener(channel, pass_on)
        yield lost
    finally:
        connection.terminate()


class Bell:
    """Rings for everybody who waits; a ring while nobody waits is kept for the next who asks."""

    def __init__(self) -> None:
        self.rings = 0
        self._event = anyio.Event()

    def ring(self, _payload: str = "") -> None:
        """Wake all who wait."""
        self.rings += 1
        self._event.set()
        self._event = anyio.Event()

    async def wait(self, since: int, timeout_s: float) -> bool:
        """Return True as soon as the bell has rung after `since` rings, False after `timeout_s`."""
        if self.rings != since:
            return True
        event = self._event
        with anyio.move_on_after(timeout_s):
            await event.wait()
        return self.rings != since


async def listen_for_ever(
    dsn: str, purpose: str, channel: str, heard: Callable[[str], None], pause_s: float = 1.0
) -> None:
    """Listen, reconnect when the connection is lost, and call `heard("")` after each (re)connect: look at the table."""
    while True:
        try:
            async with listening(dsn, purpose, channel, heard) as lost:
                heard("")
                await lost.wait()
        except DatabaseGone:
            pass
        await anyio.sleep(pause_s)
