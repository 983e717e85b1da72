"""Procrastinate from PyPI: the asynchronous psycopg connector, an async task, the worker's `concurrency`.

The pool keeps its default size of four: a claim takes one job and claims do not overlap, so neither more
connections nor a concurrency of 30 made it faster.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.tasks import Task

from bench.contenders.contract import Contender, Mark, Purpose

TASK = "bench_noop"

CONCURRENCY: dict[Purpose, int] = {"drain": 10, "pickup": 1}

# procrastinate_defer_jobs_v1 is what every defer() calls; triggers notify and write the job's first event.
INSERT_ONE = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW('default', 'bench_noop', 0, NULL, NULL, '{}', NULL)::procrastinate_job_to_defer_v1
])
"""

# Loaded without triggers (two notifications and one event per row); the events are added in one statement.
TRIGGERS_OFF = "SET session_replication_role = replica"
TRIGGERS_ON = "RESET session_replication_role"
FILL = """
WITH inserted AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)
    SELECT 'default', 'bench_noop', 0, '{}'
    FROM generate_series(1, $1::integer)
    RETURNING id
)
INSERT INTO procrastinate_events (job_id, type)
SELECT id, 'deferred'
FROM inserted
"""

UNFINISHED = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


def make_app(dsn: str, mark: Mark) -> tuple[App, Task[[], Any, []]]:
    """Return an application with the no-op task, on a pool of its own."""
    app = App(connector=PsycopgConnector(conninfo=dsn))

    @app.task(name=TASK)
    async def noop() -> None:
        mark()

    return app, noop


class ProcrastinateProducer:
    """Enqueues through the task's defer calls."""

    def __init__(self, task: Any) -> None:
        self._task = task

    async def one(self) -> None:
        """Enqueue one job and commit."""
        await self._task.defer_async()

    async def many(self, jobs: int) -> None:
        """Enqueue `jobs` jobs by the batch call."""
        await self._task.batch_defer_async(*({} for _ in range(jobs)))


class ProcrastinateContender:
    """Procrastinate with one asynchronous worker per process."""

    name = "procrastinate"
    version = f"procrastinate {version('procrastinate')}"
    share = 0.2
    insert_one = INSERT_ONE
    unfinished = UNFINISHED

    async def prepare(self, dsn: str) -> None:
        """Apply the schema."""
        app, _ = make_app(dsn, _never)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def producer(self, dsn: str) -> AsyncIterator[ProcrastinateProducer]:
        """Connect a client of the API."""
        app, task = make_app(dsn, _never)
        async with app.open_async():
            yield ProcrastinateProducer(task)

    async def fill(self, conn: Any, rows: int) -> None:
        """Load jobs to do and their first events."""
        await conn.execute(TRIGGERS_OFF)
        await conn.execute(FILL, rows)
        await conn.execute(TRIGGERS_ON)

    def new_loop(self) -> AbstractEventLoop:
        """Return asyncio's own loop, as `procrastinate worker` does."""
        return asyncio.new_event_loop()

    async def work(self, dsn: str, purpose: Purpose, mark: Mark) -> None:
        """Run a worker with the no-op task; a cancel is its documented way to stop."""
        app, _ = make_app(dsn, mark)
        async with app.open_async():
            await app.run_worker_async(concurrency=CONCURRENCY[purpose], install_signal_handlers=False)


def _never() -> None:
    raise AssertionError("a producer runs no task")


CONTENDER: Contender = ProcrastinateContender()
