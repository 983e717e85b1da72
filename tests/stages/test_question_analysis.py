"""Questions leave a row behind, a model says its word in the background, a later search for the same finds it."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import anyio
import psycopg
import pytest

from db.pool import Database, open_pool
from services.kit.settings import Settings, load_settings
from services.search.analyze import KIND, Analyses, Analysis, Query, analysis_of, author_of, enqueue_frequent
from services.search.cache import Author, LastUsed, fold, key_of
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows, only

pytestmark = pytest.mark.anyio
QUESTION = "안전밸브는 몇 MPa에서 작동하나요?"
QUERIES = [
    {"language": "ko", "text": "안전밸브 작동 압력", "weight": 3},
    {"language": "en", "text": "safety valve set pressure", "weight": 1},
]


def reply(confidence: float = 0.9, **given: Any) -> str:
    said = {"language": "ko", "queries": QUERIES, "keywords": ["안전밸브"], "confidence": confidence, **given}
    return json.dumps(said, ensure_ascii=False)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply())
        yield server


def served_by(settings: Settings, url: str, model: str = "small", role: str = "analyzer", **search: Any) -> Settings:
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={role: {"base_url": url, "model": model}},
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000},
        search=search,
    )


@pytest.fixture
def served(settings: Settings, model: ModelServer) -> Settings:
    return served_by(settings, model.url)


@pytest.fixture
async def wired(served: Settings) -> AsyncIterator[Tools]:
    async with open_tools(served, "tests") as tools:
        yield tools


Make = Callable[..., Analyses]


@pytest.fixture
def process(pool: Database, wired: Tools) -> Make:
    """Gives what one process has in its memory; another has its own."""
    return lambda tools=wired: Analyses(pool, tools.settings.search, tools.models, LastUsed(500))


def waiting(db: psycopg.Connection) -> list[str]:
    return [row["question"] for row in all_rows(db, "SELECT question FROM query_analyses WHERE status = 'pending'")]


def expire(db: psycopg.Connection) -> None:
    db.execute("UPDATE question_cache SET created_at = now() - interval '1 day', expire_at = now() - interval '1 ms'")


async def test_search__leaves_its_question_and_calls_no_model(
    process: Make, model: ModelServer, db: psycopg.Connection
) -> None:
    analyses = process()
    assert await analyses.of(QUESTION, 1) is None
    assert await analyses.of(f"  {QUESTION} ", 1) is None
    assert waiting(db) == [fold(QUESTION)]
    assert model.calls == []


async def test_search__finds_the_analysis_of_an_earlier_one_in_every_process(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    found = await process().of(QUESTION, 1)
    assert found is not None
    assert [(query.language, query.text, query.weight) for query in found.queries] == [
        ("ko", "안전밸브 작동 압력", 0.75),
        ("en", "safety valve set pressure", 0.25),
    ]
    assert (found.language, found.keywords, found.tier(0.85)) == ("ko", ("안전밸브",), "analyzed")
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("analyzer", "background", "analyze question:1")
    row = only(db, "SELECT model, prompt_version, question, expire_at - created_at AS lives FROM question_cache")
    assert (row["model"], row["prompt_version"]) == ("analyzer:small", "analyze-1")
    assert row["lives"].total_seconds() == 86_400


async def test_search__does_not_wait_while_the_analyser_is_at_work(
    process: Make, wired: Tools, drain: Drain, model: ModelServer
) -> None:
    model.say(text=reply(), hold="analyser")
    await process().of(QUESTION, 1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(drain, "analyze", with_tools=wired))
        with anyio.fail_after(20):
            while not model.calls:  # noqa: ASYNC110 - the server tells nobody
                await anyio.sleep(0.01)
        assert await process().of(QUESTION, 1) is None
        assert model.calls[0].ended_ns is None
        model.release("analyser")
    assert await process().of(QUESTION, 1) is not None


async def test_search__without_an_analyser_leaves_nothing(
    settings: Settings, process: Make, model: ModelServer, db: psycopg.Connection
) -> None:
    for silent in (settings, served_by(settings, model.url, analyze=False)):
        async with open_tools(silent, "tests") as tools:
            assert await process(tools).of(QUESTION, 1) is None
    for nothing in ("???", " ", "가" * 4001):
        assert await process().of(nothing, 1) is None
    assert waiting(db) == []


async def test_analyser__follows_primary(settings: Settings) -> None:
    async with open_tools(served_by(settings, "http://127.0.0.1:9/v1", role="primary"), "tests") as tools:
        author = author_of(tools.models, tools.settings.search)
    assert author is not None
    assert author.model == "primary:small"


async def test_many_searches__leave_one_row(process: Make, db: psycopg.Connection) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(process().of, QUESTION, 1)
    assert len(waiting(db)) == 1


async def test_questions__of_two_users_share_nothing(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    db.execute("INSERT INTO users (name) VALUES ('guest')")
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    assert await process().of(QUESTION, 2) is None
    assert len(waiting(db)) == 1
    await drain("analyze", with_tools=wired)
    assert await process().of(QUESTION, 2) is not None
    assert len(model.calls) == 2
    assert db.execute("SELECT user_id FROM question_cache ORDER BY user_id").fetchall() == [(1,), (2,)]


async def test_analyses__run_one_after_the_other_and_all_succeed(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    analyses = process()
    for n in range(23):
        await analyses.of(f"질문 {n}", 1)
    await drain("analyze", with_tools=wired)
    assert (len(model.calls), model.most) == (23, 1)
    assert only(db, "SELECT count(*) AS n FROM question_cache")["n"] == 23


async def test_waiting_at_the_gate__is_not_counted(
    settings: Settings, process: Make, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script({"when": {"text": "먼저"}, "say": {"text": reply(), "delay_s": 0.6}}, {"say": {"text": reply()}})
    await process().of("먼저 온 질문", 1)
    await process().of(QUESTION, 1)
    limited = served_by(settings, model.url, analyze_limit_s=0.4)
    async with (
        open_tools(limited, "tests") as one,
        open_tools(served_by(settings, model.url), "tests") as two,
        anyio.create_task_group() as tasks,
    ):  # two daemons at a gate that lets one in
        tasks.start_soon(partial(drain, "analyze", with_tools=two))
        with anyio.fail_after(20):
            while not model.calls:  # noqa: ASYNC110 - the server tells nobody
                await anyio.sleep(0.01)
        tasks.start_soon(partial(drain, "analyze", with_tools=one))
    assert model.most == 1
    assert only(db, "SELECT count(*) AS n FROM question_cache")["n"] == 2


async def test_analysis__over_its_limit_is_left_alone_and_not_enqueued_at_once(
    settings: Settings, process: Make, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(text=reply(), hold="for ever")
    await process().of(QUESTION, 1)
    async with open_tools(served_by(settings, model.url, analyze_limit_s=0.1), "tests") as tools:
        await drain("analyze", with_tools=tools)
    row = only(db, "SELECT status, error_code, attempts FROM query_analyses")
    assert row == {"status": "skipped", "error_code": "llm_timeout", "attempts": 1}
    assert await process().of(QUESTION, 1) is None
    assert waiting(db) == []
    db.execute("UPDATE query_analyses SET completed_at = now() - interval '11 min'")
    await process().of(QUESTION, 1)
    assert len(waiting(db)) == 1


async def test_analysis__of_no_use_fails_and_ends_no_search(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(text="I cannot do that.")
    await process().of(QUESTION, 1)
    db.execute("UPDATE query_analyses SET max_attempts = 1")
    await drain("analyze", with_tools=wired)
    assert only(db, "SELECT status, error_code FROM query_analyses") == {"status": "failed", "error_code": "parse_fail"}
    assert await process().of(QUESTION, 1) is None


async def test_analysis__waits_for_a_server_that_is_away_but_not_longer_than_it_would_live(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(status=503, body={"error": "loading"})
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    row = only(db, "SELECT status, error_code, attempts FROM query_analyses")
    assert row == {"status": "pending", "error_code": "model_unavailable", "attempts": 0}
    db.execute("UPDATE query_analyses SET run_at = NULL, created_at = now() - interval '25 h'")
    await drain("analyze", with_tools=wired)
    assert only(db, "SELECT error_code FROM query_analyses WHERE status = 'skipped'")["error_code"] == "outdated"


async def test_queue__takes_no_more_than_the_setting(
    settings: Settings, process: Make, model: ModelServer, db: psycopg.Connection
) -> None:
    async with open_tools(served_by(settings, model.url, analyses_waiting=3), "tests") as tools:
        for n in range(5):
            assert await process(tools).of(f"질문 {n}", 1) is None
    assert waiting(db) == ["질문 0", "질문 1", "질문 2"]


async def test_entry__expires(
    process: Make, wired: Tools, drain: Drain, db: psycopg.Connection, model: ModelServer
) -> None:
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    expire(db)
    assert await process().of(QUESTION, 1) is None
    assert len(waiting(db)) == 1
    await drain("analyze", with_tools=wired)
    assert await process().of(QUESTION, 1) is not None
    assert len(model.calls) == 2


async def test_memory__answers_for_the_table(process: Make, wired: Tools, drain: Drain, db: psycopg.Connection) -> None:
    analyses = process()
    await analyses.of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    first = await analyses.of(QUESTION, 1)
    db.execute("DELETE FROM question_cache")
    assert await analyses.of(QUESTION, 1) == first
    assert await process().of(QUESTION, 1) is None


async def test_entries__are_of_one_model_and_one_prompt(
    process: Make, settings: Settings, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    async with open_tools(served_by(settings, model.url, model="large"), "tests") as tools:
        assert await process(tools).of(QUESTION, 1) is None
        await drain("analyze", with_tools=tools)
        assert await process(tools).of(QUESTION, 1) is not None
    assert only(db, "SELECT count(*) AS n FROM question_cache")["n"] == 2
    former = key_of(KIND, 1, fold(QUESTION), Author("analyzer:small", "analyze-0"))
    db.execute("UPDATE question_cache SET key = %s WHERE model = 'analyzer:small'", [former])
    assert await process().of(QUESTION, 1) is None


async def test_table__keeps_the_newest_up_to_the_setting(
    settings: Settings, process: Make, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    few = served_by(settings, model.url, cache_rows=3)
    async with open_tools(few, "tests") as tools:
        for n in range(5):
            await process(tools).of(f"질문 {n}", 1)
            await drain("analyze", with_tools=tools)
    kept = [row["question"] for row in all_rows(db, "SELECT question FROM question_cache ORDER BY question")]
    assert kept == ["질문 2", "질문 3", "질문 4"]
    assert only(db, "SELECT count(*) AS n FROM query_analyses")["n"] <= 4


async def test_prewarming__makes_anew_what_is_asked_often_and_has_expired(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    for question in ("자주 묻는 것", "한 번 물은 것"):
        await process().of(question, 1)
    await drain("analyze", with_tools=wired)
    for _ in range(2):
        await process().of("자주 묻는 것", 1)
    expire(db)
    await enqueue_frequent(wired)
    assert waiting(db) == ["자주 묻는 것"]
    await drain("analyze", with_tools=wired)
    assert (len(model.calls), waiting(db)) == (3, [])
    assert await process().of("자주 묻는 것", 1) is not None


async def test_prewarming__tries_once_per_expiry_and_forgets_what_nobody_asks_any_longer(
    process: Make, wired: Tools, drain: Drain, model: ModelServer, db: psycopg.Connection
) -> None:
    await process().of(QUESTION, 1)
    await drain("analyze", with_tools=wired)
    db.execute("UPDATE question_cache SET uses = 9")
    expire(db)
    model.say(text="nothing of use")
    await enqueue_frequent(wired)
    db.execute("UPDATE query_analyses SET max_attempts = 1")
    await drain("analyze", with_tools=wired)
    await enqueue_frequent(wired)
    assert waiting(db) == []
    db.execute("DELETE FROM query_analyses")
    db.execute("UPDATE question_cache SET used_at = now() - interval '2 days'")
    await enqueue_frequent(wired)
    assert waiting(db) == []


async def test_look_up__gives_up_on_a_table_that_is_locked(process: Make, dsn: str, wired: Tools) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE question_cache, query_analyses")
        with anyio.fail_after(5):
            assert await process().of(QUESTION, 1) is None
    async with open_pool(dsn.replace("/clone_", "/no_such_"), "tests", 1) as gone:
        assert await Analyses(gone, wired.settings.search, wired.models, LastUsed(1)).of(QUESTION, 1) is None


def test_analysis__is_read_as_it_was_kept() -> None:
    analysis = Analysis("ko", (Query("ko", "a", 0.5), Query("en", "b", 0.5)), ("c",), 0.85)
    assert analysis_of(json.loads(json.dumps(asdict(analysis)))) == analysis
