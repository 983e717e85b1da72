"""A question of several parts, asked where no model is set: answered as far as the documents go, and the rest named."""

from typing import Any

import psycopg
import pytest

from services.kit.settings import Settings
from tests.fakes.model_server import serving
from tests.stages.asking import house, rules
from tests.stages.conftest import Drain, only

pytestmark = pytest.mark.anyio

VALVE = """# 안전밸브 규정

압축공기 배관 안전밸브의 작동 압력은 0.85 MPa로 하며, 설비관리팀장의 승인 없이 바꿀 수 없다.
안전밸브의 점검은 매년 4월에 하며, 점검 기록은 3년간 보관하여야 한다.
안전밸브의 교체 주기는 5년에서 7년으로 한다.
"""
PUMP = """# Pump house rules

The cooling pump P-7 must be stopped when its bearing temperature exceeds 85 degrees.
The grease of pump P-7 is renewed at an interval of 3,000 hours.
"""
LEAVE = "# 휴가 규정\n\n연차 휴가는 시작하는 날의 3일 전까지 부서장에게 신청해야 한다.\n"
PRINTER = "# Meeting notes\n\nThe new label printer prints 120 labels a minute and stands in room 3.\n"


@pytest.fixture
async def documents(db: psycopg.Connection, drain: Drain) -> None:
    for name, text in {"밸브.md": VALVE, "pump.md": PUMP, "휴가.md": LEAVE, "notes.md": PRINTER}.items():
        db.execute("INSERT INTO inbox (filename, content) VALUES (%s, %s)", [name, text.encode()])
    await drain("ingest", "embed")


async def asked(db: psycopg.Connection, drain: Drain, question: str) -> dict[str, Any]:
    db.execute("INSERT INTO asks (question) VALUES (%s)", [question])
    await drain("synthesis")
    return only(db, "SELECT * FROM asks")


def quotes(row: dict[str, Any]) -> list[str]:
    return [cited["quote"] for cited in row["citations"]]


@pytest.mark.usefixtures("documents")
async def test_ask__names_the_part_that_no_document_has(db: psycopg.Connection, drain: Drain) -> None:
    row = await asked(db, drain, "압축공기 배관 안전밸브의 작동 압력과 제조사 이름은 무엇인가요?")
    assert (row["completeness"], row["refused"]) == ("partial", False)
    assert row["trace"]["missing"] == ["제조사 이름"]
    assert row["trace"]["re_gate"] == "partial(missing)"
    assert [("0.85 MPa" in quote) for quote in quotes(row)] == [True]


@pytest.mark.usefixtures("documents")
async def test_ask__answers_both_parts_with_a_sentence_each(db: psycopg.Connection, drain: Drain) -> None:
    row = await asked(db, drain, "안전밸브 교체 주기 and the grease interval of P-7?")
    assert (row["completeness"], row["trace"]["missing"]) == ("full", [])
    assert ["5년에서 7년" in quotes(row)[0], "3,000 hours" in quotes(row)[1]] == [True, True]
    assert row["answer"].count("[") == len(quotes(row)) == 2


@pytest.mark.usefixtures("documents")
async def test_ask__answers_the_half_that_is_there(db: psycopg.Connection, drain: Drain) -> None:
    db.execute("UPDATE documents SET deleted_at = now() WHERE title = 'Pump house rules'")
    row = await asked(db, drain, "안전밸브 교체 주기 and the grease interval of P-7?")
    assert (row["completeness"], row["refused"]) == ("partial", False)
    assert row["trace"]["missing"] == ["grease interval of P-7"]
    assert "5년에서 7년" in row["answer"]


@pytest.mark.usefixtures("documents")
async def test_ask__answers_the_clause_that_is_there(db: psycopg.Connection, drain: Drain) -> None:
    row = await asked(db, drain, "교체 주기는 몇 년이며 가격은?")
    assert (row["completeness"], row["trace"]["missing"]) == ("partial", ["가격"])
    assert "5년에서 7년" in row["answer"]


@pytest.mark.usefixtures("documents")
@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("안전밸브의 제조사는 어디이며 가격은?", ["안전밸브의 제조사는 어디", "가격"]),
        (
            "Who sells the red cameras and who paints the old boiler house?",
            ["Who sells the red cameras", "who paints the old boiler house"],
        ),
    ],
)
async def test_ask__names_the_parts_in_a_refusal(
    db: psycopg.Connection, drain: Drain, question: str, parts: list[str]
) -> None:
    row = await asked(db, drain, question)
    assert (row["refused"], row["refuse_reason"]) == (True, "evidence_weak")
    assert row["trace"]["missing"] == parts
    assert all(part in row["answer"] for part in parts)


TWO = "안전밸브의 작동 압력과 제조사는 무엇인가요?"


async def test_ask__names_the_part_where_it_stands_in_for_a_model(settings: Settings, db: psycopg.Connection) -> None:
    async with serving() as model, house(settings, db, model) as home:
        await home.put()
        model.script({"say": {"status": 503, "body": {"error": "loading"}}})
        row = await home.ask(TWO)
    assert (row["model"], row["completeness"]) == ("builtin:extractive", "partial")
    assert row["trace"]["missing"] == ["제조사"]


async def test_ask__leaves_the_parts_to_a_model_that_answers(settings: Settings, db: psycopg.Connection) -> None:
    async with serving() as model, house(settings, db, model) as home:
        await home.put()
        model.script(*rules())
        row = await home.ask(TWO)
    assert (row["completeness"], row["trace"]["missing"]) == ("full", [])
