"""A runner beside the test, in the same event loop, with stages of a few lines."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import psycopg

from db.jobs import Job
from services.kit.outcome import NOTHING_MORE, Outcome
from services.kit.runner import Runner
from services.kit.settings import QueueSettings
from services.kit.stage import Stage, single

Work = Callable[[Job], Awaitable[Outcome]]
QUICK = {"look_s": 60.0, "watch_s": 0.05, "grace_s": 5.0, "retry_after_s": 0.05}
"""Waits that a test can bear; a minute for the look, so that whatever comes sooner came by a notification."""


def stage_of(run: Callable[[Sequence[Job], Any], Awaitable[Sequence[Outcome]]], **fields: Any) -> Stage[Any]:
    """A stage over the questions' table, which needs nothing but a text."""
    return Stage("synthesis", queue="asks", run=run, **fields)


def each(work: Work, **fields: Any) -> Stage[Any]:
    """The same, of a function for one job."""

    async def run(job: Job, _tools: Any) -> Outcome:
        return await work(job)

    return stage_of(single(run), **fields)


async def done(_job: Job) -> Outcome:
    """The least that a stage can do."""
    return NOTHING_MORE


@asynccontextmanager
async def running(dsn: str, stage: Stage[Any], within_s: float = 30.0, **settings: Any) -> AsyncIterator[Runner[Any]]:
    """Run the stage while the body runs; then ask it to stop, and see that it does."""
    runner: Runner[Any] = Runner(dsn, stage, None, QueueSettings(**QUICK | settings))
    with anyio.fail_after(within_s):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.run)
            yield runner
            runner.stop()


async def drain(dsn: str, stage: Stage[Any], tools: Any = None, **settings: Any) -> Runner[Any]:
    """Run the stage until nothing is ready."""
    runner: Runner[Any] = Runner(dsn, stage, tools, QueueSettings(**QUICK | settings), until_empty=True)
    with anyio.fail_after(60):
        await runner.run()
    return runner


def put_ask(db: psycopg.Connection, question: str = "?", priority: str = "background", **columns: Any) -> int:
    """Enqueue a question; gives its id."""
    names = ", ".join(["question", "priority", *columns])
    marks = ", ".join(["%s"] * (2 + len(columns)))
    statement = f"INSERT INTO asks ({names}) VALUES ({marks}) RETURNING id"
    found = db.execute(statement, [question, priority, *columns.values()]).fetchone()
    assert found is not None
    return int(found[0])


def status(db: psycopg.Connection, ask_id: int) -> str:
    found = db.execute("SELECT status FROM asks WHERE id = %s", [ask_id]).fetchone()
    assert found is not None
    return str(found[0])


def living(db: psycopg.Connection, purpose: str = "synthesis") -> int:
    """Count the sessions of a purpose."""
    found = db.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
        [f"seodang:{purpose}"],
    ).fetchone()
    assert found is not None
    return int(found[0])


def kill(db: psycopg.Connection, purpose: str = "synthesis") -> None:
    """End the sessions of a purpose, as an administrator would."""
    db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = %s",
        [f"seodang:{purpose}"],
    )
