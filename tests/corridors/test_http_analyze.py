"""A person asks what a document says: `POST …/analyze`, with and without waiting, with and without a model."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.settings import Settings
from tests.corridors.http_fixtures import client_of
from tests.corridors.http_fixtures import serving as api_serving
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import all_rows, only
from tests.stages.models import BULLETS, asks, deep, put, seen, served, verdict, working
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
JOB = "SELECT * FROM document_jobs WHERE stage = 'deep'"


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.script(asks("triage", verdict()), asks("deep", deep()))
        yield server


@pytest.fixture
def one(settings: Settings, model: ModelServer) -> Settings:
    return served(settings, {"primary": model})


async def analyzed(settings: Settings, number: int, daemon: bool = True, **query: Any) -> httpx.Response:
    """Ask the real facade, with the daemon beside it."""
    async with (
        api_serving(settings) as address,
        client_of(address) as client,
        working(settings) as runner,
        anyio.create_task_group() as tasks,
    ):
        stage = runner("deep", until_empty=False)
        if daemon:
            tasks.start_soon(stage.run)
        reply = await client.post(f"/api/documents/{number}/analyze", params=query)
        stage.stop()
    return reply


async def test_analyze__waits_for_the_summary_in_the_foreground(
    one: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    number = put(db)
    reply = await analyzed(one, number, wait=True)
    assert reply.status_code == 200
    shown = reply.json()
    assert shown["ai_summary"].startswith("안전밸브 점검 지침\n- ")
    assert (shown["summary_by"], shown["analysis"]["bullets"]) == ("primary:primary", BULLETS)
    assert [klass for _, klass, _ in seen(model.calls)] == ["foreground", "foreground"]
    assert only(db, JOB)["payload"] == {"asked_by": "person"}


async def test_analyze__without_waiting_says_where_to_look(one: Settings, db: psycopg.Connection) -> None:
    number = put(db)
    reply = await analyzed(one, number, daemon=False)
    assert reply.status_code == 202
    assert reply.json() == {"document_id": number, "stage": "deep", "jobs": 1, "url": f"/api/documents/{number}"}
    assert reply.headers["location"] == f"/api/documents/{number}"
    job = only(db, JOB)
    assert (job["status"], job["urgency"]) == ("pending", 0)


async def test_analyze__raises_what_waits_already(one: Settings, db: psycopg.Connection) -> None:
    number = put(db, stage="deep")
    db.execute(
        "UPDATE document_jobs SET run_at = now() + interval '1 hour', payload = '{\"asked_by\": \"triage\"}', "
        "error_code = 'model_unavailable'"
    )
    assert (await analyzed(one, number, daemon=False)).status_code == 202
    job = only(db, JOB)
    assert (job["urgency"], job["run_at"], job["error_code"]) == (0, None, None)
    assert job["payload"] == {"asked_by": "person"}


async def test_analyze__works_by_rules_without_a_model(settings: Settings, db: psycopg.Connection) -> None:
    shown = (await analyzed(settings, put(db), wait=True)).json()
    assert (shown["summary_by"], shown["analysis"]["model"]) == ("rules", "builtin:extractive")
    assert shown["analysis"]["bullets"]


async def test_analyze__says_at_once_that_the_model_is_away(
    one: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script({"say": {"status": 503, "body": {"error": "loading"}}})
    reply = await analyzed(one, put(db), wait=True)
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "model_unavailable")
    job = only(db, JOB)
    assert (job["status"], job["attempts"]) == ("pending", 0)


async def test_analyze__is_accepted_when_it_takes_longer(one: Settings, db: psycopg.Connection) -> None:
    hurried = one.model_copy(update={"answer": one.answer.model_copy(update={"wait_s": 0.1})})
    assert (await analyzed(hurried, put(db), daemon=False, wait=True)).status_code == 202


@pytest.mark.parametrize(("text", "status", "code"), [("", 409, "empty"), ("Some words are here.", 502, "parse_fail")])
async def test_analyze__says_why_there_is_no_summary(
    one: Settings, model: ModelServer, db: psycopg.Connection, text: str, status: int, code: str
) -> None:
    model.script(asks("triage", verdict()), asks("deep", "no JSON"))
    number = put(db, text)
    db.execute("ALTER TABLE document_jobs ALTER COLUMN max_attempts SET DEFAULT 1")
    reply = await analyzed(one, number, wait=True)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


async def test_analyze__of_nothing_is_not_found(one: Settings) -> None:
    assert (await analyzed(one, 99, daemon=False)).status_code == 404


async def test_many_who_wait__cost_no_connection_each(
    one: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script(asks("triage", verdict()), asks("deep", deep(), hold="go"))
    number = put(db)
    replies: list[int] = []
    async with (
        api_serving(one) as address,
        client_of(address) as client,
        working(one) as runner,
        anyio.create_task_group() as tasks,
    ):
        stage = runner("deep", until_empty=False)
        tasks.start_soon(stage.run)

        async def ask() -> None:
            replies.append((await client.post(f"/api/documents/{number}/analyze", params={"wait": True})).status_code)

        async with anyio.create_task_group() as askers:
            for _ in range(20):
                askers.start_soon(ask)
            await eventually(partial(all_rows, db, f"{JOB} AND status = 'processing'"))
            assert (await client.get(f"/api/documents/{number}")).status_code == 200
            model.release("go")
        stage.stop()
    assert replies == [200] * 20
