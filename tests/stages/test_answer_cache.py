"""Answers that are kept: served without a model while nothing of them has changed, and never otherwise."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import anyio
import psycopg
import pytest

from db.rows import AskRow
from services.answer import cache
from services.answer.events import result_of
from services.answer.result import Refusal
from services.answer.trace import Trace
from services.kit.outcome import Write
from services.kit.settings import Settings
from services.model.prompt import load_prompt
from services.tools import Tools
from services.web.again import staleness
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.asking import FACTS, GOOD, QUESTION, SENTENCE, House, draft, house, rules, served
from tests.stages.conftest import all_rows, only
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

Change = Callable[[House, int], Any]


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.script(*rules())
        yield server


@pytest.fixture
async def at_home(settings: Settings, db: psycopg.Connection, model: ModelServer) -> AsyncIterator[House]:
    """A process that answers, with one document in it."""
    async with house(settings, db, model) as home:
        await home.put()
        yield home


async def asked_twice(home: House, **second: Any) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Ask, and ask again; gives both rows, and how many calls the second made."""
    first = await home.ask()
    before = len(home.calls)
    again = await home.ask(**second)
    return first, again, len(home.calls) - before


async def test_again__the_same_question_is_served_without_a_call(at_home: House, db: psycopg.Connection) -> None:
    first, again, calls = await asked_twice(at_home)
    assert len(at_home.calls) > 0
    assert calls == 0
    same = ("answer", "completeness", "refused", "confidence", "citations", "model", "prompt_version")
    assert [again[name] for name in same] == [first[name] for name in same]
    assert first["answer"] == GOOD
    assert (again["trace"]["cached"], again["trace"]["cached_from"]) == (True, first["id"])
    assert "cached" not in first["trace"]
    kept = only(db, "SELECT * FROM answer_cache")
    assert (kept["ask_id"], kept["uses"], kept["model"]) == (first["id"], 1, "primary:m")
    lives = only(db, "SELECT expire_at - created_at = interval '1 hour' AS an_hour FROM answer_cache")
    assert lives == {"an_hour": True}
    events = all_rows(db, "SELECT cached, cached_from, calls > 0 AS called FROM ask_events ORDER BY ask_id")
    assert [tuple(event.values()) for event in events] == [(False, None, True), (True, first["id"], False)]


async def test_again__blanks_and_marks_at_the_end_make_no_other_question(at_home: House) -> None:
    _, again, calls = await asked_twice(at_home, question="  안전밸브의 작동  압력은 얼마입니까 ")
    assert (calls, again["trace"].get("cached")) == (0, True)


async def test_again__a_refusal_of_the_model_is_kept_too(at_home: House, model: ModelServer) -> None:
    model.script(*rules(draft("", refused=True, refuse_reason="없음")))
    first, again, calls = await asked_twice(at_home)
    assert (first["refused"], again["refused"], calls) == (True, True, 0)
    assert (again["answer"], again["refuse_reason"]) == (first["answer"], first["refuse_reason"])


PARTIAL = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]. 안전밸브는 파란색입니다."
WORDED = ("completeness", "confidence", "refuse_reason", "verdict", "coverage", "re_gate", "partial_basis", "findings")


async def test_again__a_partial_answer_still_says_what_it_lacks_and_why(
    at_home: House, model: ModelServer, db: psycopg.Connection
) -> None:
    lacking = {"verdict": "sufficient", "missing": ["작동 압력"], "spans": []}
    model.script({"when": {"label": "judge *"}, "say": {"text": json.dumps(lacking)}}, *rules(draft(PARTIAL)))
    first, again, calls = await asked_twice(at_home)
    assert (first["completeness"], calls) == ("partial", 0)
    told = [name for name in cache.TOLD if name in first["trace"]]
    assert {"missing", "confirmed_items", "verified", "findings", "re_gate", "verdict"} <= set(told)
    assert {name: again["trace"].get(name) for name in told} == {name: first["trace"][name] for name in told}
    given = [await shown(at_home, row["id"]) for row in (first, again)]
    assert given[0]["missing"] == given[1]["missing"] == ["작동 압력"]
    assert given[0]["confirmed_items"] == given[1]["confirmed_items"] != []
    assert given[0]["verified"] is given[1]["verified"] is True
    once, twice = all_rows(db, f"SELECT {', '.join(WORDED)}, missing_count FROM ask_events ORDER BY ask_id")
    assert once == twice
    assert (twice["re_gate"], twice["partial_basis"], twice["missing_count"]) == ("partial(uncited)",) * 2 + (1,)


