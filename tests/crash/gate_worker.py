"""A process at the gate that does what it is told, and the zygote that forks it: `python -m tests.crash.gate_worker`.

In: lines of JSON from the test's socket: ask for a slot, cancel a job. Out: a line for each entry, end and failure,
with the monotonic clock, which all processes of a machine share. Forking from a process that has imported everything
takes milliseconds, so that a test can kill as many as it likes.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from functools import partial

import anyio

from db.errors import DatabaseError, GateLost
from db.gate import Gate, Priority


class Worker:
    """One process: a gate and its jobs."""

    def __init__(self, gate: Gate, wire: socket.socket) -> None:
        self.gate, self.wire = gate, wire
        self.scopes: dict[int, anyio.CancelScope] = {}

    def tell(self, *event: object) -> None:
        """Send an event; a local socket takes a line at once, also when this process is killed in the next instant."""
        self.wire.sendall(json.dumps([*event, time.monotonic_ns()]).encode() + b"\n")

    async def work(self, job: int, endpoint: str, capacity: int, priority: int, hold_s: float) -> None:
        """Be inside once; tells `in` after it is, and `out` before it is not, so what is told lies within the truth."""
        told = "cancelled"
        with anyio.CancelScope() as scope:
            self.scopes[job] = scope
            try:
                entry = self.gate.enter(endpoint, capacity=capacity, priority=Priority(priority), label=f"{job}")
                async with entry:
                    self.tell("in", job)
                    try:
                        await anyio.sleep(hold_s)
                    finally:
                        self.tell("out", job)
                told = "done"
            except GateLost:
                told = "lost"
            except DatabaseError as error:
                told = f"{type(error).__name__}: {error}"
        del self.scopes[job]
        self.tell("end", job, told)

    async def obey(self) -> None:
        """Do as told until the test hangs up."""
        reader, _ = await asyncio.open_connection(sock=self.wire.dup())
        self.tell("hello", os.getpid())
        async with anyio.create_task_group() as tasks:
            while line := await reader.readline():
                command = json.loads(line)
                if "cancel" not in command:
                    tasks.start_soon(partial(self.work, **command))
                elif command["cancel"] in self.scopes:
                    self.scopes[command["cancel"]].cancel()
            tasks.cancel_scope.cancel()


async def serve(dsn: str, slice_s: float, wire: socket.socket) -> None:
    async with Gate(dsn, slice_s=slice_s) as gate:
        await Worker(gate, wire).obey()


def main(dsn: str, slice_s: str, path: str) -> None:
    """Fork a worker for each byte from standard input, until that ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while os.read(0, 1):
        if os.fork() == 0:
            with socket.socket(socket.AF_UNIX) as wire:
                wire.connect(path)
                anyio.run(serve, dsn, float(slice_s), wire)
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
