"""What a document says of itself, where nobody said it before; and the whole corridor in one go."""

from datetime import date

import psycopg
import pytest

from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_embed import found
from tests.stages.test_ingest import upload

pytestmark = pytest.mark.anyio

LAW = """고압가스 안전관리 기준
시행일: 2024. 3. 5.

제1조(목적) 이 기준은 안전을 목적으로 한다.
제2조(정의) 이 기준에서 쓰는 말의 뜻은 다음과 같다.
제3조(적용) 이 기준은 모든 시설에 적용한다.
"""
FIELDS = "SELECT language, material_type, published_date FROM documents"


async def test_classify__fills_in_what_the_text_says(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "기준.txt", LAW.encode())
    await drain("ingest", "embed", "classify")
    assert only(db, FIELDS) == {"language": "ko", "material_type": "law", "published_date": date(2024, 3, 5)}


async def test_classify__leaves_what_was_said_before(drain: Drain, db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO inbox (filename, content, material_type, published_date, license) "
        "VALUES ('a.txt', %s, 'manual', '2020-01-01', '{\"restricted\": true}')",
        [LAW.encode()],
    )
    await drain("ingest", "embed", "classify")
    assert only(db, FIELDS) == {"language": "ko", "material_type": "manual", "published_date": date(2020, 1, 1)}
    assert only(db, "SELECT extract_meta FROM documents")["extract_meta"] == {"license": {"restricted": True}}


async def test_classify__knows_english_and_guesses_no_kind(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "a.txt", b"The valve opens at a pressure of twelve bar and closes at ten.")
    await drain("ingest", "embed", "classify")
    assert only(db, FIELDS) == {"language": "en", "material_type": None, "published_date": None}


async def test_classify__sums_up_in_a_sentence_of_the_document(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "기준.txt", LAW.encode())
    await drain("ingest", "embed", "classify")
    row = only(db, "SELECT ai_summary, ai_meta FROM documents")
    assert row["ai_summary"] == "이 기준은 안전을 목적으로 한다."
    assert (row["ai_meta"]["summary_by"], "triage" in row["ai_meta"]) == ("rules", False)


async def test_classify__skips_a_document_that_was_deleted(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest", "embed")
    db.execute("SELECT delete_document(1)")
    await drain("classify")
    job = only(db, "SELECT * FROM document_jobs WHERE stage = 'classify'")
    assert (job["status"], job["error_code"]) == ("skipped", "document_deleted")


async def test_corridor__drained_by_hand_does_not_break_off(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    for number in range(20):
        upload(db, f"{number}.txt", f"This document deals with subject{number} alone.".encode())
    await drain("ingest", "embed", "classify")
    states = all_rows(db, "SELECT stage, status, count FROM pipeline_status ORDER BY stage")
    assert [(row["stage"], row["status"], row["count"]) for row in states] == [
        ("classify", "completed", 20),
        ("embed", "completed", 20),
        ("ingest", "completed", 20),
    ]
    for number in range(20):
        assert await found(db, tools, f"subject{number}") == [f"This document deals with subject{number} alone."]
