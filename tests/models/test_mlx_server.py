"""The door before a real `mlx_lm.server`, whose models say what the test wants: what a scripted server cannot show."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from pydantic import BaseModel

from db.pool import Database
from services.kit.settings import Settings, load_settings
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelMisnamed, ModelUnavailable, ReplyBroken, ReplyCut
from services.model.jsonreply import read_json
from services.model.request import ChatRequest, Message, Tool
from services.wiring import open_model_client
from tests.fakes.mlx_server import HOW_TO_GET_THEM, MISSING, MlxServer, Watch, served, watched
from tests.waiting import eventually

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.mlx,
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.skipif(bool(MISSING), reason=HOW_TO_GET_THEM),
]
ROOT = Path(__file__).resolve().parents[2]
PROCESSES = (6, 6, 6, 5)
"""Callers in each process: 23 in all. So many at once, without a gate, overflow the server's queue of connections."""
ANSWER = "안전밸브는 1.2 MPa에서 열리고 1.0 MPa에서 닫힙니다.\n점검은 매주 합니다 [1]."
THOUGHT = "먼저 표를 본다. 압력은 셋째 칸에 있다.\n"
VERDICT = '{"enough": true, "why": "표에 \\"작동 압력\\"이 있다"}'
CALL = '{"name": "search", "arguments": {"query": "밸브 압력", "limit": 3}}'
SEARCH = Tool("search", "Finds documents.", {"type": "object", "properties": {"query": {"type": "string"}}})
LONG_TOKENS, SOME_TOKENS = 20_000, 20
CALLER = Call(Role.PRIMARY, label="test")


class Verdict(BaseModel):
    """The JSON reply that is asked for."""

    enough: bool
    why: str


Opened = Callable[..., AbstractAsyncContextManager[ModelClient]]


def asked(max_tokens: int = 200, **words: Any) -> ChatRequest:
    return ChatRequest((Message("user", "안전밸브는 언제 열립니까?"),), max_tokens, **words)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that say what their folder's name promises."""
    from tests.fakes import tiny_model  # needs the extra

    folder = tmp_path_factory.mktemp("models")
    tiny_model.scripted(folder / "answer", ANSWER)
    tiny_model.scripted(folder / "thought", f"<think>{THOUGHT}</think>{ANSWER}")
    tiny_model.scripted(folder / "verdict", f"물론입니다.\n```json\n{VERDICT}\n```\n")
    tiny_model.scripted(folder / "call", f"<tool_call>{CALL}</tool_call>")
    tiny_model.babbling(folder / "babble")
    return folder


@pytest.fixture(scope="module")
def shared(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlxServer]:
    """A server for the tests that leave it as it was; it loads the folder that a request names."""
    with served(folders / "answer", tmp_path_factory.mktemp("mlx") / "log") as server:
        yield server


@pytest.fixture
async def watch(shared: MlxServer) -> AsyncIterator[Watch]:
    """The way to the shared server, watched."""
    async with watched(shared) as watch:
        yield watch


@pytest.fixture
def opened(settings: Settings, pool: Database, folders: Path) -> Opened:
    """Opens the door to a model at an address."""

    @asynccontextmanager
    async def open_it(base_url: str, model: str) -> AsyncIterator[ModelClient]:
        async with open_model_client(load_settings(**given(settings, base_url, folders / model)), pool) as models:
            yield models

    return open_it


def given(settings: Settings, base_url: str, model: Path, capacity: int = 1) -> dict[str, Any]:
    """Give the settings of a process, as JSON has them."""
    assert settings.database_url is not None
    return {
        "home": str(settings.home),
        "database_url": settings.database_url.get_secret_value(),
        "models": {"primary": {"base_url": base_url, "model": str(model), "capacity": capacity, "timeout_s": 60}},
        "calls": {"backoff_s": 0.01, "attempts": 2},
    }


# ---- many callers


