"""The worker process of the gate benchmark: `python -m bench.gate_worker`.

It reads one JSON order a line from stdin and writes one JSON report a line to stdout; it ends when stdin closes, so a
benchmark that dies leaves no worker behind. All times are `time.perf_counter_ns`, which is CLOCK_MONOTONIC and shared
by the processes of a machine. A worker belongs to no contender: it opens one, is measured, and closes it, so that all
are measured in the same processes.
"""

import asyncio
import json
import random
import sys
import time
from asyncio import CancelledError, Event, StreamReader, Task
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import asyncpg

from bench.contenders.gate_contract import Address, Door, Urgency, load
from bench.contenders.gate_holds import NS_PER_MS, Hold

ROUND_TRIP = "SELECT 1"
WARM_UP = 10
# A lock that has not let go by then has swallowed the cancellation: it is cancelled again, and counted.
CANCEL_S = 0.5
# Before a timed pair or round trip: nobody asks for a model a hundred times in a row.
REST_S = (0.0005, 0.0015)

Clock = Callable[[], int]
clock: Clock = time.perf_counter_ns


def report(event: str, **facts: Any) -> None:
    """Write one line for the benchmark."""
    print(json.dumps({"event": event, **facts}), flush=True)


async def _timed_ms(act: Callable[[], Awaitable[Any]]) -> float:
    """Rest, so that caches are as cold for one as for the other, then act; return how long that took in ms."""
    await asyncio.sleep(random.uniform(*REST_S))
    start = clock()
    await act()
    return (clock() - start) / NS_PER_MS


class Worker:
    """One process, with at most one contender open."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._door: Door
        self._turn: Task[None]
        self._leave = Event()

    async def open(self, system: str, dsn: str, redis: str, waiters: int) -> None:
        """Connect, then enter and leave a few times: connections, plans and caches are there before the clock."""
        self._door = await self._stack.enter_async_context(load(system).open(Address(dsn, redis), waiters))
        for _ in range(WARM_UP):
            async with self._door.enter("background"):
                pass
        report("open")

    async def close(self) -> None:
        """Disconnect."""
        await self._stack.aclose()
        report("closed")

    async def pairs(self, dsn: str, count: int) -> None:
        """Time `count` round trips to Postgres and as many enter + leave, taking turns, each after a rest; in ms."""

        async def enter_and_leave() -> None:
            async with self._door.enter("background"):
                pass

        conn = await asyncpg.connect(dsn)
        trip = await conn.prepare(ROUND_TRIP)
        trips_ms, pairs_ms = [], []
        for _ in range(WARM_UP + count):
            trips_ms.append(await _timed_ms(trip.fetchval))
            pairs_ms.append(await _timed_ms(enter_and_leave))
        await conn.close()
        report("pairs", trips_ms=trips_ms[WARM_UP:], pairs_ms=pairs_ms[WARM_UP:])

    async def ask(self) -> None:
        """Ask for the slot; report when inside, and after `leave` when it was called."""
        self._leave.clear()
        self._turn = asyncio.create_task(self._take_turn())

    async def leave(self) -> None:
        """Let the holder call leave."""
        self._leave.set()

    async def _take_turn(self) -> None:
        async with self._door.enter("background"):
            report("inside", at=clock())
            await self._leave.wait()
            left = clock()
        report("left", at=left)

    async def crowd(self, urgencies: list[Urgency], hold_s: float, think_s: float, begin: int, end: int) -> None:
        """Let one coroutine for each urgency enter, hold and leave, over and over, from `begin` to `end`.

        Args:
            hold_s: seconds of each hold, the call of a simulated server.
            think_s: after leaving, rest for a random part of this many seconds.
        """
        crowd = _Crowd(self._door, hold_s, think_s)
        await asyncio.sleep((begin - clock()) / 1e9)
        cpu_s = time.process_time()
        tasks = [asyncio.create_task(crowd.come_and_go(urgency)) for urgency in urgencies]
        await asyncio.wait(tasks, timeout=(end - clock()) / 1e9, return_when=asyncio.FIRST_EXCEPTION)
        cpu_s = time.process_time() - cpu_s
        deaf = await crowd.end(tasks)
        report("crowd", holds=crowd.holds, cpu_s=cpu_s, deaf=deaf)


class _Crowd:
    """Coroutines of one process that want the slot again and again."""

    def __init__(self, door: Door, hold_s: float, think_s: float) -> None:
        self.holds: list[Hold] = []
        self._door = door
        self._hold_s = hold_s
        self._think_s = think_s
        self._inside: set[Task[Any] | None] = set()
        self._over = False

    async def come_and_go(self, urgency: Urgency) -> None:
        """Enter, hold and leave until it is over; note each turn, also the one that was waited for in vain."""
        this = asyncio.current_task()
        while not self._over:
            if self._think_s:
                await asyncio.sleep(random.uniform(0, self._think_s))
            asked, inside, left = clock(), 0, 0
            try:
                async with self._door.enter(urgency):
                    inside = clock()
                    self._inside.add(this)
                    if self._hold_s:
                        await asyncio.sleep(self._hold_s)
                    left = clock()
            finally:
                self._inside.discard(this)
                self.holds.append(Hold(asked, inside, left))

    async def end(self, tasks: Sequence[Task[None]]) -> int:
        """Cancel those who wait until all have ended; return how many times one did not obey.

        Who is inside leaves by itself. Raises what ended a coroutine, if it was not this.
        """
        self._over = True
        pending, deaf = set(tasks), 0
        while pending:
            for task in pending - self._inside:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_S)
            deaf += len(pending)
        for task in tasks:
            with suppress(CancelledError):
                task.result()
        return deaf


async def work() -> None:
    """Obey the orders of stdin until it closes."""
    reader = StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    worker = Worker()
    orders: dict[str, Callable[..., Awaitable[None]]] = {
        "open": worker.open,
        "close": worker.close,
        "pairs": worker.pairs,
        "ask": worker.ask,
        "leave": worker.leave,
        "crowd": worker.crowd,
    }
    report("ready")
    while line := await reader.readline():
        order = json.loads(line)
        await orders[order.pop("do")](**order)


if __name__ == "__main__":
    asyncio.run(work())
