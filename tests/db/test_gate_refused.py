"""What cannot carry the gate is refused with a sentence: a pooler that shares sessions, and a standby."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from db.errors import DatabaseUnfit, PoolerRefused
from db.gate import Gate
from tests.crash.fleet import postmaster
from tests.db.gates import ENDPOINT

pytestmark = pytest.mark.anyio
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler:
    """A pooler in transaction mode: each transaction goes to the next of two server sessions.

    As real ones do, it answers the start of a session itself, with a process id and a secret of its own making.
    """

    def __init__(self, socket: Path, honest_pid: bool) -> None:
        self.socket, self.honest_pid = socket, honest_pid
        self.sessions: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions.add(asyncio.current_task())
        start = await self._start_packet(reader, writer)
        servers: list[Wire] = []
        try:
            for _ in range(2):
                servers.append(await asyncio.open_unix_connection(str(self.socket)))
                servers[-1][1].write(start)
                hello = await self._until_ready(servers[-1][0])
            writer.write(hello)
            for server in cycle(servers):
                await self._pass_on(reader, server, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            for each in (writer, *(server[1] for server in servers)):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _start_packet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        while True:
            head = await reader.readexactly(8)
            length, code = struct.unpack("!ii", head)
            if code == 196608:  # version 3.0; else it asks for encryption
                return head + await reader.readexactly(length - 8)
            writer.write(b"N")

    async def _message(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        head = await reader.readexactly(5)
        (length,) = struct.unpack("!i", head[1:])
        return head[:1], head + await reader.readexactly(length - 4)

    async def _until_ready(self, reader: asyncio.StreamReader) -> bytes:
        said = b""
        while True:
            kind, message = await self._message(reader)
            if kind == b"K" and not self.honest_pid:
                message = message[:5] + struct.pack("!ii", 7, 7)
            said += message
            if kind == b"Z":
                return said

    async def _pass_on(self, client: asyncio.StreamReader, server: Wire, writer: asyncio.StreamWriter) -> None:
        """Carry what belongs to one transaction: up to Sync or a simple query, and the answers up to ready."""
        async with anyio.create_task_group() as tasks:

            async def answer() -> None:
                kind = b""
                while kind != b"Z":
                    kind, message = await self._message(server[0])
                    writer.write(message)

            tasks.start_soon(answer)
            kind = b""
            try:
                while kind not in {b"S", b"Q"}:
                    kind, message = await self._message(client)
                    server[1].write(message)
            except asyncio.IncompleteReadError:
                tasks.cancel_scope.cancel()
        if kind not in {b"S", b"Q"}:
            raise asyncio.IncompleteReadError(b"", 5)


@asynccontextmanager
async def pooled(dsn: str, honest_pid: bool) -> AsyncIterator[str]:
    """Put a pooler before the server; gives its address."""
    parts = urlsplit(dsn)
    pooler = Pooler(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432", honest_pid)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://seodang@127.0.0.1:{port}{parts.path}?sslmode=disable"
        await asyncio.wait([session for session in pooler.sessions if session], timeout=10)


@pytest.mark.parametrize("honest_pid", [False, True])
async def test_pooler__that_shares_sessions_is_refused_before_it_can_do_harm(dsn: str, honest_pid: bool) -> None:
    async with pooled(dsn, honest_pid) as address, Gate(address) as gate:
        with pytest.raises(PoolerRefused, match="point SEODANG_DATABASE_URL at the server itself"):
            async with gate.enter(ENDPOINT):
                pytest.fail("entered")


@pytest.mark.slow
async def test_standby__is_refused(tmp_path: Path) -> None:
    with postmaster(tmp_path) as running:
        running.start()
        running.stop()
        (running.server.data / "standby.signal").touch()
        running.start()
        async with Gate(running.server.dsn) as gate:
            with pytest.raises(DatabaseUnfit, match="read-only standby"):
                async with gate.enter(ENDPOINT):
                    pytest.fail("entered")
