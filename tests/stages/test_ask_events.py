"""One row of figures per ask, whatever ended it, and what is counted from them; nothing of it can be read as a text."""

from typing import Any

import anyio
import psycopg
import pytest
from psycopg.types.json import Jsonb

from services.answer import telemetry
from services.kit.answer_settings import AnswerSettings
from services.kit.runner import Runner
from services.kit.settings import QueueSettings
from services.stages import stage_named
from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

SECRET = "표시된비밀"
TRACE: dict[str, Any] = {
    "steps": ["queued", "retrieve", "evidence", "decide", "answer", "check"],
    "ms": {"retrieve": 4.5, "decide": 1, "answer": 900.25, "odd": "long"},
    "verdict": "sufficient",
    "coverage": 0.61,
    "re_gate": "partial(grounding)",
    "missing": [f"{SECRET} 설치 비용", "기간"],
    "queries": ["valve pressure"],
    "hits": [
        {"chunk_id": 7, "score": 3.25, "legs": {"lexical": 3.25}, "ranks": {"lexical": 1}, "text": SECRET},
        {"chunk_id": 9, "score": 1.5},
    ],
    "findings": [{"code": "fabricated_number", "where": f"{SECRET} 9 MPa", "strength": "strong"}],
    "objections": [{"kind": "nuance", "weight": "weak", "where": SECRET, "start": 0, "end": 9}],
    "calls": [
        {"step": "judge", "prompt_version": "judge-1", "gate_wait_ms": 10, "took_ms": 100, "tokens_in": 50,
         "tokens_out": 5},
        {"step": "synthesis", "prompt_version": "synthesize-2", "gate_wait_ms": 2.5, "took_ms": 300, "tokens_in": 70,
         "tokens_out": 20},
        {"step": "verify", "prompt_version": "verify-1", "gate_wait_ms": 0, "took_ms": 30, "tokens_in": None,
         "error": "llm_timeout"},
    ],
}  # fmt: skip
ANSWERED: dict[str, Any] = {
    "answer": f"{SECRET} 답 [1].",
    "completeness": "partial",
    "refused": False,
    "confidence": "medium",
    "model": "primary:m",
    "prompt_version": "synthesize-2",
}


def put(db: psycopg.Connection, **columns: Any) -> int:
    """Put a question, marked by a word of its own, into `asks`."""
    names = "".join(f", {name}" for name in columns)
    found = db.execute(
        f"INSERT INTO asks (question{names}) VALUES (%s{', %s' * len(columns)}) RETURNING id",
        [f"{SECRET} 압력은?", *columns.values()],
    ).fetchone()
    assert found is not None
    return int(found[0])


def end(db: psycopg.Connection, ask_id: int, status: str = "completed", **columns: Any) -> None:
    """End an ask as the machinery does: the status first, its results after it, in one transaction."""
    with db.transaction():
        db.execute("UPDATE asks SET status = %s, completed_at = now() WHERE id = %s", [status, ask_id])
        for name, value in columns.items():
            given = Jsonb(value) if name in {"trace", "citations"} else value
            db.execute(f"UPDATE asks SET {name} = %s WHERE id = %s", [given, ask_id])


def events(db: psycopg.Connection) -> list[dict[str, Any]]:
    return all_rows(db, "SELECT * FROM ask_events ORDER BY id")


def test_event__has_the_figures_of_the_ask_and_none_of_its_texts(db: psycopg.Connection) -> None:
    ask_id = put(db, priority="foreground")
    end(db, ask_id, **ANSWERED, trace=TRACE)
    (event,) = events(db)
    assert SECRET not in str(event)
    wanted = {
        "ask_id": ask_id, "user_id": 1, "mode": "ask", "priority": "foreground", "status": "completed",
        "completeness": "partial", "refused": False, "confidence": "medium", "model": "primary:m",
        "prompt_version": "synthesize-2", "prompt_versions": ["judge-1", "synthesize-2", "verify-1"],
        "verdict": "sufficient", "answerability": "sufficient", "coverage": 0.61, "re_gate": "partial(grounding)",
        "partial_basis": "partial(grounding)", "missing_count": 2, "suggested_query_count": 1, "cached": False,
        "calls": 3, "calls_failed": 1, "gate_wait_ms": 12.5, "model_ms": 430, "tokens_in": 120, "tokens_out": 25,
        "step_ms": {"retrieve": 4.5, "decide": 1, "answer": 900.25},
        "findings": [
            {"code": "fabricated_number", "strength": "strong"},
            {"code": "nuance", "strength": "weak"},
        ],
        "hits": [
            {"rank": 1, "chunk_id": 7, "score": 3.25, "legs": {"lexical": 3.25}, "ranks": {"lexical": 1}},
            {"rank": 2, "chunk_id": 9, "score": 1.5},
        ],
    }  # fmt: skip
    assert {name: event[name] for name in wanted} == wanted
    assert event["took_ms"] >= 0


