"""The chat over HTTP: the facade, the daemon and two scripted model servers."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.answer.result import Reason, refuse
from services.kit.settings import Settings
from tests.corridors.deep_fixtures import (
    GOOD,
    QUESTION,
    SENTENCE,
    Row,
    chats,
    deep,
    loop,
    primary,
    rows,
    searching,
    served,
    told,
    up,
)
from tests.corridors.http_fixtures import Told, api, client_of, events_in, serving
from tests.fakes.model_server import ModelServer
from tests.waiting import eventually

__all__ = ["api", "deep", "primary"]
pytestmark = pytest.mark.anyio
PATH = "/api/chat"
GREETING = "안녕하세요."


@pytest.fixture
def roles(deep: ModelServer, primary: ModelServer) -> dict[str, ModelServer]:
    return {"deep": deep, "primary": primary}


@pytest.fixture
async def client(settings: Settings, roles: dict[str, ModelServer]) -> AsyncIterator[httpx.AsyncClient]:
    async with up(served(settings, roles, leave_s=0.05, heartbeat_s=0.2)) as client:
        yield client


async def said(client: httpx.AsyncClient, message: str, mode: str = "daily", **more: Any) -> list[Told]:
    """Say something and read the whole stream."""
    body = {"message": message, "mode": mode, **more}
    with anyio.fail_after(20):
        async with client.stream("POST", PATH, json=body) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            return [event async for event in events_in(response) if isinstance(event, Told)]


def named(events: list[Told], name: str) -> list[Row]:
    return [event.data for event in events if event.name == name]


def text_of(events: list[Told]) -> str:
    return "".join(data["text"] for data in named(events, "token"))


def order(events: list[Told]) -> list[str]:
    """Give the envelopes in order, each run of one name once; who waits at the gate is not meant."""
    names = [event.data["phase"] if event.name == "phase" else event.name for event in events if event.name != "gate"]
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


def talk(server: ModelServer, call: int = -1) -> list[tuple[str, str]]:
    """Give what a model was told, without the rules."""
    return [(each["role"], each["content"]) for each in chats(server)[call].body["messages"][1:]]


async def test_daily__streams_the_words_of_primary_while_it_writes(
    client: httpx.AsyncClient, primary: ModelServer, deep: ModelServer
) -> None:
    await said(client, "처음")  # of a model that was never heard nothing is told before it is known not to think aloud
    primary.say(text="안녕하세요. 무엇을 도와 드릴까요?", token_s=0.03)
    writing: list[bool] = []
    events: list[Told] = []
    async with client.stream("POST", PATH, json={"message": "안녕"}) as response:
        async for event in events_in(response):
            if isinstance(event, Told):
                events.append(event)
                writing += [chats(primary)[1].ended_ns is None] if event.name == "token" else []
    assert writing[0]
    assert text_of(events) == "안녕하세요. 무엇을 도와 드릴까요?"
    assert order(events) == ["answering", "token", "sources", "done"]
    done = events[-1].data
    assert (done["answer"], done["mode"], done["model"]) == (text_of(events), "daily", "primary:primary")
    assert (done["sources"], done["grounded"], done["refused"]) == ([], False, False)
    _, call = chats(primary)
    assert (call.klass, call.label) == ("foreground", f"chat ask:{done['ask_id']}")
    assert "tools" not in call.body
    assert chats(deep) == []


async def test_deep__searches_and_shows_its_cards(client: httpx.AsyncClient, primary: ModelServer) -> None:
    events = await said(client, QUESTION, "deep")
    assert order(events) == ["searching", "token", "sources", "done"]
    assert text_of(events) == GOOD
    ((card,),) = [data["sources"] for data in named(events, "sources")]
    assert (card["n"], card["title"], card["page"], card["quote"]) == (1, "점검 지침", 1, SENTENCE)
    assert card["score"] > 0
    assert card["url"].startswith(f"/api/documents/{card['document_id']}/pages/1?start=")
    assert events[-1].data["grounded"] is True
    assert chats(primary) == []


async def test_deep__small_talk_ends_early_without_a_search(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script(*loop(last="반갑습니다! 무엇을 찾아 드릴까요?"))
    events = await said(client, "안녕!", "deep")
    assert text_of(events) == "반갑습니다! 무엇을 찾아 드릴까요?"
    (call,) = chats(deep)
    assert call.body["tool_choice"] == "auto"
    assert named(events, "sources") == [{"sources": []}]
    assert (events[-1].data["grounded"], events[-1].data["refused"]) == (False, False)


async def test_deep__silence_is_filled_with_pings(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script(*loop(searching()))
    deep.state.script.rules[0].say.hold = "go"
    pings: list[Told] = []
    async with client.stream("POST", PATH, json={"message": QUESTION, "mode": "deep"}) as response:
        events: list[Told] = []
        async for event in events_in(response):
            assert isinstance(event, Told), "a comment line is no envelope"
            events.append(event)
            pings += [event] if event.data.get("phase") == "ping" else []
            if len(pings) == 2:
                deep.release("go")
    assert order(events)[:2] == ["searching", "ping"]
    assert order(events)[-3:] == ["token", "sources", "done"]
    assert text_of(events) == GOOD


async def test_deep__makes_no_more_calls_than_it_may(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script({"when": {"tool_choice": "auto"}, "say": {"tools": [searching()]}}, {"say": {"text": GOOD}})
    events = await said(client, QUESTION, "deep")
    assert text_of(events) == GOOD
    assert [call.body["tool_choice"] for call in chats(deep)] == ["auto", "auto", "none"]


async def test_deep__plain_talk_after_a_search_shows_no_cards(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script(*loop(searching(), last="그것은 찾지 못했습니다. 다른 말로 물어 주세요."))
    events = await said(client, QUESTION, "deep")
    assert text_of(events) == "그것은 찾지 못했습니다. 다른 말로 물어 주세요."
    assert named(events, "sources") == [{"sources": []}]
    assert (events[-1].data["grounded"], events[-1].data["refused"]) == (False, False)


@pytest.mark.parametrize(
    "claimed",
    ["And 900 dollars.", "작동 압력은 9.9 MPa입니다 [1].", "제 생각에는 그렇습니다 [9].", "작동 압력은 9.9 MPa입니다."],
)
async def test_deep__a_claim_that_no_passage_bears_out_is_refused_as_an_answer_is(
    client: httpx.AsyncClient, deep: ModelServer, claimed: str
) -> None:
    deep.script(*loop(searching(), last=claimed))
    events = await said(client, QUESTION, "deep")
    done = events[-1].data
    assert (done["status"], done["refused"], done["grounded"]) == ("completed", True, False)
    assert text_of(events) == done["answer"] == refuse("answer_ungrounded", "ko").sentence
    assert [card["cited"] for card in done["sources"]] == [False]
    chat = (await client.get(f"/api/chats/{done['chat_id']}")).json()
    assert [each["content"] for each in chat["said"]] == [QUESTION, done["answer"]]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (loop(searching("달의 뒷면 qqq"), last="7개의 분화구가 있습니다."), "evidence_missing"),
        (loop(last="작동 압력은 1.2 MPa입니다 [1]."), "answer_ungrounded"),
    ],
)
async def test_deep__a_claim_without_any_passage_is_refused(
    client: httpx.AsyncClient, deep: ModelServer, script: list[Row], reason: Reason
) -> None:
    deep.script(*script)
    done = (await said(client, QUESTION, "deep"))[-1].data
    assert (done["refused"], done["answer"], done["sources"]) == (True, refuse(reason, "ko").sentence, [])


@pytest.mark.parametrize("mode", ["daily", "deep"])
async def test_talk__bears_no_marker_while_it_is_told_nor_in_the_history(
    client: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, mode: str
) -> None:
    (deep if mode == "deep" else primary).script(
        {"when": {"kind": "chat"}, "say": {"text": "Hi there [1], friend [2]"}}
    )
    for _ in range(2):  # a model that was heard before is told word by word
        events = await said(client, "Hi", mode)
        assert text_of(events) == events[-1].data["answer"] == "Hi there, friend"
        assert named(events, "correction") == []
    chat = (await client.get(f"/api/chats/{events[-1].data['chat_id']}")).json()
    assert [each["content"] for each in chat["said"]] == ["Hi", "Hi there, friend"]


@pytest.mark.parametrize("mode", ["daily", "deep"])
async def test_talk__of_markers_alone_is_no_reply(
    client: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, mode: str
) -> None:
    (deep if mode == "deep" else primary).script({"when": {"kind": "chat"}, "say": {"text": "[1]"}})
    done = (await said(client, "Hi", mode))[-1].data
    assert (done["status"], done["error_code"]) == ("failed", "parse_fail")


@pytest.mark.parametrize("stream", [True, False])
async def test_deep_away__is_503_before_a_stream_begins(
    client: httpx.AsyncClient, deep: ModelServer, db: psycopg.Connection, stream: bool
) -> None:
    await deep.close()
    response = await client.post(PATH, json={"message": QUESTION, "mode": "deep", "stream": stream})
    assert (response.status_code, response.json()["error_reason"]) == (503, "deep_unavailable")
    assert response.headers["content-type"].startswith("application/json")
    assert rows(db, "SELECT * FROM chats") == rows(db, "SELECT * FROM asks") == []


@pytest.mark.parametrize("mode", ["daily", "deep"])
async def test_backend_lost_in_mid_stream__is_an_envelope_inside_the_stream(
    client: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, mode: str
) -> None:
    server = deep if mode == "deep" else primary
    server.script({"when": {"kind": "chat"}, "say": {"text": "안전밸브의 작동 압력은", "end": "reset", "after": 2}})
    events = await said(client, QUESTION, mode)
    (error,) = named(events, "error")
    assert (error["code"], bool(error["message"])) == ("parse_fail", True)
    assert events[-1].name == "done"
    assert (events[-1].data["status"], events[-1].data["answer"]) == ("failed", None)
    assert len(chats(server)) == 1


async def test_message__that_failed_is_answered_by_its_second_ask(
    client: httpx.AsyncClient, primary: ModelServer, db: psycopg.Connection
) -> None:
    primary.script({"when": {"kind": "chat"}, "say": {"text": "음", "end": "reset", "after": 1}})
    failed = (await said(client, "안녕"))[-1].data
    primary.say(text=GREETING)
    (again,) = rows(
        db,
        """INSERT INTO asks (question, priority, mode, payload)
           SELECT question, priority, mode, jsonb_build_object('retry_of', id) FROM asks RETURNING id""",
    )
    await eventually(
        lambda: rows(db, "SELECT status FROM asks WHERE id = %s", again["id"]) == [{"status": "completed"}]
    )
    messages = (await client.get(f"/api/chats/{failed['chat_id']}")).json()["said"]
    assert [(each["content"], each["ask_id"]) for each in messages] == [
        ("안녕", failed["ask_id"]),
        (GREETING, failed["ask_id"]),
    ]


@pytest.mark.parametrize("mode", ["daily", "deep"])
async def test_client_that_leaves__frees_the_model(
    client: httpx.AsyncClient, deep: ModelServer, primary: ModelServer, db: psycopg.Connection, mode: str
) -> None:
    server = deep if mode == "deep" else primary
    server.script({"when": {"kind": "chat"}, "say": {"text": "음", "hold": "never"}})
    async with client.stream("POST", PATH, json={"message": QUESTION, "mode": mode}):
        await eventually(lambda: chats(server))
    await eventually(lambda: chats(server)[0].left)
    await eventually(lambda: db.execute("SELECT 1 FROM gate_status").fetchall() == [])
    await eventually(lambda: rows(db, "SELECT error_code FROM asks") == [{"error_code": "cancelled"}])
    chat_id = rows(db, "SELECT id FROM chats")[0]["id"]
    (message,) = (await client.get(f"/api/chats/{chat_id}")).json()["said"]
    assert (message["status"], message["error_code"]) == ("skipped", "cancelled")


async def test_message__without_a_chat_stands_alone(client: httpx.AsyncClient, primary: ModelServer) -> None:
    one, other = await said(client, "내 이름은 하나야"), await said(client, "내 이름이 뭐지?")
    assert one[-1].data["chat_id"] != other[-1].data["chat_id"]
    assert talk(primary) == [("user", "내 이름이 뭐지?")]


async def test_history__goes_along_within_a_chat_and_without_markers(
    client: httpx.AsyncClient, primary: ModelServer, deep: ModelServer
) -> None:
    chat_id = (await said(client, QUESTION, "deep"))[-1].data["chat_id"]
    await said(client, "고마워", chat_id=chat_id)
    assert talk(primary) == [("user", QUESTION), ("assistant", GOOD.replace(" [1]", "")), ("user", "고마워")]


async def test_history__is_as_long_as_the_setting_says_and_leaves_out_what_got_no_reply(
    settings: Settings, roles: dict[str, ModelServer], primary: ModelServer
) -> None:
    async with up(served(settings, roles, chat={"history_turns": 1})) as client:
        chat_id = (await said(client, "하나"))[-1].data["chat_id"]
        await said(client, "둘", chat_id=chat_id)
        primary.script({"when": {"kind": "chat"}, "say": {"text": "음", "end": "reset", "after": 1}})
        await said(client, "셋", chat_id=chat_id)
        primary.say(text=GREETING)
        await said(client, "넷", chat_id=chat_id)
    assert talk(primary) == [("user", "둘"), ("assistant", GREETING), ("user", "넷")]


async def test_history__is_kept_with_its_cards(client: httpx.AsyncClient) -> None:
    chat_id = (await said(client, QUESTION, "deep"))[-1].data["chat_id"]
    await said(client, "고마워", chat_id=chat_id)
    chat = (await client.get(f"/api/chats/{chat_id}")).json()
    assert (chat["title"], chat["messages"]) == (QUESTION, 4)
    assert [(each["role"], each["mode"], each["content"]) for each in chat["said"]] == [
        ("user", "deep", QUESTION),
        ("assistant", "deep", GOOD),
        ("user", "daily", "고마워"),
        ("assistant", "daily", GREETING),
    ]
    assert [card["quote"] for card in chat["said"][1]["sources"]] == [SENTENCE]
    assert {each["status"] for each in chat["said"]} == {"completed"}


async def test_chats__are_listed_newest_word_first_and_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await said(client, "첫째"))[-1].data["chat_id"]
    second = (await said(client, "둘째"))[-1].data["chat_id"]
    await said(client, "다시", chat_id=first)
    page = (await client.get("/api/chats", params={"limit": 1})).json()
    assert [(each["id"], each["title"], each["messages"]) for each in page["chats"]] == [(first, "첫째", 4)]
    rest = (await client.get("/api/chats", params={"before": page["next"]})).json()
    assert ([each["id"] for each in rest["chats"]], rest["next"]) == ([second], None)


async def test_delete__leaves_nothing_of_what_was_said(client: httpx.AsyncClient, db: psycopg.Connection) -> None:
    chat_id = (await said(client, "비밀이야"))[-1].data["chat_id"]
    assert (await client.delete(f"/api/chats/{chat_id}")).status_code == 204
    assert rows(db, "SELECT * FROM chat_messages") == rows(db, "SELECT * FROM asks") == []
    for method, path in (("GET", ""), ("DELETE", "")):
        assert (await client.request(method, f"/api/chats/{chat_id}{path}")).status_code == 404
    assert (await client.post(PATH, json={"message": "더", "chat_id": chat_id})).status_code == 404


async def test_delete__calls_off_what_is_being_answered(
    client: httpx.AsyncClient, deep: ModelServer, db: psycopg.Connection
) -> None:
    deep.script({"when": {"kind": "chat"}, "say": {"text": "음", "hold": "never"}})
    async with client.stream("POST", PATH, json={"message": QUESTION, "mode": "deep"}):
        await eventually(lambda: chats(deep))
        (chat,) = (await client.get("/api/chats")).json()["chats"]
        assert (await client.delete(f"/api/chats/{chat['id']}")).status_code == 204
        await eventually(lambda: chats(deep)[0].left)
        await eventually(lambda: rows(db, "SELECT * FROM asks") == [])


async def test_chat__of_somebody_else_is_not_there(client: httpx.AsyncClient, db: psycopg.Connection) -> None:
    (user,) = rows(db, "INSERT INTO users (name) VALUES ('other') RETURNING id")
    (chat,) = rows(db, "INSERT INTO chats (user_id, title) VALUES (%s, '남의 것') RETURNING id", user["id"])
    assert (await client.get("/api/chats")).json()["chats"] == []
    assert (await client.get(f"/api/chats/{chat['id']}")).status_code == 404
    assert (await client.delete(f"/api/chats/{chat['id']}")).status_code == 404
    assert (await client.post(PATH, json={"message": "엿보기", "chat_id": chat["id"]})).status_code == 404
    assert len(rows(db, "SELECT * FROM chats")) == 1


async def test_reply__without_a_stream_is_one_answer(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"message": QUESTION, "mode": "deep", "stream": False})
    body = response.json()
    assert (response.status_code, body["answer"], body["grounded"]) == (200, GOOD, True)
    assert (await client.get(f"/api/chats/{body['chat_id']}")).json()["messages"] == 2


async def test_daily__without_a_model_quotes_from_the_documents(settings: Settings) -> None:
    async with up(served(settings, {})) as client:
        events = await said(client, QUESTION)
        assert "1.2 MPa" in text_of(events)
        done = events[-1].data
        assert (done["model"], done["grounded"]) == ("builtin:extractive", True)
        assert [card["quote"] for card in done["sources"] if card["cited"]] == [SENTENCE]
        refused = (await said(client, "달의 뒷면에는 누가 사는가?"))[-1].data
        assert (refused["refused"], bool(refused["answer"]), refused["grounded"]) == (True, True, False)
        deep = await client.post(PATH, json={"message": QUESTION, "mode": "deep"})
        assert (deep.status_code, deep.json()["error_reason"]) == (503, "deep_unavailable")


async def test_daily__a_model_that_is_away_is_stood_in_for(client: httpx.AsyncClient, primary: ModelServer) -> None:
    await primary.close()
    events = await said(client, QUESTION)
    assert "1.2 MPa" in text_of(events)
    assert events[-1].data["model"] == "builtin:extractive"


WRONG: tuple[Row, ...] = (
    {},
    {"message": " "},
    {"message": "안녕", "mode": "shallow"},
    {"message": "안녕", "chat_id": 0},
    {"message": "안녕", "chat_id": "x"},
    {"message": "안녕", "surprise": 1},
    {"message": "가" * 4001},
)


async def test_wrong_bodies__are_the_callers_fault(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    for body in WRONG:
        assert (await api.post(PATH, json=body)).status_code == 400, body
    assert rows(db, "SELECT * FROM chats") == []


async def test_status__tells_ready_from_waiting_from_broken(
    settings: Settings, roles: dict[str, ModelServer], deep: ModelServer, primary: ModelServer
) -> None:
    async with up(served(settings, roles, react={"probe_s": 1.0}, leave_s=0.05)) as client:

        async def status() -> tuple[Any, Any]:
            body = (await client.get("/api/chat/status")).json()
            return body["daily"]["state"], body["deep"]["state"]

        async def soon(wanted: tuple[str, str]) -> None:
            with anyio.fail_after(10):
                while await status() != wanted:  # noqa: ASYNC110 - what is waited for has no event
                    await anyio.sleep(0.05)

        assert await status() == ("ready", "ready")
        deep.script({"when": {"kind": "chat"}, "say": {"text": "네", "hold": "go"}})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(client.post, PATH, json={"message": "안녕", "mode": "deep", "stream": False}))
            await eventually(lambda: chats(deep))
            await soon(("ready", "waiting"))
            deep.release("go")
        await primary.close()
        await soon(("broken", "ready"))
        await deep.close()
        await soon(("broken", "broken"))


async def test_status__of_a_busy_server_that_is_silent_is_waiting(
    settings: Settings, roles: dict[str, ModelServer], deep: ModelServer
) -> None:
    hold = {"when": {"kind": "chat"}, "say": {"text": "네", "hold": "go"}}
    async with up(served(settings, roles, react={"probe_s": 0.3})) as client, anyio.create_task_group() as tasks:
        deep.script(hold)
        tasks.start_soon(partial(client.post, PATH, json={"message": "안녕", "mode": "deep", "stream": False}))
        await eventually(lambda: chats(deep))
        deep.script(hold, {"when": {"kind": "models"}, "say": {"hold": "go"}})
        await anyio.sleep(1.0)  # the gate is read at most once a second
        assert (await client.get("/api/chat/status")).json()["deep"]["state"] == "waiting"
        deep.release("go")


async def test_status__without_models(settings: Settings) -> None:
    async with serving(settings) as address, client_of(address) as client:
        body = (await client.get("/api/chat/status")).json()
    assert (body["daily"]["state"], body["deep"]["state"]) == ("builtin", "unset")


async def test_filters__of_null_are_none(client: httpx.AsyncClient, db: psycopg.Connection) -> None:
    assert text_of(await said(client, "안녕", filters=None)) == GREETING
    assert rows(db, "SELECT filters FROM asks") == [{"filters": {}}]


async def test_deep__filters_hold(client: httpx.AsyncClient, deep: ModelServer) -> None:
    deep.script(*loop(searching(), last="찾지 못했습니다."))
    await said(client, QUESTION, "deep", filters={"collection": "daily"})
    assert SENTENCE not in told(chats(deep)[-1])
