"""Two scripted model servers, DEEP and PRIMARY, behind the real stages: documents that a model may search by itself."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.stages import stage_named
from services.tools import Tools
from services.wiring import open_tools
from tests.corridors.http_fixtures import client_of, serving
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer
from tests.fakes.model_server import serving as model_serving

Row = dict[str, Any]
Put = Callable[..., Awaitable[Row]]
SENTENCE = "안전밸브의 작동 압력은 1.2 MPa이다."
FACTS = f"# 점검 지침\n\n{SENTENCE}\n\n점검 기록은 3년간 보관한다.\n"
OTHER = "# 식당 안내\n\nThe canteen opens at noon. 비빔밥은 8,000원이다.\n"
SECRET = "# 비밀 지침\n\n안전밸브의 비밀 작동 압력은 9.9 MPa이다.\n"
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
GOOD = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]."


def searching(query: str = "안전밸브 작동 압력", **more: Any) -> Row:
    """Make a call of the tool."""
    return {"name": "search", "arguments": {"query": query, **more}}


def loop(*first: Row, last: str = GOOD) -> list[Row]:
    """Script a model that calls tools first, once per call allowed, and then answers."""
    calls = [{"when": {"tool_choice": "auto"}, "say": {"tools": [each]}, "times": 1} for each in first]
    return [*calls, {"when": {"kind": "chat"}, "say": {"text": last}}]


def chats(model: ModelServer) -> list[Call]:
    """Give the calls that made a server write."""
    return [call for call in model.calls if call.kind == "chat"]


def told(call: Call) -> str:
    """Give what the tools told the model before this call."""
    return "\n".join(str(each["content"]) for each in call.body["messages"] if each["role"] == "tool")


def served(settings: Settings, roles: dict[str, ModelServer], **answer: Any) -> Settings:
    """Give settings with a scripted server for each role."""
    models = {role: {"base_url": server.url, "model": role} for role, server in roles.items()}
    calls = {"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000}
    given = {"models": models, "calls": calls, "answer": answer}
    return load_settings(home=settings.home, database_url=settings.database_url, **given)


@pytest.fixture
async def deep() -> AsyncIterator[ModelServer]:
    """The server of DEEP: searches once, then answers."""
    async with model_serving() as server:
        server.script(*loop(searching()))
        yield server


@pytest.fixture
async def primary() -> AsyncIterator[ModelServer]:
    """The server of PRIMARY."""
    async with model_serving() as server:
        server.say(text="안녕하세요.")
        yield server


def worker(settings: Settings, tools: Tools, stage: str, until_empty: bool = False) -> Runner[Tools]:
    """Make the runner of a stage."""
    assert settings.database_url is not None
    queue = settings.queue.model_copy(update={"watch_s": 0.05, "retry_after_s": 0.05})
    return Runner(settings.database_url.get_secret_value(), stage_named(stage), tools, queue, until_empty)


@asynccontextmanager
async def housed(settings: Settings) -> AsyncIterator[Tools]:
    """Give a daemon's tools over three documents, of which one is restricted."""
    async with open_tools(settings, "tests") as tools:
        put = "INSERT INTO inbox (filename, content, license, collection) VALUES ($1, $2, $3, $4)"
        async with tools.db.session() as session:
            for name, text, collection in (
                ("점검.md", FACTS, "law"),
                ("식당.md", OTHER, "daily"),
                ("비밀.md", SECRET, "law"),
            ):
                licence = {"restricted": True} if text is SECRET else None
                await session.connection.execute(put, name, text.encode(), licence, collection)
        for stage in ("ingest", "embed"):
            await worker(settings, tools, stage, until_empty=True).run()
        yield tools


@asynccontextmanager
async def up(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a facade with a synthesis daemon behind it, over the three documents."""
    async with (
        housed(settings) as tools,
        serving(settings) as address,
        client_of(address) as client,
        anyio.create_task_group() as tasks,
    ):
        synthesis = worker(settings, tools, "synthesis")
        tasks.start_soon(synthesis.run)
        yield client
        synthesis.stop()


def rows(db: psycopg.Connection, statement: str, *values: object) -> list[Row]:
    """Give rows by column name."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def as_json(value: object) -> str:
    """Write a value as a request or a trace has it."""
    return json.dumps(value, ensure_ascii=False)
