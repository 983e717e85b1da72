"""Topics, documents and questions for the tests of what is made of them."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from services.kit.settings import Settings, load_settings
from services.text.terms import document_weights, sparsevec_text
from tests.fakes.model_server import ModelServer

FACT = "정기 점검은 매년 4월에 한다. 안전밸브의 작동 압력은 1.2 MPa이다. 점검 기록은 3년간 보관한다."
QUESTION = "정기 점검은 언제 하는가?"
CHOICES = ("매년 10월", "매년 4월", "여름 장마철", "수시로")
CORRECT = 2
TEXT = "「지침」에 따르면 정기 점검은 매년 4월에 하므로 2번이 맞습니다."


def reply(**given: Any) -> str:
    """Write a reply to the prompt of explanations."""
    return json.dumps(
        {"answer_choice": CORRECT, "explanation_md": TEXT, "confidence": "high", **given}, ensure_ascii=False
    )


def asked(settings: Settings, server: ModelServer | None, **more: Any) -> Settings:
    """Give settings with a scripted server for PRIMARY, tried again at once."""
    primary = {} if server is None else {"primary": {"base_url": server.url, "model": "qwen", "timeout_s": 60}}
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models=primary | more.pop("models", {}),
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000},
        **more,
    )


def one(db: psycopg.Connection, statement: str, *values: object) -> Any:
    """Give the one value of a statement."""
    row = db.execute(statement, values).fetchone()
    assert row is not None
    return row[0]


def topic(db: psycopg.Connection, name: str = "보일러", user_id: int = 1) -> int:
    """Make a topic."""
    return int(one(db, "INSERT INTO study_topics (name, user_id) VALUES (%s, %s) RETURNING id", name, user_id))


def document(
    db: psycopg.Connection, topic_id: int | None, *chunks: str, title: str = "지침", tied: bool = True, **fields: Any
) -> int:
    """Make a document with these chunks, one after the other on one page, tied to a topic."""
    columns, marks = "".join(f", {name}" for name in fields), ", %s" * len(fields)
    number = one(
        db,
        f"""INSERT INTO documents (title, filename, media_type, sha256, size_bytes, pages_version, corpus_version,
                                   extracted_text{columns})
            VALUES (%s, 'a.txt', 'text/plain', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 1, 1, 1,
                    %s{marks}) RETURNING id""",
        title,
        "\n".join(chunks),
        *fields.values(),
    )
    page = "\n".join(chunks)
    db.execute(
        "INSERT INTO document_pages (document_id, version, number, label, text) VALUES (%s, 1, 1, '1', %s)",
        (number, page),
    )
    for index, text in enumerate(chunks):
        weights = document_weights(text, title)
        db.execute(
            """INSERT INTO chunks (document_id, chunk_index, start_char, end_char, text, terms, lexical, is_leaf,
                                   node_type)
               VALUES (%s, %s, %s, %s, %s, %s, %s::text::sparsevec, true, 'leaf')""",
            (
                number,
                index,
                page.index(text),
                page.index(text) + len(text),
                text,
                sorted(weights),
                sparsevec_text(weights),
            ),
        )
    if topic_id is not None and tied:
        db.execute("INSERT INTO study_topic_documents VALUES (%s, %s)", (topic_id, number))
    db.execute("SELECT fold_term_stats()")
    return int(number)


def question(
    db: psycopg.Connection, topic_id: int, text: str = QUESTION, choices: Sequence[str] = CHOICES, **fields: Any
) -> int:
    """Make a question; the second choice is the right one where nothing else is said."""
    given = {"correct_choice": CORRECT, **fields}
    columns = [f"choice_{number}" for number in range(1, len(choices) + 1)] + list(given)
    marks = ", %s" * len(columns)
    return int(
        one(
            db,
            f"INSERT INTO study_questions (study_topic_id, text, {', '.join(columns)}) "
            f"VALUES (%s, %s{marks}) RETURNING id",
            topic_id,
            text,
            *choices,
            *given.values(),
        )
    )


def enqueue(
    db: psycopg.Connection, question_id: int, urgency: int = 100, payload: dict[str, Any] | None = None
) -> bool:
    """Enqueue an explanation as every door does; true where that is new."""
    given = None if payload is None else Jsonb(payload)
    return bool(one(db, "SELECT study_enqueue_explanation(%s, 1, %s, %s)", question_id, urgency, given))


def prepared(db: psycopg.Connection) -> int:
    """Make a topic with a document that answers the question, and a job about the question; gives its number."""
    topic_id = topic(db)
    document(db, topic_id, FACT)
    number = question(db, topic_id)
    enqueue(db, number)
    return number
