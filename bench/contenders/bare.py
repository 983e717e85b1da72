"""The floor: a domain table and the least SQL that makes it a queue: no fence, no retry, no rescue.

One statement-level trigger sends one NOTIFY per INSERT. A worker listens on a session of its own, claims with
one UPDATE over `FOR UPDATE SKIP LOCKED`, and finishes the whole batch with one UPDATE: two statements per batch.
It runs on asyncio's own event loop, as our daemons do.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from bench.contenders.contract import KeepsHistory, Mark, Purpose
from bench.pg import connection

# A claim of 100 has paid for its round trip; a claim of one is the shortest way to one handler.
BATCH: dict[Purpose, int] = {"drain": 100, "pickup": 1}
CHANNEL = "bench_jobs"

SCHEMA = """
CREATE TABLE bench_jobs (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload       text NOT NULL,
    status        text NOT NULL DEFAULT 'pending',
    attempts      integer NOT NULL DEFAULT 0,
    max_attempts  integer NOT NULL DEFAULT 3,
    error_code    text,
    error_message text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    completed_at  timestamptz
);

CREATE INDEX bench_jobs_pending ON bench_jobs (id) WHERE status = 'pending';

CREATE FUNCTION bench_jobs_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bench_jobs', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER bench_jobs_wake
    AFTER INSERT ON bench_jobs
    FOR EACH STATEMENT EXECUTE FUNCTION bench_jobs_wake();
"""

INSERT_ONE = "INSERT INTO bench_jobs (payload) VALUES ('')"

INSERT_MANY = "INSERT INTO bench_jobs (payload) SELECT payload FROM unnest($1::text[]) AS payload"

FILL = "INSERT INTO bench_jobs (payload) SELECT '' FROM generate_series(1, $1::integer)"

FILL_FINISHED = """
INSERT INTO bench_jobs (payload, status, attempts, started_at, completed_at)
SELECT '', 'completed', 1, now(), now()
FROM generate_series(1, $1::integer)
"""

# ARRAY(...) makes the ids a value before the update begins: joined instead, the planner may scan the table, and
# a LIMIT below a join may run more than once.
CLAIM = """
UPDATE bench_jobs
SET status = 'processing', attempts = attempts + 1, started_at = now()
WHERE id = ANY (ARRAY(
    SELECT id
    FROM bench_jobs
    WHERE status = 'pending'
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
))
RETURNING id, payload
"""

FINISH = """
UPDATE bench_jobs
SET status = 'completed', completed_at = now()
WHERE id = ANY ($1::bigint[])
"""

UNFINISHED = "SELECT count(*) FROM bench_jobs WHERE status <> 'completed'"


class BareProducer:
    """Enqueues by INSERT, as any client of the database could."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    async def one(self) -> None:
        """Enqueue one job and commit."""
        await self._conn.execute(INSERT_ONE)

    async def many(self, jobs: int) -> None:
        """Enqueue `jobs` jobs in one statement and commit."""
        await self._conn.execute(INSERT_MANY, [""] * jobs)


class Bare:
    """The bare SQL loop."""

    name = "bare"
    version = f"asyncpg {version('asyncpg')}"
    share = 1.0
    insert_one = INSERT_ONE
    unfinished = UNFINISHED

    async def prepare(self, dsn: str) -> None:
        """Create the table, its index and its trigger."""
        async with connection(dsn) as conn:
            await conn.execute(SCHEMA)

    @asynccontextmanager
    async def producer(self, dsn: str) -> AsyncIterator[BareProducer]:
        """Connect a client that inserts."""
        async with connection(dsn) as conn:
            yield BareProducer(conn)

    async def fill(self, conn: Any, rows: int) -> None:
        """Load pending jobs in one statement."""
        await conn.execute(FILL, rows)

    async def fill_finished(self, conn: Any, rows: int) -> None:
        """Load completed jobs in one statement."""
        await conn.execute(FILL_FINISHED, rows)

    def new_loop(self) -> AbstractEventLoop:
        """Return asyncio's own loop."""
        return asyncio.new_event_loop()

    async def work(self, dsn: str, purpose: Purpose, mark: Mark) -> None:
        """Claim, call the no-op per row, finish; sleep until the next notification when there is nothing."""
        wake = asyncio.Event()
        async with connection(dsn) as listener, connection(dsn) as worker:
            await listener.add_listener(CHANNEL, lambda *_: wake.set())
            claim = await worker.prepare(CLAIM)
            finish = await worker.prepare(FINISH)
            while True:
                wake.clear()
                while rows := await claim.fetch(BATCH[purpose]):
                    for _ in rows:
                        mark()
                    await finish.fetch([row["id"] for row in rows])
                await wake.wait()


CONTENDER: KeepsHistory = Bare()
