"""One chat call over HTTP to any OpenAI-compatible server: request out, whole reply in, or a typed error.

Pure HTTP: the gate, the time limit, a second try and the breaker are the door's (services/model/client.py). The one
thing that is asked again at once is a request with a field that the server does not take, then without that field.
Who cancels the call closes its connection, and so stops the server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import anyio
import httpx

from services.model.answers import Refusal, error_of, key_header, one_line, read_refusal, setting
from services.model.budget import check_budget
from services.model.connection import Connection
from services.model.endpoint import Endpoint
from services.model.errors import (
    ModelError,
    ModelMisnamed,
    ModelUnavailable,
    PromptTooLong,
    ReplyBroken,
    ReplyMisshapen,
)
from services.model.habits import Habits, habits_of
from services.model.reply import MAX_REPLY_CHARS, Reply, ReplyBuilder
from services.model.request import ChatRequest, body_of, extras_of
from services.model.stream import EventReader

Heard = Callable[[str], Awaitable[None]]
"""Gets each piece of the answer's text as it comes, never what the model thinks."""

JSON_FIELDS = frozenset({"response_format", "chat_template_kwargs"})
DRAIN_S = 0.5
"""Time for the end of the body after `[DONE]`, so that the connection can be used again; it comes at once, if ever."""


async def chat(connection: Connection, request: ChatRequest, heard: Heard | None = None) -> Reply:
    """Ask, and give the whole reply.

    Raises:
        ModelError: see services/model/errors.py; never anything of the HTTP library's.
    """
    endpoint, habits = connection.endpoint, habits_of(connection)
    check_budget(endpoint, request)
    extras = {name: value for name, value in extras_of(endpoint, request).items() if name not in habits.refuses}
    dropped: set[str] = set()
    while True:
        answer = await _ask(connection, request, extras, heard)
        if isinstance(answer, Reply):
            habits.refuses |= dropped
            return answer
        error = error_of(endpoint, answer)
        refused = _fields_to_drop(answer, error, extras)
        if not refused:
            raise error
        # A server that fails (500) may have failed for another reason: that is not remembered.
        dropped |= refused if answer.status != HTTPStatus.INTERNAL_SERVER_ERROR else set()
        extras = {name: value for name, value in extras.items() if name not in refused}


def _fields_to_drop(refusal: Refusal, error: ModelError, extras: dict[str, Any]) -> set[str]:
    """Say without which fields the server may take the request; none where they are not to blame."""
    if isinstance(error, PromptTooLong | ModelMisnamed):
        return set()
    if refusal.status in {400, 422} and "stream_options" in refusal.words:
        return {"stream_options"} & extras.keys()
    return set(JSON_FIELDS & extras.keys()) if refusal.status in {400, 422, 500} else set()


async def _ask(
    connection: Connection, request: ChatRequest, extras: dict[str, Any], heard: Heard | None
) -> Reply | Refusal:
    habits = habits_of(connection)
    body = body_of(connection.endpoint, request) | extras
    hold = heard is not None and habits.opens_thinking is not False
    builder = ReplyBuilder(connection.endpoint, request.shape, hold)
    async with _answering(connection, body) as response:
        if response.status_code != HTTPStatus.OK:
            return await read_refusal(response)
        await _listen(connection.endpoint, response, builder, heard or _nobody)
    rest = builder.close()
    reply = builder.reply()
    if rest:
        await (heard or _nobody)(rest)
    if "chat_template_kwargs" not in extras:
        _learn(habits, builder, reply)
    return reply


@asynccontextmanager
async def _answering(connection: Connection, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
    """Send the request and give the answer from its head on; what breaks before and after it differs in meaning."""
    endpoint, http = connection.endpoint, connection.http
    headers = {**connection.headers, "Accept": "text/event-stream", **key_header(endpoint)}
    # A server may be silent for long, while it reads the prompt: the call's limit rules, not one of the line.
    timeout = httpx.Timeout(None, connect=http.timeout.connect)
    try:
        url = f"{endpoint.v1}/chat/completions"
        request = http.build_request("POST", url, json=body, headers=headers, timeout=timeout)
        response = await http.send(request, stream=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreached(endpoint, error) from error
    try:
        yield response
    except httpx.HTTPError as error:
        raise ReplyBroken(
            f"{endpoint.label} at {endpoint.name} broke off its reply: {_words(error)}.",
            "The server may have been stopped, or have run out of memory: look at its log.",
        ) from error
    finally:
        await response.aclose()


def _unreached(endpoint: Endpoint, error: Exception) -> ModelUnavailable:
    place = f"{endpoint.label} at {endpoint.name}"
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return ModelMisnamed(f"{place} cannot be asked: {_words(error)}.", f"Check {setting(endpoint, 'BASE_URL')}.")
    if isinstance(error, httpx.ConnectTimeout):
        return ModelUnavailable(f"{place} cannot be reached: nothing answered in time.", "Is that host up?")
    if isinstance(error, httpx.ConnectError):
        hint = f"Start the model server, or check {setting(endpoint, 'BASE_URL')}."
        return ModelUnavailable(f"{place} cannot be reached: {_words(error)}.", hint)
    hint = "It may be restarting, or have more connections than it takes: look at its log if this lasts."
    return ModelUnavailable(f"{place} closed the connection without an answer: {_words(error)}.", hint)


def _words(error: Exception) -> str:
    return one_line(str(error)).rstrip(".") or type(error).__name__


async def _listen(endpoint: Endpoint, response: httpx.Response, builder: ReplyBuilder, heard: Heard) -> None:
    """Read the body to its end, or to `[DONE]`."""
    pieces = response.aiter_bytes()
    if "event-stream" not in response.headers.get("content-type", ""):
        whole = await _whole(pieces)
        match whole.lstrip()[:1]:
            case b"{" | b"[":
                if shown := builder.take_whole(whole):
                    await heard(shown)
                return
            case b"<":
                raise _page(endpoint, whole)
        pieces = _again(whole)
    await _listen_to_events(pieces, builder, heard)


async def _listen_to_events(pieces: AsyncIterator[bytes], builder: ReplyBuilder, heard: Heard) -> None:
    events = EventReader()
    async for piece in pieces:
        for event in events.feed(piece):
            if shown := builder.take(event):
                await heard(shown)
        if builder.done:
            await _drain(pieces)
            return
    for event in events.close():
        if shown := builder.take(event):
            await heard(shown)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    try:
        with anyio.move_on_after(DRAIN_S):
            async for _ in pieces:
                pass
    except httpx.HTTPError:
        pass  # the reply is whole: how the connection ends does not matter


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > 8 * MAX_REPLY_CHARS:
            raise ReplyBroken("The model server's answer has no end.", "Look at what answers at this address.")
    return bytes(body)


async def _again(whole: bytes) -> AsyncIterator[bytes]:
    yield whole


def _page(endpoint: Endpoint, whole: bytes) -> ReplyMisshapen:
    return ReplyMisshapen(
        f"At {endpoint.v1} a page for people answers, no model server.",
        f"Check {setting(endpoint, 'BASE_URL')}: it may be the address of a user interface or of a proxy.",
        whole[:8000].decode(errors="replace"),
    )


def _learn(habits: Habits, builder: ReplyBuilder, reply: Reply) -> None:
    """Remember whether replies begin with thoughts that nothing announces."""
    if builder.opened_by_template:
        habits.opens_thinking = True
    elif habits.opens_thinking is None and reply.finish_reason == "stop" and reply.text:
        habits.opens_thinking = False


async def _nobody(_: str) -> None:
    pass
