"""Calls of tools as servers send them, whether there may be any, and a server that is asked if it is there."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import anyio
import pytest

from db.pool import Database
from services.kit.settings import Settings, load_settings
from services.model.chat import chat
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import RequestRefused
from services.model.request import ChatRequest, Message, Tool, body_of
from services.wiring import open_model_client
from tests.fakes.model_server import ModelServer
from tests.models.conftest import Connect

pytestmark = pytest.mark.anyio
SEARCH = Tool("search", "자료를 찾는다", {"type": "object", "properties": {"query": {"type": "string"}}})
ASKED = ChatRequest((Message("user", "작동 압력은?"),), max_tokens=100)
MAY = replace(ASKED, tools=(SEARCH,), tool_choice="auto")
MAY_NOT = replace(MAY, tool_choice="none")


def streamed(*deltas: dict[str, Any], finish: str = "tool_calls") -> str:
    """Write the event stream of a server of another kind, as it stands."""
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    lines = [f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in choices]
    return "".join([*lines, "data: [DONE]\n\n"])


def piece(arguments: str, **more: Any) -> dict[str, Any]:
    """Write a piece of a call."""
    named = {"name": more.pop("name")} if "name" in more else {}
    return {"tool_calls": [{**more, "function": {**named, "arguments": arguments}}]}


async def test_body__without_tools_has_no_word_of_them(model: ModelServer, connect: Connect) -> None:
    connection = connect()
    plain = body_of(connection.endpoint, ASKED)
    assert plain == body_of(connection.endpoint, replace(ASKED, tool_choice="none"))
    assert set(plain) == {"model", "messages", "max_tokens", "temperature", "stream"}
    assert plain["messages"] == [{"role": "user", "content": "작동 압력은?"}]


async def test_choice__is_sent_and_followed(model: ModelServer, connect: Connect) -> None:
    model.script(
        {"when": {"tool_choice": "none"}, "say": {"text": "1.2 MPa입니다."}},
        {"when": {"tool_choice": "auto"}, "say": {"tools": [{"name": "search", "arguments": {"query": "압력"}}]}},
    )
    may, may_not = await chat(connect(), MAY), await chat(connect(), MAY_NOT)
    assert [call.read() for call in may.tool_calls] == [{"query": "압력"}]
    assert (may_not.text, may_not.tool_calls) == ("1.2 MPa입니다.", ())
    assert [call.body["tool_choice"] for call in model.calls] == ["auto", "none"]
    assert model.calls[0].body["tools"] == model.calls[1].body["tools"]


async def test_arguments__are_a_text_of_json_in_a_plain_reply_too(model: ModelServer, connect: Connect) -> None:
    model.say(tools=[{"name": "search", "arguments": {"query": "압력"}}], plain=True)
    (call,) = (await chat(connect(), MAY)).tool_calls
    assert (call.arguments, call.read()) == ('{"query": "압력"}', {"query": "압력"})


async def test_pieces__without_an_index_go_on_with_the_last_call(model: ModelServer, connect: Connect) -> None:
    model.say(raw=streamed(piece('{"que', name="search", id="a"), piece('ry": "x"}'), piece("{}", name="search")))
    calls = (await chat(connect(), MAY)).tool_calls
    assert [(call.id, call.read()) for call in calls] == [("a", {"query": "x"}), ("", {})]


async def test_calls__that_all_bear_the_index_0_stay_apart(model: ModelServer, connect: Connect) -> None:
    one, other = (piece(f'{{"query": "{word}"}}', name="search", id=word, index=0) for word in ("a", "b"))
    model.say(raw=streamed(one, other))
    assert [call.id for call in (await chat(connect(), MAY)).tool_calls] == ["a", "b"]


async def test_words__before_a_call_are_kept_beside_it(model: ModelServer, connect: Connect) -> None:
    model.say(text="찾아보겠습니다.", tools=[{"name": "search", "arguments": {"query": "압력"}}])
    heard: list[str] = []

    async def hear(piece: str) -> None:
        heard.append(piece)

    reply = await chat(connect(), MAY, hear)
    assert (reply.text, "".join(heard), len(reply.tool_calls)) == ("찾아보겠습니다.", "찾아보겠습니다.", 1)


async def test_server__that_takes_no_tools_is_told_of(model: ModelServer, connect: Connect) -> None:
    model.script({"when": {"has": "tools"}, "say": {"status": 400, "body": {"error": "model does not support tools"}}})
    with pytest.raises(RequestRefused, match="does not support tools"):
        await chat(connect(), MAY)


@pytest.fixture
async def models(settings: Settings, pool: Database, model: ModelServer) -> AsyncIterator[ModelClient]:
    """The door of a process, with the scripted server as DEEP."""
    served = {"deep": {"base_url": model.url, "model": "large"}}
    changed = load_settings(home=settings.home, database_url=settings.database_url, models=served)
    async with open_model_client(changed, pool) as client:
        yield client


async def test_answers__tells_there_from_away_without_a_call(models: ModelClient, model: ModelServer) -> None:
    assert await models.answers(Role.DEEP, 5.0) is True
    model.script({"when": {"kind": "models"}, "say": {"status": 503, "body": {"error": "loading"}}})
    assert await models.answers(Role.DEEP, 5.0) is False
    await model.close()
    assert await models.answers(Role.DEEP, 5.0) is False
    assert await models.answers(Role.PRIMARY, 5.0) is False
    assert model.calls == []


async def test_answers__does_not_know_of_a_server_that_is_silent(models: ModelClient, model: ModelServer) -> None:
    model.script({"when": {"kind": "models"}, "say": {"hold": "go"}})
    assert await models.answers(Role.DEEP, 0.05) is None


async def test_answers__does_not_wait_at_the_gate(models: ModelClient, model: ModelServer) -> None:
    model.script({"when": {"kind": "chat"}, "say": {"text": "네", "hold": "go"}})
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(models.chat, Call(Role.DEEP), ASKED)
            assert await models.answers(Role.DEEP, 5.0) is True
            model.release("go")
