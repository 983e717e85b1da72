"""Embeddings: one sound vector per text, whatever the server's habits, and as many requests as its limits need."""

import base64
import json
import math
import struct
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import anyio
import httpx
import pytest

from services.kit.model_settings import CallSettings
from services.model import batches as batches_module
from services.model.batches import BatchTooLarge
from services.model.connection import Connection
from services.model.embeddings import ServedEmbedder, embed_once
from services.model.errors import (
    ModelError,
    ModelMisnamed,
    ModelUnavailable,
    ReplyBroken,
    ReplyMisshapen,
    RequestRefused,
)
from tests.fakes.model_replies import vector
from tests.fakes.model_server import ModelServer, serving
from tests.models.reaching import HEADERS, Turnstile, connected
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

TEXTS = ["연차 휴가는 15일이다", "Leave is 15 days", "가스 배관"]
hosts = (f"http://server-{number}" for number in count())
"""What a test finds out about a server is remembered by its name: each has one of its own."""


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def connection(models: ModelServer) -> AsyncIterator[Connection]:
    async with connected(models.url, key="secret") as connection:
        yield connection


@pytest.fixture
def door(connection: Connection) -> Turnstile:
    return Turnstile(connection)


def embedder_of(door: Turnstile, size: int = 32) -> ServedEmbedder:
    return ServedEmbedder(door, door.connection.endpoint, CallSettings(embed_batch=size))


def sizes(models: ModelServer) -> list[int]:
    """Give the number of texts of each request so far."""
    return [len(call.body["input"]) for call in models.calls]


async def test_request__asks_for_floats_by_the_configured_name(models: ModelServer, connection: Connection) -> None:
    vectors = await embed_once(connection, TEXTS)
    assert vectors == [pytest.approx(vector(text, 64)) for text in TEXTS]
    (call,) = models.calls
    assert (call.path, call.role, call.klass, call.label) == ("/v1/embeddings", *HEADERS.values())
    assert call.body == {"input": TEXTS, "encoding_format": "float", "model": "m"}


async def test_request__names_no_model_where_none_is_set(models: ModelServer) -> None:
    async with connected(models.url, model=None) as connection:
        await embed_once(connection, TEXTS)
    assert "model" not in models.calls[0].body


async def test_vectors__are_put_into_the_order_of_the_texts(models: ModelServer, connection: Connection) -> None:
    models.say(vectors="reversed")
    assert await embed_once(connection, TEXTS) == [pytest.approx(vector(text, 64)) for text in TEXTS]


async def test_base64__is_read_where_a_server_gives_it_all_the_same(
    models: ModelServer, connection: Connection
) -> None:
    packed = [base64.b64encode(struct.pack("<3f", 0.5, -2, number)).decode() for number in (0, 1)]
    models.say(body={"data": [{"index": number, "embedding": packed[number]} for number in (0, 1)]})
    assert await embed_once(connection, TEXTS[:2]) == [[0.5, -2, 0], [0.5, -2, 1]]


def rows(*embeddings: Any) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": each} for index, each in enumerate(embeddings)]}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (rows([1, 0], [0, 1]), "2 vectors for 3 texts"),
        (rows([1], [1], [1], [1]), "4 vectors for 3 texts"),
        ({"data": [{"index": 0, "embedding": [1]}] * 3}, "not one for each"),
        ({"data": [{"index": number, "embedding": [1]} for number in (1, 2, 3)]}, "not one for each"),
        (rows([1, 0], [1], [1, 0]), r"different lengths: \[1, 2\]"),
        (rows([], [], []), r"different lengths: \[0\]"),
        (rows([1, 0], [0, 0], [1, 0]), "Vector 1 of 3 is all zero"),
        (rows([1, 0], [1, None], [1, 0]), "not what was asked for"),
        (rows([1, 0], [1, "x"], [1, 0]), "not what was asked for"),
        (rows("AAAA", "AAAA", "AAAA"), "no base64 of floats"),
        (rows("§", "§", "§"), "no base64 of floats"),
        ({"embeddings": []}, "not what was asked for.*data"),
        ("<html>Welcome</html>", "begins '<html>Welcome"),
        ("", "not what was asked for"),
    ],
)
async def test_reply__that_is_not_one_sound_vector_per_text_is_refused(
    models: ModelServer, connection: Connection, body: Any, complaint: str
) -> None:
    models.say(body=body)
    with pytest.raises(ReplyMisshapen, match=f"(?s){complaint}") as refused:
        await embed_once(connection, TEXTS)
    assert refused.value.code == "parse_fail"


