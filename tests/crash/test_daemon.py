"""One daemon as a process: how it ends, and what becomes of the row that it had in hand."""

import signal
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from services.stages import STAGES
from tests.crash.fleet import STOP_LIMIT_S, Daemon, Fleet, fleet
from tests.fakes.pdf_writer import pdf
from tests.waiting import wait_for

pytestmark = pytest.mark.crash

PAGES = 5000
"""So many take a few seconds to read and to save, on any machine."""


@pytest.fixture(scope="session")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "long.pdf"
    path.write_bytes(pdf([[f"page {number} of the long file", "안전밸브 작동 압력"] for number in range(1, PAGES + 1)]))
    return path


def offer(db: psycopg.Connection, path: Path) -> int:
    found = db.execute("INSERT INTO inbox (path) VALUES (%s) RETURNING id", [str(path)]).fetchone()
    assert found is not None
    return int(found[0])


def holder(db: psycopg.Connection) -> tuple[int, int] | None:
    """Give the process that has a row of the inbox in hand, and the claim by which it does."""
    asked = "SELECT w.pid, i.claim FROM inbox i JOIN workers w ON w.id = i.worker WHERE i.status = 'processing'"
    return db.execute(asked).fetchone()


def status(db: psycopg.Connection) -> tuple[str, int, int]:
    found = db.execute("SELECT status, attempts, crashes FROM inbox").fetchone()
    assert found is not None
    return found


def pages(db: psycopg.Connection) -> tuple[int, int]:
    """Give how many documents and pages there are."""
    found = db.execute("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM document_pages)").fetchone()
    assert found is not None
    return found


def held_by_one_of(ships: Fleet, db: psycopg.Connection) -> tuple[Daemon, Daemon]:
    """Wait until one of two daemons has the row in hand; gives it, and the other."""
    pid, _ = wait_for(lambda: holder(db))
    first, second = ships.daemons
    return (first, second) if first.pid == pid else (second, first)


def test_ingest__killed_in_mid_file_is_followed_by_another_within_two_seconds(
    dsn: str, db: psycopg.Connection, tmp_path: Path, long_file: Path
) -> None:
    with fleet(dsn, tmp_path / "home") as ships:
        for _ in range(2):
            ships.ready("ingest")
        offer(db, long_file)
        victim, heir = held_by_one_of(ships, db)
        children = psutil.Process(victim.pid).children()
        victim.kill()
        wait_for(lambda: holder(db) == (heir.pid, 2), within_s=2)
        assert all(not child.is_running() for child in psutil.wait_procs(children, timeout=5)[1])
        wait_for(lambda: status(db)[0] == "completed", within_s=60)
    assert status(db) == ("completed", 1, 1)
    assert pages(db) == (1, PAGES)


def test_ingest__that_hangs_loses_its_row_after_its_lease_and_cannot_write_any_more(
    dsn: str, db: psycopg.Connection, tmp_path: Path, long_file: Path
) -> None:
    with fleet(dsn, tmp_path / "home") as ships:
        for _ in range(2):
            ships.ready("ingest")
        offer(db, long_file)
        hung, heir = held_by_one_of(ships, db)
        hung.signal(signal.SIGSTOP)
        db.execute("UPDATE workers SET lease_s = 0.5 WHERE pid = %s", [hung.pid])
        wait_for(lambda: holder(db) == (heir.pid, 2))
        wait_for(lambda: status(db)[0] == "completed", within_s=60)
        hung.signal(signal.SIGCONT)
        lost = hung.wait_for("claim_lost", within_s=60)
        assert lost["jobs"] == [1]
    assert status(db) == ("completed", 1, 1)
    assert pages(db) == (1, PAGES)


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_daemon__told_to_stop_finishes_or_gives_back_its_row_and_exits_with_0(
    signals: list[signal.Signals], dsn: str, db: psycopg.Connection, tmp_path: Path, long_file: Path
) -> None:
    grace_s = "0.2" if len(signals) == 1 else "7"
    with fleet(dsn, tmp_path / "home", SEODANG_QUEUE__GRACE_S=grace_s) as ships:
        daemon = ships.ready("ingest")
        offer(db, long_file)
        wait_for(lambda: holder(db))
        told = time.monotonic()
        for number in signals:
            daemon.signal(number)
        assert daemon.close() == 0
        assert time.monotonic() - told < STOP_LIMIT_S
        assert daemon.events("job_crashed") == []
    assert status(db) in [("completed", 1, 0), ("pending", 0, 0)]
    assert db.execute("SELECT count(*) FROM workers").fetchone() == (0,)


def test_daemon__without_work_stops_at_once(dsn: str, tmp_path: Path) -> None:
    with fleet(dsn, tmp_path / "home") as ships:
        daemons = [ships.ready(stage) for stage in ("embed", "classify")]
        for daemon in daemons:
            daemon.signal(signal.SIGTERM)
        for daemon in daemons:
            assert daemon.close() == 0
            assert daemon.events("worker_stopped")


def test_daemon__ends_with_the_supervisor_that_holds_its_pipe(dsn: str, tmp_path: Path) -> None:
    with fleet(dsn, tmp_path / "home") as ships:
        daemon = ships.ready("classify", SEODANG_SUPERVISED="1")
        assert daemon.process.stdin is not None
        daemon.process.stdin.close()
        assert daemon.close() == 0


def test_daemon__waits_for_a_database_that_is_not_there_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    with fleet("postgresql://seodang@127.0.0.1:1/seodang", tmp_path / "home") as ships:
        daemon = ships.start("ingest")
        daemon.wait_for("database_gone")
        daemon.signal(signal.SIGTERM)
        assert daemon.close() == 0


def test_daemon__says_what_is_wrong_and_exits_with_2(dsn: str, tmp_path: Path) -> None:
    with fleet(dsn, tmp_path / "home") as ships:
        unknown, wrong = ships.start("nonsense"), ships.start("ingest", SEODANG_QUEUE__LOOK_S="-1")
        assert (unknown.close(), wrong.close()) == (2, 2)
        assert f"the stages are {', '.join(stage.name for stage in STAGES)}" in unknown.log.read_text()
        assert "SEODANG_QUEUE__LOOK_S: Input should be greater than 0" in wrong.log.read_text()


def test_daemon__cannot_serve_a_database_of_a_newer_version_and_exits_with_1(
    dsn: str, db: psycopg.Connection, tmp_path: Path
) -> None:
    db.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_future', 'x')")
    with fleet(dsn, tmp_path / "home") as ships:
        daemon = ships.start("ingest")
        assert daemon.close() == 1
        said = daemon.log.read_text().strip()
        assert said.startswith("The database was migrated by a newer version (9999_future)")
        assert "Traceback" not in said
