"""The embedded server: one owner, joined by many, started again after a kill, wherever its directory lies."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.errors import DatabaseUnfit
from db.server import SERVER_VERSION, AlreadyRunning, EmbeddedServer
from tests.conftest import WITHOUT_CARE
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
JOINER = """
import sys
from pathlib import Path
from db.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])).joined() as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data directory with all that paths may have: a space, Hangul, a percent sign, many characters."""
    with tempfile.TemporaryDirectory(prefix="seodang-") as folder:
        path = Path(folder).resolve() / "내 자료 100%" / ("long" * 20)
        path.mkdir(parents=True)
        server = EmbeddedServer(path)
        server.prepare()
        with (server.data / "postgresql.conf").open("a") as file:
            file.write(WITHOUT_CARE)
        yield path
        server.stop()
        server.sockets.rmdir()


@pytest.fixture
def locks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the server itself out: these tests are about who may start it."""
    for name in ("prepare", "start", "stop"):
        monkeypatch.setattr(EmbeddedServer, name, lambda _: None)


def postmaster(server: EmbeddedServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def join(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOINER, str(home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.usefixtures("locks_only")
def test_owned__refuses_a_second_owner_with_a_sentence(tmp_path: Path) -> None:
    refused = pytest.raises(AlreadyRunning, match=r"running already on .*SEODANG_HOME")
    with EmbeddedServer(tmp_path).owned(), refused, EmbeddedServer(tmp_path).owned():
        pass
    with EmbeddedServer(tmp_path).owned():
        pass


@pytest.mark.usefixtures("locks_only")
def test_owned__waits_for_commands_that_are_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.server.START_LIMIT_S", 0.1)
    refused = pytest.raises(AlreadyRunning, match="A command is still at work")
    with EmbeddedServer(tmp_path).joined(), refused, EmbeddedServer(tmp_path).owned():
        pass


@pytest.mark.usefixtures("locks_only")
def test_joined__uses_the_server_of_the_owner_and_leaves_it_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(EmbeddedServer, "start", lambda _: started.append("start"))
    monkeypatch.setattr(EmbeddedServer, "stop", lambda _: started.append("stop"))
    monkeypatch.setattr(EmbeddedServer, "answers", lambda _: True)
    with EmbeddedServer(tmp_path).owned():
        started.clear()
        with EmbeddedServer(tmp_path).joined():
            assert started == []
        assert started == []


@pytest.mark.usefixtures("locks_only")
def test_joined__says_that_the_owners_server_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.server.START_LIMIT_S", 0.1)
    refused = pytest.raises(DatabaseUnfit, match="does not answer")
    with EmbeddedServer(tmp_path).owned(), refused, EmbeddedServer(tmp_path).joined():
        pass


def test_prepare__refuses_the_cluster_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmbeddedServer, "account", None)
    server = EmbeddedServer(tmp_path)
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text(f"{SERVER_VERSION - 1}\n")
    with pytest.raises(DatabaseUnfit, match=f"made by PostgreSQL {SERVER_VERSION - 1}, this version brings"):
        server.prepare()


def test_sockets__lie_elsewhere_when_the_path_is_too_long_for_them(tmp_path: Path) -> None:
    short, long = EmbeddedServer(Path("/srv/s")), EmbeddedServer(tmp_path / ("long" * 30))
    assert short.sockets == Path("/srv/s/run")
    assert long.sockets.parent == Path(tempfile.gettempdir())
    assert long.sockets != EmbeddedServer(tmp_path / ("long" * 29)).sockets
    assert long.sockets == EmbeddedServer(tmp_path / ("long" * 30)).sockets


def test_start__says_why_it_cannot(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "home")
    server.home.mkdir()
    with pytest.raises(DatabaseUnfit, match=r"does not start in .*pg_ctl"):
        server.start()


@pytest.mark.slow
def test_joined__works_from_a_directory_with_a_difficult_name(home: Path) -> None:
    by_long_name, by_short_name = EmbeddedServer(home), EmbeddedServer(home.parent.parent / "한 글%20")
    by_short_name.home.symlink_to(home)
    assert by_long_name.sockets.parent == Path(tempfile.gettempdir())
    assert by_short_name.sockets.parent == by_short_name.home
    for server in (by_long_name, by_short_name):
        with server.joined() as dsn, psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("seodang",)
        assert not server.running()


@pytest.mark.slow
def test_joined__by_several_processes_runs_until_the_last_one_leaves(home: Path) -> None:
    processes = [join(home) for _ in range(3)]
    server = EmbeddedServer(home)
    assert {told(process) for process in processes} == {server.dsn}
    first, second, last = processes
    first.communicate("", timeout=30)
    assert server.answers()
    second.kill()  # without a goodbye: its lock is free all the same
    second.communicate(timeout=30)
    assert server.answers()
    last.communicate("", timeout=30)
    assert not server.running()


@pytest.mark.slow
@pytest.mark.parametrize("restarted_by", ["start", "joined"])
def test_server__killed_with_sessions_at_work_starts_again_with_what_was_committed(
    restarted_by: str, home: Path
) -> None:
    server = EmbeddedServer(home)
    server.start()
    session = psycopg.connect(server.dsn, autocommit=True)
    session.execute("DROP TABLE IF EXISTS kept")
    session.execute("CREATE TABLE kept AS SELECT 7 AS number")
    session.execute("BEGIN; INSERT INTO kept VALUES (8)")
    os.kill(postmaster(server), signal.SIGKILL)
    if restarted_by == "start":
        server.start()
    with server.joined() as dsn, psycopg.connect(dsn) as after:
        assert after.execute("SELECT number FROM kept").fetchall() == [(7,)]
    session.close()
    server.stop()


@pytest.mark.slow
def test_server__in_the_foreground_survives_the_kill_of_one_backend(home: Path) -> None:
    server = EmbeddedServer(home)
    with server.joined() as dsn:
        with psycopg.connect(dsn) as victim:
            os.kill(victim.info.backend_pid, signal.SIGKILL)
            wait_for(server.answers)
            with pytest.raises(psycopg.OperationalError):
                victim.execute("SELECT 1")
        wait_for(server.answers)
