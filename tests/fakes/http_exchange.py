"""HTTP/1.1 by hand, for a server that must be able to do it wrong: a reset, half a chunk, a body without an end."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

HOLDS_S = 600.0
"""A held or hanging call is let go after this: a test that forgot it does not keep a process for ever."""


class ClientLeft(Exception):
    """The client closed the connection before the reply was whole."""


class Hearing(asyncio.StreamReader):
    """A reader that tells at once when the other end is gone, also while nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.left = asyncio.Event()
        self.on_left: Callable[[], None] | None = None

    def feed_eof(self) -> None:
        super().feed_eof()
        self._note()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._note()

    def _note(self) -> None:
        self.left.set()
        if self.on_left is not None:
            self.on_left()


class Exchange:
    """One request and its reply; whoever writes after the client left gets ClientLeft."""

    def __init__(self, reader: Hearing, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.chunked = False

    async def pause(self, seconds: float) -> None:
        """Wait, or end at once when the client leaves."""
        if seconds <= 0:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self.reader.left.wait(), seconds)
            raise ClientLeft

    async def wait_for(self, event: asyncio.Event) -> None:
        """Wait until a test lets go, or the client leaves."""
        waits = [asyncio.ensure_future(each.wait()) for each in (event, self.reader.left)]
        await asyncio.wait(waits, timeout=HOLDS_S, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        if self.reader.left.is_set():
            raise ClientLeft

    async def begin(
        self, status: int, headers: Mapping[str, str], length: int | None = None, close: bool = False
    ) -> None:
        """Send the head; without a length the body goes in chunks, or until the connection ends if `close`."""
        self.chunked = length is None and not close
        lines = [f"HTTP/1.{0 if close else 1} {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        if close:
            lines.append("Connection: close")
        await self._write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._write(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    async def finish(self) -> None:
        """End the body."""
        if self.chunked:
            await self._write(b"0\r\n\r\n")

    async def whole(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send a reply of known length: JSON, or a text as it is; None is an empty body."""
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        plain = "text/html" if text.startswith("<") else "text/plain"
        kind = plain if isinstance(body, str) else "application/json"
        content = text.encode()
        await self.begin(status, {"Content-Type": kind, **(headers or {})}, len(content))
        await self.send(content)

    async def _write(self, data: bytes) -> None:
        if self.reader.left.is_set():
            raise ClientLeft
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError as error:
            raise ClientLeft from error

    def reset(self) -> None:
        """Break the connection off with RST."""
        plug: socket.socket = self.writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def read_request(reader: Hearing) -> tuple[str, str, dict[str, str], bytes] | None:
    """Read method, path, headers and body; None when the client sends no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return method, path, headers, body
