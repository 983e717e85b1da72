"""The corridor as real processes, from the first INSERT to the last row that has ended, and what each of them costs.

Processor time and memory are read from outside: of each daemon, of the child in which `ingest` parses, and of the
sessions that these have with Postgres.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import psutil

from bench.pg import connection

STAGES = ("ingest", "embed", "classify")
CHILD, POSTGRES = "ingest's parser", "postgres"
LIMIT_S = 3600.0
LOOK_S = 0.05
INSERT = "INSERT INTO inbox (path) SELECT path FROM unnest($1::text[]) AS path"
UNFINISHED = """
SELECT (SELECT count(*) FROM inbox WHERE completed_at IS NULL)
     + (SELECT count(*) FROM document_jobs WHERE completed_at IS NULL AND stage = ANY ($1))
"""
REFUSED = "SELECT count(*) FROM inbox WHERE status <> 'completed'"
ALIVE = "SELECT count(*) FROM workers"
LEAVES = "SELECT count(*) FROM chunks WHERE is_leaf"
DONE = "SELECT count(*) FROM document_jobs WHERE stage = 'classify' AND completed_at IS NOT NULL"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"

Parts = dict[str, float]


@contextmanager
def daemons(dsn: str) -> Iterator[dict[str, psutil.Process]]:
    """Run the stages as real processes; gives them by their name."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEODANG_")}
    environment = clean | {"SEODANG_DATABASE_URL": dsn, "SEODANG_LOG_LEVEL": "warning"}
    started = [subprocess.Popen([sys.executable, "-m", "services.daemon", name], env=environment) for name in STAGES]
    try:
        yield {name: psutil.Process(process.pid) for name, process in zip(STAGES, started, strict=True)}
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


@asynccontextmanager
async def corridor(dsn: str) -> AsyncIterator[dict[str, psutil.Process]]:
    """Run the stages and wait until all take rows."""
    with daemons(dsn) as running:
        async with connection(dsn) as conn:
            while await conn.fetchval(ALIVE) < len(STAGES):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(LOOK_S)
        yield running


async def through(dsn: str, paths: Sequence[str]) -> tuple[float, Parts, int]:
    """Send files through the corridor; gives seconds, processor seconds by process, and the number of leaves."""
    async with corridor(dsn) as running, connection(dsn) as conn:
        before = await _cpu_s(conn, running)
        started = time.perf_counter()
        await conn.execute(INSERT, list(paths))
        await until_done(conn)
        seconds = time.perf_counter() - started
        spent = {name: after - before.get(name, 0.0) for name, after in (await _cpu_s(conn, running)).items()}
        if await conn.fetchval(REFUSED):
            raise RuntimeError("a file of the mix was refused")
        return seconds, spent, int(await conn.fetchval(LEAVES))


async def until_done(conn: Any, most: int | None = None) -> None:
    """Wait until every row has ended, or so many documents have passed the last stage."""
    end = time.monotonic() + LIMIT_S
    while not await _is_done(conn, most):
        if time.monotonic() > end:
            raise TimeoutError(f"not searchable after {LIMIT_S:.0f} s")
        await asyncio.sleep(LOOK_S)


async def _is_done(conn: Any, most: int | None) -> bool:
    if most is None:
        return not await conn.fetchval(UNFINISHED, list(STAGES))
    return bool(await conn.fetchval(DONE) >= most)


async def _cpu_s(conn: Any, running: dict[str, psutil.Process]) -> Parts:
    spent: defaultdict[str, float] = defaultdict(float)
    for name, process in running.items():
        times = process.cpu_times()
        spent[name] += times.user + times.system
        spent[CHILD] += times.children_user + times.children_system
        for child in process.children():
            spent[CHILD] += _own_cpu_s(child)
    for session in await conn.fetch(SESSIONS):
        with suppress(psutil.NoSuchProcess):
            spent[POSTGRES] += _own_cpu_s(psutil.Process(session["pid"]))
    return dict(spent)


def _own_cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def memory_mib(running: dict[str, psutil.Process]) -> Parts:
    """Give the resident size of each daemon and of the parser's process, in MiB."""
    found: Parts = {name: process.memory_info().rss / 2**20 for name, process in running.items()}
    children = [child for process in running.values() for child in process.children()]
    found[CHILD] = sum(child.memory_info().rss for child in children) / 2**20
    return found
