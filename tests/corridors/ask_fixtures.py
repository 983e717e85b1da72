"""A question on its whole way: a facade, the stages with their gate, and a scripted model server; one document."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.stages import stage_named
from services.tools import Tools
from services.wiring import open_tools
from tests.corridors.http_fixtures import Told, client_of, events_in, serving
from tests.fakes.model_server import ModelServer
from tests.fakes.model_server import serving as model_serving
from tests.waiting import eventually

FACTS = "# 점검 지침\n\n안전밸브의 작동 압력은 1.2 MPa이다.\n\n점검 기록은 3년간 보관한다.\n"
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
GOOD = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]."
STREAM = {"question": QUESTION, "stream": True}
LEAVE_S = 0.3


def draft(answer: str) -> str:
    return json.dumps({"answer": answer, "used_citations": [1], "confidence": "high"}, ensure_ascii=False)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with model_serving() as server:
        server.say(text=draft(GOOD))
        yield server


@pytest.fixture
def served(settings: Settings, model: ModelServer) -> Settings:
    """Settings with the scripted server as PRIMARY, one call an ask, and little patience with clients that left."""
    answer = {"judge": False, "verify": False, "cache": False, "leave_s": LEAVE_S}
    roles = {"primary": {"base_url": model.url, "model": "primary"}}
    calls = {"attempts": 1, "backoff_s": 0.01}
    given: dict[str, Any] = {"models": roles, "calls": calls, "answer": answer}
    return load_settings(home=settings.home, database_url=settings.database_url, **given)


def runner(settings: Settings, tools: Tools, stage: str, until_empty: bool = False) -> Runner[Tools]:
    assert settings.database_url is not None
    queue = settings.queue.model_copy(update={"watch_s": 0.05, "retry_after_s": 0.05})
    return Runner(settings.database_url.get_secret_value(), stage_named(stage), tools, queue, until_empty)


@pytest.fixture
async def wired(served: Settings, db: psycopg.Connection) -> AsyncIterator[Tools]:
    """The tools of a daemon, with one document that can be found."""
    db.execute("INSERT INTO inbox (filename, content) VALUES ('점검.md', %s)", (FACTS.encode(),))
    async with open_tools(served, "tests") as tools:
        for stage in ("ingest", "embed"):
            await runner(served, tools, stage, until_empty=True).run()
        yield tools


@asynccontextmanager
async def working(served: Settings, wired: Tools) -> AsyncIterator[None]:
    """Run the synthesis stage while the body runs."""
    async with anyio.create_task_group() as tasks:
        synthesis = runner(served, wired, "synthesis")
        tasks.start_soon(synthesis.run)
        yield
        synthesis.stop()


@pytest.fixture
async def synthesis(served: Settings, wired: Tools) -> AsyncIterator[None]:
    """The daemon that answers."""
    async with working(served, wired):
        yield


@pytest.fixture
async def client(served: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a facade."""
    async with serving(served) as address, client_of(address) as client:
        yield client


async def read_all(response: httpx.Response) -> list[Told]:
    return [event async for event in events_in(response) if isinstance(event, Told)]


def shown(events: list[Told], text: str = "") -> str:
    """Give the words that a page shows after these events."""
    for event in events:
        if event.name == "token":
            text += event.data["text"]
        elif event.name == "correction":
            text = event.data["text"]
    return text


def endings(db: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Give status and code of every ask, in order."""
    return db.execute("SELECT status, error_code FROM asks ORDER BY id").fetchall()


async def ends_as(db: psycopg.Connection, *wanted: tuple[Any, ...]) -> None:
    """Wait until the asks stand like this."""
    await eventually(lambda: endings(db) == list(wanted))


async def held_call(model: ModelServer, number: int = 1) -> None:
    """Wait until the model has been asked so often."""
    await eventually(lambda: sum(call.kind == "chat" for call in model.calls) >= number)


def seats(db: psycopg.Connection) -> Iterator[str]:
    """Give how the sessions at the gate stand."""
    return (row[0] for row in db.execute("SELECT state FROM gate_status ORDER BY state"))


@asynccontextmanager
async def asked(client: httpx.AsyncClient, held: bool = False) -> AsyncIterator[httpx.Response]:
    """Ask with a stream; the client leaves when the body ends."""
    async with client.stream("POST", "/api/search/ask", json=STREAM) as response:
        assert response.status_code == 200
        yield response


waited = partial(httpx.AsyncClient.post, url="/api/search/ask", json={"question": QUESTION})
