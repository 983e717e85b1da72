"""The note of a topic: what it is made of, what of a reply is kept, and when it is stale."""

import json
from collections.abc import AsyncIterator

import psycopg
import pytest

from services.kit.settings import Settings
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.study_notes import (
    BOILER,
    VALVE,
    answer,
    note_of,
    question,
    read_in,
    reply,
    restrict,
    served_by,
    stand_on_their_pages,
    tie,
    topic,
)

pytestmark = pytest.mark.anyio
JOB = "SELECT * FROM study_topic_jobs ORDER BY id DESC LIMIT 1"


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply(note="## 점검\n- 안전밸브는 매년 4월에 시험한다 [1]."))
        yield server


@pytest.fixture
async def wired(settings: Settings, model: ModelServer) -> AsyncIterator[Tools]:
    async with open_tools(served_by(settings, model.url), "tests") as tools:
        yield tools


def enqueue(db: psycopg.Connection, topic_id: int, urgency: int = 100) -> bool:
    return bool(only(db, "SELECT study_enqueue_note(%s, %s) AS new", topic_id, urgency)["new"])


async def test_note_without_a_model__says_headings_and_cited_sentences_per_document(
    drain: Drain, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"), await read_in(db, drain, BOILER, "boiler.md"))
    missed = question(db, number, "안전밸브 작동 압력은?", "1.2 MPa", "3 MPa")
    answer(db, missed, "wrong")
    assert enqueue(db, number)
    assert note_of(db, number)["status"] == "pending"
    await drain("note")
    note = note_of(db, number)
    assert (note["status"], note["stale"], note["model"]) == ("ready", False, "builtin:extractive")
    assert note["text"].startswith("## 아직 모르는 문제\n\n- 안전밸브 작동 압력은? — 정답: 1.2 MPa")
    assert "구성: 안전밸브 점검 지침, 점검, 순환 펌프" in note["text"]
    assert "every 24 months by a licensed inspector [" in note["text"]
    assert len(note["text"]) <= 2400
    assert {each["document_id"] for each in note["citations"]} == {1, 2}
    assert stand_on_their_pages(db, note["citations"])


async def test_note__is_the_models_and_drops_what_no_passage_bears_out(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    said = (
        "# 보일러\n## 점검\n- 작동 압력은 1.2 MPa이다 [1]. 작동 압력은 9.9 MPa이다 [1].\n- 출처가 없는 문장이다.\n"
        "- 없는 출처이다 [7].\n## 끝\n- 근거 없다."
    )
    model.say(text=reply(note=said))
    enqueue(db, number, urgency=0)
    await drain("note", with_tools=wired)
    note = note_of(db, number)
    assert note["text"] == "# 보일러\n\n## 점검\n\n- 작동 압력은 1.2 MPa이다 [1]."
    assert (note["model"], note["prompt_version"]) == ("primary:small", "note-1")
    (cited,) = note["citations"]
    assert "1.2 MPa" in cited["quote"]
    assert stand_on_their_pages(db, [cited])
    job = only(db, JOB)
    assert job["payload"] == {"note_chars": len(note["text"]), "sentences_dropped": 4}
    calls = [(call.role, call.klass, call.label) for call in model.calls]
    assert calls == [("primary", "foreground", f"note topic:{number}")]


async def test_note_that_nobody_waits_for__is_made_in_the_background(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    enqueue(db, topic(db, await read_in(db, drain, VALVE, "valve.md")))
    await drain("note", with_tools=wired)
    assert [call.klass for call in model.calls] == ["background"]


async def test_note__shows_the_model_what_was_wrong_and_nothing_restricted_deleted_or_untied(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    shown = await read_in(db, drain, VALVE, "valve.md")
    secret = await read_in(db, drain, "# Bought\n\nA secret sentence stands here alone.", "secret.md")
    gone = await read_in(db, drain, "# Gone\n\nA deleted sentence stands here alone.", "gone.md")
    await read_in(db, drain, BOILER, "boiler.md")
    number = topic(db, shown, secret, gone)
    answer(db, question(db, number, "펌프의 전력은?", "1.5 kW", "3 kW"), "dont_know")
    answer(db, question(db, number, "알고 있는 것은?", "예", "아니오"), "right")
    restrict(db, secret)
    db.execute("SELECT delete_document(%s)", [gone])
    enqueue(db, number)
    await drain("note", with_tools=wired)
    asked = json.dumps([call.body for call in model.calls], ensure_ascii=False)
    assert "- 펌프의 전력은? → 1.5 kW" in asked
    assert "매년 4월에 시험하며" in asked
    assert not [word for word in ("secret", "Bought", "deleted sentence", "natural gas", "알고 있는") if word in asked]


async def test_note_of_nothing_quotable__is_skipped_without_a_call(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    secret = await read_in(db, drain, VALVE, "valve.md")
    restrict(db, secret)
    number = topic(db, secret)
    enqueue(db, number)
    await drain("note", with_tools=wired)
    job = only(db, JOB)
    assert (job["status"], job["error_code"], model.calls) == ("skipped", "evidence_missing", [])
    assert (note_of(db, number)["status"], note_of(db, number)["text"]) == ("skipped", None)


@pytest.mark.parametrize(
    ("said", "code"), [("no JSON", "parse_fail"), (reply(note="- 지어낸 문장이다 [9]."), "guard_fail")]
)
async def test_note_that_cannot_be_used__is_tried_twice_and_fails(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection, said: str, code: str
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    model.say(text=said)
    enqueue(db, number)
    for _ in range(2):
        db.execute("UPDATE study_topic_jobs SET run_at = NULL")
        await drain("note", with_tools=wired)
    job = only(db, JOB)
    assert (job["status"], job["error_code"], job["attempts"], len(model.calls)) == ("failed", code, 2, 2)
    assert (note_of(db, number)["status"], note_of(db, number)["error_code"]) == ("failed", code)


async def test_model_that_is_away__costs_a_note_no_attempt(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    model.say(status=503, body={"error": "loading"})
    enqueue(db, number)
    await drain("note", with_tools=wired)
    job = only(db, JOB)
    assert (job["status"], job["error_code"], job["attempts"]) == ("pending", "model_unavailable", 0)
    assert note_of(db, number)["status"] == "pending"


async def test_note__is_stale_when_a_source_is_added_untied_deleted_or_read_anew(
    drain: Drain, db: psycopg.Connection
) -> None:
    valve, boiler = await read_in(db, drain, VALVE, "valve.md"), await read_in(db, drain, BOILER, "boiler.md")
    number = topic(db, valve)
    enqueue(db, number)
    await drain("note")
    assert note_of(db, number)["status"] == "ready"
    tie(db, number, boiler)
    assert note_of(db, number)["status"] == "stale"
    db.execute("DELETE FROM study_topic_documents WHERE document_id = %s", [boiler])
    assert note_of(db, number)["status"] == "ready"
    db.execute("UPDATE documents SET corpus_version = corpus_version + 1 WHERE id = %s", [valve])
    assert note_of(db, number)["stale"]
    db.execute("UPDATE documents SET corpus_version = corpus_version - 1 WHERE id = %s", [valve])
    db.execute("SELECT delete_document(%s)", [valve])
    note = note_of(db, number)
    assert (note["status"], note["withheld"], note["text"] is not None) == ("stale", False, True)


async def test_note__is_no_longer_shown_when_what_it_quotes_became_restricted(
    drain: Drain, db: psycopg.Connection
) -> None:
    valve = await read_in(db, drain, VALVE, "valve.md")
    number = topic(db, valve)
    enqueue(db, number)
    await drain("note")
    restrict(db, valve)
    note = note_of(db, number)
    assert (note["status"], note["withheld"], note["text"], note["citations"]) == ("stale", True, None, None)


async def test_enqueueing_a_note_twice__leaves_one_job_that_is_the_more_urgent(
    drain: Drain, db: psycopg.Connection
) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    assert [enqueue(db, number), enqueue(db, number, 0), enqueue(db, number)] == [True, False, False]
    assert [row["urgency"] for row in all_rows(db, "SELECT urgency FROM study_topic_jobs")] == [0]
    await drain("note")
    assert enqueue(db, number)
    assert not enqueue(db, 99)


async def test_note__keeps_to_its_length(drain: Drain, settings: Settings, db: psycopg.Connection) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"), await read_in(db, drain, BOILER, "boiler.md"))
    for each in range(9):
        answer(db, question(db, number, f"안전밸브에 관한 {each}번째 물음은 무엇인가? " * 5, "예", "아니오"), "wrong")
    enqueue(db, number)
    short = settings.model_copy(update={"study": settings.study.model_copy(update={"note_chars": 400})})
    async with open_tools(short, "tests") as tools:
        await drain("note", with_tools=tools)
    note = note_of(db, number)
    assert note["status"] == "ready"
    assert 200 < len(note["text"]) <= 400
    assert note["citations"]


async def test_row_that_a_client_inserts__makes_a_note_as_well(drain: Drain, db: psycopg.Connection) -> None:
    number = topic(db, await read_in(db, drain, VALVE, "valve.md"))
    db.execute("INSERT INTO study_topic_jobs (study_topic_id) VALUES (%s)", [number])
    assert note_of(db, number)["status"] == "pending"
    await drain("note")
    assert note_of(db, number)["status"] == "ready"
