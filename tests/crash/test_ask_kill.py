"""kill -9 in the middle of an ask: it ends once, whole, with one row of figures, and nobody keeps the model."""

import asyncio
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from db.migrate import migrate
from services.kit.runner import Runner
from services.kit.settings import load_settings
from services.stages import stage_named
from services.wiring import open_tools
from tests.crash.fleet import ROOT, Daemon, Fleet, Postmaster, fleet, postmaster
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.asking import FACTS, GOOD, QUESTION, draft, rules
from tests.waiting import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

LATER = "점검 기록은 몇 년간 보관합니까?"
STEPS = ("judge", "synthesis", "verify")
"""The calls of an ask, by the beginning of their labels."""


def stocked(dsn: str, home: Path) -> None:
    """Put a document into the corpus, without a model."""

    async def run() -> None:
        settings = load_settings(home=home, database_url=dsn)
        async with open_tools(settings, "tests") as tools:
            for stage in ("ingest", "embed"):
                await Runner(dsn, stage_named(stage), tools, settings.queue, until_empty=True).run()

    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("INSERT INTO inbox (filename, content) VALUES ('점검.md', %s)", [FACTS.encode()])
    asyncio.run(run())


@pytest.fixture
def model() -> Iterator[RemoteServer]:
    with in_process() as server:
        server.script(*rules())
        yield server


def served_by(model: RemoteServer) -> dict[str, str]:
    """Give the settings of daemons with that model; a held call is not given up by its limit."""
    return {
        "SEODANG_MODELS__PRIMARY__BASE_URL": model.url,
        "SEODANG_MODELS__PRIMARY__MODEL": "m",
        "SEODANG_ANSWER__VERIFIER_LIMIT_S": "60",
        "SEODANG_CALLS__ATTEMPTS": "1",
        "SEODANG_CALLS__BREAKER_FAILURES": "1000",
    }


def hold(model: RemoteServer, step: str) -> None:
    """Have the first call of a step wait; all others are answered."""
    held = {"when": {"label": f"{step} *"}, "say": {"text": "", "hold": "go"}, "times": 1}
    model.script(held, *rules())


def put(db: psycopg.Connection, question: str = QUESTION) -> int:
    insert = "INSERT INTO asks (question, priority) VALUES (%s, 'foreground') RETURNING id"
    ((ask_id,),) = db.execute(insert, [question]).fetchall()
    return int(ask_id)


def ended(db: psycopg.Connection, ask_id: int) -> tuple[str, str | None, int] | None:
    """Give status, answer and crashes of an ask that has ended."""
    asked = "SELECT status, answer, crashes FROM asks WHERE id = %s AND completed_at IS NOT NULL"
    return db.execute(asked, [ask_id]).fetchone()


def called(model: RemoteServer, step: str) -> bool:
    return any(call.label.startswith(f"{step} ") for call in model.calls)


def seen_to_end(db: psycopg.Connection, ask_id: int) -> tuple[str, str | None, int]:
    """Wait for the end of an ask."""
    found = wait_for(lambda: ended(db, ask_id), within_s=60)
    assert found is not None
    return found


def check_whole(db: psycopg.Connection, model: RemoteServer, ask_id: int) -> None:
    """One end, one answer with its citations, one row of figures, and the model is free for the next."""
    status, answer, _ = seen_to_end(db, ask_id)
    assert (status, answer) == ("completed", GOOD)
    stored = "SELECT jsonb_array_length(citations), trace ->> 're_gate' IS NOT NULL FROM asks WHERE id = %s"
    assert db.execute(stored, [ask_id]).fetchone() == (1, True)
    events = "SELECT status, completeness, cached FROM ask_events WHERE ask_id = %s"
    assert db.execute(events, [ask_id]).fetchall() == [("completed", "full", False)]
    wait_for(lambda: not db.execute("SELECT 1 FROM gate_status").fetchall())
    before = len(model.calls)
    later = put(db, LATER)
    wait_for(lambda: ended(db, later), within_s=30)
    assert len(model.calls) > before
    wait_for(lambda: all(call.ended_ns is not None for call in model.calls))
    assert model.most == 1
    assert db.execute("SELECT count(*), count(DISTINCT ask_id) FROM ask_events").fetchone() == (2, 2)


