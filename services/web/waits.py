"""Where asks that wait stand: in the queue, or at the gate. Read at most twice a second per process, however many ask.

In: the number of an ask. Out: who is before it, by class; None where it does not wait there any more.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from db.errors import DatabaseError
from db.gate import LABEL_CHARS
from db.gate_rows import GateSeat
from db.line_rows import AskInLine
from db.pool import Database
from services.answer.told import Place
from services.web.pulse import Pulse

FRESH_S = 0.5
MOST = 1000
"""The end of a longer queue is not looked for."""
STAGE = "synthesis"
CLASSES = ("foreground", "study", "background")
_LABEL = re.compile(r"ask:(\d*)\Z")


@dataclass(frozen=True, slots=True)
class Lines:
    """How both queues stood at one moment."""

    asks: Sequence[AskInLine] = ()
    seats: Sequence[GateSeat] = ()
    serving: bool = True

    def in_queue(self, ask_id: int) -> Place | None:
        """Count the asks before one that nobody has taken up: those that are worked on, and those taken up earlier."""
        order = [each.id for each in self.asks if each.status == "pending"]
        mine = next((each for each in self.asks if each.id == ask_id and each.status == "pending"), None)
        if mine is None:
            return None
        first = set(order[: order.index(ask_id)])
        before = (each for each in self.asks if each.id in first or each.status != "pending")
        # What waits in the background never holds up a person: a lane takes only what people wait for.
        counted = (each.priority for each in before if each.priority == "foreground" or mine.priority != "foreground")
        return Place(Counter(counted), self.serving)

    def at_gate(self, ask_id: int, priority: str) -> Place | None:
        """Count the calls before that of an ask: those inside, those of a higher class, those that came earlier.

        Approximate: a call that waits in the memory of its process is behind all that stand in the lock manager.
        """
        waiting = [seat for seat in self.seats if seat.state == "waits"]
        mine = next((seat for seat in waiting if _is_of(seat.label, ask_id)), None)
        if mine is None and any(_is_of(seat.label, ask_id) for seat in self.seats):
            return None
        busiest = Counter(seat.endpoint for seat in self.seats).most_common(1)
        if not busiest:
            return None
        endpoint = mine.endpoint if mine else busiest[0][0]
        rank = _rank(mine.priority if mine else priority)
        before = Counter(seat.priority for seat in self.seats if seat.endpoint == endpoint and seat.state == "holds")
        for seat in waiting:
            same, above = _rank(seat.priority) == rank, _rank(seat.priority) < rank
            older = same and seat is not mine and (mine is None or seat.seconds > mine.seconds)
            if seat.endpoint == endpoint and (above or older):
                before[seat.priority] += 1 + (seat.behind if above else 0)
        return Place(before, waited_s=mine.seconds if mine else None)


def _is_of(label: str, ask_id: int) -> bool:
    """Say whether a label names an ask; the gate cuts labels, of a long number only the head may be left."""
    found = _LABEL.search(label)
    if found is None:
        return False
    digits = found.group(1)
    return digits == str(ask_id) or (len(label) == LABEL_CHARS and bool(digits) and str(ask_id).startswith(digits))


def _rank(priority: str) -> int:
    return CLASSES.index(priority) if priority in CLASSES else len(CLASSES)


class Waits:
    """Gives the places; callers that come together share one reading."""

    def __init__(self, db: Database, pulse: Pulse) -> None:
        self._db, self._pulse = db, pulse
        self._turn = anyio.Lock()
        self._read_at = float("-inf")
        self._lines = Lines()

    async def place(self, ask_id: int, priority: str, queued: bool) -> Place | None:
        """Say where an ask waits; None where it does not, or while the database is away."""
        try:
            async with self._turn:
                if anyio.current_time() - self._read_at >= FRESH_S:
                    self._lines = await self._read()
                    self._read_at = anyio.current_time()
                lines = self._lines
        except DatabaseError:
            return None
        return lines.in_queue(ask_id) if queued else lines.at_gate(ask_id, priority)

    async def _read(self) -> Lines:
        async with self._db.session() as session:
            asks = await session.many(AskInLine, "asks_in_line", most=MOST)
            seats = await session.many(GateSeat, "gate_status")
        standing = await self._pulse.standing()
        return Lines(asks, seats, any(worker.stage == STAGE for worker in standing.daemons))