def test_event__comes_with_the_commit_of_the_end_and_goes_with_its_rollback(db: psycopg.Connection, dsn: str) -> None:
    ask_id = put(db)
    with psycopg.connect(dsn) as other:
        other.execute("UPDATE asks SET status = 'completed', completed_at = now() WHERE id = %s", [ask_id])
        assert events(db) == []
        other.rollback()
    assert events(db) == []
    end(db, ask_id)
    assert [event["ask_id"] for event in events(db)] == [ask_id]


@pytest.mark.parametrize("status", ["completed", "failed", "skipped"])
def test_event__is_one_for_every_ending(db: psycopg.Connection, status: str) -> None:
    first, second = put(db), put(db)
    db.execute("UPDATE asks SET status = 'processing' WHERE id = %s", [first])
    assert events(db) == []
    for ask_id in (first, second):
        end(db, ask_id, status, error_code="llm_timeout")
    db.execute("UPDATE asks SET confidence = 'low', status = status")
    assert [(event["status"], event["error_code"]) for event in events(db)] == [(status, "llm_timeout")] * 2


ODD: tuple[Any, ...] = (
    [], "text", 7, {"calls": {"took_ms": 1}, "hits": 3, "ms": [1], "findings": "none", "missing": {}, "re_gate": [1]},
    {"calls": [{"took_ms": "slow", "tokens_in": True}, 7, None, []], "hits": [1, "x", None], "findings": [None, 3]},
    {"calls": [{"tokens_in": 10**40}]}, {"cached_from": 10**30, "cached": "yes"}, {"queries": list(range(3))},
)  # fmt: skip


@pytest.mark.parametrize("trace", ODD, ids=str)
def test_event__an_odd_trace_keeps_no_answer_from_being_stored(db: psycopg.Connection, trace: Any) -> None:
    ask_id = put(db)
    end(db, ask_id, **ANSWERED, trace=trace)
    (event,) = events(db)
    assert (event["completeness"], event["cached"], event["tokens_in"]) == ("partial", False, 0)
    assert only(db, "SELECT status FROM asks") == {"status": "completed"}


def test_event__of_one_call_told_by_itself_counts_it(db: psycopg.Connection) -> None:
    trace = {"gate_wait_ms": 3.0, "model_ms": 250.5, "tokens_in": 40, "tokens_out": 9}
    end(db, put(db), **ANSWERED, trace=trace)
    event = only(db, "SELECT calls, gate_wait_ms, model_ms, tokens_in, tokens_out, prompt_versions FROM ask_events")
    assert list(event.values()) == [1, 3.0, 250.5, 40, 9, ["synthesize-2"]]


def test_event__of_a_full_answer_has_no_basis_of_a_part(db: psycopg.Connection) -> None:
    end(db, put(db), **ANSWERED | {"completeness": "full"}, trace={"re_gate": "clean", "verdict": "sufficient"})
    assert only(db, "SELECT re_gate, partial_basis FROM ask_events") == {"re_gate": "clean", "partial_basis": None}


async def test_event__is_there_for_a_row_that_is_given_up(db: psycopg.Connection, dsn: str, tools: Tools) -> None:
    put(db)
    db.execute("UPDATE asks SET status = 'processing', claim = 1, attempts = 1, crashes = 2")
    settings = QueueSettings(max_crashes=3, watch_s=0.02)
    runner = Runner(dsn, stage_named("synthesis"), tools, settings)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.run)
            await eventually(lambda: events(db))
            runner.stop()
    (event,) = events(db)
    assert (event["status"], event["error_code"], event["crashes"], event["calls"]) == ("failed", "unknown", 3, 0)


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_event__is_there_for_an_ask_that_is_called_off(db: psycopg.Connection, status: str) -> None:
    ask_id = put(db, status=status)
    db.execute("SELECT cancel_ask(%s)", [ask_id])
    db.execute("UPDATE asks SET status = 'pending' WHERE status = 'processing'")  # its daemon gives it back
    assert [(event["status"], event["error_code"]) for event in events(db)] == [("skipped", "cancelled")]


async def test_event__of_the_built_in_answerer_calls_nobody(db: psycopg.Connection, drain: Drain) -> None:
    text = "# 점검 지침\n\n안전밸브의 작동 압력은 1.2 MPa이다.\n"
    db.execute("INSERT INTO inbox (filename, content) VALUES ('점검.md', %s)", [text.encode()])
    db.execute("INSERT INTO asks (question) VALUES ('안전밸브의 작동 압력은 얼마입니까?')")
    await drain("ingest", "embed", "synthesis")
    (event,) = events(db)
    assert (event["status"], event["calls"], event["cached"]) == ("completed", 0, False)
    assert event["model"].startswith("builtin:")
    assert {"retrieve", "decide"} <= set(event["step_ms"])
    assert event["hits"][0]["rank"] == 1
    assert "작동" not in str(event)


