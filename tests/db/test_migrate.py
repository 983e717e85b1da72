"""Migrations: once, in order, whoever else starts and whatever is killed; and a sentence for what cannot be."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from db import migrate as module
from db.errors import DatabaseGone, DatabaseUnfit, MigrationRefused
from db.migrate import check_server, migrate, migration_files
from tests.waiting import wait_for

NAMES = [file.name for file in migration_files()]
SLOW = "CREATE TABLE half_done (id int); SELECT pg_sleep(60);"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of migrations/ that a test may change; migrate() reads it."""
    folder = tmp_path / "migrations"
    shutil.copytree(module.MIGRATIONS_DIR, folder)
    monkeypatch.setattr(module, "MIGRATIONS_DIR", folder)
    return folder


@pytest.fixture
def empty(empty_dsn: str) -> Iterator[psycopg.Connection]:
    """A session in the database without a schema."""
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        yield connection


def registered(db: psycopg.Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM schema_migrations ORDER BY applied_at, name").fetchall()]


def exists(db: psycopg.Connection, table: str) -> bool:
    return db.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,)


def sleeps(db: psycopg.Connection) -> bool:
    """Say whether another session stands in the middle of the slow migration."""
    asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    return db.execute(asked).fetchone() is not None


def test_migrate__applies_each_file_once_in_order(empty_dsn: str, empty: psycopg.Connection) -> None:
    assert migrate(empty_dsn) == NAMES
    assert migrate(empty_dsn) == []
    assert registered(empty) == NAMES


def test_migrate__by_ten_sessions_at_once_applies_once(empty_dsn: str) -> None:
    start = threading.Barrier(10)

    def run(_: int) -> list[str]:
        start.wait()
        return migrate(empty_dsn)

    with ThreadPoolExecutor(10) as threads:
        told = sorted(threads.map(run, range(10)))
    assert told == [[]] * 9 + [NAMES]


@pytest.mark.slow
def test_migrate__by_ten_processes_at_once_applies_once(empty_dsn: str, empty: psycopg.Connection) -> None:
    code = f"from db.migrate import migrate; print(len(migrate({empty_dsn!r})))"
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(10)
    ]
    told = sorted(int(process.communicate(timeout=60)[0]) for process in started)
    assert told == [0] * 9 + [len(NAMES)]
    assert registered(empty) == NAMES


@pytest.mark.slow
def test_migrate__killed_in_the_middle_works_when_called_again(
    empty_dsn: str, empty: psycopg.Connection, files: Path
) -> None:
    (files / "9999_slow.sql").write_text(SLOW)
    code = (
        "from pathlib import Path; from db import migrate as m; "
        f"m.MIGRATIONS_DIR = Path({str(files)!r}); m.migrate({empty_dsn!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_for(lambda: sleeps(empty), within_s=30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (files / "9999_slow.sql").write_text("CREATE TABLE half_done (id int);")
    assert migrate(empty_dsn) == ["9999_slow"]  # the lock is free as soon as the server misses its client
    assert registered(empty) == [*NAMES, "9999_slow"]


def test_migrate__calls_a_server_that_goes_away_gone_and_not_refused(
    empty_dsn: str, empty: psycopg.Connection, files: Path
) -> None:
    (files / "9999_slow.sql").write_text(SLOW)
    with ThreadPoolExecutor(1) as threads:
        told = threads.submit(migrate, empty_dsn)
        wait_for(lambda: sleeps(empty))
        empty.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        with pytest.raises(DatabaseGone):
            told.result(timeout=10)
    assert registered(empty) == NAMES
    assert not exists(empty, "half_done")


def test_migrate__says_that_no_server_answers(tmp_path: Path) -> None:
    with pytest.raises(DatabaseGone):
        migrate(f"postgresql://seodang@/seodang?host={tmp_path}")


def test_migrate__leaves_nothing_of_a_file_that_fails(empty_dsn: str, empty: psycopg.Connection, files: Path) -> None:
    (files / "9999_wrong.sql").write_text("CREATE TABLE half_done (id int); SELECT 1 / 0;")
    with pytest.raises(MigrationRefused, match="9999_wrong: division by zero"):
        migrate(empty_dsn)
    assert not exists(empty, "half_done")
    assert registered(empty) == NAMES


def test_migrate__refuses_a_file_that_was_edited(dsn: str, files: Path) -> None:
    with (files / f"{NAMES[0]}.sql").open("a") as file:
        file.write("-- a later thought\n")
    with pytest.raises(MigrationRefused, match=f"{NAMES[0]}: the file was edited after it was applied"):
        migrate(dsn)


def test_migrate__refuses_a_database_of_a_newer_version(dsn: str, files: Path) -> None:
    (files / f"{NAMES[-1]}.sql").unlink()
    with pytest.raises(MigrationRefused, match=f"migrated by a newer version .{NAMES[-1]}."):
        migrate(dsn)


def test_migrate__says_that_the_server_is_too_old(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MIN_SERVER", 990000)
    with pytest.raises(DatabaseUnfit, match=r"PostgreSQL 15 or newer is needed, this server is \d+: upgrade it"):
        migrate(empty_dsn)


def test_migrate__says_that_pgvector_is_too_old(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MIN_VECTOR", (99, 0))
    with pytest.raises(DatabaseUnfit, match=r"pgvector 0\.7 or newer is needed, this database has 0\.\d+"):
        migrate(empty_dsn)


def test_check_server__says_that_pgvector_is_missing() -> None:
    nothing: Callable[[str], object] = lambda _: SimpleNamespace(fetchone=lambda: None)  # noqa: E731
    server = SimpleNamespace(info=SimpleNamespace(server_version=180000), execute=nothing)
    with pytest.raises(DatabaseUnfit, match="pgvector is not installed on this server: install the package"):
        check_server(server)  # type: ignore[arg-type]


def test_migration_files__are_numbered_without_a_gap_and_say_why() -> None:
    files = migration_files()
    assert [file.name[:4] for file in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    for file in files:
        first, *following = file.sql.splitlines()[:4]
        assert first.startswith("-- Why: "), file.name
        assert any("Locks: " in line for line in following), file.name
        assert any("Takes: " in line for line in following), file.name
