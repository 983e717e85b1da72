"""The measurements of the queue benchmark, each on a fresh database of the one server.

What is timed, and why it costs each contender the same:

- Workers are real processes. Their no-op handler notes its start (one clock read, two stores in a shared page)
  and nothing else; the benchmark reads the pages every millisecond and is otherwise asleep.
- *drain*: the rows are there before any worker runs; the tables are vacuumed, analysed and checkpointed. The
  clock runs from the first handler start to the moment the database says that no job is unfinished, so a system
  that writes its finishes late gains nothing by it. That is asked only after the last handler has started. With
  two processes the clock starts when both have started a job, and only the jobs from then on count.
- *depth*: one worker on a short and on a long table, timed from the start of the first handler to the start of
  the handler after the last counted job, with more rows behind: N jobs, whatever the batch, and no tail.
- *pickup*: one idle worker. A client commits one job on a connection of its own, reads the clock when the commit
  returns, and waits for the handler; then both rest for some milliseconds. The INSERT is the system's own, sent
  by the same driver for all, so no client library's work after the commit is taken off the latency.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from bench.contenders.contract import Contender, KeepsHistory
from bench.contenders.crew import LOOK_S, Crew, crew
from bench.pg import Server, connection, settle

Values = dict[str, float]
Measure = Callable[[Contender, "Bench"], Awaitable[Values]]

# The short table of the depth measure, and how much of it is drained: whole batches of 1,000, two left over.
SHORT_ROWS = 10_000
DEPTH_JOBS = 8_000

BULK_JOBS = 1_000
WARM_UP = 20
# Long enough for each worker to fall asleep again, uneven so that no poll falls into step with it.
REST_S = (0.008, 0.016)
LIMIT_S = 600.0
PICKUP_LIMIT_S = 60.0


@dataclass(frozen=True)
class Bench:
    """Where to measure, and how much.

    Attributes:
        rows: jobs to drain and to enqueue (a contender takes its share of them).
        backlog: rows of the long table; 0 leaves the depth and history measures out.
        samples: pickups to time.
    """

    server: Server
    rows: int
    backlog: int
    samples: int

    def share(self, contender: Contender) -> int:
        """Return how many rows this contender drains."""
        return max(100, int(self.rows * contender.share))


async def measure_enqueue(contender: Contender, bench: Bench) -> Values:
    """Return jobs per second through the API: one per commit, and a thousand per commit."""
    singles = max(50, bench.share(contender) // 10)
    batches = max(2, bench.share(contender) // BULK_JOBS)
    async with bench.server.database() as dsn:
        await contender.prepare(dsn)
        async with contender.producer(dsn) as producer:
            for _ in range(WARM_UP):
                await producer.one()
            await producer.many(BULK_JOBS)
            start = time.perf_counter()
            for _ in range(singles):
                await producer.one()
            middle = time.perf_counter()
            for _ in range(batches):
                await producer.many(BULK_JOBS)
            end = time.perf_counter()
    return {"enqueue_one": singles / (middle - start), "enqueue_bulk": batches * BULK_JOBS / (end - middle)}


async def measure_drain_1(contender: Contender, bench: Bench) -> Values:
    """Return jobs per second of one worker process, from the first start to the last durable finish."""
    return {"drain_1": await _drain(contender, bench, processes=1)}


async def measure_drain_2(contender: Contender, bench: Bench) -> Values:
    """Return jobs per second of two worker processes together, from when both work."""
    return {"drain_2": await _drain(contender, bench, processes=2)}


async def measure_pickup(contender: Contender, bench: Bench) -> Values:
    """Return p50 and p95 of commit to handler, in ms, on an empty queue."""
    async with bench.server.database() as dsn:
        await contender.prepare(dsn)
        p50, p95 = await _pickup(contender, dsn, bench.samples)
    return {"pickup_p50": p50, "pickup_p95": p95}


async def measure_depth(contender: Contender, bench: Bench) -> Values:
    """Return jobs per second of one process at the head of a short and of a long table."""
    if not bench.backlog:
        return {}
    jobs = _depth_jobs(contender, bench)
    values = {}
    for metric, rows in (("drain_short", SHORT_ROWS), ("drain_backlog", bench.backlog)):
        async with bench.server.database() as dsn:
            await contender.prepare(dsn)
            await _load(dsn, contender.fill, rows)
            values[metric] = await _head(contender, dsn, jobs)
    return values


async def measure_history(contender: Contender, bench: Bench) -> Values:
    """Return pickup and drain behind a long history, for those that keep it in the table they claim from."""
    if not bench.backlog or not isinstance(contender, KeepsHistory):
        return {}
    async with bench.server.database() as dsn:
        await contender.prepare(dsn)
        await _load(dsn, contender.fill_finished, bench.backlog)
        p50, p95 = await _pickup(contender, dsn, bench.samples)
        await _load(dsn, contender.fill, SHORT_ROWS)
        rate = await _head(contender, dsn, _depth_jobs(contender, bench))
    return {"history_drain": rate, "history_pickup_p50": p50, "history_pickup_p95": p95}


MEASURES: tuple[Measure, ...] = (
    measure_enqueue,
    measure_drain_1,
    measure_drain_2,
    measure_pickup,
    measure_depth,
    measure_history,
)


async def _drain(contender: Contender, bench: Bench, processes: int) -> float:
    rows = bench.share(contender)
    async with bench.server.database() as dsn:
        await contender.prepare(dsn)
        await _load(dsn, contender.fill, rows)
        async with (
            _crew(contender, dsn, size=processes, capacity=rows) as workers,
            connection(dsn) as conn,
        ):
            unfinished = await conn.prepare(contender.unfinished)
            workers.go()
            await workers.until_started(rows, LIMIT_S)
            end_ns = await _all_finished(unfinished)
            return _rate_when_all_work(workers.times(), end_ns)


async def _head(contender: Contender, dsn: str, jobs: int) -> float:
    async with _crew(contender, dsn, size=1, capacity=jobs + 1) as workers:
        workers.go()
        await workers.until_started(jobs + 1, LIMIT_S)
        (times,) = workers.times()
    return jobs * 1e9 / (times[jobs] - times[0])


async def _pickup(contender: Contender, dsn: str, samples: int) -> tuple[float, float]:
    committed: list[int] = []
    jobs = WARM_UP + samples
    async with (
        crew(contender.name, dsn, "pickup", size=1, capacity=jobs) as workers,
        connection(dsn) as conn,
    ):
        workers.go()
        insert = await conn.prepare(contender.insert_one)
        for number in range(1, jobs + 1):
            await insert.fetch()
            committed.append(time.perf_counter_ns())
            await workers.until_started(number, PICKUP_LIMIT_S)
            await asyncio.sleep(random.uniform(*REST_S))
        (started,) = workers.times()
    latencies_ms = [(start - commit) / 1e6 for commit, start in zip(committed, started, strict=True)]
    twentieths = statistics.quantiles(latencies_ms[WARM_UP:], n=20)
    return twentieths[9], twentieths[18]


async def _load(dsn: str, fill: Callable[[Any, int], Awaitable[None]], rows: int) -> None:
    async with connection(dsn) as conn:
        await fill(conn, rows)
    await settle(dsn)


def _crew(contender: Contender, dsn: str, *, size: int, capacity: int) -> AbstractAsyncContextManager[Crew]:
    return crew(contender.name, dsn, "drain", size=size, capacity=capacity)


async def _all_finished(unfinished: Any) -> int:
    """Return the time in ns at which the database first says that no job is unfinished."""
    async with asyncio.timeout(LIMIT_S):
        while await unfinished.fetchval():  # noqa: ASYNC110 - no event: a database answers
            await asyncio.sleep(LOOK_S)
    return time.perf_counter_ns()


def _rate_when_all_work(times: list[list[int]], end_ns: int) -> float:
    """Return jobs per second since the last worker to begin had begun."""
    begin_ns = max(own[0] for own in times if own)
    jobs = sum(1 for own in times for start in own if start >= begin_ns)
    return jobs * 1e9 / (end_ns - begin_ns)


def _depth_jobs(contender: Contender, bench: Bench) -> int:
    return min(DEPTH_JOBS, bench.share(contender))
