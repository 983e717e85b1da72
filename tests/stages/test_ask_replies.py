"""Every kind of reply that models may give, and how the ask ends: scripted servers behind the real stage and gate.

The tables are tests/fakes/ask_replies.py and ask_replies_mended.py: one database, one daemon's tools and one model
server for all of them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import anyio
import psycopg
import pytest

from services.answer.check import uncited_claims
from services.kit.model_settings import CallSettings
from services.kit.settings import Settings, load_settings
from services.text.terms import terms
from services.wiring import open_tools
from tests.fakes.ask_replies import (
    CAREFUL,
    CASES,
    CLEAN,
    DESK,
    DESK_GOOD,
    DOWN,
    KO,
    KO_GOOD,
    NOTES,
    OK,
    UNKNOWN,
    Case,
    draft,
)
from tests.fakes.ask_replies_mended import MENDED
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows
from tests.stages.test_ingest import upload

pytestmark = pytest.mark.anyio
TABLE = [*CASES, *MENDED]
STEPS = {"judge": "j", "synthesis": "s", "verify": "v", "evidence": "e"}
Row = dict[str, Any]


def served(settings: Settings, url: str, promote: bool = False, **models: Any) -> Settings:
    """Settings with a scripted server as PRIMARY, patient with nothing but a slow machine."""
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"primary": {"base_url": url, "model": "scripted"}} | models,
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 10_000},
        answer={"cache": False, "judge_limit_s": 1.0, "verifier_limit_s": 1.0, "verifier_numeric_promote": promote},
        search={"analyze": False},
    )


def ask_all(db: psycopg.Connection, cases: Sequence[Case]) -> dict[int, Case]:
    """Put the questions of cases into the queue; gives each by its row."""
    asked: dict[int, Case] = {}
    for case in cases:
        statement = "INSERT INTO asks (question, priority, max_attempts) VALUES (%s, 'foreground', 1) RETURNING id"
        row = db.execute(statement, [case.question]).fetchone()
        assert row is not None
        asked[row[0]] = case
    return asked


def rules(asked: dict[int, Case]) -> Iterator[Row]:
    """Say to each ask what its case has; who is asked though nobody should be finds nobody there."""
    for ask, case in asked.items():
        for step, say in (("judge", case.judges), ("synthesis", case.writes), ("verify", case.verifies)):
            yield {"when": {"label": f"{step} ask:{ask}"}, "say": say or {"status": 500, "body": "not to be asked"}}


async def run(asked: dict[int, Case], settings: Settings, model: ModelServer, drain: Drain) -> None:
    model.script(*rules(asked))
    async with open_tools(settings, "tests") as tools:
        await drain("synthesis", with_tools=tools)


def steps_of(calls: Sequence[Call], ask: int) -> str:
    return "".join(STEPS[call.label.split()[0]] for call in calls if call.label.endswith(f" ask:{ask}"))


def ending(row: Row, calls: Sequence[Call]) -> Row:
    """How an ask ended, as its case names it."""
    trace = row["trace"] or {}
    return {
        "ends": (row["completeness"], row["refuse_reason"], trace.get("re_gate"), trace.get("tier")),
        "refused": row["refused"],
        "error": row["error_code"],
        "calls": steps_of(calls, row["id"]),
        "noted": [STEPS[call["step"]] for call in trace.get("calls", [])],
    }


def expected(case: Case) -> Row:
    refused = None if case.error else case.ends[0] == "insufficient"
    return {
        "ends": case.ends,
        "refused": refused,
        "error": case.error,
        "calls": case.calls,
        "noted": list(case.calls),
    }


def check_text(case: Case, row: Row, pages: dict[tuple[int, int], str]) -> None:
    """What holds for the text of every answer, and for that of this case."""
    text, missing = row["answer"] or "", (row["trace"] or {}).get("missing", [])
    assert case.has in text, (case.name, text)
    assert case.lacks not in text, (case.name, text)
    assert case.missing in " ".join(missing), (case.name, missing)
    assert case.not_missing not in " ".join(missing), (case.name, missing)
    assert set(terms(" ".join(missing))) <= set(terms(case.question)), (case.name, missing)
    if case.finds is not None:
        assert [each["code"] for each in row["trace"]["findings"]] == [*case.finds], case.name
    if row["refused"] or row["status"] == "failed":
        assert not row["citations"], case.name
        return
    assert 0 < len(text) <= 600, case.name
    markers = list(dict.fromkeys(int(n) for n in re.findall(r"\[(\d+)\]", text)))
    assert markers == list(range(1, len(markers) + 1)) == [cited["n"] for cited in row["citations"]], (case.name, text)
    for cited in row["citations"]:
        assert pages[cited["document_id"], cited["page"]][cited["start"] : cited["end"]] == cited["quote"], case.name
    assert not uncited_claims(text), (case.name, text)
    assert bool(missing) <= (row["completeness"] == "partial"), case.name


@pytest.mark.slow
async def test_replies__end_as_the_table_says(settings: Settings, db: psycopg.Connection, drain: Drain) -> None:
    assert len(TABLE) >= 60
    assert len({case.name for case in TABLE}) == len(TABLE)
    for name, text in NOTES.items():
        upload(db, name, text.encode())
    await drain("ingest", "embed")
    async with serving() as model:
        asked: dict[int, Case] = {}
        for promote in (False, True):
            some = ask_all(db, [case for case in TABLE if case.promote is promote])
            await run(some, served(settings, model.url, promote), model, drain)
            asked |= some
        rows = {row["id"]: row for row in all_rows(db, "SELECT * FROM asks")}
        found = {case.name: ending(rows[ask], model.calls) for ask, case in asked.items()}
        assert model.most == 1
    wrong = [(case.name, found[case.name], expected(case)) for case in TABLE if found[case.name] != expected(case)]
    assert not wrong, "\n".join(json.dumps(each, ensure_ascii=False) for each in wrong)
    found_pages = all_rows(db, "SELECT document_id, number, text FROM document_pages")
    pages = {(page["document_id"], page["number"]): page["text"] for page in found_pages}
    for ask, case in asked.items():
        check_text(case, rows[ask], pages)


async def test_prompt__quotes_a_document_that_gives_orders(
    settings: Settings, db: psycopg.Connection, drain: Drain
) -> None:
    upload(db, "desk.md", NOTES["desk.md"].encode())
    await drain("ingest", "embed")
    async with serving() as model:
        case = Case("", DESK, draft(DESK_GOOD), CLEAN)
        await run(ask_all(db, [case]), served(settings, model.url), model, drain)
        prompts = [call.body["messages"][-1]["content"] for call in model.calls]
    assert len(prompts) == 3
    for prompt in prompts:
        assert prompt.count("<evidence ") == prompt.count("</evidence>") == 1
        assert "The visitor desk closes" in prompt


@pytest.mark.slow
async def test_classifier__that_fails_five_times_is_left_alone_and_the_rules_judge(
    settings: Settings, db: psycopg.Connection, drain: Drain
) -> None:
    upload(db, "점검.md", NOTES["점검.md"].encode())
    await drain("ingest", "embed")
    async with serving() as model:
        down = Case("", UNKNOWN, None, CAREFUL, judges=DOWN)
        calls = {"attempts": 1, "backoff_s": 0.01, "breaker_failures": 5, "breaker_open_s": 60}
        broken = served(settings, model.url).model_copy(update={"calls": CallSettings.model_validate(calls)})
        await run(ask_all(db, [down] * 7), broken, model, drain)
        assert [call.role for call in model.calls] == ["classifier"] * 5
    for row in all_rows(db, "SELECT * FROM asks"):
        assert (row["refused"], row["trace"]["re_gate"]) == (True, "conservative_refuse(no_classifier)")
        assert [call["error"] for call in row["trace"]["calls"]] == ["model_unavailable"]


@pytest.mark.slow
async def test_prompts__keep_to_a_small_context(settings: Settings, db: psycopg.Connection, drain: Drain) -> None:
    for n in range(5):
        more = "".join(f"{n}번째 시설의 {place}구역에는 {n * place}호 장치가 있다. " for place in range(11, 31))
        upload(db, f"{n}.md", f"# 지침 {n}\n\n안전밸브의 작동 압력은 1.2 MPa이다. {more}\n".encode())
    await drain("ingest", "embed")
    shown = []
    async with serving() as model:
        for context in (None, 4000):
            primary = {"base_url": model.url, "model": "scripted", "context_tokens": context}
            await run(
                ask_all(db, [Case("", KO, draft(KO_GOOD), CLEAN)]),
                served(settings, model.url, primary=primary),
                model,
                drain,
            )
            prompts = [call.body["messages"][-1]["content"] for call in model.calls[-3:]]
            shown.append([prompt.count("<evidence ") for prompt in prompts])
    assert shown[0] == [5, 3, 1]
    assert 0 < shown[1][0] < 5
    assert {row["completeness"] for row in all_rows(db, "SELECT completeness FROM asks")} == {"full"}


async def test_evidence_and_classifier__have_a_call_each_where_two_models_serve_them(
    settings: Settings, db: psycopg.Connection, drain: Drain
) -> None:
    upload(db, "점검.md", NOTES["점검.md"].encode())
    await drain("ingest", "embed")
    async with serving() as model:
        case = Case("", KO, draft(KO_GOOD), CLEAN)
        asked = ask_all(db, [case, case])
        spans = {"when": {"label": "evidence ask:1"}, "say": OK}
        away = {"when": {"label": "evidence ask:2"}, "say": {"status": 503, "body": "loading"}}
        model.script(spans, away, *rules(asked))
        apart = served(settings, model.url, evidence={"base_url": model.url, "model": "small"})
        async with open_tools(apart, "tests") as tools:
            await drain("synthesis", with_tools=tools)
        assert model.most == 1
        models = {(call.role, call.body["model"]) for call in model.calls}
    assert {("evidence", "small"), ("classifier", "scripted"), ("primary", "scripted")} <= models
    for row in all_rows(db, "SELECT * FROM asks"):
        assert row["trace"]["re_gate"] == "clean"
        assert sorted(call["step"] for call in row["trace"]["calls"]) == ["evidence", "judge", "synthesis", "verify"]


@pytest.mark.slow
async def test_thirty_asks_in_six_daemons__all_end_with_never_two_calls_at_once(
    settings: Settings, db: psycopg.Connection, drain: Drain
) -> None:
    upload(db, "점검.md", NOTES["점검.md"].encode())
    async with serving() as model:
        everything = served(settings, model.url, embed={"base_url": model.url, "model": "vectors"})
        async with open_tools(everything, "a") as one, open_tools(everything, "b") as two:
            await drain("ingest", "embed", "vectors", with_tools=one)
            case = Case("", KO, draft(KO_GOOD), CLEAN)
            model.script(*rules(ask_all(db, [case] * 30)))
            with anyio.fail_after(60):
                async with anyio.create_task_group() as tasks:
                    for tools in (one, two) * 3:
                        tasks.start_soon(partial(drain, "synthesis", with_tools=tools))
        assert model.most == 1
        steps = Counter(call.label.split()[0] for call in model.calls if call.kind == "chat")
    rows = all_rows(db, "SELECT status, completeness, trace FROM asks")
    assert {(row["status"], row["completeness"]) for row in rows} == {("completed", "full")}
    assert steps == {"judge": 30, "synthesis": 30, "verify": 30}
    assert sum(call["gate_wait_ms"] > 0 for row in rows for call in row["trace"]["calls"]) > 30
