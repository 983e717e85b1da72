"""The analysis of a quiz: counted facts, what a model may say of them, and when it is stale."""

import json
from collections.abc import AsyncIterator

import psycopg
import pytest

from services.kit.settings import Settings
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, only
from tests.stages.study_notes import (
    BOILER,
    VALVE,
    analysis_of,
    answer,
    question,
    quiz,
    read_in,
    reply,
    restrict,
    served_by,
    stand_on_their_pages,
    tie,
    topic,
)

pytestmark = pytest.mark.anyio
JOB = "SELECT * FROM study_quiz_jobs ORDER BY id DESC LIMIT 1"
COUNTS = {"right": 1, "wrong": 1, "unsure": 1}


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply(analysis="세 문제 중 1문제를 맞혔습니다. 작동 압력은 1.2 MPa입니다 [1].", **COUNTS))
        yield server


@pytest.fixture
async def wired(settings: Settings, model: ModelServer) -> AsyncIterator[Tools]:
    async with open_tools(served_by(settings, model.url), "tests") as tools:
        yield tools


async def finished(db: psycopg.Connection, drain: Drain, korean: bool = True) -> int:
    """Make a finished quiz of four questions on a read document: right, wrong, unsure, not known; enqueue it."""
    number = topic(
        db, await read_in(db, drain, VALVE if korean else BOILER, "a.md"), name="밸브" if korean else "Boiler"
    )
    texts = (
        ["시험은 언제 하는가?", "작동 압력은 얼마인가?", "성적서 보관은 몇 년인가?", "펌프 점검은 언제 하는가?"]
        if korean
        else ["When is it inspected?", "What does the boiler burn?", "Who inspects it?", "Where is it?"]
    )
    exam = {"exam_name": "가스", "exam_round": 7}
    questions = [
        question(db, number, texts[0], "4월", "5월", tags=["시험"]),
        question(db, number, texts[1], "1.2 MPa", "2 MPa", tags=["시험", "압력"], **exam),
        question(db, number, texts[2], "3년", "5년", tags=["보관"]),
        question(db, number, texts[3], "분기", "매년", tags=["보관"]),
    ]
    answer(db, questions[0], "wrong")
    answer(db, questions[1], "right")
    made = quiz(db, number, dict(zip(questions, ("right", "wrong", "unsure", "dont_know"), strict=True)))
    assert only(db, "SELECT study_enqueue_analysis(%s) AS new", made)["new"]
    assert analysis_of(db, made)["status"] == "pending"
    return made


async def test_analysis_without_a_model__tells_the_facts_in_the_readers_language(
    drain: Drain, db: psycopg.Connection
) -> None:
    made = await finished(db, drain)
    await drain("analysis")
    found = analysis_of(db, made)
    assert (found["status"], found["stale"], found["model"]) == ("ready", False, "builtin:extractive")
    text = found["text"]
    assert text.startswith(
        "4문제 가운데 4문제에 답했습니다: 정답 1, 오답 1, 확신 없음 1, 모름 1. 답의 25 %가 정답입니다."
    )
    assert "걸린 시간은 1분 30초입니다." in text
    assert "가장 약한 태그: 보관, 압력, 시험." in text
    assert "나아진 문제 1, 나빠진 문제 1, 여전히 못 맞힌 문제 0, 처음 답한 문제 2." in text
    assert "- 주제 밸브: 4문제 중 정답 1, 오답·모름 2, 확신 없음 1." in text
    assert "- 시험 가스 7: 1문제 중 정답 0, 오답·모름 1, 확신 없음 0." in text
    assert "- 태그 시험: 2문제 중 정답 1, 오답·모름 1, 확신 없음 0." in text
    assert "## 다시 볼 곳\n\n- 작동 압력은 얼마인가? → " in text
    assert found["citations"]
    assert stand_on_their_pages(db, found["citations"])


async def test_analysis_of_english_questions__is_english(drain: Drain, db: psycopg.Connection) -> None:
    made = await finished(db, drain, korean=False)
    await drain("analysis")
    assert analysis_of(db, made)["text"].startswith("Of 4 questions 4 were answered: 1 right, 1 wrong, 1 unsure, 1 not")


