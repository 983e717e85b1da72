"""`queue drain` has the deep endpoint do the triage, a share of it, and stops when that is away (J18, J19, G24)."""

from collections.abc import AsyncIterator

import anyio
import psycopg
import pytest
from anyio.to_thread import run_sync

from db.plain import Plain
from services.command.drain import Drained, drain
from services.command.place import Place
from services.kit.settings import Settings
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import all_rows
from tests.stages.models import OWN_SENTENCE, SUMMARY, asks, deep, drained, put, seen, served, verdict
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
JOBS = "SELECT status, attempts, error_code, run_at FROM document_jobs WHERE stage = 'classify' ORDER BY id"
DOCUMENTS = "SELECT ai_summary, ai_meta FROM documents ORDER BY id"
AWAY = {"say": {"status": 503, "body": {"error": "loading"}}}


@pytest.fixture
async def primary() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=verdict())
        yield server


@pytest.fixture
async def large() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.script(asks("triage", verdict()), asks("deep", deep()))
        yield server


@pytest.fixture
def two(settings: Settings, primary: ModelServer, large: ModelServer) -> Settings:
    """Settings with a server for PRIMARY and one for DEEP."""
    return served(settings, {"primary": primary, "deep": large})


async def drain_by_hand(settings: Settings, db: psycopg.Connection, stage: str | None = "classify") -> Drained:
    """Run the command, in a thread as it has an event loop of its own."""
    assert settings.database_url is not None
    place = Place(settings, settings.database_url.get_secret_value(), Plain(db))
    return await run_sync(drain, place, stage)


async def test_drain__asks_the_deep_endpoint(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    numbers = [put(db) for _ in range(3)]
    found = await drain_by_hand(two, db)
    assert found.as_json() == {"classify": 3}
    assert seen(large.calls) == [("deep", "background", f"triage document:{number}") for number in numbers]
    assert primary.calls == []
    assert [row["ai_meta"]["summary_by"] for row in all_rows(db, DOCUMENTS)] == ["deep:deep"] * 3


async def test_drain__does_not_break_off_the_chain(two: Settings, large: ModelServer, db: psycopg.Connection) -> None:
    large.script(asks("triage", verdict(escalate=True, reasons=["safety"])), asks("deep", deep()))
    put(db)
    assert (await drain_by_hand(two, db)).done == {"classify": 1}
    waiting = "SELECT stage FROM document_jobs WHERE status = 'pending'"
    assert [row["stage"] for row in all_rows(db, waiting)] == ["deep"]
    assert (await drain_by_hand(two, db, "deep")).done == {"deep": 1}
    assert "deep" in all_rows(db, DOCUMENTS)[0]["ai_meta"]


async def test_drain_of_all__goes_on_to_what_was_escalated(
    two: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    large.script(asks("triage", verdict(escalate=True, reasons=["safety"])), asks("deep", deep()))
    put(db)
    found = await drain_by_hand(two, db, None)
    assert (found.done["classify"], found.done["deep"], found.put_off) == (1, 1, {})


async def test_deep_endpoint_away__the_drain_stops_and_the_rows_stay(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    for _ in range(3):
        put(db)
    large.script({**AWAY, "when": {"label": "triage document:2"}}, {"say": {"text": verdict()}})
    found = await drain_by_hand(two, db)
    assert found.done == {"classify": 1}
    assert "1 documents were classified; then the deep endpoint was away" in found.sentence()
    assert "loading" in str(found.as_json()["put_off"])
    rows = all_rows(db, JOBS)
    assert [(row["status"], row["attempts"]) for row in rows] == [("completed", 1), ("pending", 0), ("pending", 0)]
    assert [row["run_at"] for row in rows] == [None] * 3  # the daemon may have them at once
    assert primary.calls == []
    assert len(large.calls) == 2
    assert [row["ai_summary"] for row in all_rows(db, DOCUMENTS)] == [SUMMARY, OWN_SENTENCE, None]


async def test_deep_endpoint_away__the_daemon_does_not_mind(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    large.script(AWAY)
    put(db)
    await drain_by_hand(two, db)
    await drained(two, "classify")
    assert [call.role for call in primary.calls] == ["triage"]
    assert all_rows(db, DOCUMENTS)[0]["ai_meta"]["summary_by"] == "primary:primary"
    assert all_rows(db, JOBS)[0]["status"] == "completed"


async def test_share__the_others_are_classified_by_rules(
    settings: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    for _ in range(12):
        put(db)
    half = served(settings, {"deep": large}, classify={"drain_share": 0.5})
    assert (await drain_by_hand(half, db)).done == {"classify": 12}
    makers = [row["ai_meta"]["summary_by"] for row in all_rows(db, DOCUMENTS)]
    assert makers.count("deep:deep") == len(large.calls)
    assert 0 < len(large.calls) < 12
    assert set(makers) == {"rules", "deep:deep"}


async def test_drain__without_a_model_goes_by_rules(settings: Settings, db: psycopg.Connection) -> None:
    put(db)
    assert (await drain_by_hand(settings, db)).as_json() == {"classify": 1}
    assert all_rows(db, DOCUMENTS)[0]["ai_summary"] == OWN_SENTENCE


async def test_drain__does_not_wait_for_the_primarys_gate(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    primary.say(text=verdict(), hold="go")
    put(db)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drained, two, "classify")
        await eventually(lambda: primary.calls)
        put(db)
        assert (await drain_by_hand(two, db)).done == {"classify": 1}
        assert primary.calls[0].ended_ns is None
        primary.release("go")
    assert (len(primary.calls), len(large.calls)) == (1, 1)
