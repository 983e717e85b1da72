"""The probe: a model that answers is told from a server that only lists, and a wrong name is told to a person."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest

from services.model.connection import Connection
from services.model.endpoint import Role
from services.model.errors import ModelError, ModelMisnamed, ModelUnavailable
from services.model.probe import generate_one, health, list_models, readiness
from tests.fakes.model_server import ModelServer, serving
from tests.models.reaching import Turnstile, connected

pytestmark = pytest.mark.anyio

hosts = (f"http://probed-{number}" for number in count())


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.script(models=["m", "big"])
        yield server


@pytest.fixture
async def connection(models: ModelServer) -> AsyncIterator[Connection]:
    async with connected(models.url, key="secret") as connection:
        yield connection


def words(models: ModelServer, **said: Any) -> None:
    """Answer model calls so; lists and health stay as they are."""
    models.script({"when": {"kind": "chat"}, "say": said}, models=["m", "big"])


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ({"models": [{"name": "a", "model": "x"}, {"model": "b"}]}, ["a", "b"]),
        ({"models": [{"name": "a"}], "data": [{"id": "b"}]}, ["b"]),
        ({"data": ["a", "b"]}, ["a", "b"]),
        (["a", {"id": "b"}, None, {"id": 7}], ["a", "b"]),
        ({"data": None}, []),
        ({"data": {"a": 1}}, []),
        ("<html></html>", []),
        ('"m"', []),
    ],
)
async def test_list__is_read_in_every_form(
    models: ModelServer, connection: Connection, body: Any, names: list[str]
) -> None:
    models.say(body=body)
    assert await list_models(connection) == names


async def test_list__of_a_server_without_v1_or_without_any() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer secret"
        found = request.url.path == "/models"
        return httpx.Response(200, json={"data": [{"id": "a"}]}) if found else httpx.Response(404)

    async with connected(next(hosts), answer, key="secret") as connection:
        assert await list_models(connection) == ["a"]
    async with connected(next(hosts), lambda _: httpx.Response(404, json={"error": "?"})) as connection:
        assert await list_models(connection) == []


@pytest.mark.parametrize(("status", "kind"), [(401, ModelMisnamed), (503, ModelUnavailable)])
async def test_list__that_is_refused_is_an_error(
    models: ModelServer, connection: Connection, status: int, kind: type[ModelError]
) -> None:
    models.say(status=status, body={"error": "no"})
    with pytest.raises(kind):
        await list_models(connection)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, None), (405, None)])
async def test_health__is_what_the_server_says_if_it_says_anything(
    models: ModelServer, connection: Connection, status: int, healthy: bool | None
) -> None:
    models.say(status=status, body={"status": "?"})
    assert await health(connection) is healthy


async def test_health__of_no_server_is_an_error(models: ModelServer, connection: Connection) -> None:
    await models.close()
    with pytest.raises(ModelUnavailable):
        await health(connection)


async def test_generate__asks_for_one_token_in_a_stream(models: ModelServer, connection: Connection) -> None:
    assert await generate_one(connection) > 0
    (call,) = models.calls
    assert (call.body["max_tokens"], call.body["stream"], call.body["model"]) == (1, True, "m")
    assert call.body["messages"] == [{"role": "user", "content": "Say OK."}]


@pytest.mark.parametrize(
    "said",
    [
        {"text": "O", "finish": "length"},
        {"text": "", "reasoning": "Hm", "finish": "length"},
        {"text": "", "finish": "length"},
        {"text": "", "finish": "stop"},
    ],
)
async def test_generate__takes_whatever_one_token_makes(
    models: ModelServer, connection: Connection, said: dict[str, Any]
) -> None:
    words(models, **said)
    assert await generate_one(connection) > 0


@pytest.mark.parametrize("said", [{"done": False, "finish": None}, {"end": "reset"}, {"status": 500, "body": "dead"}])
async def test_generate__takes_no_half_reply(models: ModelServer, connection: Connection, said: dict[str, Any]) -> None:
    words(models, **said)
    with pytest.raises(ModelError):
        await generate_one(connection)


@pytest.mark.parametrize(
    ("role", "kinds"), [(Role.PRIMARY, ["chat"]), (Role.EMBED, ["embeddings"]), (Role.RERANK, ["rerank"])]
)
async def test_readiness__uses_the_model_as_its_role_does(
    models: ModelServer, connection: Connection, role: Role, kinds: list[str]
) -> None:
    door = Turnstile(connection)
    found = await readiness(door, role)
    assert (found.role, found.ready, found.listed, door.passed) == (role, True, True, 1)
    assert found.seconds is not None
    assert found.sentence == f"embed:m answered in {found.seconds:.2f} s."
    assert [call.kind for call in models.calls] == kinds


async def test_readiness__names_a_model_that_the_server_does_not_list(models: ModelServer) -> None:
    models.script(models=[f"model-{number}" for number in range(9)])
    async with connected(models.url, model="left-over") as connection:
        found = await readiness(Turnstile(connection), Role.PRIMARY)
    assert (found.ready, found.listed) == (True, False)
    assert "does not list left-over, but model-0, " in found.sentence
    assert "model-7, …. Set SEODANG_MODELS__EMBED__MODEL to a name of the list" in found.sentence


async def test_readiness__says_why_an_unlisted_model_does_not_answer(models: ModelServer) -> None:
    models.script(models=["m"], strict=True)
    async with connected(models.url, model="left-over") as connection:
        found = await readiness(Turnstile(connection), Role.PRIMARY)
    assert (found.ready, found.listed, found.seconds) == (False, False, None)
    assert "Repository Not Found" in found.sentence
    assert "does not list left-over, but m." in found.sentence


@pytest.mark.parametrize(
    ("model", "listed", "known"), [(None, ["m"], None), ("m", [], None), ("m", ["m:latest"], True), ("m", ["n"], False)]
)
async def test_readiness__knows_when_a_list_says_nothing(
    models: ModelServer, model: str | None, listed: list[str], known: bool | None
) -> None:
    models.script(models=listed)
    async with connected(models.url, model=model) as connection:
        assert (await readiness(Turnstile(connection), Role.PRIMARY)).listed is known


async def test_readiness__of_a_server_that_only_lists_is_none(models: ModelServer, connection: Connection) -> None:
    words(models, status=404, body={"error": "generation thread died"})
    found = await readiness(Turnstile(connection), Role.PRIMARY)
    assert (found.ready, found.seconds) == (False, None)
    assert "generation thread died" in found.sentence
    await models.close()
    found = await readiness(Turnstile(connection), Role.PRIMARY)
    assert (found.ready, found.listed) == (False, None)
    assert "gave no answer" in found.sentence