@pytest.mark.parametrize("fault", ["short", "nan", "missing"])
async def test_faults__of_the_scripted_server_are_refused(
    models: ModelServer, connection: Connection, fault: str
) -> None:
    models.say(vectors=fault)
    with pytest.raises(ReplyMisshapen):
        await embed_once(connection, TEXTS)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, {"error": "batch size 3 > maximum allowed batch size 2", "error_type": "Validation"}, BatchTooLarge),
        (422, {"message": "inputs must have less than 512 tokens", "code": 422}, BatchTooLarge),
        (500, {"error": {"code": 500, "message": "input (640 tokens) is too large to process"}}, BatchTooLarge),
        (400, {"error": {"message": "This model's maximum context length is 512 tokens"}}, BatchTooLarge),
        (400, {"error": "'input' is missing"}, RequestRefused),
        (401, {"error": {"message": "invalid key"}}, ModelMisnamed),
        (404, {"error": 'model "m" not found, try pulling it first'}, ModelMisnamed),
        (429, {"error": "Model is overloaded", "error_type": "Overloaded"}, ModelUnavailable),
        (503, "loading", ModelUnavailable),
    ],
)
async def test_refusals__end_in_the_error_that_says_what_may_help(
    models: ModelServer, connection: Connection, status: int, body: Any, kind: type[ModelError]
) -> None:
    models.say(status=status, body=body)
    with pytest.raises(ModelError) as refused:
        await embed_once(connection, TEXTS)
    assert type(refused.value) is kind, refused.value


async def test_server__that_is_away_or_breaks_off_is_unavailable(models: ModelServer, connection: Connection) -> None:
    models.say(end="reset")
    with pytest.raises(ModelUnavailable):
        await embed_once(connection, TEXTS)
    await models.close()
    with pytest.raises(ModelUnavailable):
        await embed_once(connection, TEXTS)


Answer = Callable[[httpx.Request], httpx.Response]


