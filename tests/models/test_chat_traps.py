"""The traps that real chat servers set (docs: what OpenAI-compatible servers do differently), one test each.

Those of embeddings, rerank and health stand beside the tests of those calls.
"""

from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest
from pydantic import BaseModel

from services.model.chat import chat
from services.model.errors import (
    ModelMisnamed,
    ModelUnavailable,
    ReplyBroken,
    ReplyCut,
    ReplyEmpty,
    RequestRefused,
)
from services.model.jsonreply import read_json
from services.model.reply import Reply
from services.model.request import ChatRequest, Message
from tests.fakes.model_server import ModelServer
from tests.models.conftest import Connect
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

ASKED = ChatRequest((Message("user", "연차는 며칠인가?"),), max_tokens=100)
ANSWER, THOUGHT = "연차는 15일입니다.", "휴가 규정을 보자."


class Days(BaseModel):
    days: int


AS_JSON = replace(ASKED, shape=Days)


async def test_trap_1__a_reply_is_whole_with_finish_reason_and_done_only(model: ModelServer, connect: Connect) -> None:
    model.say(text=ANSWER, comments=2)
    assert (await chat(connect(), ASKED)).text == ANSWER
    assert model.calls[0].body["stream"] is True
    for words in ({"done": False}, {"finish": None}, {"end": "close", "after": 2, "http10": True}):
        model.say(text=ANSWER, **words)
        with pytest.raises(ReplyBroken) as caught:
            await chat(connect(), ASKED)
        assert caught.value.hint, words
        assert ANSWER.startswith(caught.value.reply), words


async def test_trap_1__json_is_asked_for_as_a_stream_too(model: ModelServer, connect: Connect) -> None:
    model.say(text='{"days": 15}')
    await chat(connect(json_mode="json_schema"), AS_JSON)
    assert model.calls[0].body["stream"] is True


MANNERS = ("reasoning", "reasoning_content", "both", "think", "headless")


@pytest.mark.parametrize("manner", MANNERS)
async def test_trap_2__thoughts_are_set_apart_and_never_heard(
    model: ModelServer, connect: Connect, manner: str
) -> None:
    connection = connect()
    model.say(text=ANSWER, reasoning=THOUGHT, reasoning_as=manner, piece_chars=1)
    for _ in range(2):
        heard: list[str] = []
        reply = await asked_aloud(connection, heard)
        assert (reply.text, reply.reasoning, "".join(heard)) == (ANSWER, THOUGHT, ANSWER)


async def test_trap_2__an_unclosed_thought_is_no_answer(model: ModelServer, connect: Connect) -> None:
    heard: list[str] = []
    model.say(text=ANSWER, reasoning=THOUGHT, reasoning_as="unclosed", piece_chars=1)
    with pytest.raises(ReplyEmpty) as caught:
        await asked_aloud(connect(), heard)
    assert (caught.value.reply, heard) == (THOUGHT, [])


async def asked_aloud(connection: Any, heard: list[str]) -> Reply:
    async def hear(text: str) -> None:
        heard.append(text)

    return await chat(connection, ASKED, hear)


@pytest.mark.parametrize(("finish", "error"), [("length", ReplyCut), ("stop", ReplyEmpty)])
async def test_trap_3__no_text_is_an_error_of_its_own(
    model: ModelServer, connect: Connect, finish: str, error: type[Exception]
) -> None:
    for words in ({"reasoning": THOUGHT}, {"plain": True}, {}):
        model.say(text="", finish=finish, **words)
        with pytest.raises(error):
            await chat(connect(), ASKED)


async def test_trap_3__a_cut_text_is_given_and_a_cut_json_is_not(model: ModelServer, connect: Connect) -> None:
    model.say(text='{"days": 1', finish="length")
    assert (await chat(connect(), ASKED)).finish_reason == "length"
    with pytest.raises(ReplyCut):
        await chat(connect(), AS_JSON)


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_trap_4__a_server_without_schemas_is_asked_without(
    model: ModelServer, connect: Connect, status: int
) -> None:
    refusal = {"status": status, "body": {"error": "'response_format.type' must be 'json_schema' or 'text'"}}
    model.script({"when": {"has": "response_format"}, "say": refusal}, {"say": {"text": '```json\n{"days": 15}\n```'}})
    connection = connect(json_mode="json_object", thinking=False)
    reply = await chat(connection, AS_JSON)
    assert read_json(reply.text, Days).days == 15
    assert [call.body.keys() & {"response_format", "chat_template_kwargs"} != set() for call in model.calls] == [
        True,
        False,
    ]
    await chat(connection, AS_JSON)
    # Remembered, since behind litellm each refusal shuts out everybody; a failure (500) may have been chance.
    assert len(model.calls) == (4 if status == 500 else 3)


