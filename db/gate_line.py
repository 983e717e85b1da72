"""The waiters of one class at one endpoint in this process: a queue in memory, and the few who climb for it.

In: tickets. Out: slots, to the waiters in the order in which they came. A climb is not bound to a waiter: whoever is
first when a slot is won gets it, so a waiter that is cancelled leaves nothing half-done, and a connection that is
lost costs nobody the place in this queue. Two climbs at a time, so that a class with waiters always has somebody in
the lock manager: while one has just got a slot, the other stands there.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import anyio
from anyio.abc import TaskGroup

from db.errors import DatabaseError, DatabaseGone
from db.gate_session import GateSession, Sessions

CLIMBERS = 2
"""Climbs of one class, endpoint and process at a time: fewer would show an empty class to those below."""


@dataclass(slots=True)
class Endpoint:
    """What shares one model; `noted`: this process has written name and capacity down."""

    name: str
    key: int
    capacity: int
    noted: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that a session of ours holds."""

    session: GateSession
    number: int


@dataclass(eq=False, slots=True)
class Waiter:
    """A task that waits; `ready` is set with either a slot or an error."""

    label: str
    ready: anyio.Event | None = None
    slot: Slot | None = None
    error: DatabaseError | None = None

    async def wait(self) -> None:
        """Wait until something was given; what comes at once needs no event."""
        if self.slot is None and self.error is None:
            self.ready = anyio.Event()
            await self.ready.wait()

    def give(self, slot: Slot | None, error: DatabaseError | None = None) -> None:
        """Give the waiter what it waits for."""
        self.slot, self.error = slot, error
        if self.ready is not None:
            self.ready.set()


@dataclass(eq=False, slots=True)
class Climb:
    """One climb, from the first look for a session to the slot; without a scope it runs in a waiter's own task.

    `waiter` gives the label that others see, and not more: the slot goes to who is first when it is won.
    """

    waiter: Waiter
    scope: anyio.CancelScope | None = None
    began: float = field(default_factory=perf_counter)
    won: bool = False
    head: GateSession | None = None
    error: DatabaseError | None = None