def only(route: str, reply: Any, asked: list[str]) -> Answer:
    """Be a server with one route."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path != route:
            return httpx.Response(404, json={"detail": "Not Found"})
        return httpx.Response(200, json=reply(json.loads(request.content)))

    return answer


async def test_native_route__is_found_and_remembered() -> None:
    asked: list[str] = []

    def reply(body: dict[str, Any]) -> list[list[float]]:
        assert body == {"inputs": TEXTS, "normalize": True, "truncate": True}
        return [[1.0, number] for number in range(len(TEXTS))]

    async with connected(next(hosts), only("/embed", reply, asked)) as connection:
        for _ in range(2):
            assert await embed_once(connection, TEXTS) == [[1, 0], [1, 1], [1, 2]]
    assert asked == ["/v1/embeddings", "/embeddings", "/embed", "/embed"]


async def test_native_route__gives_one_sound_vector_per_text_or_is_refused() -> None:
    async with connected(next(hosts), only("/embed", lambda _: [[1.0]], [])) as connection:
        with pytest.raises(ReplyMisshapen, match="1 vectors for 3 texts"):
            await embed_once(connection, TEXTS)


async def test_route__without_v1_is_found_and_a_new_server_in_its_place_too() -> None:
    asked: list[str] = []
    host = next(hosts)
    async with connected(host, only("/embeddings", lambda _: rows([1], [1], [1]), asked)) as connection:
        await embed_once(connection, TEXTS)
    async with connected(host, only("/v1/embeddings", lambda _: rows([1], [1], [1]), asked)) as connection:
        await embed_once(connection, TEXTS)
        await embed_once(connection, TEXTS)
    assert asked == ["/v1/embeddings", "/embeddings", "/embeddings", "/v1/embeddings", "/v1/embeddings"]


async def test_server__without_any_route_waits_for_a_person() -> None:
    async with connected(next(hosts), only("/", None, [])) as connection:
        with pytest.raises(ModelMisnamed, match="no route"):
            await embed_once(connection, TEXTS)


async def test_error__that_comes_with_200_is_one(models: ModelServer, connection: Connection) -> None:
    models.say(body={"error": "Unexpected endpoint or method. (POST /v1/embeddings)"})
    with pytest.raises(ModelMisnamed, match="no route"):
        await embed_once(connection, TEXTS)
    models.say(body={"error": {"message": "the backend failed", "type": "server_error"}})
    with pytest.raises(ReplyBroken, match="the backend failed"):
        await embed_once(connection, TEXTS)


async def test_request__is_left_when_its_caller_is_cancelled(models: ModelServer, connection: Connection) -> None:
    models.say(hold="for ever")
    async with anyio.create_task_group() as group:
        group.start_soon(embed_once, connection, TEXTS)
        await eventually(lambda: models.calls)
        group.cancel_scope.cancel()
    await eventually(lambda: models.calls[0].left)


async def test_embedder__gives_unit_length_in_the_order_of_the_texts(models: ModelServer, door: Turnstile) -> None:
    models.say(body=rows([3, 4], [0, -0.5], [1e-30, 0]))
    assert await embedder_of(door).embed(TEXTS) == [[0.6, 0.8], [0, -1], [1, 0]]
    assert await embedder_of(door).embed([]) == []


async def test_embedder__passes_the_door_once_per_batch(models: ModelServer, door: Turnstile) -> None:
    texts = [f"문장 {number}" for number in range(10)]
    vectors = await embedder_of(door, 4).embed(texts)
    assert vectors == [pytest.approx(vector(text, 64)) for text in texts]
    assert sizes(models) == [4, 4, 2]
    assert door.passed == 3


async def test_embedder__splits_by_characters_too(
    models: ModelServer, door: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "REQUEST_CHARS", 10)
    await embedder_of(door).embed(["a" * 6, "b" * 4, "c", "d" * 30, "e"])
    assert sizes(models) == [2, 1, 1, 1]


async def test_embedder__sends_a_space_for_an_empty_text(models: ModelServer, door: Turnstile) -> None:
    assert len(await embedder_of(door).embed(["", "a"])) == 2
    assert models.calls[0].body["input"] == [" ", "a"]


async def test_embedder__halves_what_is_too_much_and_remembers_it(models: ModelServer, door: Turnstile) -> None:
    models.say(limit=5)
    embedder, texts = embedder_of(door), [f"문장 {number}" for number in range(16)]
    assert await embedder.embed(texts) == [pytest.approx(vector(text, 64)) for text in texts]
    assert sizes(models) == [16, 8, 4, 4, 4, 4]
    await embedder.embed(texts)
    assert sizes(models)[6:] == [4, 4, 4, 4]


class Narrow:
    """A server that takes texts of so many characters only, and any number of them."""

    def __init__(self, chars: int) -> None:
        self.chars = chars
        self.took: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        if max(map(len, texts)) > self.chars:
            return httpx.Response(500, json={"error": {"message": "input is too large to process"}})
        self.took.append(texts)
        return httpx.Response(200, json=rows(*([len(text), 0] for text in texts)))


async def test_long_text__is_cut_by_itself_and_costs_the_others_nothing() -> None:
    server = Narrow(1000)
    async with connected(next(hosts), server) as connection:
        embedder = embedder_of(Turnstile(connection))
        vectors = await embedder.embed(["a", "b", "c" * 3000, "d"])
    assert len(vectors) == 4
    assert server.took == [["a", "b"], ["c" * 750], ["d"]]
    assert (embedder.batches.cut, embedder.batches.size) == (1, 32)


async def test_short_text__that_is_refused_is_not_refused_for_its_length() -> None:
    async with connected(next(hosts), Narrow(0)) as connection:
        with pytest.raises(BatchTooLarge, match="too large to process") as refused:
            await embedder_of(Turnstile(connection)).embed(["a" * 200, "b"])
    assert (refused.value.code, refused.value.retryable) == ("model_refused", False)


async def test_vectors__of_two_requests_must_have_one_length(models: ModelServer, door: Turnstile) -> None:
    models.script({"say": {"dim": 8}, "times": 1}, {"say": {"dim": 4}})
    with pytest.raises(ReplyMisshapen, match=r"\[4, 8\]"):
        await embedder_of(door, 2).embed(TEXTS)


@pytest.mark.parametrize(("model", "label"), [("bge-m3", "bge-m3"), (None, "gpu.example:7997")])
async def test_label__is_the_models_name_or_the_servers(model: str | None, label: str) -> None:
    async with connected("http://gpu.example:7997/v1", model=model) as connection:
        embedder = embedder_of(Turnstile(connection))
    assert embedder.label == label
    assert math.isfinite(embedder.batches.size)
