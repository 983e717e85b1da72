"""Plain connections (psycopg) for commands and tests: the same named queries, one after the other.

In: a DSN. Out: rows as frozen dataclasses, as db/pool.py gives them to running processes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from db.errors import Conflict, DatabaseGone, Refused
from db.queries import Query, query

Row = TypeVar("Row")


class Plain:
    """Named queries over one psycopg connection in autocommit mode."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def records(self, asked: Query, *values: object) -> list[dict[str, Any]]:
        """Run a query and give the raw rows, empty where it gives none."""
        adapted = [Jsonb(value) if isinstance(value, dict) else value for value in values]
        try:
            with psycopg.RawCursor(self.connection, row_factory=dict_row) as cursor:
                cursor.execute(asked.text.encode(), adapted)
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            raise DatabaseGone(str(error).strip()) from error
        except psycopg.errors.UniqueViolation as error:
            raise Conflict(str(error).strip()) from error
        except psycopg.Error as error:
            raise Refused(str(error).strip()) from error

    def many(self, row: type[Row], name: str, **values: object) -> list[Row]:
        """Run a query and give each row as a `row` dataclass."""
        asked = query(name)
        return [row(**record) for record in self.records(asked, *asked.order(values))]

    def one(self, row: type[Row], name: str, **values: object) -> Row | None:
        """Run a query and give its first row, or None."""
        return next(iter(self.many(row, name, **values)), None)

    def value(self, name: str, **values: object) -> Any:
        """Run a query and give the first column of its first row, or None."""
        asked = query(name)
        rows = self.records(asked, *asked.order(values))
        return next(iter(rows[0].values())) if rows else None


@contextmanager
def opened(dsn: str) -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit mode.

    Raises:
        DatabaseGone: no server answers there, or it went away while the body was at work.
    """
    try:
        connection = psycopg.connect(dsn, autocommit=True, application_name="seodang:plain", connect_timeout=10)
    except psycopg.OperationalError as error:
        raise DatabaseGone(str(error).strip()) from error
    with connection:
        try:
            yield connection
        except psycopg.OperationalError as error:
            if connection.broken:
                raise DatabaseGone(str(error).strip()) from error
            raise


@contextmanager
def plain(dsn: str) -> Iterator[Plain]:
    """Open a connection for named queries."""
    with opened(dsn) as connection:
        yield Plain(connection)
