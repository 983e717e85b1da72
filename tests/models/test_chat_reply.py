"""Chat calls that go well: what is sent, what comes back, what is heard on the way."""

from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from services.model.chat import chat
from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json
from services.model.reply import ToolCall
from services.model.request import ChatRequest, Message, Tool
from tests.fakes.model_server import ModelServer
from tests.models.conftest import Connect
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

ASKED = ChatRequest((Message("system", "짧게 답하라."), Message("user", "연차는 며칠인가?")), max_tokens=100)
WEATHER = Tool("weather", "날씨를 준다", {"type": "object", "properties": {"city": {"type": "string"}}})


class Days(BaseModel):
    days: int


async def test_chat__gives_the_text_and_what_the_server_says_of_it(model: ModelServer, connect: Connect) -> None:
    model.say(text="15일입니다.", comments=3)
    reply = await chat(connect(), ASKED)
    assert (reply.text, reply.reasoning, reply.finish_reason, reply.model) == ("15일입니다.", "", "stop", "scripted")
    assert (reply.tokens_in, reply.tokens_out) == (4, 2)
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("primary", "interactive", "test")
    assert not call.left


async def test_chat__sends_a_stream_request_without_a_null(model: ModelServer, connect: Connect) -> None:
    await chat(connect(model=None), replace(ASKED, stop=("끝",)))
    assert model.calls[0].body == {
        "messages": [
            {"role": "system", "content": "짧게 답하라."},
            {"role": "user", "content": "연차는 며칠인가?"},
        ],
        "max_tokens": 100,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["끝"],
    }


async def test_chat__sends_half_a_surrogate_pair_as_a_mark(model: ModelServer, connect: Connect) -> None:
    await chat(connect(), replace(ASKED, messages=(Message("user", "가\ud800나"),)))
    assert model.calls[0].body["messages"][0]["content"] == "가?나"


async def test_chat__sends_the_key_as_bearer(model: ModelServer, connect: Connect) -> None:
    await chat(connect(api_key="sk-1"), ASKED)
    await chat(connect(), ASKED)
    assert [call.headers.get("authorization") for call in model.calls] == ["Bearer sk-1", None]


async def test_chat__uses_its_connection_again(model: ModelServer, connect: Connect) -> None:
    used = set()
    connection = connect()
    for _ in range(3):
        await chat(connection, ASKED)
        (pooled,) = connection.http._transport._pool.connections  # type: ignore[attr-defined]
        used.add(id(pooled))
    assert len(used) == 1
    assert model.most == 1


async def test_heard__gets_pieces_while_the_model_still_writes(model: ModelServer, connect: Connect) -> None:
    connection = connect()
    await chat(connection, ASKED)  # a first whole reply shows that nothing is thought before it
    model.say(text="가나다라마바사아자차카타", end="hang", after=2)
    heard: list[str] = []
    piece = anyio.Event()

    async def hear(text: str) -> None:
        heard.append(text)
        piece.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chat, connection, ASKED, hear)
        with anyio.fail_after(10):
            await piece.wait()
        assert model.state.now == 1
        tasks.cancel_scope.cancel()
    assert "가나다라마바사아".startswith("".join(heard))


async def test_heard__is_the_text_piece_by_piece(model: ModelServer, connect: Connect) -> None:
    model.say(text="\n 가나 다라\n마바사 ", reasoning="음…", piece_chars=1)
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    reply = await chat(connect(), ASKED, hear)
    assert "".join(heard) == reply.text == "가나 다라\n마바사 "
    assert len(heard) > 3


async def test_cancel__stops_the_server_at_once(model: ModelServer, connect: Connect) -> None:
    for words in ({"after": 1, "end": "hang"}, {"end": "hang"}, {"token_s": 600.0}, {"first_s": 600.0}):
        model.say(text="가나다라마바사", **words)
        before = len(model.calls)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat, connect(), ASKED)
            await eventually(partial(called_since, model, before))
            tasks.cancel_scope.cancel()
        await eventually(lambda: model.state.now == 0)
        assert model.calls[-1].left, words


def called_since(model: ModelServer, before: int) -> bool:
    """Say whether a call came after the first so many."""
    return len(model.calls) > before


