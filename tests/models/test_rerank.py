"""Rerank: a score per text in the order given, whichever of the forms a server speaks."""

import json
import math
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import httpx
import pytest

from services.kit.model_settings import CallSettings
from services.model.batches import BatchTooLarge
from services.model.connection import Connection
from services.model.errors import ModelMisnamed, ModelUnavailable, ReplyMisshapen
from services.model.rerank import ServedReranker, rerank_once
from tests.fakes.model_server import ModelServer, serving
from tests.models.reaching import HEADERS, Turnstile, connected

pytestmark = pytest.mark.anyio

QUERY = "연차 휴가는 며칠인가?"
TEXTS = ["가스 배관의 두께", "연차 휴가는 15일이다", "휴가 신청은 3일 전까지"]
hosts = (f"http://reranker-{number}" for number in count())
"""What a test finds out about a server is remembered by its name: each has one of its own."""


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def connection(models: ModelServer) -> AsyncIterator[Connection]:
    async with connected(models.url) as connection:
        yield connection


def reranker_of(connection: Connection, size: int = 32) -> tuple[ServedReranker, Turnstile]:
    door = Turnstile(connection)
    return ServedReranker(door, CallSettings(rerank_batch=size)), door


async def test_request__has_the_form_of_jina_first(models: ModelServer, connection: Connection) -> None:
    scores = await rerank_once(connection, QUERY, TEXTS)
    assert max(scores) == scores[1]
    (call,) = models.calls
    assert (call.path, call.role, call.klass, call.label) == ("/v1/rerank", *HEADERS.values())
    body = {"model": "m", "query": QUERY, "documents": TEXTS, "top_n": 3, "return_documents": False}
    assert call.body == body


async def test_request__names_no_model_where_none_is_set(models: ModelServer) -> None:
    async with connected(models.url, model=None) as connection:
        await rerank_once(connection, QUERY, TEXTS)
    assert "model" not in models.calls[0].body


@pytest.mark.parametrize(
    "body",
    [
        {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": -2}]},
        {"results": [{"index": 1, "score": 0.9, "document": {"text": "b"}}, {"index": 0, "score": -2}]},
        {"data": [{"index": 0, "relevance_score": -2}, {"index": 1, "relevance_score": 0.9}], "usage": None},
        [{"index": 1, "score": 0.9, "text": "b"}, {"index": 0, "score": -2}],
        [{"index": 1, "score": 0.9}, {"index": 2, "score": 7}, {"index": -1, "score": 8}, {"index": 0, "score": -2}],
        [{"index": 1, "score": 0.9}, {"index": 0, "score": -2}, {"index": 1, "score": 0.1}],
    ],
)
async def test_scores__are_mapped_by_index_in_every_shape(
    models: ModelServer, connection: Connection, body: Any
) -> None:
    models.say(body=body)
    assert await rerank_once(connection, QUERY, TEXTS[:2]) == [-2, 0.9]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"scores": "missing"}, "scored 2 of 3 texts"),
        ({"scores": "outside"}, "scored 2 of 3 texts"),
        ({"scores": "nan"}, "no number"),
        ({"body": [{"index": number, "score": math.inf} for number in range(3)]}, "no number"),
        ({"body": [{"index": number, "score": None} for number in range(3)]}, "not what was asked for"),
        ({"body": [{"score": 1}] * 3}, "not what was asked for"),
        ({"body": {"scores": [1, 2, 3]}}, "not what was asked for"),
        ({"body": "<html></html>"}, "begins '<html>"),
    ],
)
async def test_reply__without_a_sound_score_for_each_text_is_refused(
    models: ModelServer, connection: Connection, words: dict[str, Any], complaint: str
) -> None:
    models.say(**words)
    with pytest.raises(ReplyMisshapen, match=complaint):
        await rerank_once(connection, QUERY, TEXTS)


async def test_score__that_comes_twice_counts_once(models: ModelServer, connection: Connection) -> None:
    models.say(scores="twice")
    assert len(await rerank_once(connection, QUERY, TEXTS)) == 3