# -- the daemon --------------------------------------------------------------------------------------------------------


def holder(ships: Fleet, db: psycopg.Connection, ask_id: int) -> Daemon | None:
    """Give the daemon that has an ask in hand."""
    asked = "SELECT w.pid FROM asks a JOIN workers w ON w.id = a.worker WHERE a.id = %s AND a.status = 'processing'"
    found = db.execute(asked, [ask_id]).fetchone()
    return None if found is None else ships.with_pid(found[0])


def blocked(db: psycopg.Connection) -> bool:
    """Say whether a session of a daemon waits for the test's lock."""
    asked = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
               AND application_name LIKE 'seodang:%'"""
    return bool(db.execute(asked).fetchall())


@pytest.mark.parametrize("step", STEPS)
def test_daemon__killed_while_the_model_works(
    step: str, dsn: str, db: psycopg.Connection, tmp_path: Path, model: RemoteServer
) -> None:
    stocked(dsn, tmp_path / "home")
    hold(model, step)
    with fleet(dsn, tmp_path / "home", **served_by(model)) as ships:
        for _ in range(2):
            ships.ready("synthesis")
        ask_id = put(db)
        wait_for(lambda: called(model, step), within_s=30)
        victim = wait_for(lambda: holder(ships, db, ask_id))
        assert victim is not None
        victim.kill()
        check_whole(db, model, ask_id)
    assert ended(db, ask_id) == ("completed", GOOD, 1)


BARRIERS = {
    "retrieve": "LOCK TABLE chunks IN ACCESS EXCLUSIVE MODE",
    "save": "SELECT 1 FROM asks FOR UPDATE",
    "commit": "LOCK TABLE ask_events IN ACCESS EXCLUSIVE MODE",
}
"""What keeps a daemon at a place of its work: while it searches, at the first statement of its end, at its commit."""


@pytest.mark.parametrize("place", BARRIERS)
def test_daemon__killed_while_the_database_keeps_it(
    place: str, dsn: str, db: psycopg.Connection, tmp_path: Path, model: RemoteServer
) -> None:
    stocked(dsn, tmp_path / "home")
    if place == "save":
        hold(model, "verify")
    with fleet(dsn, tmp_path / "home", **served_by(model)) as ships, psycopg.connect(dsn) as barrier:
        for _ in range(2):
            ships.ready("synthesis")
        if place != "save":  # that would keep the claim, too
            barrier.execute(BARRIERS[place])
        ask_id = put(db)
        victim = wait_for(lambda: holder(ships, db, ask_id), within_s=30)
        if place == "save":
            wait_for(lambda: called(model, "verify"), within_s=30)
            barrier.execute(BARRIERS[place])
            model.script(*rules())
            model.release("go")
        wait_for(lambda: blocked(db), within_s=30)
        assert victim is not None
        victim.kill()
        barrier.rollback()
        check_whole(db, model, ask_id)


# -- the facade --------------------------------------------------------------------------------------------------------


@contextmanager
def facade(ships: Fleet, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the HTTP process until the block ends."""
    with (ships.home / "api.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.api"],
            cwd=ROOT,
            env=ships.environment | {"SEODANG_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: answers(port), within_s=30)
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/api/documents", trust_env=False).status_code == 200
    return False


def test_facade__killed_while_a_person_waits(
    dsn: str, db: psycopg.Connection, tmp_path: Path, model: RemoteServer
) -> None:
    stocked(dsn, tmp_path / "home")
    hold(model, "synthesis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    heard: list[str] = []

    def wait_for_answer() -> None:
        try:
            httpx.post(f"{address}/api/search/ask", json={"question": QUESTION}, trust_env=False, timeout=60)
        except httpx.HTTPError as error:
            heard.append(type(error).__name__)

    with fleet(dsn, tmp_path / "home", **served_by(model)) as ships:
        ships.ready("synthesis")
        with facade(ships, port) as process:
            person = threading.Thread(target=wait_for_answer)
            person.start()
            wait_for(lambda: called(model, "synthesis"), within_s=30)
            process.kill()
            person.join(30)
        assert heard
        model.script(*rules())
        model.release("go")
        with facade(ships, port):
            check_whole_by_http(db, address)


def check_whole_by_http(db: psycopg.Connection, address: str) -> None:
    """The person comes back to another facade, finds the answer, and may ask again."""
    assert seen_to_end(db, 1)[0] == "completed"
    told = httpx.get(f"{address}/api/asks/1", trust_env=False).json()
    assert (told["status"], told["stale"], told["refused"]) == ("completed", False, False)
    assert db.execute("SELECT status FROM ask_events").fetchall() == [("completed",)]
    wait_for(lambda: not db.execute("SELECT 1 FROM gate_status").fetchall())
    again = httpx.post(f"{address}/api/asks/1/again", trust_env=False)
    assert again.status_code == 202
    wait_for(lambda: ended(db, again.json()["id"]) == ("completed", GOOD, 0), within_s=30)


# -- the server of the database ----------------------------------------------------------------------------------------


@pytest.fixture
def machine() -> Iterator[Postmaster]:
    """A server that may be killed."""
    with tempfile.TemporaryDirectory(prefix="seodang-") as home, postmaster(Path(home).resolve()) as running:
        running.start()
        yield running


@pytest.mark.parametrize("step", STEPS)
def test_postgres__killed_while_the_model_works(
    step: str, machine: Postmaster, tmp_path: Path, model: RemoteServer
) -> None:
    dsn = machine.server.dsn
    migrate(dsn)
    stocked(dsn, tmp_path / "home")
    hold(model, step)
    with fleet(dsn, tmp_path / "home", **served_by(model)) as ships:
        daemon = ships.ready("synthesis")
        with psycopg.connect(dsn, autocommit=True) as db:
            ask_id = put(db)
            wait_for(lambda: called(model, step), within_s=30)
        machine.kill()
        daemon.wait_for("database_gone")
        machine.start()
        with psycopg.connect(dsn, autocommit=True) as db:
            check_whole(db, model, ask_id)
        assert daemon.process.poll() is None


# -- what a log says of a question -------------------------------------------------------------------------------------

MARK = "표식X7Q"
TROUBLE: tuple[dict[str, Any], ...] = (
    {"text": draft()},
    {"text": "{"},
    {"status": 503, "body": {"error": "loading"}},
    {"text": draft(), "end": "reset", "after": 3},
)


def test_logs__have_no_question_whatever_the_model_does(
    dsn: str, db: psycopg.Connection, tmp_path: Path, model: RemoteServer
) -> None:
    stocked(dsn, tmp_path / "home")
    with fleet(dsn, tmp_path / "home", SEODANG_QUEUE__RETRY_AFTER_S="0.1", **served_by(model)) as ships:
        ships.ready("synthesis")
        for number, say in enumerate(TROUBLE):
            model.script({"when": {"label": "synthesis *"}, "say": say}, *rules())
            ask_id = put(db, f"{MARK} 안전밸브의 작동 압력은 얼마입니까 {number}?")
            wait_for(lambda asked=ask_id: ended(db, asked), within_s=60)  # type: ignore[misc]
        db.execute("INSERT INTO asks (question, filters) VALUES (%s, '{\"colour\": 1}')", [f"{MARK} 오류?"])
        wait_for(lambda: db.execute("SELECT 1 FROM asks WHERE error_code = 'unknown_filter'").fetchall())
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in (tmp_path / "home").glob("*.log")]
    assert any('"job_ended"' in log for log in logs)
    assert not [log for log in logs if MARK in log]
    assert db.execute("SELECT count(*) FROM ask_events e WHERE e::text LIKE %s", [f"%{MARK}%"]).fetchone() == (0,)
