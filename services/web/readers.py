"""Who still reads an ask, and the word to cancel it when nobody does.

In: requests that begin and end to read. A client that has left may come back within `answer.leave_s`; after that an ask
that was put for it, and that no other process's client reads, is cancelled, so that the model is free. What ends for
another reason cancels nothing: this process stops, is killed, or has told its client to look later.
"""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from db.presence import Presence
from services.kit.log import Event, get_logger

log = get_logger()

LOOK_S = 5.0
"""So often it is made sure that the other processes know what is read here."""


@dataclass(slots=True)
class Stay:
    """One request that reads an ask; `ended` where it has been told its end, so that there is nothing to cancel."""

    ask_id: int
    ended: bool = False


@dataclass(slots=True)
class _Reading:
    """How many requests read an ask, and how often one has left it."""

    requests: int = 0
    departures: int = 0


class Readers:
    """Counts the requests of this process that read an ask."""

    def __init__(self) -> None:
        self._asks: dict[int, _Reading] = {}
        self._presence: Presence | None = None
        self._tasks: TaskGroup | None = None
        self._leave_s = 0.0

    async def keep(self, dsn: str, leave_s: float, stopping: Callable[[], bool]) -> None:
        """Look after what clients left, until cancelled; `stopping` says that this process leaves, not they."""
        presence = self._presence = Presence(dsn, "api:readers")
        self._leave_s, self._stopping = leave_s, stopping
        try:
            async with anyio.create_task_group() as self._tasks:
                while True:  # a session that was lost is made anew
                    await presence.hold()
                    await anyio.sleep(LOOK_S)
        finally:
            self._presence = self._tasks = None
            presence.close()

    def enter(self, ask_id: int) -> Stay:
        """Begin to read an ask; other processes hear of it soon."""
        self._asks.setdefault(ask_id, _Reading()).requests += 1
        if self._presence is not None and self._tasks is not None:
            self._presence.want(ask_id)
            self._tasks.start_soon(self._presence.hold)
        return Stay(ask_id)

    async def hold(self) -> None:
        """Return when the other processes know what is read here."""
        if self._presence is not None:
            await self._presence.hold()

    def leave(self, stay: Stay) -> None:
        """End to read an ask."""
        reading = self._asks[stay.ask_id]
        reading.requests -= 1
        reading.departures += 1
        if reading.requests == 0 and self._tasks is not None:
            self._tasks.start_soon(self._left, stay, reading, reading.departures)

    async def _left(self, stay: Stay, reading: _Reading, departure: int) -> None:
        if not stay.ended:
            await anyio.sleep(self._leave_s)
        if reading.requests or reading.departures != departure or self._presence is None or self._stopping():
            return
        del self._asks[stay.ask_id]
        if stay.ended:
            await self._presence.drop(stay.ask_id)
        elif await self._presence.abandon(stay.ask_id):
            log.info(Event.ASK_ABANDONED, ask=stay.ask_id)
