"""Deep summaries: by the large model, at once by the primary where that is away, by rules where there is none."""

from collections.abc import AsyncIterator

import anyio
import psycopg
import pytest

from services.kit.settings import Settings
from tests.fakes.model_server import ModelServer, serving
from tests.stages import models
from tests.stages.conftest import all_rows, only
from tests.stages.models import (
    BULLETS,
    SUMMARY,
    TEXT,
    asks,
    deep,
    drained,
    due_again,
    put,
    seen,
    served,
    verdict,
    working,
)
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
DOCUMENT = "SELECT * FROM documents"
JOB = "SELECT * FROM document_jobs WHERE stage = 'deep' ORDER BY id DESC LIMIT 1"
AWAY = {"say": {"status": 503, "body": {"error": "loading"}}}


@pytest.fixture
async def primary() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.script(asks("triage", verdict()), asks("deep", deep()))
        yield server


@pytest.fixture
async def large() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=deep())
        yield server


@pytest.fixture
def two(settings: Settings, primary: ModelServer, large: ModelServer) -> Settings:
    """Settings with a server for PRIMARY and one for DEEP."""
    return served(settings, {"primary": primary, "deep": large})


async def test_deep__is_the_documents_summary(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    number = put(db, stage="deep")
    await drained(two, "deep")
    assert seen(large.calls) == [("deep", "background", f"deep document:{number}")]
    assert primary.calls == []
    row = only(db, DOCUMENT)
    assert row["ai_summary"].splitlines() == ["안전밸브 점검 지침", *(f"- {bullet}" for bullet in BULLETS)]
    meta = row["ai_meta"]
    assert meta["summary_by"] == "deep:deep"
    found = meta["deep"]
    assert (found["prompt_version"], found["model"], found["bullets"]) == ("deep-1", "deep:deep", BULLETS)
    assert found["inconsistencies"] == [
        {"kind": "source_conflict", "quote": "매년 4월에 하며", "note": "다른 곳은 10월이다."}
    ]
    assert found["inconsistencies"][0]["quote"] in TEXT


async def test_corridor__escalates_from_triage_to_a_deep_summary(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    primary.say(text=verdict(escalate=True, reasons=["safety"]))
    put(db)
    await drained(two, "classify", "deep")
    assert [call.role for call in primary.calls + large.calls] == ["triage", "deep"]
    meta = only(db, DOCUMENT)["ai_meta"]
    assert meta["summary_by"] == "deep:deep"
    assert meta["triage"]["summary"] == SUMMARY
    assert only(db, JOB)["status"] == "completed"


async def test_deep_server_away__the_primary_is_asked_at_once_the_same(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    large.script(AWAY)
    number = put(db, stage="deep")
    await drained(two, "deep")
    assert seen(primary.calls) == [("primary", "background", f"deep document:{number}")]
    assert primary.calls[0].body["messages"] == large.calls[0].body["messages"]
    assert only(db, DOCUMENT)["ai_meta"]["summary_by"] == "primary:primary"
    assert only(db, JOB)["attempts"] == 1


async def test_both_away__the_job_is_put_off_uncounted(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    primary.script(AWAY)
    large.script(AWAY)
    put(db, stage="deep")
    await drained(two, "deep")
    job = only(db, JOB)
    assert (job["status"], job["attempts"], job["error_code"]) == ("pending", 0, "model_unavailable")


async def test_deep__follows_primary_where_it_has_no_server_of_its_own(
    settings: Settings, primary: ModelServer, db: psycopg.Connection
) -> None:
    put(db, stage="deep")
    await drained(served(settings, {"primary": primary}), "deep")
    assert [call.role for call in primary.calls] == ["deep"]
    assert only(db, DOCUMENT)["ai_meta"]["summary_by"] == "primary:primary"


async def test_wrong_number_of_bullets__is_tried_again_once_then_a_parse_fail(
    two: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    large.say(text=deep(bullets=BULLETS[:4]))
    put(db, stage="deep", ai_summary="Before.")
    for expected in (("pending", 1), ("failed", 2)):
        await drained(two, "deep")
        job = only(db, JOB)
        assert (job["status"], job["attempts"], job["error_code"]) == (*expected, "parse_fail")
        due_again(db)
    assert [call.body["temperature"] for call in large.calls] == [0.0, 0.3]
    assert only(db, DOCUMENT)["ai_summary"] == "Before."


async def test_lengths__are_kept_and_what_is_not_quoted_is_dropped(
    two: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    large.say(
        text=deep(
            tldr="안전밸브 " * 30,
            bullets=[f"{number} " + "아주 긴 문장 " * 20 for number in range(5)],
            inconsistencies=[
                {"kind": "missing_basis", "quote": "이런 말은 없다", "note": "."},
                {"kind": "style", "quote": "매년 4월에 하며", "note": "."},
                {"kind": "version_drift", "quote": "시행일: 2024. 3. 5.", "note": "."},
            ],
        )
    )
    put(db, stage="deep")
    await drained(two, "deep")
    found = only(db, DOCUMENT)["ai_meta"]["deep"]
    assert len(found["tldr"]) <= 60
    assert [30 <= len(bullet) <= 60 for bullet in found["bullets"]] == [True] * 5
    assert [each["kind"] for each in found["inconsistencies"]] == ["version_drift"]


async def test_without_a_model__the_documents_own_sentences_are_chosen(
    settings: Settings, db: psycopg.Connection
) -> None:
    put(db, stage="deep")
    await drained(settings, "deep")
    row = only(db, DOCUMENT)
    found = row["ai_meta"]["deep"]
    assert (row["ai_meta"]["summary_by"], found["model"]) == ("rules", "builtin:extractive")
    assert found["bullets"]
    assert all(bullet.rstrip("…") in TEXT for bullet in found["bullets"])
    assert only(db, JOB)["status"] == "completed"


@pytest.mark.parametrize(("text", "code"), [("", "empty"), (TEXT, "document_deleted")])
async def test_deep__skips_what_cannot_be_summarised(
    two: Settings, large: ModelServer, db: psycopg.Connection, text: str, code: str
) -> None:
    put(db, text, stage="deep")
    if code == "document_deleted":
        db.execute("UPDATE documents SET deleted_at = now()")
    await drained(two, "deep")
    job = only(db, JOB)
    assert (job["status"], job["error_code"]) == ("skipped", code)
    assert large.calls == []


async def test_person__is_asked_for_in_the_foreground_and_has_it_filed_first(
    two: Settings, primary: ModelServer, large: ModelServer, db: psycopg.Connection
) -> None:
    number = put(db, stage="deep", urgency=0)
    await drained(two, "deep")
    assert seen(primary.calls) == [("triage", "foreground", f"triage document:{number}")]
    assert seen(large.calls) == [("deep", "foreground", f"deep document:{number}")]
    row = only(db, DOCUMENT)
    assert (row["material_type"], row["ai_meta"]["triage"]["model"]) == ("manual", "primary:primary")
    assert row["ai_summary"].startswith("안전밸브 점검 지침\n- ")


async def test_person__gets_a_summary_though_it_cannot_be_filed(
    two: Settings, primary: ModelServer, db: psycopg.Connection
) -> None:
    primary.script(AWAY)
    put(db, stage="deep", urgency=0)
    await drained(two, "deep")
    assert only(db, DOCUMENT)["ai_meta"].keys() == {"text_version", "summary_by", "deep"}


async def test_triage__leaves_a_deep_summary_of_the_same_text(
    two: Settings, large: ModelServer, primary: ModelServer, db: psycopg.Connection
) -> None:
    put(db, stage="deep")
    await drained(two, "deep")
    primary.say(text=verdict(escalate=True, reasons=["law"]))
    models.enqueue(db, 1, "classify")
    await drained(two, "classify", "deep")
    row = only(db, DOCUMENT)
    assert row["ai_summary"].startswith("안전밸브 점검 지침\n- ")
    assert row["ai_meta"]["summary_by"] == "deep:deep"
    assert row["ai_meta"]["triage"]["escalate"] is True
    assert len(large.calls) == 1


async def test_slow_deep_call__does_not_hold_up_classify(
    two: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    large.say(text=deep(), hold="go")
    put(db, stage="deep")
    done = "SELECT id FROM document_jobs WHERE stage = 'classify' AND status = 'completed'"
    async with working(two) as runner, anyio.create_task_group() as tasks:
        slow, fast = runner("deep", until_empty=False), runner("classify", until_empty=False)
        tasks.start_soon(slow.run)
        tasks.start_soon(fast.run)
        await eventually(lambda: large.calls)
        for _ in range(3):
            put(db)
        await eventually(lambda: len(all_rows(db, done)) == 3)
        assert large.calls[0].ended_ns is None
        large.release("go")
        await eventually(lambda: only(db, JOB)["status"] == "completed")
        slow.stop()
        fast.stop()


async def test_slow_deep_call__does_not_hold_up_a_person(
    two: Settings, large: ModelServer, db: psycopg.Connection
) -> None:
    two = two.model_copy(update={"gate": two.gate.model_copy(update={"capacity": 2})})
    slow_one = put(db, stage="deep")
    large.script(
        {"when": {"label": f"deep document:{slow_one}"}, "say": {"text": deep(), "hold": "go"}},
        {"say": {"text": deep()}},
    )
    async with working(two) as runner, anyio.create_task_group() as tasks:
        daemon = runner("deep", until_empty=False)
        tasks.start_soon(daemon.run)
        await eventually(lambda: large.calls)
        wanted = put(db, stage="deep", urgency=0)
        summed = f"SELECT ai_meta FROM documents WHERE id = {wanted}"
        await eventually(lambda: "deep" in only(db, summed)["ai_meta"])
        assert large.calls[0].ended_ns is None
        large.release("go")
        daemon.stop()
