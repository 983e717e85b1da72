"""The process that parses, seen from its parent: started, given a file, watched, killed.

Whatever a file does to it (expand, hang, crash the library) comes out as a FormatError. `sandbox.Reader` decides how
long one lives.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import anyio
import psutil

from services.formats import wire
from services.formats.limits import Budget, Limits
from services.formats.page import FormatError, Header, Page
from services.formats.picture import Picture

Source = Path | bytes
T = TypeVar("T")

_ROOT = Path(__file__).resolve().parents[2]  # where `services` is found; also keeps foreign modules off the path
# Nothing of our own environment (it holds passwords); glibc's arenas of 64 MiB a thread would eat RLIMIT_AS.
_ENVIRONMENT = {"PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "1"}
_WATCH_S = 0.02  # a look takes 30 us; at 2 GB/s a child takes 40 MB in between
_REAP_S = 5.0  # SIGKILL acts at once, unless the process waits for a broken disk
_PIPE_BYTES = 2**20
# PDFium ends its process by one of these when it gets no more memory, and when a check of its own fails; what was
# seen of its memory last tells which. Tables grow by doubling, so the refusal comes from under half the limit on.
_DELIBERATE = frozenset({signal.SIGTRAP, signal.SIGILL, signal.SIGABRT})
_NEAR_LIMIT = 0.4
_MEMORY = "Reading the file takes more memory than allowed; split it into smaller files."
_TOO_LARGE_PAGE = "One page of the file is too large to be read; split it into smaller files."


class ChildProcess:
    """One process of `child.py` and what is known of its memory."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._memory = psutil.Process(process.pid)
        self._mapped_bytes = 0
        self.pid = process.pid
        self.files = 0

    @classmethod
    async def start(cls) -> Self:
        """Start a child in a process group of its own."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-m", "services.formats.child"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=_ROOT,
            env=_ENVIRONMENT,
            start_new_session=True,
            limit=_PIPE_BYTES,
        )
        return cls(process)

    @property
    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process.returncode is None

    async def kill(self) -> None:
        """Kill the group and reap it, also when the caller is being cancelled."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        with anyio.move_on_after(_REAP_S, shield=True):
            await self._process.wait()

    async def parse(self, source: Source, filename: str, limits: Limits) -> AsyncIterator[Header | Page]:
        """Give the file to the child and yield what it answers. Raises FormatError, OSError."""
        budget = self._begin(limits)
        await self._guarded(self._send(source, wire.job_of(source, filename, limits)), budget, limits)
        while True:
            answer = await self._guarded(self._receive(), budget, limits)
            match answer:
                case Header() | Page():
                    yield answer
                case wire.Failure():
                    raise _raised(answer)
                case wire.Done():
                    return
                case wire.Drawn():
                    raise await self._died(ValueError("a drawing for a text"), limits)

    async def draw(
        self, source: Source, filename: str, limits: Limits, page: int, dpi: int, max_pixels: int
    ) -> Picture:
        """Give the file to the child and have one page of it drawn. Raises FormatError, OSError."""
        budget = self._begin(limits)
        job = wire.job_of(source, filename, limits, page, dpi, max_pixels)
        await self._guarded(self._send(source, job), budget, limits)
        answer = await self._guarded(self._receive(), budget, limits)
        match answer:
            case wire.Drawn():
                png = await self._guarded(self._exactly(answer.size), budget, limits)
                return Picture(png, answer.width, answer.height, answer.to_page)
            case wire.Failure():
                raise _raised(answer)
            case _:
                raise await self._died(ValueError("a text for a drawing"), limits)

    def _begin(self, limits: Limits) -> Budget:
        self.files += 1
        self._mapped_bytes = 0
        return Budget(limits.time_s)

    async def _send(self, source: Source, job: wire.Job) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(wire.pack_job(job))
        if isinstance(source, bytes):
            self._process.stdin.write(source)
        await self._process.stdin.drain()

    async def _exactly(self, size: int) -> bytes:
        assert self._process.stdout is not None
        if size > wire.MAX_FRAME_BYTES:
            raise FormatError("too_large", _TOO_LARGE_PAGE)
        return await self._process.stdout.readexactly(size)

    async def _receive(self) -> wire.Answer:
        length = int.from_bytes(await self._exactly(wire.LENGTH_BYTES), "big")
        return wire.unpack(await self._exactly(length))

    async def _guarded(self, step: Coroutine[Any, Any, T], budget: Budget, limits: Limits) -> T:
        """Await `step` while watching the child's time and memory."""
        task = asyncio.ensure_future(step)
        try:
            while not task.done():
                with budget.running():
                    await asyncio.wait({task}, timeout=_WATCH_S)
                if not task.done():
                    self._watch(budget, limits)
            return task.result()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, TypeError, KeyError) as error:
            raise await self._died(error, limits) from error
        finally:
            task.cancel()

    def _watch(self, budget: Budget, limits: Limits) -> None:
        if budget.left_s <= 0:
            message = f"Reading the file takes longer than {limits.time_s:g} s; split it into smaller files."
            raise FormatError("too_large", message)
        with suppress(psutil.Error):  # it ended meanwhile: the pipe tells
            memory = self._memory.memory_info()
            self._mapped_bytes = max(self._mapped_bytes, memory.vms)  # 0 once it is a zombie
            if memory.rss > limits.memory_bytes:
                raise FormatError("too_large", _MEMORY)

    async def _died(self, error: Exception, limits: Limits) -> FormatError:
        """Say of a child that ended, or that answered nonsense, what its file did to it."""
        await self.kill()
        detail = f"{error!r}, exit {self._process.returncode}"
        refused = self._mapped_bytes > _NEAR_LIMIT * limits.memory_bytes
        if refused and -(self._process.returncode or 0) in _DELIBERATE:
            return FormatError("too_large", _MEMORY, detail)
        message = "The reader died on this file, it is probably damaged; open it, save it again and add that."
        return FormatError("corrupt", message, detail)


def _raised(failure: wire.Failure) -> Exception:
    if failure.errno:
        return OSError(failure.errno, failure.message)
    return FormatError(failure.code, failure.message, failure.detail)
