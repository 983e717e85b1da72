"""What an asker is told: words and what takes them back, the place in the queue and at the gate, many at once."""

import time
from collections.abc import Callable

import anyio
import httpx
import psycopg
import pytest

from services.kit.settings import Settings
from services.tools import Tools
from tests.corridors.ask_fixtures import (
    GOOD,
    QUESTION,
    STREAM,
    asked,
    client,
    draft,
    endings,
    ends_as,
    held_call,
    model,
    read_all,
    served,
    shown,
    synthesis,
    wired,
    working,
)
from tests.corridors.http_fixtures import Told, events_in
from tests.fakes.model_server import ModelServer
from tests.waiting import eventually

__all__ = ["client", "model", "served", "synthesis", "wired"]
pytestmark = pytest.mark.anyio
UNCITED = "안전밸브의 작동 압력은 9 MPa라고 들었습니다."


async def heard(client: httpx.AsyncClient, each: Callable[[Told], None] = lambda _: None) -> list[Told]:
    events = []
    async with client.stream("POST", "/api/search/ask", json=STREAM) as response:
        async for event in events_in(response):
            if isinstance(event, Told):
                events.append(event)
                each(event)
    return events


def names(events: list[Told]) -> list[str]:
    return [event.name for event in events]


@pytest.mark.usefixtures("synthesis")
async def test_refusal__withdraws_the_words_that_were_streamed(client: httpx.AsyncClient, model: ModelServer) -> None:
    model.say(text=draft(UNCITED), token_s=0.02)
    events = await heard(client)
    assert names(events).index("token") < names(events).index("correction")
    assert names(events)[-3:] == ["correction", "refusal", "done"]
    assert (events[-3].data["text"], events[-1].data["refuse_reason"]) == ("", "answer_ungrounded")
    assert shown(events) == ""
    assert [event.id for event in events] == sorted({event.id for event in events})
    path = f"/api/asks/{events[-1].data['id']}/events"
    for cut, last in enumerate(events, start=1):
        rest = await read_all(await client.get(path, headers={"Last-Event-ID": str(last.id)}))
        assert shown(rest, shown(events[:cut])) == ""
        assert names(rest)[-2:] == names(events)[cut:][-2:]
    assert "correction" not in names(await read_all(await client.get(path)))


@pytest.mark.usefixtures("synthesis")
async def test_model__that_is_lost_in_its_words_leaves_none_of_them(
    client: httpx.AsyncClient, model: ModelServer
) -> None:
    model.say(text=draft(GOOD), token_s=0.02, after=8, end="reset")
    events = await heard(client)
    assert [name for name in names(events) if name in {"token", "correction", "done"}][-2:] == ["correction", "done"]
    assert shown(events) == (events[-1].data["answer"] or "")
    path = f"/api/asks/{events[-1].data['id']}/events"
    assert shown(await read_all(await client.get(path))) == shown(events)


