"""The benchmark's side of its workers: start real processes, let them go together, watch, and stop them."""

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.contenders.contract import Purpose
from bench.contenders.stamps import Stamps

# How often the benchmark looks at the workers' pages; it must leave both cores to the server and the worker.
LOOK_S = 0.001
STOP_S = 10.0


class WorkerFailed(Exception):
    """A worker died or did not get there in time; the text ends with what it wrote to stderr."""


@dataclass(frozen=True)
class Member:
    """One worker process, its page of stamps and the file that holds its stderr."""

    process: Process
    stamps: Stamps
    errors: IO[bytes]

    def complaint(self) -> str:
        """Return the end of what the worker wrote to stderr."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-2000:]


class Crew:
    """The workers of one measurement."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members

    def go(self) -> None:
        """Let all workers start now."""
        for member in self._members:
            assert member.process.stdin is not None
            member.process.stdin.write(b"go\n")

    def started(self) -> int:
        """Return how many jobs were started by all workers together."""
        return sum(member.stamps.count for member in self._members)

    def times(self) -> list[list[int]]:
        """Return each worker's start times in ns."""
        return [member.stamps.times() for member in self._members]

    async def until_started(self, jobs: int, limit_s: float) -> None:
        """Wait until `jobs` jobs were started; raise WorkerFailed if a worker dies or the time is over."""
        deadline = time.monotonic() + limit_s
        while self.started() < jobs:
            self._check(time.monotonic() < deadline, f"{self.started()} of {jobs} jobs after {limit_s} s")
            await asyncio.sleep(LOOK_S)

    def _check(self, in_time: bool, progress: str) -> None:
        alive = all(member.process.returncode is None for member in self._members)
        if not (alive and in_time):
            complaints = "\n".join(member.complaint() for member in self._members)
            raise WorkerFailed(f"{progress}\n{complaints}")


@asynccontextmanager
async def crew(name: str, dsn: str, purpose: Purpose, *, size: int, capacity: int) -> AsyncIterator[Crew]:
    """Start `size` workers of a contender, ready but not yet working; stop them at the end.

    Args:
        capacity: how many start times each worker has room for.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-stamps-")))
        members: list[Member] = []
        try:
            for number in range(size):
                path = directory / str(number)
                stamps = stack.enter_context(Stamps.create(path, capacity))
                errors = stack.enter_context(tempfile.TemporaryFile())
                process = await _spawn(name, dsn, purpose, path, errors)
                members.append(Member(process, stamps, errors))
            for member in members:
                await _ready(member)
            yield Crew(members)
        finally:
            await asyncio.gather(*(_stop(member.process) for member in members))


async def _spawn(name: str, dsn: str, purpose: Purpose, path: Path, errors: IO[bytes]) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.contenders.worker", name, purpose, str(path),
        stdin=PIPE, stdout=PIPE, stderr=errors,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(f"{dsn}\n".encode())
    return process


async def _ready(member: Member) -> None:
    assert member.process.stdout is not None
    if not await member.process.stdout.readline():
        raise WorkerFailed(f"not ready\n{member.complaint()}")


async def _stop(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
