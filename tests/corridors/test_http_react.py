"""`POST /api/search/ask/react`: the facade, the daemon and a scripted model server, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.settings import Settings
from tests.corridors.deep_fixtures import (
    GOOD,
    QUESTION,
    SENTENCE,
    Row,
    chats,
    deep,
    loop,
    primary,
    rows,
    searching,
    served,
    told,
    up,
)
from tests.corridors.http_fixtures import Told, api, client_of, events_in, serving
from tests.fakes.model_server import ModelServer
from tests.waiting import eventually

__all__ = ["api", "deep", "primary"]
pytestmark = pytest.mark.anyio
PATH = "/api/search/ask/react"


@pytest.fixture
def roles(deep: ModelServer, primary: ModelServer) -> dict[str, ModelServer]:
    return {"deep": deep, "primary": primary, "fallback": primary}


@pytest.fixture
async def client(settings: Settings, roles: dict[str, ModelServer]) -> AsyncIterator[httpx.AsyncClient]:
    async with up(served(settings, roles)) as client:
        yield client


@pytest.fixture
async def facade(settings: Settings, roles: dict[str, ModelServer]) -> AsyncIterator[httpx.AsyncClient]:
    """A facade alone: what it refuses needs no daemon."""
    quick = served(settings, roles, react={"probe_s": 0.3})
    async with serving(quick) as address, client_of(address) as client:
        yield client


def assert_unavailable(response: httpx.Response, db: psycopg.Connection) -> None:
    """It is the contract's 503, and nothing was written that somebody could answer."""
    assert response.status_code == 503
    body = response.json()
    assert body["error_reason"] == "deep_unavailable"
    assert body["error"]["message"]
    assert rows(db, "SELECT * FROM asks") == []


async def test_react__answers_with_citations_and_sources(client: httpx.AsyncClient, deep: ModelServer) -> None:
    body = (await client.post(PATH, json={"question": QUESTION})).json()
    assert (body["answer"], body["refused"], body["mode"], body["partial"]) == (GOOD, False, "react", False)
    assert body["citations"][0]["quote"] == SENTENCE
    (source,) = body["sources"]
    assert (source["n"], source["title"], source["page"], source["cited"]) == (1, "점검 지침", 1, True)
    page = await client.get(source["url"].partition("#")[0], headers={"Accept": "application/json"})
    assert page.json()["text"][source["start"] : source["end"]] == SENTENCE
    assert [call.body["tool_choice"] for call in chats(deep)] == ["auto", "auto"]
    assert 'seodang_asks_total{outcome="answered"} 1.0' in (await client.get("/metrics")).text


async def test_react__leaves_the_plain_ask_as_it_is(client: httpx.AsyncClient, deep: ModelServer) -> None:
    await client.post(PATH, json={"question": QUESTION})
    before = len(chats(deep))
    body = (await client.post("/api/search/ask", json={"question": QUESTION})).json()
    assert {"partial", "sources", "debug_trace"}.isdisjoint(body)
    assert len(chats(deep)) == before


