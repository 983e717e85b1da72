"""Eight processes at one gate, what was done to them, and what must hold of all they told."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
NOTICED_NS = 100_000_000
"""A process whose connection was cut may enter by it until the news has come: 35 ms in gate.md's prototype, more where
eight processes share two processors. That window is what GateLost closes, and no lock can."""


@dataclass(eq=False)
class Process:
    """A worker, seen from the test."""

    wire: socket.socket
    pid: int = 0
    text: bytes = b""
    killed_ns: int | None = None
    stopped: bool = False

    def say(self, **command: object) -> None:
        with suppress(OSError):  # it was killed
            self.wire.sendall(json.dumps(command).encode() + b"\n")


@dataclass(eq=False)
class Job:
    """One call: when it was asked for, was inside, and how it ended; nanoseconds of the monotonic clock."""

    number: int
    process: Process
    priority: int
    seen: bool = False
    disturbed: bool = False
    cancelled: bool = False
    in_ns: int | None = None
    out_ns: int | None = None
    cuts_ns: list[int] = field(default_factory=list)
    told: str | None = None

    @property
    def over(self) -> bool:
        return self.told is not None or self.process.killed_ns is not None

    @property
    def until_ns(self) -> int:
        """When it was surely inside for the last time: killed, it ended with its process, and cut, at the cut."""
        assert self.in_ns is not None
        cuts = [max(cut, self.in_ns) for cut in self.cuts_ns if cut > self.in_ns - NOTICED_NS]
        return min(end for end in (self.out_ns, self.process.killed_ns, *cuts) if end is not None)


class Crowd:
    """The living processes, and the jobs of the round."""

    def __init__(self, zygote: subprocess.Popen[bytes], listener: socket.socket) -> None:
        self.zygote, self.listener = zygote, listener
        self.processes: list[Process] = []
        self.jobs: dict[int, Job] = {}
        self.selector = selectors.DefaultSelector()

    def grow(self, size: int) -> None:
        """Fork until so many live."""
        assert self.zygote.stdin is not None
        missing = size - len(self.processes)
        self.zygote.stdin.write(b"." * missing)
        self.zygote.stdin.flush()
        for _ in range(missing):
            wire, _ = self.listener.accept()
            process = Process(wire)
            self.selector.register(wire, selectors.EVENT_READ, process)
            self.processes.append(process)
        wait_for(lambda: self.hear(0.01) or all(process.pid for process in self.processes))

    def ask(self, job: Job, endpoint: str, capacity: int, hold_s: float) -> None:
        self.jobs[job.number] = job
        given = {"endpoint": endpoint, "capacity": capacity, "priority": job.priority, "hold_s": hold_s}
        job.process.say(job=job.number, **given)

    def kill(self, process: Process) -> None:
        """End a process as a power cut does; what it told before is still heard."""
        self.disturb(process)
        process.killed_ns = time.monotonic_ns()
        os.kill(process.pid, signal.SIGKILL)
        self.processes.remove(process)

    def stop(self, process: Process) -> None:
        self.disturb(process)
        process.stopped = True
        os.kill(process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        for process in self.processes:
            if process.stopped:
                process.stopped = False
                os.kill(process.pid, signal.SIGCONT)

    def disturb(self, process: Process) -> None:
        for job in self.jobs.values():
            job.disturbed |= job.process is process

    def hear(self, within_s: float) -> bool:
        """Read what was told meanwhile; gives False, to stand in a wait."""
        for key, _ in self.selector.select(within_s):
            process: Process = key.data
            try:
                data = process.wire.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                self.selector.unregister(process.wire)
                process.wire.close()
                assert process.killed_ns is not None, "a process ended by itself"
            *lines, process.text = (process.text + data).split(b"\n")
            for line in lines:
                self._note(process, *json.loads(line))
        return False

    def _note(self, process: Process, kind: str, number: int, *rest: object) -> None:
        if kind == "hello":
            process.pid = number
            return
        job, at = self.jobs[number], int(str(rest[-1]))
        if kind == "in":
            job.in_ns = at
        elif kind == "out":
            job.out_ns = at
        else:
            job.told = str(rest[0])

    def settle(self, within_s: float) -> None:
        """Wait until every job is over and every process that was killed has been heard to its end."""

        def done() -> bool:
            self.hear(0.005)
            silent = {key.data for key in self.selector.get_map().values()}
            return all(job.over and (job.told or job.process not in silent) for job in self.jobs.values())

        wait_for(done, within_s)


@contextmanager
def crowd(dsn: str, slice_s: float, folder: Path) -> Iterator[Crowd]:
    """Have a zygote; every process it forked has ended at the end."""
    path = folder / "crowd"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        command = [sys.executable, "-m", "tests.crash.gate_worker", dsn, str(slice_s), str(path)]
        zygote = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        many = Crowd(zygote, listener)
        try:
            yield many
        finally:
            for process in list(many.processes):
                many.kill(process)
            for key in list(many.selector.get_map().values()):
                key.data.wire.close()
            assert zygote.stdin is not None
            zygote.stdin.close()
            zygote.wait(timeout=10)
