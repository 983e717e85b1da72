"""kill -9 in the middle of an ask: it ends once, whole, with one row of figures, and nobody keeps the model.

Who is killed (the daemon, the facade, the server of the database) times where the ask stands: while it searches, while
the model judges, writes, verifies, at the first statement of its end, at its commit. It is kept there by the model
server, which holds a call, or by a lock of the test's, and by no clock.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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
from tests.conftest import roomy_folder
from tests.crash.fleet import ROOT, Daemon, Fleet, Postmaster, fleet, postmaster
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.asking import FACTS, GOOD, QUESTION, draft, rules
from tests.waiting import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(180)]

LATER = "점검 기록은 몇 년간 보관합니까?"
CALLS = ("judge", "synthesis", "verify")
"""The calls of an ask, by the beginning of their labels."""
LOCKS = {
    "retrieve": "LOCK TABLE chunks IN ACCESS EXCLUSIVE MODE",
    "save": "SELECT 1 FROM asks FOR UPDATE",
    "commit": "LOCK TABLE ask_events IN ACCESS EXCLUSIVE MODE",
}
"""What keeps a daemon where no call does: while it searches, at the first statement of its end, at its commit."""
PLACES = ("retrieve", *CALLS, "save", "commit")


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


def served_by(model: RemoteServer) -> dict[str, str]:
    """Give the settings of daemons with that model; a held call is not given up by its limit."""
    return {
        "SEODANG_MODELS__PRIMARY__BASE_URL": model.url,
        "SEODANG_MODELS__PRIMARY__MODEL": "m",
        "SEODANG_ANSWER__CACHE": "false",
        "SEODANG_ANSWER__JUDGE_LIMIT_S": "60",
        "SEODANG_ANSWER__VERIFIER_LIMIT_S": "60",
        "SEODANG_CALLS__ATTEMPTS": "1",
        "SEODANG_CALLS__BREAKER_FAILURES": "1000",
    }


# -- a server that may be killed, and what stands on it ----------------------------------------------------------------


@dataclass
class House:
    """A server of the database with a document, daemons on it, and the model behind them."""

    machine: Postmaster
    model: RemoteServer
    ships: Fleet
    facades: list["Facade"] = field(default_factory=list)

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.machine.server.dsn, autocommit=True) as db:
            yield db

    @contextmanager
    def barrier(self) -> Iterator[psycopg.Connection]:
        """Give a session for a lock, which ends with the session, or with the server."""
        session = psycopg.connect(self.machine.server.dsn)
        try:
            yield session
        finally:
            session.close()

    def daemons(self) -> list[Daemon]:
        """Give two that live and take rows."""
        alive = [each for each in self.ships.daemons if each.process.poll() is None]
        alive += [self.ships.start("synthesis") for _ in range(2 - len(alive))]
        for daemon in alive:
            daemon.wait_for("worker_started", within_s=60)
        return alive

    def more_facades(self) -> None:
        """See that there are two, or that they are on their way."""
        while len(self.facades) < 2:
            self.facades.append(Facade(self.ships))


class Facade:
    """The HTTP process."""

    def __init__(self, ships: Fleet) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        with (ships.home / "api.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.api"],
                cwd=ROOT,
                env=ships.environment | {"SEODANG_PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/api/documents", trust_env=False).status_code == 200
        return False

    def ready(self) -> "Facade":
        wait_for(self._answers, within_s=60)
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def everything() -> Iterator[House]:
    with (
        tempfile.TemporaryDirectory(prefix="seodang-", dir=roomy_folder()) as place,
        postmaster(Path(place).resolve()) as machine,
        in_process() as model,
    ):
        machine.start()
        migrate(machine.server.dsn)
        home = Path(place).resolve() / "home"
        stocked(machine.server.dsn, home)
        with fleet(machine.server.dsn, home, **served_by(model)) as ships:
            whole = House(machine, model, ships)
            try:
                yield whole
            finally:
                for facade in whole.facades:
                    facade.kill()


@pytest.fixture
def house(everything: House) -> House:
    """The same for all, whatever the test before has left, with the model's memory wiped."""
    everything.machine.start()
    everything.daemons()
    everything.model.reset()
    everything.model.script(*rules())
    return everything


# -- where an ask stands -----------------------------------------------------------------------------------------------


def put(db: psycopg.Connection, question: str = QUESTION) -> int:
    insert = "INSERT INTO asks (question, priority) VALUES (%s, 'foreground') RETURNING id"
    ((ask_id,),) = db.execute(insert, [question]).fetchall()
    return int(ask_id)


def hold(model: RemoteServer, step: str) -> None:
    """Have the first call of a step wait; all others are answered."""
    held = {"when": {"label": f"{step} *"}, "say": {"text": "", "hold": "go"}, "times": 1}
    model.script(held, *rules())


def called(model: RemoteServer, step: str) -> bool:
    return any(call.label.startswith(f"{step} ") for call in model.calls)


def begun(db: psycopg.Connection, ask_id: int, step: str) -> bool:
    """Say whether the row has it that this call began."""
    asked = "SELECT 1 FROM asks WHERE id = %s AND trace -> 'calls' -> -1 ->> 'step' = %s"
    return bool(db.execute(asked, [ask_id, step]).fetchall())


def blocked(db: psycopg.Connection, barrier: psycopg.Connection) -> bool:
    """Say whether a daemon's session waits for the test's lock."""
    asked = """SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'seodang:%%'
               AND %s = ANY (pg_blocking_pids(pid))"""
    return bool(db.execute(asked, [barrier.info.backend_pid]).fetchall())


