"""Connections of running processes (asyncpg): one way to open them, one way to ask, one way to fail.

In: a DSN and named queries. Out: rows as frozen dataclasses. Every loss of the server or of a connection leaves this
module as `DatabaseGone`, so that whoever waits for the database catches one class.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from traceback import walk_tb
from typing import Any, TypeVar

import asyncpg

from db.errors import Conflict, DatabaseGone, Deadlocked, Refused
from db.queries import Query, query

Row = TypeVar("Row")
APPLICATION = "seodang"
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 300.0
SEARCHING = {"plan_cache_mode": "force_custom_plan", "max_parallel_workers_per_gather": "0"}
"""For whoever searches: a plan made for any filters reads every chunk of every document (0.8 s where 5 ms do, at
100,000 chunks), and the server changes over to it at the sixth call; workers that help cost more than they save."""

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DatabaseDroppedError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleSessionTimeoutError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except GONE as error:
        raise DatabaseGone(f"{type(error).__name__}: {error}") from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # "connection is closed", raised before anything is sent; or the server's goodbye came to an idle connection
        # ("another operation is in progress") and the end of the wire is not seen yet.
        raise DatabaseGone(f"{type(error).__name__}: {error}") from error
    except AttributeError as error:
        # A connection that is lost between two steps of one statement: asyncpg asks for a protocol that is no more.
        if not _raised_in_driver(error):
            raise
        raise DatabaseGone(f"the connection was lost in the middle of a statement: {error}") from error
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise Conflict(f"{error.constraint_name}: {error.detail or error}") from error
    except asyncpg.DeadlockDetectedError as error:
        raise Deadlocked(f"{type(error).__name__}: {error}") from error
    except asyncpg.PostgresError as error:
        raise Refused(f"{type(error).__name__}: {error}") from error


def _raised_in_driver(error: BaseException) -> bool:
    innermost = [frame for frame, _ in walk_tb(error.__traceback__)][-1]
    return str(innermost.f_globals.get("__name__", "")).startswith("asyncpg.")


async def _set_codecs(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def connect(dsn: str, purpose: str, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """Open one connection that is nobody else's.

    Args:
        purpose: shown as application_name, "seodang:<purpose>".
        settings: server settings of this session.
    Raises:
        DatabaseGone: no server answers there.
    """
    with translated():
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={"application_name": f"{APPLICATION}:{purpose}", **(settings or {})},
        )
        await _set_codecs(connection)
    return connection


class Session:
    """Named queries over one asyncpg connection; serves one task at a time."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def records(self, asked: Query, *values: object) -> list[asyncpg.Record]:
        """Run a query and give the raw rows."""
        with translated():
            return await self.connection.fetch(asked.text, *values)  # type: ignore[no-any-return]

    async def many(self, row: type[Row], name: str, **values: object) -> list[Row]:
        """Run a query and give each row as a `row` dataclass."""
        asked = query(name)
        return [row(**record) for record in await self.records(asked, *asked.order(values))]

    async def one(self, row: type[Row], name: str, **values: object) -> Row | None:
        """Run a query and give its first row, or None."""
        found = await self.many(row, name, **values)
        return found[0] if found else None

    async def value(self, name: str, **values: object) -> Any:
        """Run a query and give the first column of its first row, or None."""
        asked = query(name)
        with translated():
            return await self.connection.fetchval(asked.text, *asked.order(values))

    async def none(self, name: str, **values: object) -> None:
        """Run a statement for its effect."""
        asked = query(name)
        with translated():
            await self.connection.execute(asked.text, *asked.order(values))

    async def each(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement once per row of values, pipelined in one round trip."""
        asked = query(name)
        with translated():
            await self.connection.executemany(asked.text, [asked.order(row) for row in rows])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit when the body ends, roll back when it raises."""
        with translated():
            async with self.connection.transaction():
                yield


class Database:
    """A pool of sessions with the same questions; each question takes a connection of its own."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Lend one connection for as long as the body runs."""
        with translated():
            async with self._pool.acquire() as connection:
                yield Session(connection)

    async def many(self, row: type[Row], name: str, **values: object) -> list[Row]:
        """See `Session.many`."""
        async with self.session() as session:
            return await session.many(row, name, **values)

    async def one(self, row: type[Row], name: str, **values: object) -> Row | None:
        """See `Session.one`."""
        async with self.session() as session:
            return await session.one(row, name, **values)

    async def value(self, name: str, **values: object) -> Any:
        """See `Session.value`."""
        async with self.session() as session:
            return await session.value(name, **values)

    async def none(self, name: str, **values: object) -> None:
        """See `Session.none`."""
        async with self.session() as session:
            await session.none(name, **values)


async def _tidied(connection: asyncpg.Connection) -> None:
    """Leave a connection as it is, unless something went wrong on it.

    The driver's own way is a round trip after every question (locks, cursors, settings of the session); who searches
    leaves none of these behind.
    """
    if connection.is_in_transaction():
        await connection.reset()


@asynccontextmanager
async def open_pool(dsn: str, purpose: str, size: int, searching: bool = False) -> AsyncIterator[Database]:
    """Open a pool that makes its connections when they are needed, up to `size`.

    Args:
        searching: plans each statement for its values (SEARCHING), which costs a bulk of writes a fifth of its rate,
            and gives connections back untouched: it is not for settings or locks of a session.
    """
    with translated():
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT_S,
            init=_set_codecs,
            reset=_tidied if searching else None,
            server_settings={
                "application_name": f"{APPLICATION}:{purpose}",
                "statement_timeout": f"{int(STATEMENT_TIMEOUT_S * 1000)}",
                **(SEARCHING if searching else {}),
            },
        )
    try:
        yield Database(pool)
    finally:
        pool.terminate()
