"""A file nobody trusts -> its pages, or one of them drawn, in a child process with limits on time, memory and size.

`Reader` keeps one child warm and gives it one file at a time; `read` and `stream` start one for a single
file. Whatever a file does (expand, hang, crash the library), the caller gets a FormatError and the next file
a sound child.
"""

import asyncio
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Self

from services.formats.limits import Limits
from services.formats.page import FormatError, Header, Page, Parsed
from services.formats.picture import MAX_PIXELS, Picture
from services.formats.process import ChildProcess, Source

_SURVIVABLE = frozenset({"unsupported_format", "encrypted", "empty"})  # the child is as good as before


class Reader:
    """Reads files one after the other in a child that stays warm; several tasks may call it and wait in line.

    Use it as an async context manager or call `aclose`. A child is replaced after an error it may have
    suffered from, and after `files_per_child` files, so that no library's leak grows for ever.
    """

    def __init__(self, limits: Limits | None = None, files_per_child: int = 500) -> None:
        self._limits = limits or Limits()
        self._files_per_child = files_per_child
        self._turn = asyncio.Lock()
        self._child: ChildProcess | None = None

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
        async with self._taken(source) as child:
            async for item in child.parse(source, filename, self._limits):
                yield item

    async def draw(self, source: Source, filename: str, page: int, dpi: int, max_pixels: int = MAX_PIXELS) -> Picture:
        """Draw a page (1-based) of a PDF or of a picture file, in grey.

        Args:
            dpi: less is taken where a page would have more than `max_pixels`; a picture file has its own.

        Raises:
            FormatError: the page cannot be drawn within the limits, or is not there.
            OSError: the path cannot be opened.
        """
        async with self._taken(source) as child:
            return await child.draw(source, filename, self._limits, page, dpi, max_pixels)

    @asynccontextmanager
    async def _taken(self, source: Source) -> AsyncIterator[ChildProcess]:
        """Have the child for one file; it goes when the file may have hurt it, or when it has read its share."""
        _check_size(source, self._limits.max_bytes)
        async with self._turn:
            child = await self._ready()
            sound = False
            try:
                yield child
                sound = True
            except FormatError as error:
                sound = error.code in _SURVIVABLE
                raise
            finally:
                if not sound or child.files >= self._files_per_child:
                    await self.aclose()

    async def _ready(self) -> ChildProcess:
        if self._child is None or not self._child.alive:
            await self.aclose()
            self._child = await ChildProcess.start()
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