async def test_again__what_an_older_version_kept_is_no_answer_and_goes(at_home: House, db: psycopg.Connection) -> None:
    first = await at_home.ask()
    db.execute("UPDATE answer_cache SET result = result - 'told'")
    again = await at_home.ask()
    assert (again["answer"], "cached" in again["trace"]) == (first["answer"], False)
    assert only(db, "SELECT ask_id, result ? 'told' AS whole FROM answer_cache") == {
        "ask_id": again["id"],
        "whole": True,
    }
    assert (await at_home.ask())["trace"]["cached_from"] == again["id"]


@pytest.mark.parametrize(
    "second",
    [{"question": "점검 기록의 보관 기간과 작동 압력은?"}, {"filters": {"collection": "default"}}],
    ids=["question", "filters"],
)
async def test_again__another_question_or_filter_is_worked_out(at_home: House, second: dict[str, Any]) -> None:
    assert (await asked_twice(at_home, **second))[2] > 0


async def test_again__what_one_user_asked_is_not_served_to_another(at_home: House, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'other')")
    db.execute("UPDATE documents SET user_id = 2")
    await at_home.ask(user_id=2)
    db.execute("UPDATE documents SET user_id = 1")
    before = len(at_home.calls)
    assert "cached" not in (await at_home.ask())["trace"]
    assert len(at_home.calls) > before


async def change_text(home: House, document_id: int) -> None:
    """Read a changed file under the same number, as the folder watcher has it done."""
    home.db.execute(
        "UPDATE document_pages SET text = replace(text, '1.2 MPa', '1.4 MPa') WHERE document_id = %s", [document_id]
    )
    home.db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (%s, 'embed')", [document_id])
    await home.drain("embed")


async def change_other_lines(home: House, document_id: int) -> None:
    """Put a line in front, so that every passage stands elsewhere."""
    line = "UPDATE document_pages SET text = replace(text, '안전밸브의', %s) WHERE document_id = %s"
    home.db.execute(line, ["새 줄이 있다.\n\n안전밸브의", document_id])
    home.db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (%s, 'embed')", [document_id])
    await home.drain("embed")


async def cut_anew(home: House, document_id: int) -> None:
    home.db.execute("UPDATE chunks SET id = id + 100000 WHERE document_id = %s AND node_type = 'leaf'", [document_id])


async def delete(home: House, document_id: int) -> None:
    home.db.execute("SELECT delete_document(%s)", [document_id])


async def restrict(home: House, document_id: int) -> None:
    home.db.execute('SELECT set_document_fields(%s, \'{"license": {"restricted": true}}\')', [document_id])


async def rename(home: House, document_id: int) -> None:
    home.db.execute("UPDATE documents SET title = '다른 제목' WHERE id = %s", [document_id])


async def add_another(home: House, _document_id: int) -> None:
    await home.put("새지침.md", "# 새 지침\n\n안전밸브의 작동 압력은 올해부터 1.3 MPa이다.\n")


CHANGES: tuple[Change, ...] = (change_text, change_other_lines, cut_anew, delete, restrict, rename, add_another)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_again__what_changed_is_not_served(at_home: House, change: Change) -> None:
    await at_home.ask()
    assert (await at_home.ask())["trace"]["cached"]
    await change(at_home, 1)
    assert "cached" not in (await at_home.ask())["trace"]


async def test_again__a_document_about_something_else_changes_nothing(at_home: House) -> None:
    await at_home.ask()
    await at_home.put("menu.md", "# Menu\n\nToday the canteen serves noodles.\n")
    assert (await at_home.ask())["trace"]["cached"]


async def test_again__a_cited_page_that_no_longer_reads_so_is_not_served(
    at_home: House, db: psycopg.Connection
) -> None:
    await at_home.ask()
    db.execute("UPDATE document_pages SET text = replace(text, '1.2 MPa', '1.4 MPa')")  # not embedded yet
    assert "cached" not in (await at_home.ask())["trace"]


