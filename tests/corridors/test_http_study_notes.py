"""Notes and analyses over HTTP: made on wish, given at once when they are there, 202 while they are not."""

from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from services.kit.settings import Settings
from services.tools import Tools
from services.wiring import open_tools
from tests.corridors.http_fixtures import api
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows, drain, only
from tests.stages.study_notes import (
    BOILER,
    VALVE,
    answer,
    question,
    quiz,
    read_in,
    reply,
    restrict,
    served_by,
    tie,
    topic,
)

__all__ = ["api", "drain"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply(note="## 점검\n- 안전밸브는 매년 4월에 시험한다 [1]."))
        yield server


@pytest.fixture
async def wired(settings: Settings, model: ModelServer) -> AsyncIterator[Tools]:
    async with open_tools(served_by(settings, model.url), "tests") as tools:
        yield tools


async def test_note__is_made_in_the_foreground_and_then_given_at_once(
    api: httpx.AsyncClient, drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    url = f"/api/study/topics/{topic(db, await read_in(db, drain, VALVE, 'valve.md'))}/note"
    none = await api.get(url)
    assert (none.status_code, none.json()["error"]["code"]) == (404, "not_made")
    asked = await api.post(url)
    assert (asked.status_code, asked.headers["location"], asked.json()["status"]) == (202, url, "pending")
    assert (await api.get(url)).status_code == 202
    await drain("note", with_tools=wired)
    ready = await api.post(url)
    assert ready.status_code == 200
    note = ready.json()
    assert note["text"] == "## 점검\n\n- 안전밸브는 매년 4월에 시험한다 [1]."
    assert (note["status"], note["stale"], note["model"]) == ("ready", False, "primary:small")
    (cited,) = note["citations"]
    assert cited["url"] == f"/api/documents/1/pages/1?start={cited['start']}&end={cited['end']}#quote"
    page = (await api.get("/api/documents/1/pages/1", headers={"Accept": "application/json"})).json()
    assert page["text"][cited["start"] : cited["end"]] == cited["quote"]
    assert [call.klass for call in model.calls] == ["foreground"]


async def test_note__asked_for_twice_is_one_job_and_asked_for_again_is_made_again(
    api: httpx.AsyncClient, drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    url = f"/api/study/topics/{topic(db, await read_in(db, drain, VALVE, 'valve.md'))}/note"
    assert [(await api.post(url)).status_code for _ in range(2)] == [202, 202]
    await drain("note", with_tools=wired)
    assert (await api.post(url, json={})).status_code == 200
    again = await api.post(url, json={"again": True})
    assert (again.status_code, again.json()["text"] is not None) == (202, True)
    await drain("note", with_tools=wired)
    assert len(model.calls) == 2
    assert [row["status"] for row in all_rows(db, "SELECT status FROM study_topic_jobs")] == ["completed"] * 2


async def test_stale_note__is_given_and_says_so(api: httpx.AsyncClient, drain: Drain, db: psycopg.Connection) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    await api.post(f"/api/study/topics/{number}/note")
    await drain("note")
    tie(db, number, await read_in(db, drain, BOILER, "boiler.md"))
    note = (await api.post(f"/api/study/topics/{number}/note")).json()
    assert (note["status"], note["stale"], bool(note["text"])) == ("stale", True, True)


async def test_note_that_quotes_what_became_restricted__is_not_given(
    api: httpx.AsyncClient, drain: Drain, db: psycopg.Connection
) -> None:
    valve = await read_in(db, drain, VALVE, "valve.md")
    number = topic(db, valve)
    await api.post(f"/api/study/topics/{number}/note")
    await drain("note")
    restrict(db, valve)
    refused = await api.get(f"/api/study/topics/{number}/note")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "restricted")
    assert (await api.post(f"/api/study/topics/{number}/note")).status_code == 202
    await drain("note")
    skipped = await api.get(f"/api/study/topics/{number}/note")
    assert (skipped.status_code, skipped.json()["error"]["code"]) == (409, "evidence_missing")


async def test_note_that_failed__says_why(
    api: httpx.AsyncClient, drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    model.say(text="no JSON")
    await api.post(f"/api/study/topics/{number}/note")
    for _ in range(2):
        db.execute("UPDATE study_topic_jobs SET run_at = NULL")
        await drain("note", with_tools=wired)
    failed = await api.get(f"/api/study/topics/{number}/note")
    assert (failed.status_code, failed.json()["error"]["code"]) == (502, "parse_fail")


async def test_analysis__of_a_finished_quiz_is_made_and_given(
    api: httpx.AsyncClient, drain: Drain, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    made = quiz(db, number, {question(db, number, "작동 압력은 얼마인가?", "1.2 MPa", "3 MPa"): "wrong"})
    url = f"/api/study/quizzes/{made}/analysis"
    assert (await api.get(url)).json()["error"]["code"] == "not_made"
    assert (await api.post(url)).status_code == 202
    await drain("analysis")
    found = await api.get(url)
    assert (found.status_code, found.json()["status"]) == (200, "ready")
    assert found.json()["text"].startswith("1문제 가운데 1문제에 답했습니다: 정답 0, 오답 1")
    assert found.json()["citations"][0]["url"].startswith("/api/documents/1/pages/1?start=")
    answer(db, 1, "right")
    assert (await api.get(url)).json()["stale"] is False  # an answer outside of the quiz is none of its facts


async def test_analysis_of_an_open_quiz__is_refused(
    api: httpx.AsyncClient, drain: Drain, db: psycopg.Connection
) -> None:
    row = only(db, "INSERT INTO study_quizzes (study_topic_id) VALUES (%s) RETURNING id", topic(db))
    refused = await api.post(f"/api/study/quizzes/{row['id']}/analysis")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "quiz_open")


async def test_note_and_analysis_of_nothing__are_not_found(api: httpx.AsyncClient) -> None:
    urls = ("/api/study/topics/9/note", "/api/study/quizzes/9/analysis")
    found = [(await api.get(url)).status_code for url in urls] + [(await api.post(url)).status_code for url in urls]
    assert found == [404] * 4