class Line:
    """The queue of one class at one endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        place: int,
        sessions: Sessions,
        tasks: TaskGroup,
        changed: Callable[[], None],
        last: bool,
    ) -> None:
        """Make an empty queue; `last`: nobody waits below this class."""
        self.endpoint, self.place, self._last = endpoint, place, last
        self._sessions, self._tasks, self._changed = sessions, tasks, changed
        self._waiters: deque[Waiter] = deque()
        self._climbs: list[Climb] = []

    def __len__(self) -> int:
        return len(self._waiters)

    @property
    def behind(self) -> int:
        """How many wait for whom nobody climbs yet."""
        return max(0, len(self._waiters) - len(self._climbs))

    async def wait(self, waiter: Waiter) -> Slot:
        """Wait for a slot; cancelled at any point, the waiter gives back what it was given.

        Raises:
            DatabaseError: nobody can climb.
        """
        # A try that fails has shown nobody below that somebody waits; a climb shows it with its first step.
        alone = self._last and self.endpoint.noted and not (self._waiters or self._climbs)
        self._waiters.append(waiter)
        done = False
        try:
            if alone and (session := self._sessions.warm()) is not None:
                await self._try_at_once(session, waiter)
            else:
                self._balance()
            await waiter.wait()
            done = True
        finally:
            if not done:
                self._abandon(waiter)
        if waiter.slot is None:
            error = waiter.error or DatabaseGone("the gate was closed")
            raise type(error)(str(error)) from error
        return waiter.slot

    async def _try_at_once(self, session: GateSession, waiter: Waiter) -> None:
        """Climb in the waiter's own task, as long as nobody is in the way: one round trip, and no task is started.

        Others who come meanwhile stand behind in the queue, so what is won here, or by their climbs, goes by age.
        """
        climb, endpoint, held = Climb(waiter), self.endpoint, True
        self._climbs.append(climb)
        try:
            number = await session.try_at_once(endpoint.key, self.place, endpoint.capacity, waiter.label)
            held = number is not None
            if number is not None:
                self._win(climb, Slot(session, number))
            else:
                self._sessions.give_back(session)
        except DatabaseGone:
            pass  # the session is lost; the waiter goes the long way
        finally:
            if held and not climb.won:
                self._clean_soon(session)
            if not climb.won:
                # Also where the waiter has been served meanwhile: somebody may stand behind for whom nobody climbs.
                self._climbs = [each for each in self._climbs if each is not climb]
                self._balance()

    def fail(self, error: DatabaseError) -> None:
        """Tell every waiter that nobody can climb."""
        while self._waiters:
            self._waiters.popleft().give(None, error)

    def _abandon(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            self._balance()
        elif waiter.slot is not None:
            # To the lock manager, and not to the next of this line: somebody above may wait in another process.
            self._clean_soon(waiter.slot.session)

    def _clean_soon(self, session: GateSession) -> None:
        """Free what the session holds, without anybody waiting for it; a gate that closes has dropped it already."""
        if not self._sessions.closed:
            self._tasks.start_soon(self._sessions.clean, session)

    def _balance(self) -> None:
        """Have as many climbs as waiters, up to CLIMBERS; one too many, which has come least far, is taken back."""
        while len(self._climbs) > len(self._waiters):
            if (scope := self._climbs.pop().scope) is not None:
                scope.cancel()
        while len(self._climbs) < min(CLIMBERS, len(self._waiters)):
            climbed_for = {climb.waiter for climb in self._climbs}
            scope = anyio.CancelScope()
            climb = Climb(next(each for each in self._waiters if each not in climbed_for), scope)
            self._climbs.append(climb)
            self._tasks.start_soon(self._climb, climb, scope)
        if self.behind:
            self._tasks.start_soon(self._sessions.prepare)
        self._changed()

    def _win(self, climb: Climb, slot: Slot) -> None:
        """Give a slot to who is first now; nothing here waits, so nothing can come in between."""
        climb.won = True
        if climb in self._climbs:
            self._climbs.remove(climb)
        if self._waiters:
            self._waiters.popleft().give(slot)
        else:
            self._clean_soon(slot.session)
        self._balance()

    async def _climb(self, climb: Climb, scope: anyio.CancelScope) -> None:
        """Climb until a slot is won; a lost connection costs a new one, with the age of the first."""
        waited_ms = 0.0
        with scope:
            try:
                while not climb.won:
                    session = await self._sessions.take()
                    try:
                        await self._climb_in(session, climb, waited_ms)
                    except DatabaseGone:
                        waited_ms = (perf_counter() - climb.began) * 1000
            except DatabaseError as error:
                self._give_up(climb, error)

    def _give_up(self, climb: Climb, error: DatabaseError) -> None:
        """End a climb for which there is no session; where it was the only one, all who wait are told."""
        if climb in self._climbs:
            self._climbs.remove(climb)
            if not self._climbs:
                self.fail(error)

    async def _climb_in(self, session: GateSession, climb: Climb, waited_ms: float) -> None:
        endpoint, mine = self.endpoint, True
        try:
            if not endpoint.noted:
                await session.register(endpoint.key, endpoint.name, endpoint.capacity)
                endpoint.noted = True
            capacity = endpoint.capacity
            number = await session.climb(endpoint.key, self.place, capacity, waited_ms, climb.waiter.label)
            mine = False
            if number is not None:
                self._win(climb, Slot(session, number))
            else:
                await self._watch_all(session, climb, capacity)
        finally:
            if mine:
                await self._sessions.clean(session)

    async def _watch_all(self, head: GateSession, climb: Climb, capacity: int) -> None:
        """Wait for every slot at once, one session each, while `head` keeps the rung; the first that is won counts."""
        climb.head, climb.error = head, None
        try:
            async with anyio.create_task_group() as watchers:
                head.when_lost(watchers.cancel_scope.cancel)
                for number in range(capacity):
                    watchers.start_soon(self._watch, number, climb, watchers.cancel_scope)
        finally:
            await self._free_rung(climb)
        if climb.error is not None:
            raise climb.error
        if not climb.won:
            raise DatabaseGone("the session that kept the rung was lost")

    async def _free_rung(self, climb: Climb) -> None:
        head, climb.head = climb.head, None
        if head is not None:
            await self._sessions.clean(head)

    async def _watch(self, number: int, climb: Climb, all_of_us: anyio.CancelScope) -> None:
        mine, session = False, None
        try:
            session = await self._sessions.take()
            mine = True
            await session.reach(self.endpoint.key, self.place, climb.waiter.label, number)
            if not climb.won:
                mine = False
                self._win(climb, Slot(session, number))
                all_of_us.cancel()
                await self._free_rung(climb)  # for the next of the class, before the others have been taken back
        except DatabaseError as error:
            climb.error = error
            all_of_us.cancel()
        finally:
            if session is not None and mine:
                await self._sessions.clean(session)
