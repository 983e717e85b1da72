"""The scripted server keeps its promises: what tests of gate, client and daemons build upon."""

import time
from dataclasses import replace

import anyio
import httpx
import pytest
from pydantic import ValidationError

from services.model.chat import chat
from services.model.reply import Reply
from services.model.request import ChatRequest, Message
from tests.fakes.model_replies import vector
from tests.fakes.model_server import ModelServer, in_process
from tests.models.conftest import Connect
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

ASKED = ChatRequest((Message("user", "[1] 연차는 15일이다.\n연차는?"),), max_tokens=100)


async def test_rules__are_tried_in_order_and_used_up(model: ModelServer, connect: Connect) -> None:
    model.script(
        {"when": {"text": "없는 말"}, "say": {"text": "a"}},
        {"when": {"role": "tri*"}, "say": {"text": "b"}},
        {"when": {"role": "primary", "class": "inter*", "label": "t?st"}, "say": {"text": "c"}, "times": 1},
        {"when": {"has": "stop"}, "say": {"text": "d"}},
        {"when": {"lacks": "tools"}, "say": {"pick": r"\[(\d+)\] (.*)", "text": "<<2>> [<<1>>]"}},
    )
    texts = [(await chat(connect(), asked)).text for asked in (ASKED, replace(ASKED, stop=("x",)), ASKED)]
    assert texts == ["c", "d", "연차는 15일이다. [1]"]


async def test_rules__misspelt_are_refused(model: ModelServer) -> None:
    with pytest.raises(ValidationError):
        model.say(txet="a")


async def test_strict__an_unknown_model_is_not_found(model: ModelServer, connect: Connect) -> None:
    model.script(strict=True, models=["a"])
    assert (await chat(connect(model="a"), ASKED)).model == "a"
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{model.url}/models")).json()["data"] == [{"id": "a", "object": "model"}]
        assert (await http.post(f"{model.url}/embeddings", json={"model": "b", "input": "x"})).status_code == 404


async def test_vectors__of_texts_alike_are_near() -> None:
    one, near, far = (vector(text, 256) for text in ("연차유급휴가는 15일이다", "연차휴가는 15일", "안전밸브 교정"))
    product = [sum(a * b for a, b in zip(one, other, strict=True)) for other in (one, near, far)]
    assert product[0] == pytest.approx(1.0)
    assert product[0] > product[1] > 2 * abs(product[2])


async def test_own_process__counts_overlaps_and_logs_times(connect: Connect) -> None:
    with in_process() as server:
        server.say(hold="all here", text="네.")
        before, replies = time.monotonic_ns(), list[Reply]()

        async def ask() -> None:
            replies.append(await chat(connect(url=server.url), ASKED))

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(ask)
            await eventually(lambda: server.most == 4)
            server.release("all here")
        calls, after = server.calls, time.monotonic_ns()
        assert [reply.text for reply in replies] == ["네."] * 4
        for call in calls:
            assert call.first_ns is not None
            assert call.ended_ns is not None
            assert before < call.started_ns < call.first_ns <= call.ended_ns < after
            assert (call.role, call.klass, call.label, call.left) == ("primary", "interactive", "test", False)
        server.reset()
        assert (server.calls, server.most) == ([], 0)


async def test_one_after_the_other__never_overlaps(model: ModelServer, connect: Connect) -> None:
    for number in range(60):
        model.say(text="가나다라마바사", end="hang" if number % 2 else "whole", after=1)
        async with anyio.create_task_group() as tasks:

            async def leave(_: str) -> None:
                tasks.cancel_scope.cancel()

            # A first whole reply lets text through at once; every second call is left at its first piece.
            await chat(connect(), ASKED, leave if number % 2 else None)
    assert model.most == 1
    await eventually(lambda: model.state.now == 0)
    assert [call.left for call in model.calls] == [False, True] * 30