async def test_again__somebody_who_wants_it_anew_gets_it_anew(at_home: House, db: psycopg.Connection) -> None:
    _, again, calls = await asked_twice(at_home, payload={"again_of": 1})
    assert calls > 0
    assert "cached" not in again["trace"]
    assert only(db, "SELECT ask_id FROM answer_cache") == {"ask_id": again["id"]}
    assert (await at_home.ask())["trace"]["cached_from"] == again["id"]


async def test_expired__is_not_served_and_goes(at_home: House, db: psycopg.Connection) -> None:
    await at_home.ask()
    db.execute("UPDATE answer_cache SET created_at = now() - interval '2 hours', expire_at = now() - interval '1 s'")
    before = len(at_home.calls)
    assert "cached" not in (await at_home.ask(question="점검 기록은 몇 년 보관합니까?"))["trace"]
    assert only(db, "SELECT count(*) FROM answer_cache WHERE expire_at <= now()") == {"count": 0}
    assert "cached" not in (await at_home.ask())["trace"]
    assert len(at_home.calls) > before + 1


async def test_full__the_oldest_go(settings: Settings, db: psycopg.Connection, model: ModelServer) -> None:
    async with house(settings, db, model, cache_rows=2) as home:
        await home.put()
        questions = [QUESTION, "점검 기록은 몇 년간 보관합니까?", "안전밸브 작동 압력의 값은?"]
        for question in questions:
            await home.ask(question)
        assert only(db, "SELECT count(*) FROM answer_cache") == {"count": 2}
        assert "cached" in (await home.ask(questions[2]))["trace"]
        assert "cached" not in (await home.ask(questions[0]))["trace"]


async def test_off__nothing_is_kept(settings: Settings, db: psycopg.Connection, model: ModelServer) -> None:
    async with house(settings, db, model, cache=False) as home:
        await home.put()
        assert (await asked_twice(home))[2] > 0
        assert all_rows(db, "SELECT 1 FROM answer_cache") == []


async def test_key__has_model_and_settings(settings: Settings, db: psycopg.Connection, model: ModelServer) -> None:
    async with house(settings, db, model) as home:
        await home.put()
        await home.ask()
    for changed in ({"max_chars": 500}, {"evidence": 3}):
        async with house(settings, db, model, **changed) as home:
            assert "cached" not in (await home.ask())["trace"], changed
    async with house(settings, db, model, wait_s=9.0) as home:  # that changes no answer
        assert (await home.ask())["trace"]["cached"]
        assert home.tools.models is not None
        keys = [cache._writers(home.tools.models)]
    async with house(settings, db, model) as home:
        other = served(home.tools.settings, model.url, model="n")
    async with open_tools(other, "tests") as tools:
        assert tools.models is not None
        keys.append(cache._writers(tools.models))
    assert keys[0] != keys[1]


