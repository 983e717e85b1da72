"""PgQueuer from PyPI, set up as its guide to performance says.

That is: all tables logged (durable), `pgq autovac` after the installation, a batch size well above the default
of 10 for short jobs, and uvloop, which the package requires and its own command `pgq run` uses. The guide names
a pool for throughput and one direct connection for the listener: the pool drains a fifth faster here (batches
of 1,000, five connections; 100, 500 and 2,000 were no faster), for the pickup the direct connection is as fast.
"""

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench.contenders.contract import Contender, Mark, Purpose
from bench.pg import connection

ENTRYPOINT = "bench_noop"

BATCH: dict[Purpose, int] = {"drain": 1000, "pickup": 1}
POOL_CONNECTIONS = 5

# What Queries.enqueue leaves for each job: the row and its line in the log.
INSERT_ONE = """
WITH inserted AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, status)
    VALUES (0, 'bench_noop', '', 'queued')
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'queued', entrypoint, priority
FROM inserted
"""

FILL = """
WITH inserted AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, status)
    SELECT 0, 'bench_noop', '', 'queued'
    FROM generate_series(1, $1::integer)
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'queued', entrypoint, priority
FROM inserted
"""

# A job that ended is deleted from the queue and lives on in the log.
UNFINISHED = "SELECT count(*) FROM pgqueuer"


class PgQueuerProducer:
    """Enqueues through `Queries.enqueue`."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def one(self) -> None:
        """Enqueue one job and commit."""
        await self._queries.enqueue(ENTRYPOINT, b"")

    async def many(self, jobs: int) -> None:
        """Enqueue `jobs` jobs by the list form of the call."""
        await self._queries.enqueue([ENTRYPOINT] * jobs, [b""] * jobs, [0] * jobs)


class PgQueuerContender:
    """PgQueuer on asyncpg."""

    name = "pgqueuer"
    version = f"pgqueuer {version('pgqueuer')}"
    share = 1.0
    insert_one = INSERT_ONE
    unfinished = UNFINISHED

    async def prepare(self, dsn: str) -> None:
        """Install the schema and the recommended autovacuum settings."""
        async with connection(dsn) as conn:
            queries = Queries.from_asyncpg_connection(conn)
            await queries.install()
            await queries.optimize_autovacuum()

    @asynccontextmanager
    async def producer(self, dsn: str) -> AsyncIterator[PgQueuerProducer]:
        """Connect a client of the API."""
        async with connection(dsn) as conn:
            yield PgQueuerProducer(Queries.from_asyncpg_connection(conn))

    async def fill(self, conn: Any, rows: int) -> None:
        """Load queued jobs and their log lines in one statement."""
        await conn.execute(FILL, rows)

    def new_loop(self) -> AbstractEventLoop:
        """Return uvloop's loop."""
        return uvloop.new_event_loop()

    async def work(self, dsn: str, purpose: Purpose, mark: Mark) -> None:
        """Run a PgQueuer manager with the no-op entrypoint."""
        async with _manager(dsn, purpose) as pgq:

            @pgq.entrypoint(ENTRYPOINT)
            async def noop(job: Job) -> None:
                mark()

            await pgq.run(batch_size=BATCH[purpose])


@asynccontextmanager
async def _manager(dsn: str, purpose: Purpose) -> AsyncIterator[PgQueuer]:
    if purpose == "pickup":
        async with connection(dsn) as conn:
            yield PgQueuer.from_asyncpg_connection(conn)
    else:
        async with asyncpg.create_pool(dsn, min_size=POOL_CONNECTIONS, max_size=POOL_CONNECTIONS) as pool:
            yield PgQueuer.from_asyncpg_pool(pool)


CONTENDER: Contender = PgQueuerContender()
