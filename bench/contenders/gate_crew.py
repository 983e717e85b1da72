"""The benchmark's side of its gate workers: start real processes, give orders, hear reports, kill, stop."""

import asyncio
import json
import sys
import tempfile
from asyncio import Queue, Task
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Any

MODULE = "bench.gate_worker"
# Longest line of a report: some ten thousand holds.
LINE_BYTES = 2**24
LIMIT_S = 60.0
STOP_S = 10.0


class WorkerFailed(Exception):
    """A worker died or did not get there in time; the text ends with what it wrote to stderr."""


@dataclass(frozen=True)
class Report:
    """One line of a worker."""

    worker: "Worker"
    event: str
    facts: dict[str, Any]


@dataclass(eq=False)
class Worker:
    """One worker process; its reports arrive at the crew."""

    process: Process
    errors: IO[bytes]
    expendable: bool = False
    listener: Task[None] | None = field(default=None)

    def order(self, do: str, **details: Any) -> None:
        """Tell the worker to do something; see `bench.gate_worker` for what there is."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **details}).encode() + b"\n")

    def kill(self) -> None:
        """End it by SIGKILL, without an error."""
        self.expendable = True
        self.process.kill()

    def complaint(self) -> str:
        """Return the end of what it wrote to stderr."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-2000:]


class Crew:
    """The workers of a run and one queue of all that they report."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self._all: list[Worker] = []
        self._reports: Queue[Report] = Queue()

    async def hire(self, count: int) -> list[Worker]:
        """Start `count` processes and return them when all are ready."""
        fresh = [await self._start() for _ in range(count)]
        await self.hear(count, "ready")
        return fresh

    async def hear(self, count: int, *events: str, limit_s: float = LIMIT_S) -> list[Report]:
        """Return the next `count` reports, in order of arrival.

        Args:
            events: what may be reported now.
        Raises:
            WorkerFailed: a worker died, reported something else, or `limit_s` seconds passed.
        """
        heard: list[Report] = []
        try:
            async with asyncio.timeout(limit_s):
                while len(heard) < count:
                    report = await self._reports.get()
                    if report.event not in events:
                        raise WorkerFailed(f"{report.event} instead of {events}\n{report.worker.complaint()}")
                    heard.append(report)
        except TimeoutError as error:
            complaints = "\n".join(worker.complaint() for worker in self._all)
            raise WorkerFailed(f"{len(heard)} of {count} {events} in {limit_s} s\n{complaints}") from error
        return heard

    async def stop(self) -> None:
        """Close every stdin and wait for the ends."""
        await asyncio.gather(*map(self._stop, self._all))

    async def dismiss(self, workers: Sequence[Worker]) -> None:
        """End these, and forget them."""
        await asyncio.gather(*map(self._stop, workers))
        self._all = [worker for worker in self._all if worker not in workers]

    async def _start(self) -> Worker:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker has stopped
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, stdin=PIPE, stdout=PIPE, stderr=errors, limit=LINE_BYTES
        )
        worker = Worker(process, errors)
        worker.listener = asyncio.create_task(self._listen(worker))
        self._all.append(worker)
        return worker

    async def _listen(self, worker: Worker) -> None:
        assert worker.process.stdout is not None
        while line := await worker.process.stdout.readline():
            facts = json.loads(line)
            self._reports.put_nowait(Report(worker, facts.pop("event"), facts))
        if not worker.expendable:
            self._reports.put_nowait(Report(worker, "gone", {}))

    async def _stop(self, worker: Worker) -> None:
        worker.expendable = True
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        try:
            await asyncio.wait_for(worker.process.wait(), STOP_S)
        except TimeoutError:
            worker.process.kill()
            await worker.process.wait()
        worker.errors.close()


@asynccontextmanager
async def gate_crew(size: int) -> AsyncIterator[Crew]:
    """Start `size` workers; stop them, and any hired later, at the end."""
    crew = Crew()
    try:
        crew.workers = await crew.hire(size)
        yield crew
    finally:
        await crew.stop()
