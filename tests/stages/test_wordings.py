"""A search in two languages and in other words: when it is one, what it finds, and what it is kept to."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from typing import Any

import anyio
import psycopg
import pytest

from db.gate import Priority
from services.kit.settings import Settings, load_settings
from services.search.analyze import KIND, Analysis, Query, author_of
from services.search.cache import LastUsed, fold, values_of
from services.search.filters import Filters
from services.search.helpers import Helpers
from services.search.retrieve import Found, find
from services.search.rewrite import reword
from services.tools import Tools
from services.wiring import open_tools
from tests.corridors.http_fixtures import client_of
from tests.corridors.http_fixtures import serving as serving_http
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, only

pytestmark = pytest.mark.anyio
QUESTION = "안전밸브는 언제 작동하나요?"
TEXTS = {
    "ko-law.md": ("law", "안전밸브의 작동 압력은 1.2 MPa로 한다."),
    "en-law.md": ("law", "The safety valve opens at a set pressure of 1.2 MPa."),
    "en-news.md": ("news", "A safety valve opened at its set pressure in town."),
    "ko-news.md": ("news", "압력 용기 방출 장치가 열려 주민이 대피하였다."),
}
BOTH = Analysis("ko", (Query("ko", "안전밸브 작동 압력", 0.6), Query("en", "safety valve set pressure", 0.4)), (), 0.85)
VARIANTS = ["압력 방출 장치", "relief device opening", "안전밸브 설정 압력"]


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=json.dumps({"variants": VARIANTS}, ensure_ascii=False))
        yield server


def served_by(settings: Settings, url: str, **search: Any) -> Settings:
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"analyzer": {"base_url": url, "model": "small"}},
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000},
        search=search,
    )


@pytest.fixture
async def wired(settings: Settings, model: ModelServer, drain: Drain, db: psycopg.Connection) -> AsyncIterator[Tools]:
    """The tools of a process that searches, over four short documents in two languages."""
    for name, (kind, text) in TEXTS.items():
        statement = "INSERT INTO inbox (filename, content, material_type) VALUES (%s, %s, %s)"
        db.execute(statement, [name, text.encode(), kind])
    await drain("ingest", "embed")
    async with open_tools(served_by(settings, model.url), "tests") as tools:
        yield tools


async def said(tools: Tools, analysis: Analysis, question: str = QUESTION) -> None:
    """Keep an analysis as the daemon does."""
    author = author_of(tools.models, tools.settings.search)
    assert author is not None
    kept = values_of(KIND, 1, fold(question), author, asdict(analysis), tools.settings.search)
    await tools.db.none("save_reply", **kept)


async def searched(tools: Tools, filters: Filters = Filters(), rewrite: bool = False, **changed: Any) -> Found:  # noqa: B008 - frozen
    settings = tools.settings.search.model_copy(update=changed)
    return await find(tools.db, QUESTION, filters, 10, settings, Helpers(tools.models, rewrite=rewrite))


def files(found: Found) -> list[str]:
    return [hit.title for hit in found.hits]


CONDITIONS: dict[str, tuple[Analysis | None, dict[str, Any]]] = {
    "nobody asked before": (None, {}),
    "not sure enough": (Analysis("ko", BOTH.queries, (), 0.84), {}),
    "not sure enough by the setting": (BOTH, {"analyzed_share": 0.9}),
    "one language": (Analysis("ko", BOTH.queries[:1], (), 1.0), {}),
    "switched off": (BOTH, {"analyze": False}),
}


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_search__without_a_condition_is_the_plain_one_to_the_byte(condition: str, wired: Tools) -> None:
    analysis, changed = CONDITIONS[condition]
    plain = await find(wired.db, QUESTION, Filters(), 10, wired.settings.search)
    if analysis is not None:
        await said(wired, analysis)
    assert repr(await searched(wired, **changed)) == repr(plain)


async def test_search__under_all_conditions_finds_both_languages(wired: Tools, model: ModelServer) -> None:
    plain = await searched(wired)
    await said(wired, BOTH)
    found = await searched(wired)
    assert "en-law" not in files(plain)
    assert files(found)[0] == "ko-law"
    assert {"en-law", "en-news"} < set(files(found))
    assert found.merged == "ml_ko+en"
    assert list(found.remarks) == ["multilingual langs=[ko, en]"]
    assert model.calls == []


async def test_search__is_done_while_the_analyser_is_at_work_on_the_same_question(
    wired: Tools, model: ModelServer, drain: Drain
) -> None:
    model.say(text=json.dumps({"queries": []}), hold="analyser")
    plain = await searched(wired)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(drain, "analyze", with_tools=wired))
        with anyio.fail_after(20):
            while not model.calls:  # noqa: ASYNC110 - the server tells nobody
                await anyio.sleep(0.01)
        assert repr(await searched(wired)) == repr(plain)
        assert [call.ended_ns for call in model.calls] == [None]
        model.release("analyser")


async def test_search__keeps_every_wording_to_its_filters(wired: Tools) -> None:
    await said(wired, BOTH)
    found = await searched(wired, Filters(material_types=("law",)), rewrite=True)
    assert found.merged == "ml_ko+en+rewrite"
    assert set(files(found)) == {"ko-law", "en-law"}
    assert (await searched(wired, Filters(user_id=2), rewrite=True)).hits == []


async def test_search__in_another_language_is_narrowed_to_the_types_of_the_setting(wired: Tools) -> None:
    await said(wired, BOTH)
    found = await searched(wired, multilingual_types=("news", "global"))
    assert set(files(found)) == {"ko-law", "ko-news", "en-news"}
    law = await searched(wired, Filters(material_types=("law",)), multilingual_types=("news",))
    assert files(law) == ["ko-law"]


async def test_search__in_other_words_finds_what_the_question_does_not(wired: Tools, model: ModelServer) -> None:
    assert "ko-news" not in files(await searched(wired))
    found = await searched(wired, rewrite=True)
    assert "ko-news" in files(found)
    assert (found.merged, list(found.remarks)) == ("rewrite", ["rewrite n=3"])
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("analyzer", "foreground", "rewrite")
    assert (await searched(wired, rewrite=True)).hits == found.hits
    assert len(model.calls) == 1


async def test_search__in_other_words_by_the_setting_has_the_class_of_who_waits(
    wired: Tools, model: ModelServer
) -> None:
    settings = wired.settings.search.model_copy(update={"rewrite": True})
    await find(wired.db, QUESTION, Filters(), 10, settings, Helpers(wired.models, Priority.BACKGROUND))
    assert [call.klass for call in model.calls] == ["background"]


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ({"hold": "for ever"}, "llm_timeout"),
        ({"text": "no JSON"}, "parse_fail"),
        ({"status": 503, "body": {"error": "loading"}}, "model_unavailable"),
    ],
)
async def test_search__whose_rewriting_fails_searches_the_question_and_says_so(
    says: dict[str, Any], code: str, wired: Tools, model: ModelServer
) -> None:
    model.say(**says)
    plain = await searched(wired)
    found = await searched(wired, rewrite=True, rewrite_limit_s=0.1)
    assert (found.hits, found.merged) == (plain.hits, None)
    assert list(found.remarks) == [f"rewrite skipped={code}"]


async def test_search__without_a_model_says_that_nobody_rewrites(wired: Tools) -> None:
    found = await find(wired.db, QUESTION, Filters(), 10, wired.settings.search, Helpers(rewrite=True))
    assert list(found.remarks) == ["rewrite skipped=no_analyzer"]
    assert found.hits == (await searched(wired)).hits


async def test_rewriting__is_kept_until_it_expires(wired: Tools, model: ModelServer, db: psycopg.Connection) -> None:
    async def asked(user_id: int = 1) -> tuple[str, ...]:
        helpers, settings = Helpers(wired.models), wired.settings.search
        return (await reword(QUESTION, user_id, wired.db, settings, helpers, LastUsed(500))).variants

    assert await asked() == await asked() == tuple(VARIANTS)
    assert len(model.calls) == 1
    row = only(db, "SELECT kind, model, prompt_version, expire_at > now() AS alive FROM question_cache")
    assert row == {"kind": "rewrite", "model": "analyzer:small", "prompt_version": "rewrite-1", "alive": True}
    db.execute("UPDATE question_cache SET created_at = now() - interval '1 day', expire_at = now()")
    await asked()
    assert len(model.calls) == 2
    db.execute("INSERT INTO users (name) VALUES ('guest')")
    await asked(user_id=2)
    assert len(model.calls) == 3


async def test_many_searches__in_many_wordings_need_no_connection_twice(wired: Tools) -> None:
    await said(wired, BOTH)
    first = await searched(wired, rewrite=True)
    assert len(first.notes["wordings"]) == 6  # type: ignore[arg-type]
    found: list[Found] = []

    async def once() -> None:
        found.append(await searched(wired, rewrite=True))

    async with anyio.create_task_group() as tasks:  # 180 searches over four connections
        for _ in range(30):
            tasks.start_soon(once)
    assert all(each.hits == first.hits for each in found)


async def test_http__shows_the_merge_and_what_was_searched(wired: Tools, model: ModelServer) -> None:
    await said(wired, BOTH)
    asked = {"q": QUESTION, "rewrite": "true", "debug": "true"}
    async with serving_http(wired.settings) as address, client_of(address) as client:
        shown = (await client.get("/api/search", params=asked)).json()
        plain = (await client.get("/api/search", params={"q": "다른 질문"})).json()
    assert all("ml_ko+en+rewrite" in hit["match_reason"] for hit in shown["hits"])
    assert shown["notes"] == ["multilingual langs=[ko, en]", "rewrite n=3"]
    assert [each["weight"] for each in shown["debug"]["wordings"][:3]] == [0.15, 0.15, 0.2]
    assert plain["debug"] is None
