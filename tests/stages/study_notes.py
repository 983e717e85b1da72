"""A topic with documents, questions and a quiz, for the tests of notes and analyses."""

import json
from typing import Any

import psycopg

from services.kit.settings import Settings, load_settings
from tests.stages.conftest import Drain, all_rows, only

VALVE = """# 안전밸브 점검 지침

## 점검

안전밸브는 매년 4월에 시험하며 작동 압력은 1.2 MPa로 한다.
시험 성적서는 시험한 날부터 3년 동안 보관하여야 한다.

## 순환 펌프

순환 펌프의 소비 전력은 1.5 kW이고 점검은 분기마다 한다.
"""
BOILER = """# Boiler

The boiler of the east wing burns natural gas and was inspected by the county in March.
The inspection of the boiler must be repeated every 24 months by a licensed inspector.
"""


async def read_in(db: psycopg.Connection, drain: Drain, text: str, name: str) -> int:
    """Have a file read and cut by the daemons' own stages; gives the document's number."""
    db.execute("INSERT INTO inbox (filename, content) VALUES (%s, %s)", [name, text.encode()])
    await drain("ingest", "embed")
    return int(only(db, "SELECT id FROM documents WHERE filename = %s AND deleted_at IS NULL", name)["id"])


def topic(db: psycopg.Connection, *documents: int, name: str = "보일러") -> int:
    """Make a topic and tie documents to it."""
    number = int(only(db, "INSERT INTO study_topics (name) VALUES (%s) RETURNING id", name)["id"])
    for document in documents:
        tie(db, number, document)
    return number


def tie(db: psycopg.Connection, topic_id: int, document_id: int) -> None:
    """Tie a document to a topic."""
    db.execute("INSERT INTO study_topic_documents VALUES (%s, %s)", [topic_id, document_id])


def restrict(db: psycopg.Connection, document_id: int) -> None:
    """Make a document restricted."""
    meta = '{"license": {"restricted": true}}'
    db.execute("UPDATE documents SET extract_meta = extract_meta || %s::jsonb WHERE id = %s", [meta, document_id])


def question(db: psycopg.Connection, topic_id: int, text: str, *choices: str, **more: Any) -> int:
    """Make a question whose first choice is right."""
    columns = "".join(f", {name}" for name in more)
    marks = ", %s" * len(more)
    row = only(
        db,
        f"""INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, correct_choice{columns})
            VALUES (%s, %s, %s, %s, 1{marks}) RETURNING id""",
        topic_id, text, *choices, *more.values(),
    )  # fmt: skip
    return int(row["id"])


def quiz(db: psycopg.Connection, topic_id: int, answers: dict[int, str]) -> int:
    """Make a finished quiz of 90 seconds with an outcome for each question."""
    row = only(
        db,
        """INSERT INTO study_quizzes (study_topic_id, status, created_at, finished_at)
           VALUES (%s, 'finished', now() - interval '90 seconds', now()) RETURNING id""",
        topic_id,
    )
    for position, (number, outcome) in enumerate(answers.items(), start=1):
        db.execute("INSERT INTO study_quiz_questions VALUES (%s, %s, %s)", [row["id"], position, number])
        answer(db, number, outcome, row["id"])
    return int(row["id"])


def answer(db: psycopg.Connection, question_id: int, outcome: str, quiz_id: int | None = None) -> None:
    """Answer a question."""
    choice = {"right": 1, "wrong": 2, "unsure": 1, "dont_know": None}[outcome]
    db.execute(
        "INSERT INTO study_answers (study_quiz_id, study_question_id, choice, outcome) VALUES (%s, %s, %s, %s)",
        [quiz_id, question_id, choice, outcome],
    )


def served_by(settings: Settings, url: str, **study: Any) -> Settings:
    """Give settings with a scripted primary."""
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"primary": {"base_url": url, "model": "small"}},
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000},
        queue={"retry_after_s": 0.01},
        study=study,
    )


def note_of(db: psycopg.Connection, topic_id: int) -> dict[str, Any]:
    """Give how a topic's note stands."""
    return only(db, "SELECT * FROM study_notes WHERE study_topic_id = %s", topic_id)


def analysis_of(db: psycopg.Connection, quiz_id: int) -> dict[str, Any]:
    """Give how a quiz' analysis stands."""
    return only(db, "SELECT * FROM study_analyses WHERE study_quiz_id = %s", quiz_id)


def stand_on_their_pages(db: psycopg.Connection, citations: list[dict[str, Any]]) -> bool:
    """Say whether every quote is the text of its page at its place."""
    pages = {(row["document_id"], row["number"]): row["text"] for row in all_rows(db, "SELECT * FROM document_pages")}
    return all(
        each["quote"] and pages[each["document_id"], each["page"]][each["start"] : each["end"]] == each["quote"]
        for each in citations
    )


def reply(**given: Any) -> str:
    """Write a reply of the model."""
    return json.dumps(given, ensure_ascii=False)