async def test_debug__tells_every_round_and_nothing_without_it(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.say(tools=[searching()])
    body = (await client.post(PATH, json={"question": QUESTION, "debug": True})).json()
    assert [each["last"] for each in body["debug_trace"]["rounds"]] == [False, False, True]
    assert body["debug_trace"]["searches"] == 2
    assert (body["partial"], body["refuse_reason"]) == (True, "answer_empty")
    assert len({each["chunk_id"] for each in body["sources"]}) == len(body["sources"]) == 1
    plain = (await client.post(PATH, json={"question": QUESTION})).json()
    assert "debug_trace" in plain
    assert plain["debug_trace"] is None


async def test_stream__ends_with_all_that_the_plain_reply_has(client: httpx.AsyncClient) -> None:
    events: list[Told] = []
    asked = client.stream("POST", PATH, json={"question": QUESTION, "stream": True})
    async with asked as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [event async for event in events_in(response) if isinstance(event, Told)]
    assert events[-1].name == "done"
    assert events[-1].data["answer"] == GOOD
    assert "".join(event.data["text"] for event in events if event.name == "token") == GOOD
    assert len(events[-1].data["sources"]) == 1
    assert "citation" in [event.name for event in events]
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    assert 'seodang_asks_total{outcome="answered"} 1.0' in (await client.get("/metrics")).text


async def test_filters__reach_the_tool(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script(*loop(searching("작동 압력"), last="NO_ANSWER"))
    await client.post(PATH, json={"question": QUESTION, "filters": {"collection": "daily"}})
    assert SENTENCE not in told(chats(deep)[-1])


async def test_deep_away__is_503_before_anything_is_written(
    facade: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, db: psycopg.Connection
) -> None:
    await deep.close()
    assert_unavailable(await facade.post(PATH, json={"question": QUESTION}), db)
    assert chats(primary) == []


async def test_deep_in_trouble__is_503_too(
    facade: httpx.AsyncClient, deep: ModelServer, db: psycopg.Connection
) -> None:
    deep.script({"say": {"status": 500, "body": {"error": "out of memory"}}})
    assert_unavailable(await facade.post(PATH, json={"question": QUESTION, "stream": True}), db)


async def test_deep_silent__is_503_unless_somebody_holds_it(
    facade: httpx.AsyncClient, deep: ModelServer, db: psycopg.Connection
) -> None:
    deep.script({"when": {"kind": "models"}, "say": {"hold": "go"}})
    assert_unavailable(await facade.post(PATH, json={"question": QUESTION}), db)


async def test_no_model__is_503(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    response = await api.post(PATH, json={"question": QUESTION})
    assert_unavailable(response, db)
    assert "SEODANG_MODELS__DEEP__BASE_URL" in response.json()["error"]["hint"]


async def test_deep_unset__follows_primary(settings: Settings, deep: ModelServer) -> None:
    async with up(served(settings, {"primary": deep})) as client:
        body = (await client.post(PATH, json={"question": QUESTION})).json()
    assert (body["answer"], body["model"]) == (GOOD, "primary:primary")
    assert {call.role for call in chats(deep)} == {"deep"}


async def test_deep_lost_after_the_probe__is_503_without_a_search(
    client: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, db: psycopg.Connection
) -> None:
    deep.script({"when": {"kind": "chat"}, "say": {"status": 503, "body": {"error": "loading"}}})
    response = await client.post(PATH, json={"question": QUESTION})
    assert (response.status_code, response.json()["error_reason"]) == (503, "deep_unavailable")
    (row,) = rows(db, "SELECT status, error_code, trace FROM asks")
    assert (row["status"], row["error_code"]) == ("failed", "deep_unavailable")
    assert "searches" not in (row["trace"] or {})
    assert chats(primary) == []


async def test_switched_off__is_404(settings: Settings, roles: dict[str, ModelServer]) -> None:
    off = served(settings, roles, react={"enabled": False})
    async with serving(off) as address, client_of(address) as client:
        response = await client.post(PATH, json={"question": QUESTION})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "react_disabled")


@pytest.mark.parametrize("body", [{}, {"question": " "}, {"question": "압력", "tools": []}, {"question": "가" * 4001}])
async def test_wrong_bodies__are_the_callers_fault(facade: httpx.AsyncClient, body: Row) -> None:
    assert (await facade.post(PATH, json=body)).status_code == 400


async def test_reader_that_leaves__frees_the_model(
    settings: Settings, roles: dict[str, ModelServer], deep: ModelServer, db: psycopg.Connection
) -> None:
    deep.script({"when": {"kind": "chat"}, "say": {"text": GOOD, "hold": "never"}})

    def seats() -> list[Any]:
        return db.execute("SELECT state FROM gate_status").fetchall()

    async with up(served(settings, roles, leave_s=0.05)) as client:
        with anyio.move_on_after(20):
            async with client.stream("POST", PATH, json={"question": QUESTION, "stream": True}):
                await eventually(lambda: chats(deep))
        await eventually(lambda: chats(deep)[0].left)
        await eventually(lambda: not seats())
        await eventually(lambda: rows(db, "SELECT error_code FROM asks") == [{"error_code": "cancelled"}])