async def test_trap_4__json_among_the_thoughts_is_found(model: ModelServer, connect: Connect) -> None:
    for manner in ("reasoning_content", "unclosed"):
        model.say(text="", reasoning='{"days": 15}', reasoning_as=manner)
        reply = await chat(connect(), AS_JSON)
        assert read_json(reply.text, Days).days == 15


BODIES: tuple[tuple[Any, str], ...] = (
    ({"error": "no\u0007 such\n thing"}, "no such thing"),
    ({"error": {"message": "no such thing", "type": "t", "code": None}}, "no such thing"),
    ({"error": {"message": {"detail": "no such thing"}}}, "no such thing"),
    ({"detail": "no such thing"}, "no such thing"),
    ({"detail": [{"loc": ["body", "stop"], "msg": "no such thing"}]}, "body.stop: no such thing"),
    ({"message": "no such thing", "error_type": "validation"}, "no such thing"),
    ("no such thing", "no such thing"),
    ("<html><title>no such thing</title></html>", "no such thing"),
    (None, "said nothing"),
    ("[" * 5000, "[["),
    ({"error": "x" * 5000}, "xx…"),
)


@pytest.mark.parametrize(("body", "said"), BODIES, ids=lambda value: str(value)[:40])
async def test_trap_5__error_bodies_of_all_forms_are_read(
    model: ModelServer, connect: Connect, body: Any, said: str
) -> None:
    model.say(status=400, body=body)
    with pytest.raises(RequestRefused) as caught:
        await chat(connect(), ASKED)
    message = str(caught.value)
    assert said in message
    assert message.isprintable()
    assert len(message) < 600


async def test_trap_5__a_404_is_not_always_a_wrong_name(model: ModelServer, connect: Connect) -> None:
    cases: tuple[tuple[Any, type[Exception]], ...] = (
        ({"error": "Only user and assistant roles are supported!"}, RequestRefused),
        ({"error": "Generation thread is not running"}, ModelUnavailable),
        ({"error": "Repository Not Found for url: https://hub/api/models/x."}, ModelMisnamed),
        ("Not Found", ModelMisnamed),
    )
    for body, error in cases:
        model.say(status=404, body=body)
        with pytest.raises(error) as caught:
            await chat(connect(), ASKED)
        assert type(caught.value) is error, body


async def test_trap_6__the_name_is_sent_as_it_is_and_nulls_never(model: ModelServer, connect: Connect) -> None:
    for name in ("/models/Qwen3-30B 4bit", "default_model", None):
        await chat(connect(model=name, json_mode="json_schema", thinking=False), AS_JSON)
        body = model.calls[-1].body
        assert ("model" in body, body.get("model")) == (name is not None, name)
        assert None not in flat(body)


def flat(given: Any) -> list[Any]:
    """Give all values of a body, however deep."""
    if isinstance(given, dict):
        return [value for each in given.values() for value in flat(each)]
    return [value for each in given for value in flat(each)] if isinstance(given, list) else [given]


async def test_trap_11__a_model_in_its_cool_down_is_unavailable_until_then(
    model: ModelServer, connect: Connect
) -> None:
    said = {"error": {"message": "No deployments available for selected model. Try again in 5 seconds.", "code": "429"}}
    for header, after_s in (("5", 5.0), ("0.5", 0.5), ("soon", None), ("-1", 0.0), ("nan", None)):
        model.say(status=429, body=said, headers={"Retry-After": header})
        with pytest.raises(ModelUnavailable) as caught:
            await chat(connect(), ASKED)
        assert (caught.value.after_s, type(caught.value)) == (after_s, ModelUnavailable)
    assert len(model.calls) == 5  # asked once each: asking again would lengthen the cool-down


async def test_trap_12__a_long_silence_is_no_failure(model: ModelServer, connect: Connect) -> None:
    model.say(text=ANSWER, hold="prompt read")
    connection = connect()
    # A client whose reads are limited, as httpx does by itself, must not limit ours.
    async with (
        httpx.AsyncClient(timeout=httpx.Timeout(0.05, connect=10)) as impatient,
        anyio.create_task_group() as all_,
    ):
        replies: list[Reply] = []

        async def ask() -> None:
            replies.append(await chat(replace(connection, http=impatient), ASKED))

        all_.start_soon(ask)
        await eventually(lambda: len(model.calls) == 1)
        await anyio.sleep(0.2)  # not a hope: four times the limit that must not count
        model.release("prompt read")
    assert replies[0].text == ANSWER


async def test_usage__a_server_that_knows_no_stream_options_is_asked_without(
    model: ModelServer, connect: Connect
) -> None:
    refusal = {"status": 400, "body": {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}}
    model.script({"when": {"has": "stream_options"}, "say": refusal}, {"say": {"text": ANSWER}})
    connection = connect()
    for _ in range(2):
        reply = await chat(connection, ASKED)
        assert (reply.text, reply.tokens_out) == (ANSWER, None)
    assert len(model.calls) == 3
