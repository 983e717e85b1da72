"""One LISTEN connection for a whole process: notifications about asks in, each to the requests that wait for that ask.

A reader that falls behind, and every reader after a reconnect, is told to look at its row again: what was lost on
the way costs nothing, because the finished row has it all. Readers are held weakly: who stops waiting is gone.
"""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet, finalize

import anyio

from services.answer.events import END, AskEvent
from services.web.readers import Readers, Stay

MOST_UNREAD = 256
"""Events kept for one reader, about one answer; who is further behind reads the row instead."""


class Reader:
    """What one request hears about one ask."""

    def __init__(self, ask_id: int, readers: Readers, most: int = MOST_UNREAD) -> None:
        self.ask_id = ask_id
        self._stay, self._most = readers.enter(ask_id), most
        self._leave = finalize(self, readers.leave, self._stay)  # also of a request that never came to read
        self._leave.atexit = False
        self._unread: deque[AskEvent] = deque()
        self._look = True
        self._woken = anyio.Event()

    @contextmanager
    def reading(self) -> Iterator[Stay]:
        """Read while the body runs, once; what it learns of the end of the ask it notes in the stay."""
        try:
            yield self._stay
        finally:
            self._leave()

    def tell(self, event: AskEvent) -> None:
        """Keep an event for the request; with too many unread they are dropped for one look at the row."""
        if len(self._unread) < self._most:
            self._unread.append(event)
            self._woken.set()
        else:
            self._unread.clear()
            self.look()

    def look(self) -> None:
        """Make the request look at its row."""
        self._look = True
        self._woken.set()

    def take(self) -> tuple[list[AskEvent], bool]:
        """Hand over what is unread, and say whether the row is to be looked at."""
        heard, look = list(self._unread), self._look
        self._unread.clear()
        self._look, self._woken = False, anyio.Event()
        return heard, look

    async def wait(self, timeout_s: float) -> None:
        """Return when there is something to take, or after `timeout_s`."""
        with anyio.move_on_after(timeout_s):
            await self._woken.wait()


class Hub:
    """Passes each notification to the readers of its ask."""

    def __init__(self) -> None:
        self.readers = Readers()
        self._readers: dict[int, WeakSet[Reader]] = {}
        self.closed = False

    def join(self, ask_id: int) -> Reader:
        """Begin to hear of an ask; its first look is due at once."""
        self._sweep()
        reader = Reader(ask_id, self.readers)
        self._readers.setdefault(ask_id, WeakSet()).add(reader)
        return reader

    def hear(self, payload: str) -> None:
        """Take a notification; an empty one says that the connection is new, and that some may have been lost."""
        if not payload:
            self._look_all()
            return
        said = json.loads(payload)
        for reader in self._readers.get(said["ask"], ()):
            if said["event"] == END:
                reader.look()
            else:
                reader.tell(AskEvent(said["seq"], said["event"], said["data"]))

    def close(self) -> None:
        """Let every request that waits come to its end."""
        self.closed = True
        self._look_all()

    def _sweep(self) -> None:
        self._readers = {ask_id: readers for ask_id, readers in self._readers.items() if readers}

    def _look_all(self) -> None:
        for readers in self._readers.values():
            for reader in readers:
                reader.look()