def held_at(place: str, house: House, barrier: psycopg.Connection, ask: Callable[[], int]) -> int:
    """Ask, and give the number of the ask when it stands at that place; it goes on when the barrier or the model
    lets it."""
    model = house.model
    step = "verify" if place == "save" else place
    if step in CALLS:
        hold(model, step)
    else:
        barrier.execute(LOCKS[place])
    ask_id = ask()
    with house.database() as db:
        if step in CALLS:
            wait_for(lambda: called(model, step), within_s=30)
        if place == "save":  # not before: the claim takes the row, and so does the word that the call has begun
            wait_for(lambda: begun(db, ask_id, step))
            barrier.execute(LOCKS[place])
            model.script(*rules())
            model.release("go")
        if place in LOCKS:
            wait_for(lambda: blocked(db, barrier), within_s=30)
    return ask_id


def holder(house: House, db: psycopg.Connection, ask_id: int) -> Daemon:
    """Give the daemon that has an ask in hand."""
    asked = "SELECT w.pid FROM asks a JOIN workers w ON w.id = a.worker WHERE a.id = %s AND a.status = 'processing'"
    ((pid,),) = db.execute(asked, [ask_id]).fetchall()
    return house.ships.with_pid(pid)


# -- how it ends -------------------------------------------------------------------------------------------------------


def ended(db: psycopg.Connection, ask_id: int) -> tuple[str, str | None, int] | None:
    """Give status, answer and crashes of an ask that has ended."""
    asked = "SELECT status, answer, crashes FROM asks WHERE id = %s AND completed_at IS NOT NULL"
    return db.execute(asked, [ask_id]).fetchone()


def check_whole(db: psycopg.Connection, model: RemoteServer, ask_id: int) -> None:
    """One end, one answer with its citations, one row of figures, and the model is free for the next."""
    found = wait_for(lambda: ended(db, ask_id), within_s=60)
    assert found is not None
    assert found[:2] == ("completed", GOOD)
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
    assert db.execute("SELECT 1 FROM ask_events GROUP BY ask_id HAVING count(*) > 1").fetchall() == []
    assert db.execute("SELECT 1 FROM asks WHERE id NOT IN (SELECT ask_id FROM ask_events)").fetchall() == []


@pytest.mark.parametrize("place", PLACES)
def test_daemon__killed_anywhere_in_an_ask(place: str, house: House) -> None:
    with house.database() as db, house.barrier() as barrier:
        ask_id = held_at(place, house, barrier, lambda: put(db))
        holder(house, db, ask_id).kill()
        barrier.rollback()
        check_whole(db, house.model, ask_id)
        # Who dies at its commit may have been heard: then there is nothing to be done again.
        assert ended(db, ask_id) in [("completed", GOOD, n) for n in ((0, 1) if place == "commit" else (1,))]
        if place in CALLS:  # the calls of the attempt that was killed count, too, and the last of them as failed
            counted = "SELECT calls, calls_failed FROM ask_events WHERE ask_id = %s"
            before = CALLS.index(place) + 1
            assert db.execute(counted, [ask_id]).fetchone() == (before + len(CALLS), 1)


@pytest.mark.parametrize("place", PLACES)
def test_facade__killed_while_a_person_waits(place: str, house: House) -> None:
    house.more_facades()
    victim = house.facades.pop(0).ready()
    house.more_facades()
    heard: list[str] = []

    def wait_for_answer() -> None:
        body = {"question": QUESTION}
        try:
            httpx.post(f"{victim.address}/api/search/ask", json=body, trust_env=False, timeout=60)
        except httpx.HTTPError as error:
            heard.append(type(error).__name__)

    person = threading.Thread(target=wait_for_answer)
    with house.database() as db, house.barrier() as barrier:
        last = "SELECT coalesce(max(id), 0) FROM asks"
        ((before,),) = db.execute(last).fetchall()

        def ask() -> int:
            person.start()
            wait_for(lambda: db.execute(last).fetchall() != [(before,)], within_s=30)
            ((ask_id,),) = db.execute(last).fetchall()
            return int(ask_id)

        ask_id = held_at(place, house, barrier, ask)
        victim.kill()
        person.join(30)
        assert heard
        barrier.rollback()
        house.model.script(*rules())
        house.model.release("go")
        check_whole(db, house.model, ask_id)
        assert ended(db, ask_id) == ("completed", GOOD, 0)
    told = httpx.get(f"{house.facades[0].ready().address}/api/asks/{ask_id}", trust_env=False).json()
    assert (told["status"], told["answer"], told["stale"], told["refused"]) == ("completed", GOOD, False, False)


@pytest.mark.parametrize("place", PLACES)
def test_postgres__killed_anywhere_in_an_ask(place: str, house: House) -> None:
    with house.barrier() as barrier, house.database() as db:
        ask_id = held_at(place, house, barrier, lambda: put(db))
        daemon = holder(house, db, ask_id)
        before = len(daemon.events("database_gone"))
        house.machine.kill()
    wait_for(lambda: len(daemon.events("database_gone")) > before, within_s=30)
    house.machine.start()
    with house.database() as db:
        check_whole(db, house.model, ask_id)
    assert daemon.process.poll() is None


# -- what a log says of a question -------------------------------------------------------------------------------------

MARK = "표식X7Q"
TROUBLE: tuple[dict[str, Any], ...] = (
    {"text": draft()},
    {"text": "{"},
    {"status": 503, "body": {"error": "loading"}},
    {"text": draft(), "end": "reset", "after": 3},
)


def test_logs__have_no_question_whatever_the_model_does(dsn: str, db: psycopg.Connection, tmp_path: Path) -> None:
    stocked(dsn, tmp_path / "home")
    with (
        in_process() as model,
        fleet(dsn, tmp_path / "home", SEODANG_QUEUE__RETRY_AFTER_S="0.1", **served_by(model)) as ships,
    ):
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
