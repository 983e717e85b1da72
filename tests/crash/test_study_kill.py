"""The daemon of explanations is killed at its worst moments: its job ends once, and nothing is half-written."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.crash.fleet import Daemon, Fleet, fleet
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.question_bank import TEXT, one, prepared, reply
from tests.waiting import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow]
STATE = """
    SELECT j.status, j.attempts, j.crashes, q.ai_explanation_status, q.ai_explanation
    FROM study_question_jobs j JOIN study_questions q ON q.id = j.study_question_id"""
WAITS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%%SET ai_explanation%%'"""


@pytest.fixture
def model() -> Iterator[RemoteServer]:
    with in_process() as server:
        yield server


@pytest.fixture
def ships(dsn: str, tmp_path: Path, model: RemoteServer) -> Iterator[Fleet]:
    """Two daemons of the stage, so that the one takes over what the other leaves."""
    settings = {"SEODANG_MODELS__PRIMARY__BASE_URL": model.url, "SEODANG_MODELS__PRIMARY__MODEL": "qwen"}
    with fleet(dsn, tmp_path / "home", **settings) as running:
        for _ in range(2):
            running.ready("explanation")
        yield running


def state(db: psycopg.Connection) -> tuple[object, ...]:
    found = db.execute(STATE).fetchone()
    assert found is not None
    return found


def holder(ships: Fleet, db: psycopg.Connection) -> Daemon:
    asked = "SELECT w.pid FROM study_question_jobs j JOIN workers w ON w.id = j.worker WHERE j.status = 'processing'"
    found = wait_for(lambda: db.execute(asked).fetchone())
    assert found is not None
    return ships.with_pid(found[0])


def test_killed_during_the_call__the_job_is_worked_once_more_and_ends_once(
    ships: Fleet, model: RemoteServer, db: psycopg.Connection
) -> None:
    model.script({"say": {"text": reply(), "hold": "answer"}, "times": 1}, {"say": {"text": reply()}})
    prepared(db)
    wait_for(lambda: len(model.calls) == 1)
    assert state(db) == ("processing", 1, 0, "pending", None)
    holder(ships, db).kill()
    wait_for(lambda: state(db)[0] == "completed", within_s=20)
    assert state(db) == ("completed", 1, 1, "ready", TEXT)
    assert len(model.calls) == 2
    assert one(db, "SELECT count(*) FROM study_question_jobs") == 1


def test_killed_at_the_save__nothing_is_half_written_and_another_saves(
    ships: Fleet, model: RemoteServer, db: psycopg.Connection, dsn: str
) -> None:
    model.say(text=reply(), hold="answer")
    number = prepared(db)
    wait_for(lambda: len(model.calls) == 1)
    with psycopg.connect(dsn) as blocking:
        blocking.execute("SELECT 1 FROM study_questions WHERE id = %s FOR UPDATE", (number,))
        model.release("answer")
        wait_for(lambda: one(db, WAITS) == 1)
        holder(ships, db).kill()
        assert state(db) == ("processing", 1, 0, "pending", None)
        model.say(text=reply())
        blocking.rollback()
    wait_for(lambda: state(db)[0] == "completed", within_s=20)
    assert state(db) == ("completed", 1, 1, "ready", TEXT)
    assert len(model.calls) == 2
    half = (
        "SELECT count(*) FROM study_question_jobs WHERE (completed_at IS NULL) <> (status IN ('pending', 'processing'))"
    )
    assert one(db, half) == 0
