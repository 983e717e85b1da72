"""Whether an answer was looked through for contradictions, and which of its sentences hold: told with the answer."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from db.rows import AskRow
from services.answer.events import result_of
from services.kit.settings import Settings
from tests.fakes.model_server import ModelServer, serving
from tests.stages.asking import GOOD, House, draft, house, rules
from tests.stages.conftest import only

pytestmark = pytest.mark.anyio

DOWN = {"status": 503, "body": {"error": "loading"}}
LATE = {"text": "{}", "hold": "for ever"}
TWO = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]. 안전밸브는 파란색입니다."


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        yield server


async def told(home: House, ask_id: int) -> dict[str, Any]:
    """Give an ask as its asker sees it."""
    row = await home.tools.db.one(AskRow, "ask_row", id=ask_id)
    assert row is not None
    return result_of(row)


async def asked(home: House) -> dict[str, Any]:
    await home.put()
    return await told(home, (await home.ask())["id"])


async def test_verified__is_true_where_a_model_looked(
    settings: Settings, db: psycopg.Connection, model: ModelServer
) -> None:
    model.script(*rules())
    async with house(settings, db, model) as home:
        given = await asked(home)
    assert (given["verified"], given["confidence"], given["completeness"]) == (True, "high", "full")
    assert given["confirmed_items"] == [{"text": GOOD.removesuffix(" [1].") + ".", "citations": [1]}]


@pytest.mark.parametrize("say", [DOWN, LATE, {"text": "Looks fine to me!"}], ids=["down", "late", "prose"])
async def test_verified__is_false_and_the_answer_not_sure_where_it_did_not_answer(
    say: dict[str, Any], settings: Settings, db: psycopg.Connection, model: ModelServer
) -> None:
    model.script({"when": {"label": "verify *"}, "say": say}, *rules())
    async with house(settings, db, model, verifier_limit_s=0.3) as home:
        given = await asked(home)
    assert (given["answer"], given["completeness"]) == (GOOD, "full")
    assert (given["verified"], given["confidence"]) == (False, "medium")
    event = only(db, "SELECT re_gate, confidence FROM ask_events")
    assert event == {"re_gate": "clean(unverified)", "confidence": "medium"}


async def test_verified__is_null_where_the_rules_spare_it(
    settings: Settings, db: psycopg.Connection, model: ModelServer
) -> None:
    model.script(*rules())
    async with house(settings, db, model, verify=False) as home:
        given = await asked(home)
        assert (given["verified"], given["confidence"]) == (None, "high")
    model.script({"when": {"kind": "chat"}, "say": DOWN})
    async with house(settings, db, model, cache=False) as home:
        given = await told(home, (await home.ask())["id"])
    assert given["model"].startswith("builtin:")
    assert given["verified"] is None
    assert given["confirmed_items"][0]["citations"] == [1]


async def test_confirmed__is_what_stands_of_a_partial_answer_and_nothing_of_a_refusal(
    settings: Settings, db: psycopg.Connection, model: ModelServer
) -> None:
    model.script(*rules(draft(TWO)))
    async with house(settings, db, model) as home:
        given = await asked(home)
        assert given["completeness"] == "partial"
        assert given["confirmed_items"] == [{"text": "안전밸브의 작동 압력은 1.2 MPa입니다.", "citations": [1]}]
        refused = await told(home, (await home.ask("zzyzx qwrtp?"))["id"])
        assert (refused["refused"], refused["confirmed_items"], refused["verified"]) == (True, [], None)