@pytest.mark.parametrize("name", cache.PROMPTS)
async def test_key__has_the_version_of_each_prompt(at_home: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await at_home.ask()
    prompt = load_prompt(name)
    newer = replace(prompt, header=prompt.header.model_copy(update={"version": f"{name}-999"}))
    monkeypatch.setattr(cache, "load_prompt", lambda asked: newer if asked == name else load_prompt(asked))
    assert "cached" not in (await at_home.ask())["trace"]


async def test_key__has_the_rules_around_the_model(at_home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await at_home.ask()
    monkeypatch.setattr(cache, "_rules", lambda: "other")
    assert "cached" not in (await at_home.ask())["trace"]


async def test_built_in__answers_are_not_kept(at_home: House, model: ModelServer, db: psycopg.Connection) -> None:
    model.script({"say": {"status": 503, "body": {"error": "loading"}}})
    row = await at_home.ask()
    assert row["model"].startswith("builtin:")
    assert all_rows(db, "SELECT 1 FROM answer_cache") == []
    model.script(*rules())
    assert (await at_home.ask())["answer"] == GOOD


async def test_less_than_it_could_be__is_not_kept(at_home: House) -> None:
    trace = _trace(calls=[{"step": "verify", "error": "llm_timeout"}])
    assert _kept(at_home.tools, trace, "primary:m") == ()
    assert _kept(at_home.tools, _trace(calls=[{"step": "synthesis"}]), "primary:m")[0].name == "keep_answer"
    assert _kept(at_home.tools, _trace(), "fallback:m") == ()


def _trace(**facts: Any) -> Trace:
    trace = Trace(lambda _event: None)
    trace.note(**facts)
    trace.cache_key = "0" * 64
    return trace


def _kept(tools: Tools, trace: Trace, model: str) -> tuple[Write, ...]:
    said = cache.Served(cache.kept_of(Refusal("evidence_weak", "없다."), (), trace), model, "synthesize-1")
    return cache.keep(1, 1, said, [], tools, trace)


async def test_at_once__two_daemons_may_both_work_it_out_and_both_end(
    settings: Settings, db: psycopg.Connection, model: ModelServer
) -> None:
    model.script(*rules(hold="go"))
    async with house(settings, db, model) as one, house(settings, db, model) as two:
        await one.put()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.ask)
            tasks.start_soon(two.ask)
            await eventually(lambda: len(all_rows(db, "SELECT 1 FROM asks WHERE status = 'processing'")) == 2)
            await eventually(lambda: one.calls)
            # The other one may still be looking up what is kept; while the model works nobody holds the table.
            held = "SELECT 1 FROM pg_locks WHERE relation = 'answer_cache'::regclass"
            await eventually(lambda: not all_rows(db, held))
            model.release("go")
    assert [row["answer"] for row in all_rows(db, "SELECT answer FROM asks")] == [GOOD, GOOD]
    assert only(db, "SELECT count(*) FROM answer_cache") == {"count": 1}


async def test_database__slow_or_away_has_kept_nothing(at_home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await at_home.ask()
    with psycopg.connect(at_home.tools.settings.database_url.get_secret_value()) as other:  # type: ignore[union-attr]
        other.execute("LOCK TABLE answer_cache IN ACCESS EXCLUSIVE MODE")
        monkeypatch.setattr(cache, "LOOK_UP_S", 0.05)
        assert await cache._look_up("0" * 64, at_home.tools) is None
        other.rollback()
    assert (await at_home.ask())["trace"]["cached"]


# -- whether a stored answer still holds -------------------------------------------------------------------------------


async def shown(home: House, ask_id: int) -> dict[str, Any]:
    row = await home.tools.db.one(AskRow, "ask_row", id=ask_id)
    assert row is not None
    return result_of(row)


async def stale(home: House, ask_id: int) -> dict[str, Any]:
    row = await home.tools.db.one(AskRow, "ask_row", id=ask_id)
    assert row is not None
    web: Any = SimpleNamespace(db=home.tools.db)  # as much of the facade as is asked for
    return await staleness(row, web)


@pytest.mark.parametrize(
    ("change", "what"),
    [(change_text, "changed"), (change_other_lines, "changed"), (delete, "deleted"), (restrict, "restricted")],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_stored_answer__says_what_changed_since(at_home: House, change: Change, what: str) -> None:
    row = await at_home.ask()
    assert row["citations"][0]["quote"] in FACTS
    assert await stale(at_home, row["id"]) == {"stale": False, "changed": []}
    await change(at_home, 1)
    changed = [{"document_id": 1, "title": row["citations"][0]["title"], "what": what}]
    assert await stale(at_home, row["id"]) == {"stale": True, "changed": changed}


async def test_stored_answer__holds_where_other_things_changed(at_home: House, db: psycopg.Connection) -> None:
    row = await at_home.ask()
    for change in (cut_anew, rename, add_another):
        await change(at_home, 1)
    assert SENTENCE in only(db, "SELECT text FROM document_pages WHERE document_id = 1")["text"]
    assert (await stale(at_home, row["id"]))["stale"] is False


async def test_stored_answer__of_a_purged_document_is_stale_and_of_a_restored_one_is_not(
    at_home: House, db: psycopg.Connection
) -> None:
    row = await at_home.ask()
    db.execute("SELECT delete_document(1)")
    db.execute("SELECT restore_document(1)")  # its passages are made again later
    assert (await stale(at_home, row["id"]))["stale"] is False
    db.execute("SELECT purge_document(1)")
    assert (await stale(at_home, row["id"]))["changed"][0]["what"] == "deleted"