async def test_time_limit__leaves_the_server_free(model: ModelServer, connect: Connect) -> None:
    model.say(end="hang")
    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.2):
            await chat(connect(), ASKED)
    await eventually(lambda: model.state.now == 0)
    model.say(text="네.")
    assert (await chat(connect(), ASKED)).text == "네."


@pytest.mark.parametrize("whole", [False, True])
async def test_tools__are_put_together_from_their_pieces(model: ModelServer, connect: Connect, whole: bool) -> None:
    calls = [{"name": "weather", "arguments": {"city": "서울"}}, {"name": "weather", "arguments": {"city": "부산"}}]
    model.say(tools=calls, tools_whole=whole)
    reply = await chat(connect(), replace(ASKED, tools=(WEATHER,), tool_choice="auto"))
    assert [(call.id, call.name, call.read()) for call in reply.tool_calls] == [
        ("call_0", "weather", {"city": "서울"}),
        ("call_1", "weather", {"city": "부산"}),
    ]
    assert (reply.text, reply.finish_reason) == ("", "tool_calls")
    body = model.calls[0].body
    assert (body["tools"][0]["function"]["name"], body["tool_choice"]) == ("weather", "auto")


async def test_tools__a_call_and_its_result_go_back(model: ModelServer, connect: Connect) -> None:
    call = ToolCall("call_0", "weather", '{"city": "서울"}')
    talk = (*ASKED.messages, Message("assistant", "", (call,)), Message("tool", "맑음", tool_call_id="call_0"))
    await chat(connect(), replace(ASKED, messages=talk, tools=(WEATHER,)))
    *_, assistant, tool = model.calls[0].body["messages"]
    assert assistant["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "서울"}'}
    assert tool == {"role": "tool", "content": "맑음", "tool_call_id": "call_0"}


async def test_tools__broken_arguments_are_kept_and_told_when_they_are_read(
    model: ModelServer, connect: Connect
) -> None:
    model.say(tools=[{"name": "weather", "arguments": '{"city": "서'}], finish="stop")
    (call,) = (await chat(connect(), ASKED)).tool_calls
    assert call.arguments == '{"city": "서'
    with pytest.raises(ReplyMisshapen):
        call.read()


async def test_json__comes_in_any_mode(model: ModelServer, connect: Connect) -> None:
    model.say(text='{"days": 15}')
    for mode in ("prompt", "json_object", "json_schema"):
        reply = await chat(connect(json_mode=mode, thinking=False), replace(ASKED, shape=Days))
        assert read_json(reply.text, Days).days == 15
    formats = [call.body.get("response_format") for call in model.calls]
    assert formats[:2] == [None, {"type": "json_object"}]
    assert formats[2] == {"type": "json_schema", "json_schema": {"name": "Days", "schema": Days.model_json_schema()}}
    assert all(call.body["chat_template_kwargs"] == {"enable_thinking": False} for call in model.calls)


async def test_json__thinking_is_left_alone_where_text_is_wanted(model: ModelServer, connect: Connect) -> None:
    await chat(connect(json_mode="json_schema", thinking=False), ASKED)
    assert model.calls[0].body.keys() & {"response_format", "chat_template_kwargs"} == set()


async def test_plain_reply__is_taken_where_a_stream_was_asked_for(model: ModelServer, connect: Connect) -> None:
    model.say(text="15일입니다.", reasoning="음", plain=True)
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    reply = await chat(connect(), ASKED, hear)
    assert (reply.text, reply.reasoning, "".join(heard)) == ("15일입니다.", "음", "15일입니다.")
    assert reply.tokens_out == 3


STREAMS: tuple[dict[str, Any], ...] = (
    {"newline": "\r\n"},
    {"newline": "\r"},
    {"escaped": True},
    {"http10": True},
    {"headers": {"Content-Type": "text/plain"}},
    {"usage": False},
    {"finish": "eos"},
)


@pytest.mark.parametrize("words", STREAMS, ids=str)
async def test_streams__of_many_manners_give_one_text(model: ModelServer, connect: Connect, words: Any) -> None:
    model.say(text="연차는 15일입니다.", **words)
    assert (await chat(connect(), ASKED)).text == "연차는 15일입니다."