@pytest.mark.usefixtures("synthesis")
async def test_gate__says_who_is_before_an_ask_and_since_when(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(text=draft(GOOD), hold="go")
    waits: list[Told] = []

    def see(event: Told) -> None:
        if event.name == "gate" and event.data["step"] == "answer":
            waits.append(event)
            model.release("go")

    async with asked(client) as first, anyio.create_task_group() as tasks:
        await held_call(model)
        with anyio.fail_after(20):
            await heard(client, see)
        assert (await read_all(first))[-1].name == "done"
        tasks.cancel_scope.cancel()
    data = waits[0].data
    assert (data["state"], data["ahead"], data["before"]) == ("waits", 1, {"foreground": 1})
    assert data["waited_ms"] >= 0
    assert "T" in data["since"]
    assert waits[-1].data["state"] == "holds"


async def test_queue__says_that_nobody_is_there_and_then_who_is_before(
    served: Settings, wired: Tools, client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    """Two lanes take two questions; the others hear how many stand before them, and when that changes."""
    model.say(text=draft(GOOD), hold="go")
    told: dict[int, list[Told]] = {}

    async def follow(number: int) -> None:
        def see(event: Told) -> None:
            told.setdefault(number, []).append(event)

        await heard(client, see)

    def aheads(number: int) -> list[int]:
        places = [event.data for event in told.get(number, []) if event.name == "gate"]
        return [data["ahead"] for data in places if data["step"] == "queued"]

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(follow, number)
            await eventually(lambda: len(endings(db)) == number + 1)  # noqa: B023 - done before the next round
        await eventually(lambda: [aheads(number) for number in range(4)] == [[0], [1], [2], [3]])
        away = next(event.data for event in told[0] if event.name == "gate")
        assert away["serving"] is False
        assert "seodang up" in away["message"]
        async with working(served, wired):
            await held_call(model)
            await eventually(lambda: all("serving" not in told[number][-1].data for number in (2, 3)))
            assert told[3][-1].data["ahead"] == 3
            model.release("go")
            await ends_as(db, *[("completed", None)] * 4)
    assert [told[number][-1].data["answer"] for number in range(4)] == [GOOD] * 4
    for number in (2, 3):
        ids = [event.id for event in told[number]]
        assert ids == sorted(set(ids))


@pytest.mark.usefixtures("synthesis")
async def test_reader__that_joins_in_the_middle_of_a_wait_hears_of_it(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(text=draft(GOOD), hold="go")
    waiting = "SELECT 1 FROM gate_status WHERE state = 'waits' AND label LIKE '%%ask:2'"
    async with asked(client):
        await held_call(model)
        async with asked(client) as second:
            await eventually(lambda: db.execute(waiting).fetchone())
            path = f"{second.headers['location']}/events"
            async with client.stream("GET", path, headers={"Last-Event-ID": "2000000"}) as late:
                with anyio.fail_after(10):
                    async for event in events_in(late):
                        if isinstance(event, Told) and event.name == "gate":
                            break
            assert isinstance(event, Told)
            assert (event.data["state"], event.data["ahead"]) == ("waits", 1)
            model.release("go")
            assert (await read_all(second))[-1].data["answer"] == GOOD


@pytest.mark.slow
@pytest.mark.usefixtures("synthesis")
async def test_thirty_at_once__all_end_in_their_order_and_people_first(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    call_s, people, behind = 0.1, 30, 5
    model.say(text=draft(GOOD), first_s=call_s)
    answers: list[str] = []

    async def ask() -> None:
        reply = await client.post("/api/search/ask", json={"question": QUESTION}, timeout=60)
        answers.append(reply.json()["answer"])

    began = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for number in range(people):
            tasks.start_soon(ask)
            if number == 2:
                db.execute("INSERT INTO asks (question) SELECT %s FROM generate_series(1, %s)", (QUESTION, behind))
    assert answers == [GOOD] * people
    took_s = time.monotonic() - began
    await eventually(lambda: {status for status, _ in endings(db)} == {"completed"}, 30)
    # Two lanes take the questions up in their order; the two in hand may end the other way round.
    ends = "SELECT id FROM asks WHERE priority = %s ORDER BY completed_at, id"
    order = {name: [row[0] for row in db.execute(ends, (name,))] for name in ("foreground", "background")}
    ranks = [sorted(order["foreground"]).index(ask_id) for ask_id in order["foreground"]]
    assert all(abs(rank - place) <= 1 for place, rank in enumerate(ranks))
    assert order["background"] == sorted(order["background"])
    assert (len(order["foreground"]), len(order["background"])) == (people, behind)
    passed_over = """SELECT count(*) FROM asks b JOIN asks f ON b.priority = 'background' AND f.priority = 'foreground'
                     WHERE f.created_at < b.started_at AND f.completed_at > b.completed_at"""
    assert db.execute(passed_over).fetchone() == (0,)
    assert model.most == 1
    assert db.execute("SELECT max(attempts), bool_or(error_code IS NOT NULL) FROM asks").fetchone() == (1, False)
    assert took_s < 60
