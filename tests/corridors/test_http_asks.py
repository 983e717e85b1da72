"""Questions over HTTP: real requests, a real Postgres, a played synthesis daemon."""

import dataclasses
from typing import Any

import anyio
import httpx
import pytest

from db.pool import Database
from services.answer.events import CHAR, AskEvent, token_events
from services.kit.settings import AnswerSettings, Settings
from tests.corridors.http_fixtures import Synthesis, Told, api, client_of, events_in, row_of, serving, synthesis

__all__ = ["api", "synthesis"]
pytestmark = pytest.mark.anyio

ANSWER = "안전밸브는 1.2 MPa에서 열립니다 [1]."
CITED: dict[str, Any] = {
    "n": 1, "document_id": 3, "chunk_id": 9, "title": "점검 지침", "page": 2, "quote": "1.2 MPa", "start": 5, "end": 12,
    "url": "/api/documents/3/pages/2?start=5&end=12",
}  # fmt: skip


def patient(settings: Settings, **changes: float) -> Settings:
    """Settings with other times for an answer."""
    return settings.model_copy(update={"answer": AnswerSettings(**changes)})


async def streamed(response: httpx.Response) -> list[Told]:
    return [event async for event in events_in(response) if isinstance(event, Told)]


def text_of(events: list[Told]) -> str:
    return "".join(event.data["text"] for event in events if event.name == "token")


def assert_told_once(events: list[Told]) -> None:
    """Ids grow, which is what resuming by the last one rests on."""
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))


async def test_ask__answers_what_the_daemon_wrote(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    synthesis.citations = [CITED]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, ANSWER)
        response = await api.post("/api/search/ask", json={"question": " 작동 압력은? ", "filters": {"year": 2024}})
    assert response.status_code == 200
    body = response.json()
    assert (body["answer"], body["refused"], body["completeness"]) == (ANSWER, False, "full")
    assert body["citations"][0]["url"].startswith("/api/documents/3/pages/2")
    row = await row_of(synthesis.pool, "SELECT question, priority, filters FROM asks WHERE id = $1", body["id"])
    assert tuple(row) == ("작동 압력은?", "foreground", {"year": 2024})


async def test_ask__refusal_is_a_result(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, "근거가 없습니다.", "evidence_missing")
        response = await api.post("/api/search/ask", json={"question": "모르는 것?"})
    assert response.status_code == 200
    assert (response.json()["refused"], response.json()["refuse_reason"]) == (True, "evidence_missing")


async def test_ask__failed_row_says_why(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    async def fail_next() -> None:
        await synthesis.fail(await synthesis.next_ask(), "llm_timeout", "no answer in 30 s")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fail_next)
        response = await api.post("/api/search/ask", json={"question": "느린 것?"})
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "llm_timeout"


@pytest.mark.parametrize("way", [{"json": {"stream": True}}, {"headers": {"Accept": "text/event-stream"}}])
async def test_ask_stream__tells_steps_words_citations_end(
    api: httpx.AsyncClient, synthesis: Synthesis, way: dict[str, Any]
) -> None:
    synthesis.citations = [CITED]
    await synthesis.listened_to()
    request = {"json": {"question": "작동 압력은?", **way.get("json", {})}, "headers": way.get("headers")}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, ANSWER)
        async with api.stream("POST", "/api/search/ask", **request) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["location"].startswith("/api/asks/")
            events = await streamed(response)
    assert_told_once(events)
    assert text_of(events) == ANSWER
    assert [event.name for event in events if event.name != "token"][-2:] == ["citation", "done"]
    assert events[-1].data["answer"] == ANSWER
    assert 'seodang_asks_total{outcome="answered"} 1.0' in (await api.get("/metrics")).text


@pytest.mark.parametrize("refused", [None, "evidence_missing"])
async def test_ask_stream__with_debug_ends_with_the_trace_of_the_plain_reply(
    api: httpx.AsyncClient, synthesis: Synthesis, refused: str | None
) -> None:
    ends: list[dict[str, Any]] = []
    for more in ({}, {"debug": True}, {"debug": True, "stream": True}, {"stream": True}):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(synthesis.answer_next, ANSWER, refused)
            response = await api.post("/api/search/ask", json={"question": "작동 압력은?", **more})
        ends.append((await streamed(response))[-1].data if more.get("stream") else response.json())
    assert ["trace" in end for end in ends] == [False, True, True, False]
    assert ends[2]["trace"] == ends[1]["trace"]
    assert ends[2]["trace"]["steps"][0] == "queued"
    assert (ends[2]["answer"], ends[2]["refused"]) == (ANSWER, refused is not None)


