"""A client that leaves: its question is cancelled where nobody else waits for it, and the model is free."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.settings import CHECKOUT, Settings
from services.tools import Tools
from tests.corridors.ask_fixtures import (
    GOOD,
    LEAVE_S,
    QUESTION,
    asked,
    client,
    draft,
    endings,
    ends_as,
    held_call,
    model,
    read_all,
    runner,
    seats,
    served,
    synthesis,
    wired,
)
from tests.corridors.http_fixtures import client_of, serving
from tests.corridors.whole import free_port
from tests.fakes.model_server import ModelServer
from tests.waiting import eventually, wait_for

__all__ = ["client", "model", "served", "synthesis", "wired"]
pytestmark = pytest.mark.anyio
CANCELLED = ("skipped", "cancelled")
DONE = ("completed", None)
PROCESSING = ("processing", None)
FREE_S = 3.0
"""After so long the model's server is free of a question that nobody waits for, with the default grace of two."""
HELD = {"text": draft(GOOD), "hold": "go"}


async def left_the_model(model: ModelServer, db: psycopg.Connection) -> None:
    await eventually(lambda: model.calls[-1].left, FREE_S)
    await eventually(lambda: not list(seats(db)), FREE_S)


@pytest.mark.usefixtures("synthesis")
async def test_stream__that_is_left_frees_the_model_for_the_next(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    async with asked(client):
        await held_call(model)
    await left_the_model(model, db)
    await ends_as(db, CANCELLED)
    assert db.execute("SELECT completed_at IS NOT NULL, answer, worker FROM asks").fetchone() == (True, None, None)
    model.say(text=draft(GOOD))
    assert (await client.post("/api/search/ask", json={"question": QUESTION})).json()["answer"] == GOOD


@pytest.mark.usefixtures("synthesis")
async def test_stream__left_in_the_middle_of_its_words_stops_the_writing(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(text=draft(GOOD * 200), token_s=0.05)
    async with asked(client) as response:
        async for line in response.aiter_lines():
            if line == "event: token":
                break
    await left_the_model(model, db)
    await ends_as(db, CANCELLED)
    events = await read_all(await client.get("/api/asks/1/events"))
    assert [(event.name, event.data.get("code")) for event in events][-2:] == [("error", "cancelled"), ("done", None)]


@pytest.mark.usefixtures("synthesis")
async def test_waiting_request__that_is_left_is_cancelled_too(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: client.post("/api/search/ask", json={"question": QUESTION}))
        await held_call(model)
        tasks.cancel_scope.cancel()
    await left_the_model(model, db)
    await ends_as(db, CANCELLED)


@pytest.mark.usefixtures("synthesis")
async def test_client__that_comes_back_in_time_finds_its_question_at_work(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    async with asked(client) as response:
        path = response.headers["location"]
        await held_call(model)
    async with client.stream("GET", f"{path}/events", headers={"Last-Event-ID": "1000000"}) as response:
        await anyio.sleep(LEAVE_S * 2)  # the grace of the first is over, and nothing is to happen
        assert endings(db) == [PROCESSING]
        model.release("go")
        assert (await read_all(response))[-1].data["answer"] == GOOD
    assert not model.calls[-1].left


@pytest.mark.usefixtures("synthesis")
async def test_second_reader__at_another_facade_keeps_it_and_is_the_last_to_leave(
    client: httpx.AsyncClient, served: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    async with serving(served) as address, client_of(address) as other:
        async with asked(client) as response:
            path = f"{response.headers['location']}/events"
            await held_call(model)
            stream = await other.send(other.build_request("GET", path), stream=True)
        await anyio.sleep(LEAVE_S * 2)
        assert endings(db) == [PROCESSING]
        assert not model.calls[-1].left
        await stream.aclose()
        await left_the_model(model, db)
    await ends_as(db, CANCELLED)


@pytest.mark.parametrize("priority", ["foreground", "background"])
@pytest.mark.usefixtures("synthesis")
async def test_question_of_an_insert__is_nobodys_to_cancel(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection, priority: str
) -> None:
    model.say(**HELD)
    db.execute("INSERT INTO asks (question, priority) VALUES (%s, %s)", (QUESTION, priority))
    async with client.stream("GET", "/api/asks/1/events"):
        await held_call(model)
    await anyio.sleep(LEAVE_S * 2)
    assert endings(db) == [PROCESSING]
    model.release("go")
    await ends_as(db, DONE)


@pytest.mark.usefixtures("synthesis")
async def test_client__that_was_told_to_look_later_has_not_left(
    served: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    hasty = served.model_copy(update={"answer": served.answer.model_copy(update={"wait_s": 0.5})})
    async with serving(hasty) as address, client_of(address) as client:
        assert (await client.post("/api/search/ask", json={"question": QUESTION})).status_code == 202
        await held_call(model)
        await anyio.sleep(LEAVE_S * 2)
    assert endings(db) == [PROCESSING]
    model.release("go")
    await ends_as(db, DONE)


async def test_question__that_nobody_has_taken_up_ends_at_once(
    client: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    async with asked(client):
        assert endings(db) == [("pending", None)]
    await ends_as(db, CANCELLED)


async def test_facade__that_stops_cancels_nothing(served: Settings, db: psycopg.Connection) -> None:
    async with serving(served) as address, client_of(address) as client:
        request = client.build_request("POST", "/api/search/ask", json={"question": QUESTION, "stream": True})
        response = await client.send(request, stream=True)
    await response.aclose()
    await anyio.sleep(LEAVE_S * 2)
    assert endings(db) == [("pending", None)]


@pytest.mark.usefixtures("synthesis")
async def test_cancel_ask__is_a_word_of_anybody(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    replies: list[httpx.Response] = []

    async def wait() -> None:
        replies.append(await client.post("/api/search/ask", json={"question": QUESTION}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await held_call(model)
        assert db.execute("SELECT cancel_ask(1), cancel_ask(1), cancel_ask(7)").fetchone() == (True, False, False)
    assert (replies[0].status_code, replies[0].json()["error"]["code"]) == (409, "cancelled")
    await left_the_model(model, db)


@pytest.mark.usefixtures("synthesis")
async def test_daemon__that_was_not_notified_looks_by_itself(model: ModelServer, db: psycopg.Connection) -> None:
    model.say(**HELD)
    db.execute("INSERT INTO asks (question) VALUES (%s)", (QUESTION,))
    await held_call(model)
    db.execute("UPDATE asks SET cancelled_at = now()")
    await left_the_model(model, db)
    await ends_as(db, CANCELLED)


async def test_daemon__that_died_with_a_cancelled_question_leaves_it_cancelled(
    served: Settings, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    insert = """INSERT INTO asks (question, status, worker, claim, attempts, started_at, cancelled_at)
                VALUES (%s, 'processing', 999, 1, 1, now(), now())"""
    db.execute(insert, (QUESTION,))
    with anyio.fail_after(20):
        while endings(db) != [CANCELLED]:
            await runner(served, wired, "synthesis", until_empty=True).run()
    assert model.calls == []


def environment_of(served: Settings, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEODANG_")}
    assert served.database_url is not None
    told = {"DATABASE_URL": served.database_url.get_secret_value(), "HOME": str(served.home), **more}
    return clean | {f"SEODANG_{name}": value for name, value in told.items()}


@contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """Let who is started meanwhile hear a signal: a shell hands it down ignored to what it runs in its background."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture
def terminal(served: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `seodang ask` as a person does."""
    with ExitStack() as stack:

        def begin() -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "services.cli", "ask", QUESTION]
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            with heard(signal.SIGINT):
                process = subprocess.Popen(command, env=environment_of(served), cwd=CHECKOUT, **quiet)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.mark.slow
@pytest.mark.usefixtures("synthesis")
async def test_command_line__interrupted_calls_its_question_off(
    terminal: Callable[[], subprocess.Popen[bytes]], model: ModelServer, db: psycopg.Connection
) -> None:
    model.say(**HELD)
    process = terminal()
    await eventually(lambda: any(call.kind == "chat" for call in model.calls), 30)
    process.send_signal(signal.SIGINT)
    await left_the_model(model, db)
    await ends_as(db, CANCELLED)


@pytest.fixture
def facade(served: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A facade as a process of its own, and its address."""
    port = free_port()
    environment, address = environment_of(served, PORT=str(port)), f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", "services.api"], env=environment, cwd=CHECKOUT) as process:
        try:
            wait_for(lambda: _ready(address), 30)
            yield process, address
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.usefixtures("synthesis")
async def test_facade__that_is_killed_cancels_nothing(
    facade: tuple[subprocess.Popen[bytes], str], model: ModelServer, db: psycopg.Connection
) -> None:
    """Its locks go with it, and nobody is left to say that its clients have gone."""
    model.say(**HELD)
    process, address = facade
    async with client_of(address) as client:
        with suppress(httpx.TransportError):  # the end of the stream, as its client sees it
            async with asked(client) as response:
                await held_call(model)
                process.send_signal(signal.SIGKILL)
                await response.aread()
    sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s AND datname = current_database()"
    await eventually(lambda: db.execute(sessions, ("%api:readers",)).fetchone() is None)
    assert endings(db) == [PROCESSING]
    model.release("go")
    await ends_as(db, DONE)


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/documents", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