Asked = list[tuple[str, str]]


def server_of(route: str, field: str, asked: Asked) -> Callable[[httpx.Request], httpx.Response]:
    """Be a server with one route that wants the texts in one field, and refuses a body without it."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        asked.append((request.url.path, "texts" if "texts" in body else "documents"))
        if request.url.path != route:
            return httpx.Response(404, text="404 page not found")
        if field not in body:
            return httpx.Response(422, text=f"Failed to deserialize the JSON body: missing field `{field}`")
        if len(body[field]) > 2:
            return httpx.Response(413, json={"error": "batch size 3 > maximum allowed batch size 2"})
        return httpx.Response(200, json=[{"index": index, "score": index / 2} for index in range(len(body[field]))])

    return answer


@pytest.mark.parametrize(
    ("route", "field", "first"),
    [
        ("/v1/rerank", "documents", [("/v1/rerank", "documents")]),
        ("/rerank", "documents", [("/v1/rerank", "documents"), ("/rerank", "documents")]),
        ("/rerank", "texts", [("/v1/rerank", "documents"), ("/rerank", "documents"), ("/rerank", "texts")]),
    ],
)
async def test_form__is_found_and_remembered(route: str, field: str, first: Asked) -> None:
    asked: Asked = []
    async with connected(next(hosts), server_of(route, field, asked)) as connection:
        for _ in range(2):
            assert await rerank_once(connection, QUERY, TEXTS[:2]) == [0, 0.5]
        assert asked == [*first, first[-1]]
        with pytest.raises(BatchTooLarge, match="batch size 3 > maximum"):
            await rerank_once(connection, QUERY, TEXTS)
        assert asked[len(first) + 1 :] == [first[-1]]


async def test_form__is_found_though_the_first_request_is_too_large() -> None:
    asked: Asked = []
    async with connected(next(hosts), server_of("/rerank", "texts", asked)) as connection:
        with pytest.raises(BatchTooLarge, match="batch size 3 > maximum"):
            await rerank_once(connection, QUERY, TEXTS)
        reranker, door = reranker_of(connection)
        assert await reranker.scores(QUERY, TEXTS) == [0, 0.5, 0]
    assert (door.passed, reranker.batches.size) == (3, 2)


async def test_server__without_any_route_waits_for_a_person() -> None:
    async with connected(next(hosts), server_of("/", "", [])) as connection:
        with pytest.raises(ModelMisnamed, match="no route"):
            await rerank_once(connection, QUERY, TEXTS)


async def test_server__that_does_not_know_the_model_waits_for_a_person(
    models: ModelServer, connection: Connection
) -> None:
    models.script(strict=True)
    with pytest.raises(ModelMisnamed, match="Repository Not Found"):
        await rerank_once(connection, QUERY, TEXTS)
    assert [call.path for call in models.calls] == ["/v1/rerank"]


async def test_server__that_is_away_is_unavailable(models: ModelServer, connection: Connection) -> None:
    await models.close()
    with pytest.raises(ModelUnavailable):
        await rerank_once(connection, QUERY, TEXTS)


async def test_reranker__passes_the_door_once_per_batch_and_keeps_the_order(
    models: ModelServer, connection: Connection
) -> None:
    texts = TEXTS * 3
    whole = await rerank_once(connection, QUERY, texts)
    reranker, door = reranker_of(connection, 4)
    assert await reranker.scores(QUERY, texts) == whole
    assert [len(call.body["documents"]) for call in models.calls] == [9, 4, 4, 1]
    assert door.passed == 3
    assert await reranker.scores(QUERY, []) == []


async def test_reranker__halves_what_is_too_much_and_remembers_it(models: ModelServer, connection: Connection) -> None:
    models.say(limit=2, status=422)
    reranker, _ = reranker_of(connection)
    assert len(await reranker.scores(QUERY, [*TEXTS, ""])) == 4
    assert [len(call.body["documents"]) for call in models.calls] == [4, 2, 2]
    assert models.calls[-1].body["documents"] == [TEXTS[2], " "]
    assert reranker.batches.size == 2