@pytest.mark.parametrize("stream", [False, True])
async def test_ask__with_debug_has_the_trace_of_what_failed(
    api: httpx.AsyncClient, synthesis: Synthesis, stream: bool
) -> None:
    async def fail_next() -> None:
        ask_id = await synthesis.next_ask()
        await row_of(synthesis.pool, "UPDATE asks SET trace = $2 WHERE id = $1", ask_id, {"steps": ["queued"]})
        await synthesis.fail(ask_id, "llm_timeout", "no answer in 30 s")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fail_next)
        body = {"question": "느린 것?", "debug": True, "stream": stream}
        response = await api.post("/api/search/ask", json=body)
    end = (await streamed(response))[-1].data if stream else response.json()
    assert (end["error_code"], end["trace"]) == ("llm_timeout", {"steps": ["queued"]})


async def test_ask_stream__words_come_before_the_end(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    await synthesis.listened_to()
    async with api.stream("POST", "/api/search/ask", json={"question": "질문", "stream": True}) as response:
        events = events_in(response)
        ask_id = await synthesis.next_ask()
        await synthesis.tell(ask_id, "처음 말")
        text = ""
        while text != "처음 말":
            event = await anext(events)
            assert isinstance(event, Told)
            text += event.data.get("text", "")
        await synthesis.finish(ask_id, "처음 말")
        rest = [event async for event in events]
    assert [event.name for event in rest if isinstance(event, Told)] == ["done"]


async def test_ask_stream__lost_words_are_told_at_the_end(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    words = list(token_events(ANSWER))
    await synthesis.listened_to()
    async with api.stream("POST", "/api/search/ask", json={"question": "질문", "stream": True}) as response:
        ask_id = await synthesis.next_ask()
        await synthesis.publish(ask_id, [words[0], *words[2:]])
        await synthesis.finish(ask_id, ANSWER)
        events = await streamed(response)
    assert text_of(events) == ANSWER
    assert_told_once(events)


async def test_ask__answers_202_when_it_takes_longer(settings: Settings) -> None:
    async with serving(patient(settings, wait_s=0.2)) as address, client_of(address) as client:
        response = await client.post("/api/search/ask", json={"question": "오래 걸리는 것?"})
    assert response.status_code == 202
    assert response.json()["url"] == f"/api/asks/{response.json()['id']}"


async def test_ask_events__heartbeat_while_nothing_happens(settings: Settings) -> None:
    body = {"question": "조용", "stream": True}
    async with (
        serving(patient(settings, heartbeat_s=0.1)) as address,
        client_of(address) as client,
        client.stream("POST", "/api/search/ask", json=body) as response,
    ):
        events = events_in(response)
        first, second = await anext(events), await anext(events)
    assert isinstance(first, Told)
    assert second == "heartbeat"


async def test_ask_events__resume_after_the_last_one_seen(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    synthesis.citations = [CITED]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, ANSWER)
        done = (await api.post("/api/search/ask", json={"question": "작동 압력은?"})).json()
    path = f"/api/asks/{done['id']}/events"
    whole = await streamed(await api.get(path))
    assert text_of(whole) == ANSWER
    for cut in range(len(whole)):
        rest = await streamed(await api.get(path, headers={"Last-Event-ID": str(whole[cut].id)}))
        assert rest == whole[cut + 1 :]
    assert await streamed(await api.get(path, headers={"Last-Event-ID": "nonsense"})) == whole


async def test_ask_events__joined_in_the_middle_tell_everything(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    row = await row_of(synthesis.pool, "INSERT INTO asks (question) VALUES ('질문') RETURNING id")
    words = list(token_events(ANSWER))
    await synthesis.listened_to()
    await synthesis.next_ask()
    await synthesis.publish(row["id"], words[:2])
    async with api.stream("GET", f"/api/asks/{row['id']}/events") as response:
        await synthesis.publish(row["id"], words[2:])
        await synthesis.finish(row["id"], ANSWER)
        events = await streamed(response)
    assert text_of(events) == ANSWER
    assert_told_once(events)


async def test_ask__survives_the_loss_of_the_listener(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    await synthesis.listened_to()
    async with api.stream("POST", "/api/search/ask", json={"question": "질문", "stream": True}) as response:
        ask_id = await synthesis.next_ask()
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%api:listen'"
        await row_of(synthesis.pool, f"{cut} AND datname = current_database()")
        await synthesis.tell(ask_id, ANSWER)
        await synthesis.finish(ask_id, ANSWER)
        with anyio.fail_after(4):
            events = await streamed(response)
    assert text_of(events) == ANSWER


async def test_ask__is_found_by_a_facade_that_started_later(
    settings: Settings, pool: Database, synthesis: Synthesis
) -> None:
    body = {"question": "질문", "stream": True}
    async with (
        serving(settings) as address,
        client_of(address) as client,
        client.stream("POST", "/api/search/ask", json=body) as response,
    ):
        path = response.headers["location"]
        await anext(events_in(response))
    await synthesis.answer_next(ANSWER)
    async with serving(settings) as address, client_of(address) as client:
        assert (await client.get(path)).json()["answer"] == ANSWER
        assert text_of(await streamed(await client.get(f"{path}/events"))) == ANSWER


async def test_stop__ends_open_streams_at_once(settings: Settings) -> None:
    with anyio.fail_after(5):
        async with serving(settings) as address:
            client = client_of(address)
            request = client.build_request("POST", "/api/search/ask", json={"question": "질문", "stream": True})
            response = await client.send(request, stream=True)
            status = await client.send(client.build_request("GET", "/api/status/events"), stream=True)
    assert [event.name for event in await streamed(response)] == ["status"]
    await status.aclose()
    await client.aclose()


async def test_ask__hundred_at_once_take_one_listener(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    answers: list[str] = []

    async def one(number: int) -> None:
        response = await api.post("/api/search/ask", json={"question": f"질문 {number}"})
        answers.append(response.json()["answer"])

    async def answer_all() -> None:
        for number in range(100):
            await synthesis.answer_next(f"답 {number}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_all)
        for number in range(100):
            tasks.start_soon(one, number)
    assert sorted(answers) == sorted(f"답 {number}" for number in range(100))
    listeners = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%api:listen'"
    assert (await row_of(synthesis.pool, f"{listeners} AND datname = current_database()"))["count"] == 1


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "invalid_request"),
    ({"question": "   "}, "invalid_request"),
    ({"question": "\u0000\u0007"}, "invalid_request"),
    ({"question": "가" * 4001}, "query_too_long"),
    ({"question": 7}, "invalid_request"),
    ({"question": "질문", "filters": {"colour": "red"}}, "invalid_request"),
    ({"question": "질문", "filters": {"year": 0}}, "invalid_request"),
    ({"question": "질문", "surprise": 1}, "invalid_request"),
)


async def test_ask__wrong_bodies_are_the_callers_fault(api: httpx.AsyncClient) -> None:
    for body, code in WRONG:
        response = await api.post("/api/search/ask", json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, code), body


async def test_ask__says_what_is_wrong_in_its_own_words(api: httpx.AsyncClient) -> None:
    """No word of the library that reads the body, which means nothing to whoever sent it."""
    for path, field in (
        ("/api/search/ask", "question"),
        ("/api/search/ask/react", "question"),
        ("/api/chat", "message"),
    ):
        response = await api.post(path, json={field: " "})
        assert response.json()["error"]["message"] == f"{field}: must not be empty", path
    wrong = await api.post("/api/search/ask", json={"question": "질문", "filters": {"kind": "song"}})
    assert wrong.json()["error"]["message"].startswith("filters.kind: kinds are pdf, ")


async def test_ask__broken_json_is_refused(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"question": "\xff"}', b"{", b"[]", b"null", b""):
        response = await api.post("/api/search/ask", content=body, headers=headers)
        assert response.status_code == 400, body
        assert response.json()["error"]["code"]


async def test_ask__what_cannot_be_stored_is_replaced(api: httpx.AsyncClient, synthesis: Synthesis) -> None:
    body = rb'{"question": "valve\u0000 \ud800", "filters": {"collection": "\u0000\udfff"}}'
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, "답")
        response = await api.post("/api/search/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.json()["question"] == "valve  ?"


async def test_asks__unknown_number_is_404(api: httpx.AsyncClient) -> None:
    for path in ("/api/asks/999", "/api/asks/999/events"):
        assert (await api.get(path)).status_code == 404
    assert (await api.get(f"/api/asks/{2**70}")).status_code == 400


def test_event__is_frozen_and_its_token_ids_are_places() -> None:
    first = next(token_events("말"))
    assert first == AskEvent(CHAR, "token", {"text": "말", "start": 0})
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.id = 2  # type: ignore[misc]
