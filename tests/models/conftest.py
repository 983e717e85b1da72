"""A scripted model server, and the way to it: what the door hands to a call."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.model.connection import Connection
from services.model.endpoint import Endpoint, Role, server_name
from tests.fakes.model_server import ModelServer, serving

Connect = Callable[..., Connection]


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """A server that says what the test scripts."""
    async with serving() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """The process's one client: no time limit but for connecting."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(None, connect=10)) as client:
        yield client


@pytest.fixture
def connect(model: ModelServer, http: httpx.AsyncClient) -> Connect:
    """Gives a connection to the scripted server; words change the endpoint."""

    def make(**words: Any) -> Connection:
        given: dict[str, Any] = {
            "role": Role.PRIMARY,
            "name": server_name(words.pop("url", model.url)),
            "model": "scripted",
            "api_key": None,
            "timeout_s": 60.0,
            "capacity": 1,
        }
        if isinstance(key := words.pop("api_key", None), str):
            given["api_key"] = SecretStr(key)
        headers = {"X-Seodang-Role": "primary", "X-Seodang-Class": "interactive", "X-Seodang-Label": "test"}
        return Connection(http, Endpoint(**given | words), headers)

    return make
