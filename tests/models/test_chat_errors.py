"""Everything else that a server can do wrong: each ends in its typed error, with a hint for the operator."""

import socket
from typing import Any

import pytest

from services.model.chat import chat
from services.model.errors import (
    ModelError,
    ModelMisnamed,
    ModelUnavailable,
    PromptTooLong,
    ReplyBroken,
    ReplyCut,
    ReplyMisshapen,
    RequestRefused,
)
from services.model.request import ChatRequest, Message
from tests.fakes.model_server import ModelServer
from tests.models.conftest import Connect

pytestmark = pytest.mark.anyio

ASKED = ChatRequest((Message("user", "연차는 며칠인가?"),), max_tokens=100)
PAGE = "<!DOCTYPE html><html><title>Sign in</title><body>…</body></html>"
CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"네"},"finish_reason":null}]}\n\n'
DEFAULT_LIMIT = 2_000_000


def raw(*lines: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Script an event stream as it stands."""
    return {"raw": "".join(lines).encode(encoding).decode("latin-1")}


REPLIES: dict[str, tuple[dict[str, Any], type[ModelError]]] = {
    "reset before the first byte": ({"end": "reset"}, ModelUnavailable),
    "closed before the first byte": ({"end": "close"}, ModelUnavailable),
    "reset in the middle": ({"end": "reset", "after": 1}, ReplyBroken),
    "half a chunked stream": ({"end": "close", "after": 1}, ReplyBroken),
    "half a stream without a length": ({"end": "close", "after": 1, "http10": True}, ReplyBroken),
    "an empty stream": (raw(""), ReplyBroken),
    "only comments": (raw(": keepalive\n\n"), ReplyBroken),
    "finish without [DONE]": ({"done": False}, ReplyBroken),
    "[DONE] without finish": ({"finish": None}, ReplyBroken),
    "aborted": ({"finish": "abort"}, ReplyBroken),
    "no JSON": (raw(CHUNK, 'data: {"choices"\n\n'), ReplyBroken),
    "a list": (raw("data: [1]\n\n"), ReplyBroken),
    "no chunk": (raw('data: {"choices": "no"}\n\n'), ReplyBroken),
    "not UTF-8": (raw(CHUNK, 'data: {"x": "한글"}\n\n', encoding="cp949"), ReplyBroken),
    "deep JSON": (raw("data: " + "[" * 100_000 + "\n\n"), ReplyBroken),
    "an error in the stream": ({"error": {"message": "Compute error."}, "after": 1}, ReplyBroken),
    "an error text in the stream": ({"error": "Compute error."}, ReplyBroken),
    "an error event of plain text": (raw("event: error\ndata: out of luck\n\n"), ReplyBroken),
    "overload in the stream": ({"error": {"message": "busy", "type": "overloaded_error"}}, ModelUnavailable),
    "503 in the stream": ({"error": {"message": "later", "code": 503}}, ModelUnavailable),
    "a bad request in the stream": ({"error": {"message": "no", "code": 400}}, RequestRefused),
    "too long, told in the stream": (
        {"error": {"message": "Trying to keep the first 9 tokens when context the overflows."}},
        PromptTooLong,
    ),
    "200 with an error": ({"body": {"error": {"message": "no", "type": "invalid_request_error"}}}, RequestRefused),
    "200 with an error text": ({"body": {"error": "Compute error."}}, ReplyBroken),
    "200 for a wrong route": ({"body": {"error": "Unexpected endpoint or method. (POST /x)"}}, ModelMisnamed),
    "200 with some JSON": ({"body": {"status": "ok"}}, ReplyMisshapen),
    "200 with a list": ({"body": ["ok"]}, ReplyMisshapen),
    "200 with a plain reply without an end": ({"plain": True, "finish": None}, ReplyBroken),
    "200 with a page": ({"body": PAGE}, ReplyMisshapen),
    "200 with a page, called a stream": ({"body": PAGE, "headers": {"Content-Type": "text/event-stream"}}, ReplyBroken),
    "200 with words": ({"body": "It works!"}, ReplyBroken),
    "200 with nothing": ({"body": ""}, ReplyBroken),
    "filtered": ({"finish": "content_filter"}, RequestRefused),
    "declined": (
        raw(
            'data: {"choices":[{"delta":{"refusal":"I cannot."},"finish_reason":"stop"}]}\n\n',
            "data: [DONE]\n\n",
        ),
        RequestRefused,
    ),
    "a broken gzip": ({"headers": {"Content-Encoding": "gzip"}}, ReplyBroken),
    "a wrong length": ({"status": 500, "body": "x", "headers": {"Content-Length": "9"}}, ModelUnavailable),
    "a call cut off": ({"tools": [{"name": "f", "arguments": '{"a'}], "finish": "length"}, ReplyCut),
}


@pytest.mark.parametrize("case", REPLIES)
async def test_malformed_reply__ends_in_its_error(model: ModelServer, connect: Connect, case: str) -> None:
    words, error = REPLIES[case]
    model.say(**words)
    with pytest.raises(error) as caught:
        await chat(connect(), ASKED)
    assert caught.value.hint
    assert str(caught.value).endswith(caught.value.hint)
    assert str(caught.value).isprintable()
    assert type(caught.value) is error, str(caught.value)


TOO_LONG = (
    {"error": {"message": "too much", "type": "invalid_request_error", "code": "context_length_exceeded"}},
    {"error": {"message": "This model's maximum context length is 4096 tokens.", "code": 400}},
    {"error": {"code": 400, "message": "the request exceeds the available context size"}},
    {"error": {"code": 500, "message": "increase it", "type": "exceed_context_size_error"}},
    {"error": {"message": "Requested tokens (600) exceed context window of 512", "type": "internal_server_error"}},
    {"error": "Context size has been exceeded."},
    {"error": "Prompt exceeds maximum context length"},
    {"object": "error", "message": "The decoder prompt (length 9) is longer than the maximum model length of 8."},
    {"error": {"message": "litellm.BadRequestError: the input is too long", "code": "400"}},
    {"detail": "prompt is too long: 9000 tokens"},
)


@pytest.mark.parametrize("body", TOO_LONG, ids=lambda body: str(body)[:60])
async def test_too_long_prompt__is_known_by_its_words(model: ModelServer, connect: Connect, body: Any) -> None:
    for status in (400, 500):
        model.say(status=status, body=body)
        with pytest.raises(PromptTooLong) as caught:
            await chat(connect(json_mode="json_object"), ASKED)
        assert "CONTEXT_TOKENS" in caught.value.hint


async def test_too_long_prompt__is_refused_before_the_call_where_the_context_is_known(
    model: ModelServer, connect: Connect
) -> None:
    asked = ChatRequest((Message("user", "가" * 4000),), max_tokens=100)
    with pytest.raises(PromptTooLong):
        await chat(connect(context_tokens=4096), asked)
    assert model.calls == []
    await chat(connect(context_tokens=8192), asked)


STATUSES: tuple[tuple[int, Any, type[ModelError], str], ...] = (
    (401, {"error": "bad key"}, ModelMisnamed, "SEODANG_MODELS__PRIMARY__API_KEY"),
    (403, None, ModelMisnamed, "doctor"),
    (404, {"error": {"message": "model 'x' not found, try pulling it first"}}, ModelMisnamed, "`seodang doctor` lists"),
    (
        404,
        {"error": {"message": "The model `x` does not exist.", "code": 404}},
        ModelMisnamed,
        "`seodang doctor` lists",
    ),
    (400, {"error": {"message": "Invalid model name passed in model=x. Call `/v1/models`"}}, ModelMisnamed, "doctor"),
    (400, {"detail": "Failed to load model: x"}, ModelMisnamed, "doctor"),
    (404, {"error": "Cannot find an appropriate cached snapshot folder on the local disk"}, ModelMisnamed, "doctor"),
    (404, {"error": "[Errno -3] Temporary failure in name resolution"}, ModelMisnamed, "doctor"),
    (404, {"error": "Model type x5 not supported."}, ModelMisnamed, "doctor"),
    (404, {"error": "Cannot apply chat template to an empty conversation."}, RequestRefused, "refused again"),
    (404, {"detail": "Not Found"}, ModelMisnamed, "BASE_URL"),
    (404, "404 page not found", ModelMisnamed, "BASE_URL"),
    (404, PAGE, ModelMisnamed, "BASE_URL"),
    (404, None, ModelMisnamed, "BASE_URL"),
    (405, {"detail": "Method Not Allowed"}, ModelMisnamed, "BASE_URL"),
    (307, "", ModelMisnamed, "BASE_URL"),
    (400, {"error": "temperature must be a number"}, RequestRefused, "refused again"),
    (413, {"error": "body of 9 MB"}, RequestRefused, "refused again"),
    (422, {"detail": [{"loc": ["body"], "msg": "no"}]}, RequestRefused, "refused again"),
    (400, {"error": "This model does not support tools"}, RequestRefused, "refused again"),
    (408, "slow", ModelUnavailable, "log"),
    (500, "boom", ModelUnavailable, "log"),
    (502, PAGE, ModelUnavailable, "log"),
    (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, ModelUnavailable, "log"),
    (504, None, ModelUnavailable, "log"),
    (529, {"error": "overloaded"}, ModelUnavailable, "log"),
)


@pytest.mark.parametrize(("status", "body", "error", "hint"), STATUSES, ids=lambda value: str(value)[:40])
async def test_status__says_what_can_be_done(
    model: ModelServer, connect: Connect, status: int, body: Any, error: type[ModelError], hint: str
) -> None:
    model.say(status=status, body=body)
    with pytest.raises(error) as caught:
        await chat(connect(), ASKED)
    assert type(caught.value) is error, str(caught.value)
    assert hint in caught.value.hint


async def test_retry_after__may_be_a_date(model: ModelServer, connect: Connect) -> None:
    for date, most in (("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0)):
        model.say(status=503, body="", headers={"Retry-After": date})
        with pytest.raises(ModelUnavailable) as caught:
            await chat(connect(), ASKED)
        assert caught.value.after_s == most


async def test_refused_connection__says_to_start_the_server(connect: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, but nobody listens
        with pytest.raises(ModelUnavailable) as caught:
            await chat(connect(url=f"http://127.0.0.1:{taken.getsockname()[1]}"), ASKED)
    assert "Start the model server" in caught.value.hint


async def test_unknown_host_and_bad_key__are_told_without_a_call(connect: Connect, model: ModelServer) -> None:
    with pytest.raises(ModelUnavailable):
        await chat(connect(url="http://nowhere.invalid:1"), ASKED)
    for key in ("sk-1\nX-Evil: 1", "sk-1 열쇠"):
        with pytest.raises(ModelMisnamed) as caught:
            await chat(connect(api_key=key), ASKED)
        assert "API_KEY" in caught.value.hint
        assert "sk-1" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert model.calls == []


async def test_error_without_an_end__is_read_to_a_bound(model: ModelServer, connect: Connect) -> None:
    model.say(status=400, body="x" * 10_000_000)
    with pytest.raises(RequestRefused):
        await chat(connect(), ASKED)


@pytest.mark.parametrize(
    "words", [{"piece_chars": 100_000}, {"piece_chars": 5_000_000}, {"plain": True, "piece_chars": 100_000}], ids=str
)
async def test_reply_without_an_end__is_broken_off(model: ModelServer, connect: Connect, words: Any) -> None:
    model.say(text="가" * (DEFAULT_LIMIT + 1), **words)
    with pytest.raises(ReplyBroken):
        await chat(connect(), ASKED)


async def test_line_without_an_end__is_broken_off(model: ModelServer, connect: Connect) -> None:
    model.say(raw="data: " + "x" * (17 * 2**20))
    with pytest.raises(ReplyBroken):
        await chat(connect(), ASKED)


async def test_server_that_comes_back__is_found_again(model: ModelServer, connect: Connect) -> None:
    connection = connect()
    await chat(connection, ASKED)
    await model.close()
    with pytest.raises(ModelUnavailable):
        await chat(connection, ASKED)
    await model.open()
    assert (await chat(connection, ASKED)).text


async def test_refusal__that_repeats_the_question_does_so_in_no_log(model: ModelServer, connect: Connect) -> None:
    model.say(status=400, body={"error": {"message": f"cannot take: {ASKED.messages[0].content}"}})
    with pytest.raises(RequestRefused) as caught:
        await chat(connect(), ASKED)
    assert ASKED.messages[0].content in str(caught.value)
    assert ASKED.messages[0].content not in caught.value.for_log
    assert "answered 400 and said: …" in caught.value.for_log
