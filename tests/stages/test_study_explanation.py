"""Explanations: guarded, cited, and every job ends as the question bank says (S06–S31, J02–J17)."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest

from services.kit.runner import Runner
from services.kit.settings import Settings
from services.stages import stage_named
from services.study.cap import MOST_CHARS
from services.study.guard import PREVIEW_CHARS, read_envelope
from services.wiring import open_tools
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import only
from tests.stages.question_bank import (
    CHOICES,
    FACT,
    QUESTION,
    TEXT,
    asked,
    document,
    enqueue,
    one,
    prepared,
    question,
    reply,
    topic,
)

pytestmark = pytest.mark.anyio
JOB = "SELECT * FROM study_question_jobs ORDER BY id DESC LIMIT 1"
Q = "SELECT * FROM study_questions WHERE id = %s"
Work = Callable[..., Awaitable[None]]
JOBS = int(os.environ.get("SEODANG_TEST_JOBS", "60"))
"""Jobs of the mixed load; 1,000 for a longer look."""


@pytest.fixture
async def primary() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply())
        yield server


@pytest.fixture
def work(settings: Settings, primary: ModelServer) -> Work:
    """Works off the stage until nothing is ready; what failed is ready again at once."""

    async def run(server: ModelServer | None = primary, **more: Any) -> None:
        given = asked(settings, server, **more)
        queue = given.queue.model_copy(update={"retry_after_s": 1e-6})
        assert given.database_url is not None
        async with open_tools(given, "explanation") as tools:
            for _ in range(3):  # a row that was put off is promoted a look later
                await Runner(
                    given.database_url.get_secret_value(), stage_named("explanation"), tools, queue, until_empty=True
                ).run()

    return run


def due(db: psycopg.Connection) -> None:
    db.execute("UPDATE study_question_jobs SET run_at = NULL WHERE status = 'pending'")


def prompt_of(call: Call) -> str:
    return str(call.body["messages"][-1]["content"])


def ended(db: psycopg.Connection, number: int) -> tuple[str, str | None, int, str]:
    job = only(db, JOB)
    return job["status"], job["error_code"], job["attempts"], only(db, Q, number)["ai_explanation_status"]


async def test_explanation__is_stored_with_its_model_and_citations(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    assert only(db, Q, number)["ai_explanation_status"] == "pending"
    await work()
    row = only(db, Q, number)
    assert (row["ai_explanation_status"], row["ai_explanation"]) == ("ready", TEXT)
    assert row["ai_explanation_model"] == "primary:qwen"
    assert row["ai_explanation_prompt_version"] == "explanation-1"
    assert row["ai_explanation_generated_at"] == row["updated_at"]
    (cited,) = row["ai_explanation_citations"]
    assert (cited["source_type"], cited["source_id"], cited["document_id"]) == ("document", 1, 1)
    page = one(db, "SELECT text FROM document_pages WHERE document_id = 1")
    assert page[cited["start"] : cited["end"]] == cited["snippet"] == FACT
    job = only(db, JOB)
    assert (job["status"], job["attempts"], job["error_code"]) == ("completed", 1, None)
    assert job["payload"] == {
        "answer_choice": 2,
        "confidence": "high",
        "explanation_len_original": len(TEXT),
        "explanation_len_saved": len(TEXT),
        "explanation_capped": False,
    }
    (call,) = primary.calls
    assert (call.role, call.klass, call.label) == ("primary", "background", f"explanation question:{number}")


async def test_prompt__shows_question_choices_and_evidence(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    document(db, topic_id, FACT, title="")
    other = question(
        db, topic_id, "점검 기록은 얼마나 보관하는가? 기간을 정확히 밝히라고 한다면 무엇인가", explanation="3년이다."
    )
    number = question(db, topic_id)
    enqueue(db, number)
    await work()
    text = prompt_of(primary.calls[0])
    assert QUESTION in text
    for place, choice in enumerate(CHOICES, start=1):
        assert f"{place}. {choice}" in text
    assert "Right choice: 2" in text
    assert f"- [자료: 문서 #1] {FACT}" in text
    title = "점검 기록은 얼마나 보관하는가? 기간을 정확히 밝히라고 한다면 무엇인가"[:40]
    assert f"- [Q{other}: {title}]" in text
    assert "3년이다." in text
    assert f"Q{number}:" not in text


async def test_prompt__says_where_there_is_no_evidence_of_a_kind(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    prepared(db)
    await work()
    assert prompt_of(primary.calls[0]).endswith("other questions:\n(없음)")


async def test_evidence__comes_from_nowhere_else(work: Work, primary: ModelServer, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'other') ON CONFLICT DO NOTHING")
    topic_id, elsewhere = topic(db), topic(db, "다른 주제")
    document(db, topic_id, FACT, title="맞는 자료")
    restricted = '{"license": {"restricted": true}}'
    document(db, topic_id, f"{FACT} SECRET", title="제한", extract_meta=restricted, ai_summary="SECRET summary")
    document(db, topic_id, f"{FACT} DELETED", title="지운 것", deleted_at="2026-01-01")
    document(db, None, f"{FACT} UNTIED", title="묶지 않은 것")
    document(db, elsewhere, f"{FACT} ELSEWHERE", title="다른 주제의 것")
    question(db, elsewhere, "정기 점검 ELSEWHERE?")
    question(db, topic_id, "정기 점검 GONE?", deleted_at="2026-01-01")
    stale = question(db, topic_id, "정기 점검 기록은?", ai_explanation="STALE words", ai_explanation_status="stale")
    number = question(db, topic_id)
    enqueue(db, number)
    await work()
    text = prompt_of(primary.calls[0])
    assert "맞는 자료" in text
    assert f"[Q{stale}:" in text
    assert not [word for word in ("SECRET", "DELETED", "UNTIED", "ELSEWHERE", "GONE", "STALE") if word in text]


async def test_evidence__finds_what_stands_behind_the_first_chunks(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    chunks = [f"머리말 {n}: 배관과 보온재, 색채 표시에 관한 이야기이다." for n in range(9)]
    document(db, topic_id, *chunks, FACT, title="긴 지침", ai_summary="정기 점검 지침의 요약")
    number = question(db, topic_id)
    enqueue(db, number)
    await work()
    text = prompt_of(primary.calls[0])
    assert FACT in text
    assert text.index(FACT) < text.index("정기 점검 지침의 요약")


async def test_evidence__is_of_five_documents_before_any_gives_two(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    for n in range(7):
        document(db, topic_id, f"{FACT} {n}", f"정기 점검은 매년 4월이다 {n}", title=f"지침 {n}")
    number = question(db, topic_id)
    enqueue(db, number)
    await work()
    cited = only(db, Q, number)["ai_explanation_citations"]
    assert len(cited) == len({each["document_id"] for each in cited}) == 5


async def test_reranker__orders_the_evidence(work: Work, primary: ModelServer, db: psycopg.Connection) -> None:
    topic_id = topic(db)
    for n in range(7):
        document(db, topic_id, "가" * 900 + f" {FACT} {n}", title=f"지침 {n}")
    number = question(db, topic_id)
    enqueue(db, number)
    async with serving() as reranker:
        await work(models={"rerank": {"base_url": reranker.url, "model": "cross"}})
        (call,) = reranker.calls
    assert call.body["query"] == " | ".join([QUESTION, *CHOICES])
    assert len(call.body["documents"]) == 7
    assert max(map(len, call.body["documents"])) == 800
    assert (call.klass, call.label) == ("background", f"explanation question:{number}")
    assert ended(db, number) == ("completed", None, 1, "ready")


@pytest.mark.parametrize("say", [{"status": 500, "body": {"error": "down"}}, {"scores": "nan"}, {"delay_s": 30.0}])
async def test_reranker__that_fails_or_is_late_leaves_the_order_of_words(
    say: dict[str, Any], work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    document(db, topic_id, "배관의 색채 표시에 관한 이야기이다.", title="먼 자료")
    document(db, topic_id, FACT, title="가까운 자료")
    number = question(db, topic_id)
    enqueue(db, number)
    async with serving() as reranker:
        reranker.say(**say)
        await work(models={"rerank": {"base_url": reranker.url, "model": "cross"}}, study={"rerank_limit_s": 0.3})
        assert len(reranker.calls) == 1
    text = prompt_of(primary.calls[0])
    assert text.index("가까운 자료") < text.index("먼 자료")
    assert ended(db, number) == ("completed", None, 1, "ready")


BAD = [
    ({"text": ""}, "llm_timeout", None),
    ({"text": "  \n "}, "llm_timeout", None),
    ({"text": reply(), "first_s": 30.0}, "llm_timeout", None),
    ({"text": "2번이 맞습니다."}, "parse_fail", "not_dict"),
    ({"text": "[1, 2]"}, "parse_fail", "not_dict"),
    ({"text": reply(answer_choice=True)}, "parse_fail", "invalid_answer_choice"),
    ({"text": reply(answer_choice="2")}, "parse_fail", "invalid_answer_choice"),
    ({"text": reply(answer_choice=5)}, "parse_fail", "invalid_answer_choice"),
    ({"text": reply(explanation_md=" ")}, "parse_fail", "empty_explanation_md"),
    ({"text": reply(), "finish": "length"}, "parse_fail", "not_dict"),
    ({"status": 400, "body": {"error": "no such thing"}}, "unknown", None),
]


@pytest.mark.parametrize(("say", "code", "reason"), BAD)
async def test_bad_reply__is_tried_once_more_and_then_failed(
    say: dict[str, Any], code: str, reason: str | None, work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    primary.say(**say)
    for _ in range(3):
        await work(study={"explain_limit_s": 0.3})
        due(db)
    assert len(primary.calls) == 2
    assert ended(db, number) == ("failed", code, 2, "failed")
    job = only(db, JOB)
    assert job["error_message"]
    assert job["completed_at"] is not None
    assert (job["payload"] or {}).get("parse_fail_reason") == reason
    assert only(db, Q, number)["ai_explanation"] is None


async def test_bad_reply__then_a_good_one_ends_well(work: Work, primary: ModelServer, db: psycopg.Connection) -> None:
    number = prepared(db)
    db.execute("""UPDATE study_question_jobs SET payload = '{"quiz": 7}'""")
    primary.script({"say": {"text": "x" * 5000}, "times": 1}, {"say": {"text": reply()}})
    await work(queue={"look_s": 5})
    due(db)
    await work()
    assert ended(db, number) == ("completed", None, 2, "ready")
    payload = only(db, JOB)["payload"]
    assert payload["quiz"] == 7
    assert payload["debug_raw_preview"] == "x" * PREVIEW_CHARS
    assert payload["explanation_len_saved"] == len(TEXT)


async def test_first_failure__leaves_the_row_pending_with_its_error(
    settings: Settings, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    primary.say(text="nothing")
    given = asked(settings, primary)
    assert given.database_url is not None
    async with open_tools(given, "explanation") as tools:
        queue = given.queue.model_copy(update={"retry_after_s": 600.0})
        dsn = given.database_url.get_secret_value()
        await Runner(dsn, stage_named("explanation"), tools, queue, until_empty=True).run()
    assert ended(db, number) == ("pending", "parse_fail", 1, "pending")
    assert only(db, JOB)["completed_at"] is None


async def test_guard__fails_at_once_and_stores_nothing(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    primary.say(text=reply(answer_choice=3, confidence="medium"))
    await work()
    assert len(primary.calls) == 1
    assert ended(db, number) == ("failed", "guard_fail", 1, "failed")
    assert only(db, Q, number)["ai_explanation"] is None
    assert only(db, JOB)["payload"]["answer_choice"] == 3
    assert not one(db, "SELECT study_needs_explanation(q) FROM study_questions q WHERE id = %s", number)


async def test_no_evidence__is_skipped_without_a_call(work: Work, primary: ModelServer, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    enqueue(db, number)
    await work()
    assert primary.calls == []
    assert ended(db, number) == ("skipped", "evidence_missing", 1, "skipped")
    assert only(db, JOB)["error_message"] == "no document/question evidence in this topic"


async def test_deleted_question__is_skipped_without_a_call(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    db.execute("UPDATE study_questions SET deleted_at = now()")
    await work()
    assert primary.calls == []
    assert ended(db, number)[:2] == ("skipped", "evidence_missing")
    assert only(db, JOB)["error_message"] == "question deleted or missing"


async def test_made_ready_meanwhile__ends_without_a_call(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    db.execute("UPDATE study_questions SET ai_explanation_status = 'ready', ai_explanation = 'a', "
               "ai_explanation_model = 'm', ai_explanation_generated_at = now()")  # fmt: skip
    await work()
    assert primary.calls == []
    assert ended(db, number) == ("completed", None, 1, "ready")
    assert only(db, Q, number)["ai_explanation"] == "a"


async def test_asked_again__is_made_again(work: Work, primary: ModelServer, db: psycopg.Connection) -> None:
    number = prepared(db)
    await work()
    primary.say(text=reply(explanation_md="다시 쓴 설명이다."))
    assert enqueue(db, number, urgency=0, payload={"again": True})
    await work()
    assert only(db, Q, number)["ai_explanation"] == "다시 쓴 설명이다."
    assert [call.klass for call in primary.calls] == ["background", "foreground"]
    assert one(db, "SELECT count(*) FROM study_question_jobs") == 2


async def test_long_explanation__is_capped_at_a_sentence_and_ready(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    long = "점검은 매년 4월에 한다. " * 120
    primary.say(text=reply(explanation_md=long))
    await work()
    row, payload = only(db, Q, number), only(db, JOB)["payload"]
    assert row["ai_explanation_status"] == "ready"
    assert len(row["ai_explanation"]) <= MOST_CHARS
    assert row["ai_explanation"].endswith("한다.…")
    assert payload["explanation_len_original"] == len(long.strip())
    assert payload["explanation_len_saved"] == len(row["ai_explanation"])
    assert payload["explanation_capped"] is True


async def test_server_away__puts_the_job_off_uncounted(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    number = prepared(db)
    primary.say(status=503, body={"error": "loading"})
    await work()
    job = only(db, JOB)
    assert (job["status"], job["attempts"]) == ("pending", 0)
    assert only(db, Q, number)["ai_explanation_status"] == "pending"


async def test_crash_of_the_stage__is_unknown_and_ends_after_two(
    work: Work, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the guard broke")

    monkeypatch.setattr("services.study.explain.read_envelope", broken)
    number = prepared(db)
    for _ in range(3):
        await work()
        due(db)
    assert ended(db, number) == ("failed", "unknown", 2, "failed")
    assert only(db, JOB)["error_message"] == "ZeroDivisionError: the guard broke"


async def test_question_changed_during_the_call__is_explained_as_it_is_now(
    work: Work, primary: ModelServer, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = prepared(db)
    changed: list[bool] = []

    def change_first(text: str, choices: int) -> Any:
        if not changed:
            changed.append(True)
            db.execute(
                "UPDATE study_questions SET correct_choice = 3, text = '바뀐 질문인가?' WHERE id = %s", (number,)
            )
            primary.say(text=reply(answer_choice=3))
        return read_envelope(text, choices)

    monkeypatch.setattr("services.study.explain.read_envelope", change_first)
    await work()
    assert one(db, "SELECT array_agg(status::text ORDER BY id) FROM study_question_jobs") == ["completed", "completed"]
    assert "바뀐 질문인가?" in prompt_of(primary.calls[-1])
    assert "Right choice: 3" in prompt_of(primary.calls[-1])
    assert only(db, Q, number)["ai_explanation_status"] == "ready"


@pytest.mark.parametrize("count", [2, 5])
async def test_choices__may_be_two_to_five(
    count: int, work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    document(db, topic_id, FACT)
    number = question(db, topic_id, choices=(*CHOICES, "모른다")[:count], correct_choice=count)
    enqueue(db, number)
    primary.say(text=reply(answer_choice=count))
    await work()
    assert ended(db, number) == ("completed", None, 1, "ready")


async def test_small_context__drops_evidence_and_cites_only_what_was_shown(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    for n in range(5):
        document(db, topic_id, f"정기 점검은 매년 4월 {n}일에 한다. " * 12, title=f"지침 {n}")
    question(db, topic_id, "점검 기록은 정기 점검 뒤에 얼마나 보관하는가?", explanation="3년이다. " * 40)
    number = question(db, topic_id)
    enqueue(db, number)
    await work(models={"primary": {"base_url": primary.url, "model": "qwen", "context_tokens": 4000}})
    cited = only(db, Q, number)["ai_explanation_citations"]
    shown = prompt_of(primary.calls[0])
    assert 1 <= len(cited) < 6
    assert shown.count("- [") == len(cited)


async def test_without_a_model__the_supporting_sentences_are_the_explanation(
    work: Work, db: psycopg.Connection
) -> None:
    number = prepared(db)
    await work(server=None)
    row = only(db, Q, number)
    assert row["ai_explanation_status"] == "ready"
    assert "정기 점검은 매년 4월에 한다." in row["ai_explanation"]
    assert row["ai_explanation_model"] == "builtin:extractive"
    (cited,) = row["ai_explanation_citations"]
    assert FACT[cited["start"] : cited["end"]] == cited["snippet"] == row["ai_explanation"]
    assert only(db, JOB)["payload"]["confidence"] == "low"


async def test_without_a_model__the_guard_is_real(work: Work, db: psycopg.Connection) -> None:
    topic_id = topic(db)
    document(db, topic_id, FACT)
    number = question(db, topic_id, correct_choice=1)
    enqueue(db, number)
    await work(server=None)
    assert ended(db, number) == ("failed", "guard_fail", 1, "failed")
    assert only(db, Q, number)["ai_explanation"] is None


@pytest.mark.slow
async def test_mixed_load__ends_as_the_replies_say_with_every_call_counted(
    work: Work, primary: ModelServer, db: psycopg.Connection
) -> None:
    topic_id = topic(db)
    document(db, topic_id, FACT)
    kinds: list[tuple[str, str, str | None, int]] = [
        (reply(), "completed", None, 1),
        (reply(answer_choice=1), "failed", "guard_fail", 1),
        ("no JSON", "failed", "parse_fail", 2),
        ("", "failed", "llm_timeout", 2),
        (reply(explanation_md="가" * 3000), "completed", None, 1),
    ]
    rules: list[dict[str, Any]] = []
    wanted: dict[int, tuple[str, str | None, int]] = {}
    for n in range(JOBS):
        text, *_ = kind = kinds[n % len(kinds)]
        number = question(db, topic_id, f"{n}번째 정기 점검은 언제 하는가? 표지{n:04}")
        enqueue(db, number)
        rules.append({"when": {"label": f"explanation question:{number}"}, "say": {"text": text}})
        wanted[number] = kind[1:]
    primary.script(*rules)
    for _ in range(3):
        await work()
        due(db)
    rows = db.execute("SELECT study_question_id, status, error_code, attempts FROM study_question_jobs").fetchall()
    assert {row[0]: row[1:] for row in rows} == wanted
    assert len(primary.calls) == sum(attempts for _, _, attempts in wanted.values())
    assert primary.most == 1
    bad = "SELECT count(*) FROM study_questions WHERE (ai_explanation_status = 'ready') <> (ai_explanation IS NOT NULL)"
    assert one(db, bad) == 0
    assert one(db, "SELECT max(length(ai_explanation)) FROM study_questions") == MOST_CHARS