@asynccontextmanager
async def callers(
    number: int, count: int, settings: dict[str, Any]
) -> AsyncIterator[tuple[Process, TextReceiveStream]]:
    """Start a process of callers, up to its open door."""
    command = [sys.executable, "-m", "tests.models.mlx_callers"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = await anyio.open_process(command, stderr=subprocess.DEVNULL, env=environment)
    try:
        assert process.stdin
        assert process.stdout
        errand = {"name": f"callers{number}", "callers": count, "settings": settings}
        await process.stdin.send(f"{json.dumps(errand)}\n".encode())
        lines = TextReceiveStream(process.stdout)
        assert await lines.receive() == "ready\n"
        yield process, lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


async def texts_of(settings: dict[str, Any]) -> list[str]:
    """Let all callers of all processes call at once, and give what they got."""
    texts: list[str] = []
    begin, open_doors = anyio.Event(), []

    async def run(number: int, count: int) -> None:
        async with callers(number, count, settings) as (process, lines):
            open_doors.append(number)
            await begin.wait()
            assert process.stdin
            await process.stdin.send(b"go\n")
            texts.extend(json.loads("".join([piece async for piece in lines])))

    async with anyio.create_task_group() as tasks:
        for number, count in enumerate(PROCESSES):
            tasks.start_soon(run, number, count)
        await eventually(lambda: len(open_doors) == len(PROCESSES), within_s=60)
        begin.set()
    return texts


async def test_callers__of_four_processes_are_answered_one_at_a_time(
    settings: Settings, watch: Watch, folders: Path
) -> None:
    texts = await texts_of(given(settings, watch.base_url, folders / "answer"))
    assert texts == [ANSWER] * sum(PROCESSES)
    assert (watch.asked, watch.whole, watch.most) == (sum(PROCESSES), sum(PROCESSES), 1)


async def test_callers__are_as_many_at_a_time_as_the_endpoint_takes(
    settings: Settings, watch: Watch, folders: Path
) -> None:
    texts = await texts_of(given(settings, watch.base_url, folders / "answer", capacity=3))
    assert texts == [ANSWER] * sum(PROCESSES)
    assert 1 < watch.most <= 3  # so the wire does see when several are in hand


# ---- replies


async def test_answer__comes_in_pieces(opened: Opened, watch: Watch) -> None:
    pieces: list[tuple[str, int]] = []

    async def hear(piece: str) -> None:
        pieces.append((piece, watch.whole))

    async with opened(watch.base_url, "answer") as models:
        await models.chat(CALLER, asked())  # from here on it is known that this model does not begin with thoughts
        watch.whole = 0
        said = await models.chat(CALLER, asked(), hear)
    assert said.reply.text == "".join(piece for piece, _ in pieces) == ANSWER
    assert said.reply.finish_reason == "stop"
    assert (said.reply.tokens_in or 0) > 0
    assert (said.reply.tokens_out or 0) > len(pieces) / 2 > 3
    assert pieces[0][1] == 0  # the first was heard before the server had said the last


async def test_thoughts__are_set_apart_and_not_heard(opened: Opened, watch: Watch) -> None:
    heard: list[str] = []

    async def hear(piece: str) -> None:
        heard.append(piece)

    async with opened(watch.base_url, "thought") as models:
        said = await models.chat(CALLER, asked(), hear)
    assert (said.reply.reasoning.strip(), said.reply.text.strip()) == (THOUGHT.strip(), ANSWER)
    assert "".join(heard).strip() == ANSWER


async def test_thoughts__that_use_up_the_reply_are_no_answer(opened: Opened, watch: Watch) -> None:
    async with opened(watch.base_url, "thought") as models:
        with pytest.raises(ReplyCut):
            await models.chat(CALLER, asked(max_tokens=5))


async def test_json__is_read_from_what_the_model_says_around_it(opened: Opened, watch: Watch) -> None:
    async with opened(watch.base_url, "verdict") as models:
        said = await models.chat(CALLER, asked(shape=Verdict))
        with pytest.raises(ReplyCut):
            await models.chat(CALLER, asked(max_tokens=12, shape=Verdict))
    assert read_json(said.reply.text, Verdict) == Verdict.model_validate_json(VERDICT)


async def test_tool_call__is_told_from_text(opened: Opened, watch: Watch) -> None:
    async with opened(watch.base_url, "call") as models:
        said = await models.chat(CALLER, asked(tools=(SEARCH,)))
    (call,) = said.reply.tool_calls
    assert {"name": call.name, "arguments": call.read()} == json.loads(CALL)
    assert (said.reply.text, said.reply.finish_reason) == ("", "tool_calls")


# ---- endings


async def test_cancel__frees_the_server(opened: Opened, watch: Watch) -> None:
    async with opened(watch.base_url, "babble") as models:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(models.chat, CALLER, asked(max_tokens=LONG_TOKENS))
            await eventually(lambda: watch.pieces > 0)
            began, first = perf_counter(), watch.pieces
            await eventually(lambda: watch.pieces >= first + SOME_TOKENS)
            token_s = (perf_counter() - began) / (watch.pieces - first)
            tasks.cancel_scope.cancel()
        await eventually(lambda: not watch.in_hand)
        began = perf_counter()
        said = await models.chat(CALLER, asked(max_tokens=1))
        short_s = perf_counter() - began
    assert said.reply.finish_reason == "length"
    assert short_s < token_s * LONG_TOKENS / 10  # seen: 0.1 s of 240 s, for which a reply that goes on would last
    assert (watch.asked, watch.whole) == (2, 1)


async def test_model_name__that_the_server_does_not_know_is_told_with_a_hint(opened: Opened, watch: Watch) -> None:
    async with opened(watch.base_url, "nobody/has-made-this") as models:
        with pytest.raises(ModelMisnamed) as told:
            await models.chat(CALLER, asked())
    assert "SEODANG_MODELS__PRIMARY__MODEL" in told.value.hint
    assert watch.asked == 1  # no second try with a name that would put out the loaded model
    async with opened(watch.base_url, "answer") as models:
        assert (await models.chat(CALLER, asked())).reply.text == ANSWER


async def test_server__killed_in_a_reply_breaks_it_and_is_then_unavailable(
    opened: Opened, folders: Path, tmp_path: Path
) -> None:
    async def kill() -> None:
        await eventually(lambda: watch.pieces >= SOME_TOKENS)
        server.kill()

    with served(folders / "babble", tmp_path / "log") as server:
        async with (
            watched(server) as watch,
            opened(watch.base_url, "babble") as models,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(kill)
            with pytest.raises(ReplyBroken):
                await models.chat(CALLER, asked(max_tokens=LONG_TOKENS))
        async with opened(server.base_url, "babble") as models:
            with pytest.raises(ModelUnavailable) as told:
                await models.chat(CALLER, asked())
    assert type(told.value) is ModelUnavailable
    assert "Start the model server" in told.value.hint
