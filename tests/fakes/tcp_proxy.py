"""A wire that can be cut: forwards a TCP port to a server's Unix socket until a test says otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute, TaskGroup

CHUNK = 65536


class TcpProxy:
    """Made by `proxied`. What it does to a connection, both ends see as the network's doing."""

    def __init__(self, target: str, database: str, tasks: TaskGroup) -> None:
        self.target, self.database, self.tasks = target, database, tasks
        self.port = 0
        self.connections: set[anyio.CancelScope] = set()
        self._passing = anyio.Event()
        self._passing.set()
        self._listening = anyio.CancelScope()

    @property
    def dsn(self) -> str:
        """The database's address by way of the proxy."""
        return f"postgresql://seodang@127.0.0.1:{self.port}/{self.database}"

    async def open(self) -> None:
        """Take connections (again), on the same port as before."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port)
        self.port = listener.extra(SocketAttribute.local_port)
        self._listening = anyio.CancelScope()

        async def serve(scope: anyio.CancelScope) -> None:
            with scope:
                async with listener:
                    await listener.serve(self._carry, self.tasks)

        self.tasks.start_soon(serve, self._listening)

    def cut(self) -> None:
        """End every connection; new ones are taken."""
        for connection in self.connections:
            connection.cancel()

    def close(self) -> None:
        """End every connection, and refuse new ones until `open`."""
        self._listening.cancel()
        self.cut()

    def deafen(self) -> None:
        """Keep every connection open, and take new ones, but pass nothing on, as when a host vanishes."""
        self._passing = anyio.Event()

    def hear(self) -> None:
        """Pass on again, beginning with what came meanwhile."""
        self._passing.set()

    async def _carry(self, client: ByteStream) -> None:
        with anyio.CancelScope() as scope:
            self.connections.add(scope)
            reader, writer = await asyncio.open_unix_connection(self.target)  # anyio's breaks when it is cancelled
            try:
                async with client, anyio.create_task_group() as both:
                    both.start_soon(self._up, client, writer, both)
                    both.start_soon(self._down, reader, client, both)
            finally:
                writer.close()
        self.connections.discard(scope)

    async def _up(self, client: ByteStream, writer: asyncio.StreamWriter, both: TaskGroup) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            while True:
                data = await client.receive(CHUNK)
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        both.cancel_scope.cancel()

    async def _down(self, reader: asyncio.StreamReader, client: ByteStream, both: TaskGroup) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            while data := await reader.read(CHUNK):
                await self._passing.wait()
                await client.send(data)
        both.cancel_scope.cancel()


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[TcpProxy]:
    """Put a proxy before the server of `dsn`, which names the folder of a Unix socket."""
    parts = urlsplit(dsn)
    socket = Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432"
    async with anyio.create_task_group() as tasks:
        proxy = TcpProxy(str(socket), parts.path.removeprefix("/"), tasks)
        await proxy.open()
        yield proxy
        tasks.cancel_scope.cancel()
