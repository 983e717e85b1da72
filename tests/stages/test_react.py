"""The loop in which a model searches by itself, as a stage: a row of the mode `react` in, its end out."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import psycopg
import pytest
import structlog

from services.kit.settings import Settings
from services.tools import Tools
from tests.corridors.deep_fixtures import (
    GOOD,
    QUESTION,
    SENTENCE,
    Put,
    Row,
    as_json,
    chats,
    deep,
    housed,
    loop,
    primary,
    rows,
    searching,
    served,
    told,
    worker,
)
from tests.fakes.model_server import ModelServer

__all__ = ["deep", "primary"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def limits() -> dict[str, Any]:
    """Settings of `answer.react`; a test may name others by a mark of its own."""
    return {}


@pytest.fixture
def lonely(settings: Settings, deep: ModelServer, primary: ModelServer, limits: dict[str, Any]) -> Settings:
    return served(settings, {"deep": deep, "primary": primary, "fallback": primary}, react=limits)


@pytest.fixture
async def house(lonely: Settings) -> AsyncIterator[Tools]:
    async with housed(lonely) as tools:
        yield tools


@pytest.fixture
def answered(house: Tools, lonely: Settings, db: psycopg.Connection) -> Put:
    """Puts a question of the mode `react` and gives its row when the queue is empty."""

    async def put(question: str = QUESTION, filters: Row | None = None, priority: str = "foreground") -> Row:
        statement = """INSERT INTO asks (question, mode, filters, priority) VALUES (%s, 'react', %s, %s)"""
        db.execute(statement, (question, as_json(filters or {}), priority))
        with anyio.fail_after(20):
            await worker(lonely, house, "synthesis", until_empty=True).run()
        return rows(db, "SELECT * FROM asks ORDER BY id DESC LIMIT 1")[0]

    return put


async def test_answer__cites_what_the_model_found_itself(
    answered: Put, deep: ModelServer, primary: ModelServer
) -> None:
    row = await answered()
    assert (row["status"], row["answer"], row["refused"], row["completeness"]) == ("completed", GOOD, False, "full")
    assert (row["model"], row["prompt_version"]) == ("deep:deep", "react-1")
    (cited,) = row["citations"]
    assert (cited["n"], cited["quote"]) == (1, SENTENCE)
    assert [(call.role, call.klass, call.label) for call in chats(deep)] == [
        ("deep", "foreground", f"react ask:{row['id']}")
    ] * 2
    assert chats(primary) == []
    assert row["trace"]["partial"] is False


async def test_messages__carry_the_call_and_its_result(answered: Put, deep: ModelServer) -> None:
    await answered()
    *_, assistant, result = chats(deep)[1].body["messages"]
    (call,) = assistant["tool_calls"]
    assert call["function"] == {"name": "search", "arguments": '{"query": "안전밸브 작동 압력"}'}
    assert (result["role"], result["tool_call_id"]) == ("tool", call["id"])
    assert '<evidence n="1" title="점검 지침" page="1">' in result["content"]


async def test_limits__a_model_that_never_stops_makes_three_calls_and_two_searches(
    answered: Put, deep: ModelServer
) -> None:
    deep.say(tools=[searching()])
    row = await answered()
    assert [call.body["tool_choice"] for call in chats(deep)] == ["auto", "auto", "none"]
    assert row["trace"]["searches"] == 2
    first, second, last = (call.body["messages"][0] for call in chats(deep))
    assert first == second
    assert last["role"] == "system"
    assert last["content"].startswith(first["content"])
    assert "Write the final answer now" in last["content"].removeprefix(first["content"])
    assert [call.body["messages"].count(last) for call in chats(deep)] == [0, 0, 1]


async def test_empty_end__is_partial_and_tells_what_was_found(answered: Put, deep: ModelServer) -> None:
    deep.script(*loop(searching(), last=""))
    row = await answered()
    assert row["trace"]["partial"] is True
    assert (row["status"], row["refused"], row["refuse_reason"]) == ("completed", True, "answer_empty")
    (found,) = row["trace"]["sources"]
    assert (found["n"], found["cited"], SENTENCE in found["quote"]) == (1, False, True)


@pytest.mark.parametrize("limits", [{"max_tool_rounds": 1}, {"max_llm_calls": 2}, {"search_exec_max": 1}])
async def test_limits__any_one_of_them_ends_the_searching(answered: Put, deep: ModelServer) -> None:
    deep.say(tools=[searching()])
    row = await answered()
    assert [call.body["tool_choice"] for call in chats(deep)] == ["auto", "none"]
    assert row["trace"]["searches"] == 1


async def test_searches__of_one_round_are_counted_each(answered: Put, deep: ModelServer) -> None:
    deep.script(
        {"when": {"tool_choice": "auto"}, "say": {"tools": [searching(word) for word in ("압력", "기록", "비빔밥")]}},
        {"say": {"text": GOOD}},
    )
    row = await answered()
    assert (len(chats(deep)), row["trace"]["searches"]) == (2, 2)
    assert "no more searches" in told(chats(deep)[1])
    assert [each.get("declined") for each in row["trace"]["rounds"][0]["tool_calls"]] == [
        None,
        None,
        "no_more_searches",
    ]


async def test_passages__found_twice_are_told_once_under_one_number(answered: Put, deep: ModelServer) -> None:
    deep.script(*loop(searching(), searching("안전밸브 압력")))
    row = await answered()
    sources = row["trace"]["sources"]
    assert len({each["chunk_id"] for each in sources}) == len(sources) > 0
    assert [each["n"] for each in sources] == list(range(1, len(sources) + 1))
    assert told(chats(deep)[2]).count('<evidence n="1"') == 1
    assert "shown to you before: [1]" in told(chats(deep)[2])


async def test_restricted__is_never_shown_nor_told(answered: Put, deep: ModelServer, db: psycopg.Connection) -> None:
    hidden = rows(db, "SELECT title FROM documents WHERE is_restricted(extract_meta)")
    assert hidden == [{"title": "비밀 지침"}]
    deep.script(*loop(searching("안전밸브의 비밀 작동 압력"), searching("비밀 지침")))
    row = await answered()
    assert "9.9" not in as_json([call.body for call in chats(deep)])
    assert "9.9" not in as_json(row["trace"]["sources"])


async def test_filters__of_the_asker_hold_whatever_the_model_wishes(answered: Put, deep: ModelServer) -> None:
    wishes = [searching(collection="law"), searching("비빔밥 작동 압력", collection=["law", "daily"])]
    deep.script(*loop(*wishes, last="NO_ANSWER"))
    row = await answered(filters={"collection": "daily"})
    assert [each["title"] for each in row["trace"]["sources"]] == ["식당 안내"]
    assert "1.2 MPa" not in as_json([call.body["messages"] for call in chats(deep)])


async def test_filters__may_be_narrowed_by_the_model(answered: Put, deep: ModelServer) -> None:
    deep.script(*loop(searching("지침 안내", collection="daily"), last="NO_ANSWER"))
    row = await answered()
    assert [each["title"] for each in row["trace"]["sources"]] == ["식당 안내"]


@pytest.mark.parametrize(
    ("call", "declined"),
    [
        ({"name": "search", "arguments": '{"query": '}, "bad_arguments"),
        ({"name": "search", "arguments": {"question": "압력"}}, "bad_arguments"),
        ({"name": "search", "arguments": {"query": "압력", "year": "soon"}}, "bad_arguments"),
        ({"name": "search", "arguments": {"query": "압\u0000력", "kind": "song"}}, "bad_arguments"),
        ({"name": "search", "arguments": {"query": "압력", "bogus": 1}}, "bad_arguments"),
        ({"name": "search", "arguments": {"query": "압력", "filters": {"year": 2024}}}, "bad_arguments"),
        ({"name": "delete_everything", "arguments": {}}, "unknown_tool"),
    ],
)
async def test_call__that_makes_no_sense_is_declined_with_a_sentence(
    answered: Put, deep: ModelServer, call: Row, declined: str
) -> None:
    deep.script(*loop(call, searching()))
    row = await answered()
    assert row["answer"] == GOOD
    assert row["trace"]["rounds"][0]["tool_calls"][0]["declined"] == declined
    assert row["trace"]["searches"] == 1
    assert told(chats(deep)[1])


async def test_answer__that_was_copied_without_a_marker_gets_its_own(answered: Put, deep: ModelServer) -> None:
    deep.script(*loop(searching(), last=GOOD.replace(" [1]", "")))
    row = await answered()
    assert (row["answer"], row["refused"]) == (GOOD, False)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (loop(searching(), last="NO_ANSWER"), "evidence_weak"),
        (loop(searching("달의 뒷면 qqq"), last="모릅니다."), "evidence_missing"),
        (loop(last="안전밸브의 작동 압력은 1.2 MPa입니다."), "answer_ungrounded"),
        (loop(searching(), last="안전밸브의 작동 압력은 1.4 MPa입니다."), "answer_ungrounded"),
        (loop(searching(), last="안전밸브의 작동 압력은 1.2 MPa입니다 [7]."), "answer_ungrounded"),
    ],
)
async def test_refusal__by_the_same_rules_as_any_ask(
    answered: Put, deep: ModelServer, script: list[Row], reason: str
) -> None:
    deep.script(*script)
    row = await answered()
    assert (row["refused"], row["refuse_reason"], row["completeness"]) == (True, reason, "insufficient")
    assert row["citations"] == []


async def test_deep_away__a_person_is_told_and_nothing_was_searched(
    answered: Put, deep: ModelServer, primary: ModelServer
) -> None:
    deep.script({"when": {"kind": "chat"}, "say": {"status": 503, "body": {"error": "loading"}}})
    row = await answered()
    assert (row["status"], row["error_code"], row["attempts"]) == ("failed", "deep_unavailable", 1)
    assert "searches" not in row["trace"]
    assert chats(primary) == []


async def test_deep_away__the_background_is_put_off(answered: Put, deep: ModelServer) -> None:
    await deep.close()
    row = await answered(priority="background")
    assert (row["status"], row["error_code"], row["attempts"]) == ("pending", "model_unavailable", 0)


async def test_log__has_every_round_and_no_words(answered: Put, deep: ModelServer) -> None:
    deep.script(*loop(searching(), searching("기록 보관")))
    with structlog.testing.capture_logs() as lines:
        row = await answered()
    told_rounds = [line for line in lines if line["event"] == "react_round_ended"]
    assert [(line["round"], line["tool_calls"], line["last"]) for line in told_rounds] == [
        (1, 1, False),
        (2, 1, False),
        (3, 0, True),
    ]
    assert {line["label"] for line in told_rounds} == {f"react ask:{row['id']}"}
    above = [line for line in lines if line["log_level"] != "debug"]
    assert not any(word in as_json(str(above)) for word in ("기록", "안전밸브", "1.2 MPa"))
    assert [line["query"] for line in lines if line["event"] == "react_searched"] == ["안전밸브 작동 압력", "기록 보관"]