async def test_event__of_a_question_that_cannot_be_searched_says_why(db: psycopg.Connection, drain: Drain) -> None:
    put(db, filters=Jsonb({"colour": SECRET}))
    await drain("synthesis")
    (event,) = events(db)
    assert (event["status"], event["error_code"]) == ("failed", "unknown_filter")
    assert SECRET not in str(event)
    assert only(db, "SELECT trace ? 'steps' AS told FROM asks") == {"told": True}


# -- views -------------------------------------------------------------------------------------------------------------


def test_views__count_refusals_completeness_and_times(db: psycopg.Connection) -> None:
    refused: dict[str, Any] = {
        "completeness": "insufficient",
        "refused": True,
        "confidence": "low",
        "model": "primary:m",
    }
    for reason in ("evidence_weak", "evidence_weak", "evidence_missing"):
        end(db, put(db), **refused, refuse_reason=reason, prompt_version="synthesize-1", trace={"ms": {"retrieve": 1}})
    for version, completeness in (("synthesize-1", "full"), ("synthesize-2", "full"), ("synthesize-2", "partial")):
        how = {"completeness": completeness, "prompt_version": version}
        end(db, put(db), **ANSWERED | how, trace=TRACE | {"ms": {"retrieve": 11}})
    end(db, put(db), **ANSWERED, trace={"cached": True, "cached_from": 6})
    end(db, put(db), "failed")
    counted = db.execute(
        "SELECT refuse_reason, count, round(share::numeric, 3) FROM ask_refusals ORDER BY 2"
    ).fetchall()
    assert [(reason, count, float(share)) for reason, count, share in counted] == [
        ("evidence_missing", 1, 0.143),
        ("evidence_weak", 2, 0.286),
    ]
    told = "SELECT prompt_version, completeness, count, share FROM ask_completeness ORDER BY 1, 2"
    assert db.execute(told).fetchall() == [
        ("synthesize-1", "full", 1, 0.25),
        ("synthesize-1", "insufficient", 3, 0.75),
        ("synthesize-2", "full", 1, 0.5),
        ("synthesize-2", "partial", 1, 0.5),
    ]
    times = {row["step"]: row for row in all_rows(db, "SELECT * FROM ask_step_times")}
    assert (times["retrieve"]["count"], times["retrieve"]["p50_ms"], times["retrieve"]["p95_ms"]) == (6, 6, 11)
    assert (times["(gate)"]["count"], times["(model)"]["p50_ms"]) == (3, 430)
    assert times["(all)"]["count"] == 7
    basis = "SELECT answerability, partial_basis, suggested_query_count FROM analyze_events WHERE partial_basis <> ''"
    assert db.execute(basis).fetchall() == [("sufficient", "partial(grounding)", 1)]


# -- how long it is kept -----------------------------------------------------------------------------------------------


def keeping(tools: Tools, **settings: int) -> Tools:
    """Give the tools of a daemon that keeps asks and figures for other times."""
    answer = AnswerSettings(**settings)
    return Tools(tools.db, tools.reader, tools.settings.model_copy(update={"answer": answer}))


def aged(db: psycopg.Connection, days: int) -> None:
    for table, column in (("asks", "completed_at"), ("ask_events", "created_at")):
        db.execute(f"UPDATE {table} SET {column} = {column} - make_interval(days => %s)", [days])


def left(db: psycopg.Connection) -> tuple[int, int]:
    """Count asks and events."""
    found = db.execute("SELECT (SELECT count(*) FROM asks), (SELECT count(*) FROM ask_events)").fetchone()
    assert found is not None
    return found


async def test_old__figures_and_asks_go_each_at_its_time(db: psycopg.Connection, tools: Tools) -> None:
    end(db, put(db), **ANSWERED, trace=TRACE)
    aged(db, 40)
    end(db, put(db), **ANSWERED)
    put(db)
    await telemetry.forget_old(keeping(tools, events_keep_days=0, keep_days=0))
    assert left(db) == (3, 2)
    await telemetry.forget_old(tools)
    assert left(db) == (3, 2)
    await telemetry.forget_old(keeping(tools, events_keep_days=0, keep_days=30))
    assert left(db) == (2, 2)
    await telemetry.forget_old(keeping(tools, events_keep_days=30, keep_days=0))
    assert left(db) == (2, 1)


async def test_old__many_go_a_bounded_number_at_a_look(
    db: psycopg.Connection, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "AT_ONCE", 2)
    for _ in range(5):
        end(db, put(db))
    aged(db, 3)
    numbers = []
    for _ in range(4):
        await telemetry.forget_old(keeping(tools, events_keep_days=1, keep_days=1))
        numbers.append(left(db))
    assert numbers == [(3, 3), (1, 1), (0, 0), (0, 0)]


def test_old__is_done_by_the_daemon_that_answers() -> None:
    assert stage_named("synthesis").watch is telemetry.forget_old
