"""Applies migrations/ once, in order, under one lock (psycopg).

In: numbered SQL files, forward only. Out: the names that were applied now. A file and the note that it was applied
are one transaction, so a kill at any point leaves a database from which the same call goes on; ten processes that
start at once migrate once. Refuses a file that was edited after it was applied, and a database that is ahead of us.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import psycopg

from db.errors import DatabaseUnfit, MigrationRefused
from db.locks import SEODANG, Lock
from db.plain import opened

MIGRATIONS_DIR = Path(__file__).resolve().parent.parent / "migrations"
MIN_SERVER = 150000
"""PostgreSQL 15, as psycopg counts versions."""
MIN_VECTOR = (0, 7)
"""pgvector 0.7 brought sparsevec and halfvec."""

REGISTER = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name        text PRIMARY KEY,
        sha256      text NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of migrations/."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the text, with which a later edit is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migration_files() -> list[Migration]:
    """Read migrations/, in the order of their numbers."""
    paths = sorted(MIGRATIONS_DIR.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in paths]


def check_server(connection: psycopg.Connection) -> None:
    """Check versions and rights.

    Raises:
        DatabaseUnfit: says what is missing and how to get it.
    """
    if connection.info.server_version < MIN_SERVER:
        have = connection.info.server_version // 10000
        raise DatabaseUnfit(f"PostgreSQL 15 or newer is needed, this server is {have}: upgrade it, or unset "
                            "SEODANG_DATABASE_URL to use the embedded one.")  # fmt: skip
    row = connection.execute(
        "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
    ).fetchone()
    if row is None:
        raise DatabaseUnfit("The extension pgvector is not installed on this server: install the package "
                            "(postgresql-NN-pgvector on Debian), then start again.")  # fmt: skip
    version = tuple(int(part) for part in str(row[1] or row[0]).split(".")[:2])
    if version < MIN_VECTOR:
        raise DatabaseUnfit(f"pgvector 0.7 or newer is needed, this database has {row[1] or row[0]}: upgrade the "
                            "package, then run ALTER EXTENSION vector UPDATE.")  # fmt: skip


def migrate(dsn: str) -> list[str]:
    """Bring the database to this version's schema; gives the names of what was applied, empty when it was there.

    Raises:
        DatabaseGone: no server answers. DatabaseUnfit: it cannot serve us. MigrationRefused: see the module.
    """
    files = migration_files()
    with opened(dsn) as connection:
        check_server(connection)
        if _applied(connection) == {file.name: file.sha256 for file in files}:
            return []
        connection.execute("SELECT pg_advisory_lock(%s, %s)", (SEODANG, Lock.MIGRATE))
        return _apply_missing(connection, files)


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
        return {}
    return dict(connection.execute("SELECT name, sha256 FROM schema_migrations").fetchall())


def _apply_missing(connection: psycopg.Connection, files: list[Migration]) -> list[str]:
    connection.execute(REGISTER)
    applied = _applied(connection)
    _refuse_strangers(files, applied)
    missing = [file for file in files if file.name not in applied]
    for file in missing:
        _apply(connection, file)
    return [file.name for file in missing]


def _refuse_strangers(files: list[Migration], applied: dict[str, str]) -> None:
    known = {file.name: file.sha256 for file in files}
    ahead = sorted(applied.keys() - known.keys())
    if ahead:
        raise MigrationRefused(f"The database was migrated by a newer version ({', '.join(ahead)}): start that "
                               "version, or restore the backup made before it.")  # fmt: skip
    edited = sorted(name for name, sha256 in applied.items() if known[name] != sha256)
    if edited:
        raise MigrationRefused(f"{', '.join(edited)}: the file was edited after it was applied. Restore the file; a "
                               "change of the schema is a new file.")  # fmt: skip


def _apply(connection: psycopg.Connection, file: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(file.sql.encode())  # without parameters: the file may hold many statements
            connection.execute("INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", (file.name, file.sha256))
    except psycopg.Error as error:
        if connection.broken:
            raise  # the server went away; opened() gives that its name
        raise MigrationRefused(f"{file.name}: {error}") from error
