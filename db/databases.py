"""Databases beside ours on the same server, for what must not touch ours: made, named, noted, dropped (psycopg).

In: the address of our database. Out: addresses of others. A note is the database's COMMENT; what we make begins with
a prefix, and nothing else is ever dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from db.errors import DatabaseUnfit
from db.plain import opened

LISTED = """
    SELECT d.datname, coalesce(shobj_description(d.oid, 'pg_database'), '')
    FROM pg_database d
    WHERE starts_with(d.datname, %s)
    ORDER BY d.datname"""


@dataclass(frozen=True, slots=True)
class Beside:
    """A database beside ours, and what was noted of it."""

    name: str
    note: str


def address_of(dsn: str, database: str) -> str:
    """Give the address of another database of the same server; `dsn` is a URL."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{database}"))


def databases_beside(dsn: str, prefix: str) -> list[Beside]:
    """List the databases whose names begin with a prefix."""
    with opened(dsn) as connection:
        return [Beside(*row) for row in connection.execute(LISTED, (prefix,)).fetchall()]


def create_database(dsn: str, name: str) -> None:
    """Make an empty database.

    Raises:
        DatabaseUnfit: the role may not; says what to do.
    """
    with _allowed(dsn) as connection:
        # Not from template1, which cannot be copied while somebody is connected to it.
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))


def drop_database(dsn: str, name: str) -> bool:
    """Drop a database unless somebody is connected to it; says whether it is gone."""
    with opened(dsn) as connection:
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        except psycopg.errors.ObjectInUse:
            return False
        return True


def note_database(dsn: str, name: str, note: str) -> None:
    """Note something of a database."""
    with opened(dsn) as connection:
        said = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(note))
        connection.execute(said)


def settle_database(address: str) -> None:
    """Do at once what autovacuum would do some minutes after many rows came: pending lists of GIN, statistics."""
    with opened(address) as connection:
        connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _allowed(dsn: str) -> Iterator[psycopg.Connection]:
    try:
        with opened(dsn) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnfit(
            "This needs a database of its own on the same server, and the role may make none: ALTER ROLE … CREATEDB, "
            "or use the embedded server."
        ) from error
