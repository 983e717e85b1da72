"""The door to the models: every call passes the gate, has a time limit, and ends in what it was or in a typed error."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import psycopg
import pytest

from db.gate import Priority
from db.pool import Database
from services.kit.settings import Settings, load_settings
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import (
    CircuitOpen,
    ModelMisnamed,
    ModelTimeout,
    ModelUnavailable,
    ReplyBroken,
    RequestRefused,
)
from services.model.request import ChatRequest, Message
from services.wiring import open_model_client
from tests.fakes.model_server import ModelServer, serving
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
HELLO = ChatRequest((Message("user", "hello"),), 20)
QUICK = {"backoff_s": 0.01}
Opened = Callable[..., AbstractAsyncContextManager[ModelClient]]


@pytest.fixture
def opened(settings: Settings, pool: Database, model: ModelServer) -> Opened:
    """Opens the door of one process; words change the settings."""

    @asynccontextmanager
    async def open_it(primary: dict[str, Any] | None = None, **words: Any) -> AsyncIterator[ModelClient]:
        models = {"primary": {"base_url": model.url, "model": "scripted"} | (primary or {})} | words.pop("models", {})
        given = {"models": models, "calls": QUICK | words.pop("calls", {}), **words}
        changed = load_settings(home=settings.home, database_url=settings.database_url, **given)
        async with open_model_client(changed, pool) as models_client:
            yield models_client

    return open_it


async def test_call__names_role_class_and_label_and_who_answered(opened: Opened, model: ModelServer) -> None:
    async with opened() as models:
        said = await models.chat(Call(Role.VERIFIER, Priority.FOREGROUND, "ask:7 검증"), HELLO)
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("verifier", "foreground", "ask:7 ??")
    assert said.model == "primary:scripted"
    assert said.gate_wait_ms >= 0
    assert said.took_ms > 0


async def test_calls__of_two_processes_never_overlap_and_the_person_goes_first(
    opened: Opened, model: ModelServer
) -> None:
    model.script({"when": {"label": "first"}, "say": {"text": "1", "hold": "go"}})
    async with opened() as one, opened() as other, anyio.create_task_group() as tasks:
        tasks.start_soon(one.chat, Call(Role.PRIMARY, label="first"), HELLO)
        await eventually(lambda: model.calls)
        for number in range(4):
            tasks.start_soon(other.chat, Call(Role.TRIAGE, Priority.BACKGROUND, f"batch:{number}"), HELLO)
        tasks.start_soon(one.chat, Call(Role.TRIAGE, Priority.STUDY, "study"), HELLO)
        await anyio.sleep(0.2)
        tasks.start_soon(other.chat, Call(Role.PRIMARY, Priority.FOREGROUND, "person"), HELLO)
        await anyio.sleep(0.2)
        model.release("go")
    assert [call.label for call in model.calls][:3] == ["first", "person", "study"]
    assert (len(model.calls), model.most) == (7, 1)


async def test_endpoints__have_gates_of_their_own(opened: Opened, model: ModelServer) -> None:
    async with serving() as deep, opened(models={"deep": {"base_url": deep.url}}) as models:
        for server in (model, deep):
            server.say(text="x", hold="go")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(models.chat, Call(Role.PRIMARY), HELLO)
            tasks.start_soon(models.chat, Call(Role.DEEP), HELLO)
            await eventually(lambda: model.calls and deep.calls)
            model.release("go")
            deep.release("go")


async def test_timeout__counts_from_the_gate_and_frees_it(opened: Opened, model: ModelServer) -> None:
    model.script({"when": {"label": "slow"}, "say": {"text": "x", "hold": "never"}}, {"say": {"text": "ok"}})
    async with opened({"timeout_s": 0.3}) as models:
        outcomes: list[str] = []

        async def slow() -> None:
            with pytest.raises(ModelTimeout, match="TIMEOUT_S"):
                await models.chat(Call(Role.PRIMARY, label="slow"), HELLO)
            outcomes.append("timeout")

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(slow)
            await eventually(lambda: model.calls)
            said = await models.chat(Call(Role.PRIMARY, label="last"), HELLO)
    assert said.reply.text == "ok"  # waited behind three limits, and was not timed out itself
    assert outcomes == ["timeout"] * 3
    assert said.gate_wait_ms > 300


async def test_cancelled_call__frees_model_and_gate(opened: Opened, model: ModelServer, db: psycopg.Connection) -> None:
    model.script({"when": {"label": "long"}, "say": {"text": "x" * 400, "token_s": 0.05}}, {"say": {"text": "ok"}})
    async with opened() as models:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(models.chat, Call(Role.PRIMARY, label="long"), HELLO)
            await eventually(lambda: model.calls and model.calls[0].first_ns)
            tasks.cancel_scope.cancel()
        assert (await models.chat(Call(Role.PRIMARY), HELLO)).reply.text == "ok"
    await eventually(lambda: model.calls[0].left)
    assert model.most == 1


async def test_harmless_failure__is_tried_again_at_a_turn_of_its_own(opened: Opened, model: ModelServer) -> None:
    model.script(
        {"say": {"status": 503, "body": {"error": "loading"}}, "times": 1},
        {"say": {"end": "reset"}, "times": 1},
        {"say": {"text": "ok"}},
    )
    async with opened() as models:
        assert (await models.chat(Call(Role.PRIMARY), HELLO)).reply.text == "ok"
    assert len(model.calls) == 3


@pytest.mark.parametrize(
    ("say", "error"),
    [
        ({"text": "a long reply", "end": "close", "after": 1}, ReplyBroken),
        ({"status": 400, "body": {"error": "no"}}, RequestRefused),
        ({"status": 401, "body": {"error": "no key"}}, ModelMisnamed),
    ],
)
async def test_other_failures__are_not_tried_again(
    opened: Opened, model: ModelServer, say: dict[str, Any], error: type[Exception]
) -> None:
    model.script({"say": say})
    async with opened() as models:
        with pytest.raises(error):
            await models.chat(Call(Role.PRIMARY), HELLO)
    assert len(model.calls) == 1


async def test_breaker__stops_all_processes_and_lets_one_probe(
    opened: Opened, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script({"say": {"status": 503, "body": {"error": "down"}}})
    once = {"calls": {"attempts": 1, "breaker_failures": 2}}
    async with opened(**once) as one, opened(**once) as other:
        for models in (one, other):
            with pytest.raises(ModelUnavailable):
                await models.chat(Call(Role.PRIMARY), HELLO)
        with pytest.raises(CircuitOpen) as caught:
            await one.chat(Call(Role.PRIMARY), HELLO)
        assert caught.value.after_s
        assert (caught.value.counted, len(model.calls)) == (False, 2)
        model.say(text="up again")
        db.execute("UPDATE model_breakers SET opened_at = opened_at - interval '1 hour', probe_at = NULL")
        for models in (one, other):
            assert (await models.chat(Call(Role.PRIMARY), HELLO)).reply.text == "up again"


async def test_fallback__stands_in_and_is_named(opened: Opened, model: ModelServer) -> None:
    model.script({"say": {"status": 503, "body": {"error": "down"}}})
    async with serving() as cloud:
        cloud.say(text="from afar")
        fallback = {"fallback": {"base_url": cloud.url, "model": "big"}}
        async with opened(models=fallback, calls={"attempts": 1}) as models:
            said = await models.chat(Call(Role.PRIMARY, Priority.FOREGROUND, "ask:1"), HELLO)
        assert (said.reply.text, said.model) == ("from afar", "fallback:big")
        assert [(call.role, call.klass, call.label) for call in cloud.calls] == [("fallback", "foreground", "ask:1")]


async def test_long_pause__that_a_server_asks_for_is_left_to_the_queue(opened: Opened, model: ModelServer) -> None:
    model.script({"say": {"status": 429, "body": {"error": "busy"}, "headers": {"Retry-After": "3600"}}})
    async with opened() as models:
        with pytest.raises(ModelUnavailable) as caught:
            await models.chat(Call(Role.PRIMARY), HELLO)
    assert (caught.value.after_s, len(model.calls)) == (3600, 1)


async def test_fallback__stands_in_for_nobody_who_wants_to_know_about_the_server_itself(
    opened: Opened, model: ModelServer
) -> None:
    model.script({"say": {"status": 503, "body": {"error": "down"}}})
    async with (
        serving() as cloud,
        opened(models={"fallback": {"base_url": cloud.url}}, calls={"attempts": 1}) as models,
    ):
        with pytest.raises(ModelUnavailable):
            await models.chat(Call(Role.PRIMARY, fallback=False), HELLO)
    assert cloud.calls == []


async def test_no_server__is_said_with_the_setting(opened: Opened) -> None:
    async with opened() as models:
        with pytest.raises(ModelUnavailable, match="SEODANG_MODELS__RERANK__BASE_URL"):
            await models.chat(Call(Role.RERANK), HELLO)
