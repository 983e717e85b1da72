"""What an ask took is counted over all its attempts: those that failed, and those whose process died."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import psycopg
import pytest
from psycopg.types.json import Jsonb

from db.jobs import Job
from services.answer.attempts import CUT_OFF
from services.answer.row import answer_ask
from services.kit.settings import Settings
from tests.fakes.model_server import ModelServer, serving
from tests.stages.asking import GOOD, QUESTION, House, house, rules
from tests.stages.conftest import all_rows, only
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

BROKEN = {"when": {"label": "synthesis *"}, "say": {"text": "{"}, "times": 1}
HELD = {"when": {"label": "synthesis *"}, "say": {"text": "", "hold": "for ever"}, "times": 1}
SUMS = "SELECT calls, calls_failed, gate_wait_ms, model_ms, tokens_in, tokens_out, attempts, status FROM ask_events"


@pytest.fixture
async def at_home(settings: Settings, db: psycopg.Connection) -> AsyncIterator[House]:
    """A process that answers, with one document in it."""
    async with serving() as model, house(settings, db, model) as home:
        model.script(*rules())
        await home.put()
        yield home


def claimed(db: psycopg.Connection) -> Job:
    """Put a question, and take it in hand as a daemon does."""
    db.execute("INSERT INTO asks (question, priority) VALUES (%s, 'foreground')", [QUESTION])
    row = only(
        db,
        "UPDATE asks SET status = 'processing', claim = claim + 1, attempts = attempts + 1, started_at = now() "
        "RETURNING id, claim, attempts, max_attempts",
    )
    return Job(0, row["id"], row["claim"], row["attempts"], row["max_attempts"], 0.0)


async def killed_while_it_writes(home: House, model: ModelServer, db: psycopg.Connection) -> int:
    """Have an attempt end in the middle of its second call, with nobody left to say so; gives its ask."""
    model.script(HELD, *rules())
    job = claimed(db)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_ask, job, home.tools)
        await eventually(lambda: len(calls_of(db)) == 2)
        tasks.cancel_scope.cancel()
    return job.id


def calls_of(db: psycopg.Connection) -> list[dict[str, Any]]:
    trace: dict[str, Any] = only(db, "SELECT trace FROM asks")["trace"] or {}
    return list(trace.get("calls", []))


def total(calls: list[dict[str, Any]], name: str) -> float:
    return sum(call.get(name) or 0 for call in calls)


async def test_retried__the_calls_of_the_attempt_that_failed_count(at_home: House, db: psycopg.Connection) -> None:
    at_home.model.script(BROKEN, *rules())
    row = await at_home.ask()
    assert (row["answer"], row["attempts"], len(at_home.calls)) == (GOOD, 2, 5)
    own, earlier, event = row["trace"]["calls"], row["trace"]["earlier"], only(db, SUMS)
    assert [call["step"] for call in own] == ["judge", "synthesis", "verify"]
    assert (earlier["attempts"], earlier["calls"], earlier["calls_failed"]) == (1, 2, 1)
    assert (event["calls"], event["calls_failed"], event["attempts"]) == (5, 1, 2)
    for name, of_call in (("tokens_in",) * 2, ("tokens_out",) * 2, ("model_ms", "took_ms"), ("gate_wait_ms",) * 2):
        assert event[name] == pytest.approx(total(own, of_call) + earlier[name]), name
        assert row["trace"][name] == pytest.approx(event[name]), name
    assert earlier["tokens_in"] > 0
    assert earlier["model_ms"] > 0


async def test_failed__at_the_last_attempt_counts_all_of_them(at_home: House, db: psycopg.Connection) -> None:
    at_home.model.script(BROKEN | {"times": 2}, *rules())
    row = await at_home.ask()
    assert (row["status"], row["error_code"]) == ("failed", "parse_fail")
    event = only(db, SUMS)
    assert (event["calls"], event["calls_failed"], event["attempts"]) == (len(at_home.calls), 2, 2) == (4, 2, 2)


async def test_killed__what_it_had_called_counts_with_the_next_attempt(at_home: House, db: psycopg.Connection) -> None:
    await killed_while_it_writes(at_home, at_home.model, db)
    left = calls_of(db)
    assert [(call["step"], call.get("error")) for call in left] == [("judge", None), ("synthesis", CUT_OFF)]
    db.execute("UPDATE asks SET status = 'pending', crashes = 1, attempts = 0")  # as the rescue does
    await at_home.drain("synthesis")
    event = only(db, SUMS)
    assert (event["calls"], event["calls_failed"], event["status"]) == (len(at_home.calls), 1, "completed")
    assert event["calls"] == 5
    own = calls_of(db)
    assert event["tokens_in"] == total(own, "tokens_in") + total(left, "tokens_in") > total(own, "tokens_in")


async def test_given_up__after_it_was_killed_what_it_had_called_counts(at_home: House, db: psycopg.Connection) -> None:
    await killed_while_it_writes(at_home, at_home.model, db)
    db.execute("UPDATE asks SET status = 'failed', completed_at = now(), error_code = 'unknown'")
    event = only(db, SUMS)
    assert (event["calls"], event["calls_failed"], event["status"]) == (2, 1, "failed")
    assert event["tokens_in"] > 0


async def test_so_far__is_not_written_by_who_lost_the_row(at_home: House, db: psycopg.Connection) -> None:
    job = claimed(db)
    for change in ("claim = claim + 1", "status = 'pending', claim = claim - 1"):
        db.execute(f"UPDATE asks SET {change}")
        await at_home.tools.db.none("note_ask_so_far", id=job.id, claim=job.claim, trace={"calls": [{}]})
        assert only(db, "SELECT trace FROM asks") == {"trace": None}
    db.execute("UPDATE asks SET status = 'processing'")
    await at_home.tools.db.none("note_ask_so_far", id=job.id, claim=job.claim, trace={"calls": [{}]})
    assert len(calls_of(db)) == 1


async def test_built_in__has_nothing_to_write_on_the_way(at_home: House, db: psycopg.Connection) -> None:
    job = claimed(db)
    alone = at_home.tools.settings.model_copy(update={"models": type(at_home.tools.settings.models)()})
    tools = type(at_home.tools)(at_home.tools.db, at_home.tools.reader, alone)
    await answer_ask(job, tools)
    assert only(db, "SELECT trace FROM asks") == {"trace": None}


@pytest.mark.parametrize(
    "earlier", [7, [], {"calls": "two"}, {"prompt_versions": [1, "judge-1", None]}, {"tokens_in": 10**40}], ids=str
)
def test_event__odd_sums_keep_no_answer_from_being_stored(db: psycopg.Connection, earlier: Any) -> None:
    trace = {"earlier": earlier, "calls": [{"prompt_version": "verify-1", "tokens_in": 3}]}
    db.execute("INSERT INTO asks (question, trace) VALUES ('?', %s)", [Jsonb(trace)])
    db.execute("UPDATE asks SET status = 'completed', completed_at = now(), completeness = 'partial', refused = false")
    (event,) = all_rows(db, "SELECT completeness, calls FROM ask_events")
    assert event["completeness"] == "partial"
