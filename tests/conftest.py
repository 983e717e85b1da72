"""What tests stand on: a real Postgres per run, a migrated template, and a clone of it for each test.

A clone, and not a TRUNCATE, because locks and notifications belong to a database: two tests never hear one another.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
import structlog

from db.migrate import migrate
from db.pool import Database, open_pool
from db.server import EmbeddedServer
from services.formats.sandbox import Reader
from services.kit.document_settings import IngestSettings
from services.kit.settings import Settings, load_settings
from services.tools import Tools
from services.wiring import limits_of

WITHOUT_CARE = """
# A test's server may lose its data with the machine's power.
fsync = off
full_page_writes = off
max_wal_size = 1GB
"""
TEMPLATE = "template_migrated"
clones = count(1)


MEMORY, MEMORY_NEEDED = Path("/dev/shm"), 3 * 2**30


def roomy_folder() -> Path | None:
    """Give a file system in memory that is large enough: a clone takes 14 ms there, and up to 300 ms on a disk."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED else None


def dsn_to(server: EmbeddedServer, database: str) -> str:
    """Give the address of another database of that server."""
    return server.dsn.replace("/seodang?", f"/{database}?")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> Iterator[None]:
    """Log one short line per event, where the test's output goes; structlog's own default draws tracebacks.

    A command inside a test sets logging up for good: no logger is kept here, so that the next test may listen.
    """
    processors = [structlog.stdlib.add_log_level, structlog.processors.format_exc_info]
    structlog.configure(processors=[*processors, structlog.processors.KeyValueRenderer(["level", "event"])])
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False}))
        yield


@pytest.fixture(autouse=True)
def logs_as_before(plain_logs: None) -> Iterator[None]:
    """Set logging back after each test: a command says for the whole process which lines are written."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The Postgres of the run. A test that stops it would stop all others: such a test starts its own."""
    with tempfile.TemporaryDirectory(prefix="seodang-", dir=roomy_folder()) as home:
        embedded = EmbeddedServer(Path(home).resolve())
        embedded.prepare()
        with (embedded.data / "postgresql.conf").open("a") as file:
            file.write(WITHOUT_CARE)
        with embedded.joined():
            yield embedded


@pytest.fixture(scope="session")
def admin(server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A session beside all databases of tests."""
    with psycopg.connect(dsn_to(server, "postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template(server: EmbeddedServer, admin: psycopg.Connection) -> str:
    """A migrated database that nobody is connected to."""
    admin.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(dsn_to(server, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def dsn(server: EmbeddedServer, admin: psycopg.Connection, template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"clone_{next(clones)}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield dsn_to(server, name)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_dsn(server: EmbeddedServer, admin: psycopg.Connection) -> Iterator[str]:
    """A database without a schema."""
    name = f"clone_{next(clones)}"
    admin.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    yield dsn_to(server, name)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(dsn: str) -> Iterator[psycopg.Connection]:
    """A plain session in the test's database, each statement a transaction."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Database]:
    """The pool that stages ask."""
    async with open_pool(dsn, "tests", 8) as database:
        yield database


@pytest.fixture
def settings(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Default settings with the test's database and a data directory of its own."""
    for name in [name for name in os.environ if name.startswith("SEODANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # a developer's .env must not count
    return load_settings(home=tmp_path / "home", database_url=dsn)


@pytest.fixture(scope="session")
async def reader() -> AsyncIterator[Reader]:
    """The real reader of files, with one child for the run, as a daemon has it."""
    async with Reader(limits_of(IngestSettings())) as reading:
        yield reading


@pytest.fixture
def tools(pool: Database, reader: Reader, settings: Settings) -> Tools:
    """What a stage is handed: the real database and the real reader."""
    return Tools(pool, reader, settings)
