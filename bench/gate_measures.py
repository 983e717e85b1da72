"""The measurements of the gate benchmark: real processes, one lock, one slot.

What is timed, and why it costs each contender the same:

- Workers are real processes that have started, connected and entered ten times before the clock runs. They note their
  times on the clock that all processes of a machine share; the benchmark sleeps meanwhile.
- *pair*: enter and leave with nobody else there, taking turns with one `SELECT 1` on a connection of its own, each
  after a rest of a millisecond: in a tight loop the one would run with warm caches and the other would empty them.
- *hand-over*: one process holds, the others wait. From the holder's call of leave to the successor being inside. The
  holder asks again when the successor is in; holds last some milliseconds, and for a lock that polls up to one whole
  poll more (the same before asking again), so that the slot frees at any point of its sleep.
- *killed*: from just before SIGKILL of the holding process to the waiter of another process being inside.
- *foreground*: 50 coroutines in 4 processes keep a simulated server of 50 ms busy; a fifth process asks urgently, now
  and then. Counted is what it waits beyond the call in flight (`bench.contenders.gate_holds`).
- *busy*: the same crowd alone; the part of the time in which somebody is inside, and the gaps between one's call of
  leave and the next being inside. The CPU is that of the four processes.
- *connections*: most sessions of the database at a time while the coroutines wait (one waiter each for the bare lock,
  which therefore gets a smaller crowd).
- *throughput*: enter and leave per second, one coroutine a process, nothing in between.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.contenders.gate_contract import Contender, Urgency
from bench.contenders.gate_crew import Crew, Worker
from bench.contenders.gate_holds import Hold, busy_share, foreground_waits, gaps_ms, overlaps, per_second
from bench.contenders.gate_relay import kill, relay
from bench.pg import connection

# Each metric with its values of one repetition: one, or one for each time it happened.
Values = dict[str, list[float]]
Measure = Callable[[Contender, "Bench"], Awaitable[Values]]

PROCESSES = 4
WORKERS = 8
BACKGROUND_WAITERS = 50
CONNECTED_WAITERS = 500
CLASSES: tuple[Urgency, ...] = ("foreground", "study", "background")
CALL_S = 0.05
SHORT_CALL_S = 0.005
URGENT_CALL_S = 0.005
# Between two urgent asks: up to one call, so that an ask falls anywhere in it.
THINK_S = CALL_S
# From the order to the common start, and from there to the part that counts: the crowd is in the queue by then.
LEAD_S = 0.1
SETTLE_S = 0.2
LOOK_S = 0.02

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"


@dataclass(frozen=True)
class Sizes:
    """How much to measure in one repetition; seconds or counts."""

    pairs: int
    laps: int
    kills: int
    foreground_s: float
    foreground_without_classes_s: float
    busy_s: float
    connections_s: float
    throughput_s: float


FULL = Sizes(300, 150, 8, 6.0, 3.0, 2.0, 0.8, 0.3)
QUICK = Sizes(150, 60, 3, 2.0, 0.6, 1.0, 0.3, 0.15)


@dataclass(frozen=True)
class Bench:
    """Where to measure, and how much.

    Attributes:
        crew: the workers, for all contenders the same.
        dsn: of each contender's database, by its name.
        admin: DSN of a database that no contender uses.
        redis: URL of the Redis server.
    """

    crew: Crew
    dsn: dict[str, str]
    admin: str
    redis: str
    sizes: Sizes

    @asynccontextmanager
    async def opened(self, contender: Contender, workers: Sequence[Worker], waiters: int = 1) -> Any:
        """Connect the workers one after the other, and disconnect them at the end."""
        for worker in workers:
            dsn = self.dsn[contender.name]
            worker.order("open", system=contender.name, dsn=dsn, redis=self.redis, waiters=waiters)
            await self.crew.hear(1, "open")
        yield
        alive = [worker for worker in workers if not worker.expendable]
        for worker in alive:
            worker.order("close")
        await self.crew.hear(len(alive), "closed")


async def measure_pair(contender: Contender, bench: Bench) -> Values:
    """Return the times in ms of enter + leave with nobody else there, and of a round trip beside it."""
    worker = bench.crew.workers[0]
    async with bench.opened(contender, [worker]):
        worker.order("pairs", dsn=bench.dsn[contender.name], count=bench.sizes.pairs)
        (report,) = await bench.crew.hear(1, "pairs")
    return {"pair": report.facts["pairs_ms"], "trip": report.facts["trips_ms"]}


async def measure_hand_over(contender: Contender, bench: Bench) -> Values:
    """Return the times in ms from leave in one process to inside in another, among two and four processes."""
    values: Values = {}
    for processes in (2, 4):
        workers = bench.crew.workers[:processes]
        async with bench.opened(contender, workers):
            laps = max(10, int(bench.sizes.laps * contender.share))
            values[f"hand_over_{processes}"] = await relay(bench.crew, workers, laps, contender.poll_s)
    values["overlaps"] = [float(sum(ms < 0 for times in values.values() for ms in times))]
    return values


async def measure_killed(contender: Contender, bench: Bench) -> Values:
    """Return the times in ms from the SIGKILL of a holder to its successor being inside."""
    waiter = bench.crew.workers[0]
    victims = await bench.crew.hire(max(1, int(bench.sizes.kills * contender.share)))
    async with bench.opened(contender, [waiter, *victims]):
        times_ms = [await kill(bench.crew, victim, waiter, contender.poll_s) for victim in victims]
    await bench.crew.dismiss(victims)
    return {"killed": times_ms}


async def measure_foreground(contender: Contender, bench: Bench) -> Values:
    """Return what urgent calls wait in ms beyond the call in flight, and the calls that slipped in before them."""
    sizes = bench.sizes
    seconds = sizes.foreground_s if contender.classes else sizes.foreground_without_classes_s
    crowd, urgent = bench.crew.workers[:PROCESSES], bench.crew.workers[PROCESSES]
    async with bench.opened(contender, [*crowd, urgent], waiters=_each(BACKGROUND_WAITERS)):
        begin, end = _window(seconds)
        _send_crowd(crowd, BACKGROUND_WAITERS, ("background",), CALL_S, begin, end)
        details = {"hold_s": URGENT_CALL_S, "think_s": THINK_S}
        urgent.order("crowd", urgencies=["foreground"], begin=begin + _ns(SETTLE_S), end=end, **details)
        reports = await bench.crew.hear(PROCESSES + 1, "crowd")
    others = _holds(report for report in reports if report.worker is not urgent)
    asked = _holds(report for report in reports if report.worker is urgent)
    waits = foreground_waits([hold for hold in asked if hold.inside or not contender.classes], others, end)
    return {
        "foreground": [wait.beyond_ms for wait in waits],
        "slipped": [float(wait.slipped) for wait in waits],
        "overlaps": [float(overlaps([*others, *asked]))],
        "deaf": [float(sum(report.facts["deaf"] for report in reports))],
    }


async def measure_busy(contender: Contender, bench: Bench) -> Values:
    """Return the busy share of a simulated server under backlog, and the CPU seconds a second of those who wait."""
    crowd = bench.crew.workers[:PROCESSES]
    values: Values = {"overlaps": [], "deaf": []}
    for label, call_s, seconds in (("50", CALL_S, bench.sizes.busy_s), ("5", SHORT_CALL_S, bench.sizes.busy_s / 2)):
        async with bench.opened(contender, crowd, waiters=_each(BACKGROUND_WAITERS)):
            begin, end = _window(seconds)
            _send_crowd(crowd, BACKGROUND_WAITERS, ("background",), call_s, begin, end)
            reports = await bench.crew.hear(PROCESSES, "crowd")
        holds = _holds(reports)
        values[f"busy_{label}"] = [busy_share(holds, begin + _ns(SETTLE_S), end)]
        values[f"gap_{label}"] = gaps_ms(holds, begin + _ns(SETTLE_S), end)
        values[f"cpu_{label}"] = [sum(report.facts["cpu_s"] for report in reports) * 1e9 / (end - begin)]
        values["overlaps"].append(float(overlaps(holds)))
        values["deaf"].append(float(sum(report.facts["deaf"] for report in reports)))
    return values


async def measure_connections(contender: Contender, bench: Bench) -> Values:
    """Return the most sessions at a time: of a crowd in four processes, and in one process with one class and two."""
    if not contender.on_postgres:
        return {}
    crowd = min(CONNECTED_WAITERS, contender.crowd)
    plans = (("crowd", PROCESSES, CLASSES), ("one_class", 1, CLASSES[:1]), ("two_classes", 1, CLASSES[1:]))
    values: Values = {}
    for label, processes, classes in plans if contender.classes else plans[:1]:
        workers = bench.crew.workers[:processes]
        waiters = crowd * processes // PROCESSES
        async with bench.opened(contender, workers):
            begin, end = _window(bench.sizes.connections_s)
            _send_crowd(workers, waiters, classes, CALL_S, begin, end)
            values[f"connections_{label}"] = [await _most_sessions(bench, contender, end)]
            await bench.crew.hear(processes, "crowd")
    return values


async def measure_throughput(contender: Contender, bench: Bench) -> Values:
    """Return enter + leave per second of 1, 2, 4 and 8 processes."""
    values: Values = {"overlaps": []}
    for processes in (1, 2, 4, 8):
        workers = bench.crew.workers[:processes]
        async with bench.opened(contender, workers):
            begin, end = _window(bench.sizes.throughput_s)
            _send_crowd(workers, processes, ("background",), 0.0, begin, end)
            holds = _holds(await bench.crew.hear(processes, "crowd"))
        values[f"throughput_{processes}"] = [per_second(holds, begin + _ns(SETTLE_S), end)]
        values["overlaps"].append(float(overlaps(holds)))
    return values


MEASURES: dict[str, Measure] = {
    "pair": measure_pair,
    "hand_over": measure_hand_over,
    "killed": measure_killed,
    "foreground": measure_foreground,
    "busy": measure_busy,
    "connections": measure_connections,
    "throughput": measure_throughput,
}


def _send_crowd(
    workers: Sequence[Worker], waiters: int, classes: Sequence[Urgency], hold_s: float, begin: int, end: int
) -> None:
    """Spread the waiters over the workers, the classes over the waiters."""
    urgencies = [classes[number % len(classes)] for number in range(waiters)]
    for number, worker in enumerate(workers):
        own = urgencies[number :: len(workers)]
        worker.order("crowd", urgencies=own, hold_s=hold_s, think_s=0.0, begin=begin, end=end)


async def _most_sessions(bench: Bench, contender: Contender, end: int) -> float:
    most = 0
    database = bench.dsn[contender.name].partition("?")[0].rpartition("/")[2]
    async with connection(bench.admin) as conn:
        count = await conn.prepare(SESSIONS)
        while time.perf_counter_ns() < end:
            most = max(most, await count.fetchval(database))
            await asyncio.sleep(LOOK_S)
    return float(most)


def _window(seconds: float) -> tuple[int, int]:
    """Return the common start and the end of a crowd whose last `seconds` count, in ns."""
    begin = time.perf_counter_ns() + _ns(LEAD_S)
    return begin, begin + _ns(SETTLE_S + seconds)


def _holds(reports: Any) -> list[Hold]:
    return [Hold(*hold) for report in reports for hold in report.facts["holds"]]


def _each(waiters: int) -> int:
    return -(-waiters // PROCESSES)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
