"""A file nobody trusts -> its pages, parsed in a child process with limits on time, memory and size.

`Reader` keeps one child warm and gives it one file at a time; `read` and `stream` start one for a single
file. Whatever a file does (expand, hang, crash the library), the caller gets a FormatError and the next file
a sound child.
"""

import asyncio
import os
import signal
import stat
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import psutil

from services.formats import wire
from services.formats.page import FormatError, Header, Page, Parsed

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
_SURVIVABLE = frozenset({"unsupported_format", "encrypted", "empty"})  # the child is as good as before


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Measured values are of Linux x86-64."""

    max_bytes: int = 200 * 2**20  # the largest file taken: a scanned book of 600 pages has about 150 MiB
    memory_bytes: int = 2**30  # of the child: a PDF bomb of 400 KB took 558 MB, a DOCX bomb 1.7 GB and more
    time_s: float = 120.0  # spent waiting for the child: 100 times the slowest honest sample (1.7 s, 872 pages)
    max_text_chars: int = 50_000_000  # 25,000 full pages; all laws of Korea are about this long
    max_unpacked_bytes: int = 2**30  # sum of a zip's members: pictures barely shrink, so honest files stay near 200 MiB


class Reader:
    """Reads files one after the other in a child that stays warm; several tasks may call it and wait in line.

    Use it as an async context manager or call `aclose`. A child is replaced after an error it may have
    suffered from, and after `files_per_child` files, so that no library's leak grows for ever.
    """

    def __init__(self, limits: Limits | None = None, files_per_child: int = 500) -> None:
        self._limits = limits or Limits()
        self._files_per_child = files_per_child
        self._turn = asyncio.Lock()
        self._child: _Child | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the child, also in the middle of a file."""
        child, self._child = self._child, None
        if child is not None:
            await child.kill()

    @property
    def pid(self) -> int | None:
        """Give the process id of the warm child, None while there is none."""
        return self._child.pid if self._child else None

    async def read(self, source: Source, filename: str) -> Parsed:
        """Parse a whole document; memory here grows with it, about 50 bytes a character of a PDF.

        Raises:
            FormatError: the file gives no text; the code says why.
            OSError: the path cannot be opened.
        """
        async with aclosing(self.stream(source, filename)) as items:
            return await _collected(items)

    async def stream(self, source: Source, filename: str) -> AsyncGenerator[Header | Page, None]:
        """Yield the header, then each page as soon as it is parsed. Raises as `read`, at any point.

        Leave it through `contextlib.aclosing` when you may stop early: the next file waits until it is
        closed.
        """
        _check_size(source, self._limits.max_bytes)
        async with self._turn:
            child = await self._ready()
            sound = False
            try:
                async for item in child.parse(source, filename, self._limits):
                    yield item
                sound = True
            except FormatError as error:
                sound = error.code in _SURVIVABLE
                raise
            finally:
                if not sound or child.files >= self._files_per_child:
                    await self.aclose()

    async def _ready(self) -> "_Child":
        if self._child is None or not self._child.alive:
            await self.aclose()
            self._child = await _Child.start()
        return self._child


async def read(source: Source, filename: str, limits: Limits) -> Parsed:
    """Parse one document in a child of its own. Raises as `Reader.read`."""
    async with Reader(limits) as reader:
        return await reader.read(source, filename)


async def stream(source: Source, filename: str, limits: Limits) -> AsyncGenerator[Header | Page, None]:
    """Yield header and pages of one document out of a child of its own. Raises as `Reader.read`."""
    async with Reader(limits) as reader, aclosing(reader.stream(source, filename)) as items:
        async for item in items:
            yield item


async def _collected(items: AsyncIterator[Header | Page]) -> Parsed:
    header = Header("", "")
    pages: list[Page] = []
    async for item in items:
        match item:
            case Header():
                header = item
            case Page():
                pages.append(item)
    return Parsed(header.media_type, header.title, tuple(pages))


def _check_size(source: Source, max_bytes: int) -> None:
    if isinstance(source, bytes):
        size = len(source)
    else:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe or device would be read for ever
            raise OSError(f"not a regular file: {source}")
        size = status.st_size
    if size > max_bytes:
        message = f"The file is larger than {max_bytes // 2**20:,} MiB; split it into smaller files."
        raise FormatError("too_large", message)


class _Child:
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
        self.files += 1
        self._mapped_bytes = 0
        budget = _Budget(limits.time_s)
        await self._guarded(self._send(source, filename, limits), budget, limits)
        while True:
            answer = await self._guarded(self._receive(), budget, limits)
            match answer:
                case Header() | Page():
                    yield answer
                case wire.Failure():
                    raise _raised(answer)
                case wire.Done():
                    return

    async def _send(self, source: Source, filename: str, limits: Limits) -> None:
        content = source if isinstance(source, bytes) else b""
        path = "" if isinstance(source, bytes) else str(source.absolute())  # the child has another working directory
        job = wire.Job(
            path,
            len(content),
            filename,
            limits.memory_bytes,
            limits.max_unpacked_bytes,
            limits.max_text_chars,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(wire.pack_job(job))
        self._process.stdin.write(content)
        await self._process.stdin.drain()

    async def _receive(self) -> wire.Answer:
        assert self._process.stdout is not None
        length = int.from_bytes(await self._process.stdout.readexactly(wire.LENGTH_BYTES), "big")
        if length > wire.MAX_FRAME_BYTES:
            raise FormatError("too_large", "One page of the file is too large to be read; split it into smaller files.")
        return wire.unpack(await self._process.stdout.readexactly(length))

    async def _guarded(self, step: Coroutine[Any, Any, T], budget: "_Budget", limits: Limits) -> T:
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

    def _watch(self, budget: "_Budget", limits: Limits) -> None:
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


class _Budget:
    """Time spent waiting for the child; what the caller does between two pages is not the file's fault."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time inside."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.left_s -= time.monotonic() - begin