async def test_analysis__is_the_models_where_its_numbers_are_the_facts(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    made = await finished(db, drain)
    await drain("analysis", with_tools=wired)
    found = analysis_of(db, made)
    assert found["text"] == "세 문제 중 1문제를 맞혔습니다. 작동 압력은 1.2 MPa입니다 [1]."
    assert (found["model"], found["prompt_version"]) == ("primary:small", "analysis-1")
    assert stand_on_their_pages(db, found["citations"])
    asked = model.calls[0].body["messages"][-1]["content"]
    assert "정답 1, 오답 1, 확신 없음 1, 모름 1." in asked
    assert "- 작동 압력은 얼마인가? → 1.2 MPa" in asked
    assert [(call.klass, call.label) for call in model.calls] == [("background", f"analysis quiz:{made}")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (reply(analysis="17문제를 맞혔습니다.", **COUNTS), "figure_unknown 17"),
        (reply(analysis="작동 압력은 9.9 MPa입니다 [1].", **COUNTS), "figure_unknown 9.9"),
        (reply(analysis="다시 읽으세요 [8].", **COUNTS), "marker_unknown [8]"),
        (reply(analysis="잘했습니다.", **COUNTS | {"right": 3}), "count_wrong right"),
    ],
)
async def test_analysis_with_another_number__is_tried_twice_fails_and_is_not_stored(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection, said: str, why: str
) -> None:
    made = await finished(db, drain)
    model.say(text=said)
    for _ in range(2):
        db.execute("UPDATE study_quiz_jobs SET run_at = NULL")
        await drain("analysis", with_tools=wired)
    job = only(db, JOB)
    assert (job["status"], job["error_code"], job["attempts"], len(model.calls)) == ("failed", "guard_fail", 2, 2)
    assert why in job["error_message"]
    found = analysis_of(db, made)
    assert (found["status"], found["text"], found["error_code"]) == ("failed", None, "guard_fail")


async def test_analysis__shows_and_quotes_nothing_restricted(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    made = await finished(db, drain)
    restrict(db, only(db, "SELECT id FROM documents")["id"])
    model.say(text=reply(analysis="1문제를 맞혔습니다.", **COUNTS))
    await drain("analysis", with_tools=wired)
    assert "보관하여야" not in json.dumps([call.body for call in model.calls], ensure_ascii=False)
    found = analysis_of(db, made)
    assert (found["status"], found["citations"]) == ("ready", [])


async def test_analysis__is_stale_when_sources_or_questions_change(drain: Drain, db: psycopg.Connection) -> None:
    made = await finished(db, drain)
    await drain("analysis")
    db.execute("UPDATE study_questions SET text = text || ' (고침)' WHERE id = 1")
    assert analysis_of(db, made)["status"] == "stale"
    assert only(db, "SELECT study_enqueue_analysis(%s) AS new", made)["new"]
    await drain("analysis")
    assert analysis_of(db, made)["status"] == "ready"
    other = await read_in(db, drain, BOILER, "boiler.md")
    tie(db, 1, other)
    assert analysis_of(db, made)["status"] == "stale"


async def test_analysis__is_stale_when_an_answer_is_added(drain: Drain, db: psycopg.Connection) -> None:
    made = await finished(db, drain)
    await drain("analysis")
    late = question(db, 1, "더 있는가?", "예", "아니오")
    db.execute("INSERT INTO study_quiz_questions VALUES (%s, 9, %s)", [made, late])
    assert analysis_of(db, made)["stale"]
    answer(db, late, "right", made)
    assert only(db, "SELECT study_enqueue_analysis(%s) AS new", made)["new"]
    await drain("analysis")
    found = analysis_of(db, made)
    assert (found["stale"], found["text"].startswith("5문제 가운데 5문제")) == (False, True)


async def test_analysis__is_no_longer_shown_when_what_it_quotes_became_restricted(
    drain: Drain, db: psycopg.Connection
) -> None:
    made = await finished(db, drain)
    await drain("analysis")
    restrict(db, only(db, "SELECT id FROM documents")["id"])
    found = analysis_of(db, made)
    assert (found["stale"], found["withheld"], found["text"], found["citations"]) == (True, True, None, None)


async def test_quiz_without_an_answer__is_skipped(drain: Drain, db: psycopg.Connection) -> None:
    made = quiz(db, topic(db), {})
    only(db, "SELECT study_enqueue_analysis(%s)", made)
    await drain("analysis")
    assert (only(db, JOB)["error_code"], analysis_of(db, made)["status"]) == ("evidence_missing", "skipped")


async def test_analysis_whose_worker_died_too_often__leaves_nobody_waiting(
    drain: Drain, db: psycopg.Connection
) -> None:
    made = await finished(db, drain)
    db.execute("UPDATE study_quiz_jobs SET status = 'failed', completed_at = now(), error_code = 'unknown'")
    assert analysis_of(db, made)["status"] == "failed"
