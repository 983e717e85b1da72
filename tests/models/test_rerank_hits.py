"""Hits in a reranker's order: by the real door, gate and breaker, from a scripted server; without it as they were."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Any

import anyio
import pytest

from db.gate import Priority
from db.pool import Database
from services.kit.settings import SearchSettings, Settings, load_settings
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.search import rerank as hits_in_order
from services.search.hit import Hit
from services.search.rerank import LATE, UNAVAILABLE, chosen, ordered, rerank
from services.wiring import open_model_client
from tests.fakes.model_server import ModelServer

pytestmark = pytest.mark.anyio

QUESTION = "연차 휴가는 며칠인가?"
Opened = Callable[..., AbstractAsyncContextManager[ModelClient]]


def hit(number: int, text: str = "", document: int = 0, title: str = "제목") -> Hit:
    return Hit(
        number, document or number, title, 1, 0, 9, text or f"본문 {number}", 1 / number, None, None, None, False
    )


HITS = [hit(1, "가스 배관의 두께"), hit(2, "휴가 신청은 사흘 전까지"), hit(3, "연차 휴가는 며칠인가?")]


@pytest.fixture
def opened(settings: Settings, pool: Database, model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens the door of one process, which has not found out anything about a server yet."""
    monkeypatch.setattr(hits_in_order, "_sizes", {})

    @asynccontextmanager
    async def open_it(**words: Any) -> AsyncIterator[ModelClient]:
        rerank = {"base_url": model.url, "model": "m"} | words.pop("rerank", {})
        given = {"models": {"rerank": rerank}, "calls": {"attempts": 1, "backoff_s": 0.01} | words.pop("calls", {})}
        changed = load_settings(home=settings.home, database_url=settings.database_url, **given, **words)
        async with open_model_client(changed, pool) as models:
            yield models

    return open_it


async def ranked(models: ModelClient | None, hits: list[Hit], **words: Any) -> tuple[list[int], str | None]:
    found, note = await rerank(QUESTION, hits, models, SearchSettings(**words), Priority.FOREGROUND)
    return [each.chunk_id for each in found], note


async def test_rerank__gives_the_order_and_the_scores_of_the_server(opened: Opened, model: ModelServer) -> None:
    async with opened() as models:
        found, note = await rerank(QUESTION, HITS, models, SearchSettings(), Priority.FOREGROUND)
    assert ([each.chunk_id for each in found], note) == ([3, 2, 1], None)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("rerank", "foreground", "search")
    assert call.body["documents"] == [f"제목\n{each.text}" for each in HITS]
    assert call.body["query"] == QUESTION


async def test_rerank__without_a_server_or_switched_off_changes_nothing(opened: Opened, model: ModelServer) -> None:
    assert await ranked(None, HITS) == ([1, 2, 3], None)
    async with opened() as models:
        assert await ranked(models, HITS, rerank=False) == ([1, 2, 3], None)
        assert await ranked(models, HITS[:1]) == ([1], None)
        assert await ranked(models, []) == ([], None)
    assert model.calls == []


@pytest.mark.parametrize(
    "words",
    [
        {"status": 500},
        {"status": 503},
        {"status": 400},
        {"end": "reset"},
        {"scores": "nan"},
        {"scores": "missing"},
        {"body": "<html>"},
    ],
)
async def test_rerank__that_fails_leaves_the_fused_order_with_a_note(
    opened: Opened, model: ModelServer, words: dict[str, Any]
) -> None:
    model.say(**words)
    async with opened() as models:
        found, note = await rerank(QUESTION, HITS, models, SearchSettings(), Priority.FOREGROUND)
    assert (found, note) == (HITS, UNAVAILABLE)


async def test_rerank__leaves_indexes_out_of_range_aside(opened: Opened, model: ModelServer) -> None:
    rows = [{"index": 7, "score": 9}, {"index": -1, "score": 9}, {"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]
    model.say(body=rows)
    async with opened() as models:
        assert await ranked(models, HITS[:2]) == ([2, 1], None)


async def test_rerank__that_is_slow_is_not_waited_for_and_soon_not_asked(opened: Opened, model: ModelServer) -> None:
    model.say(delay_s=30)
    async with opened(calls={"breaker_failures": 2}) as models:
        for _ in range(4):
            started = monotonic()
            order, note = await ranked(models, HITS, rerank_wait_s=0.5)
            assert monotonic() - started < 5
            assert order == [1, 2, 3]
            assert note in {LATE, UNAVAILABLE}
    assert 2 <= len(model.calls) < 4


async def test_rerank__behind_a_busy_gate_is_late_and_leaves_it_free(opened: Opened, model: ModelServer) -> None:
    async with opened() as models, anyio.create_task_group() as tasks:
        door = models.door(Call(Role.RERANK, Priority.BACKGROUND, "long"))
        held = anyio.Event()

        async def hold(connection: Any) -> None:
            held.set()
            await anyio.sleep_forever()

        tasks.start_soon(door, hold)
        await held.wait()
        assert await ranked(models, HITS, rerank_wait_s=0.3) == ([1, 2, 3], LATE)
        tasks.cancel_scope.cancel()
    async with opened() as models:
        assert (await ranked(models, HITS))[1] is None


async def test_rerank__keeps_to_what_the_server_takes_also_the_next_time(opened: Opened, model: ModelServer) -> None:
    model.say(limit=8)
    hits = [hit(number) for number in range(1, 33)]
    async with opened() as models:
        for _ in range(2):
            found, note = await ranked(models, hits)
            assert (sorted(found), note) == (list(range(1, 33)), None)
    assert [len(call.body["documents"]) for call in model.calls][-4:] == [8] * 4


async def test_rerank__cuts_long_texts(opened: Opened, model: ModelServer) -> None:
    async with opened() as models:
        await ranked(models, [hit(1, "가" * 5000), hit(2, "나")], rerank_chars=100)
    assert [len(text) for text in model.calls[0].body["documents"]] == [100, 4]


def test_chosen__takes_few_of_a_document_before_others_and_fills_up() -> None:
    hits = [hit(number, document=1 if number < 6 else number) for number in range(1, 9)]
    assert [each.chunk_id for each in chosen(hits, 4, 2)] == [1, 2, 6, 7]
    assert [each.chunk_id for each in chosen(hits, 6, 2)] == [1, 2, 3, 6, 7, 8]
    assert chosen(hits, 200, 2) == hits


def test_ordered__keeps_ties_in_order_and_puts_the_unseen_last() -> None:
    hits = [hit(number) for number in range(1, 6)]
    found = ordered(hits, hits[1:4], [0.5, 0.9, 0.5])
    assert [(each.chunk_id, each.score) for each in found] == [(3, 0.9), (2, 0.5), (4, 0.5), (1, 0.5), (5, 0.5)]
