"""How tests of single requests reach a server: the scripted one, or a function in its place."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
from pydantic import SecretStr

from services.model.connection import Connection
from services.model.endpoint import Endpoint, Role, server_name

T = TypeVar("T")
HEADERS = {"X-Seodang-Role": "embed", "X-Seodang-Class": "batch", "X-Seodang-Label": "job 7"}


@asynccontextmanager
async def connected(
    url: str, answer: Callable[[httpx.Request], httpx.Response] | None = None, model: str | None = "m", key: str = ""
) -> AsyncIterator[Connection]:
    """Connect to a server, or to `answer` in its place."""
    transport = httpx.MockTransport(answer) if answer else None
    secret = SecretStr(key) if key else None
    endpoint = Endpoint(Role.EMBED, server_name(url), model, secret, timeout_s=30, capacity=1)
    async with httpx.AsyncClient(transport=transport, timeout=30) as http:
        yield Connection(http, endpoint, HEADERS)


class Turnstile:
    """A door without a gate, which counts."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.passed = connection, 0

    async def __call__(self, send: Callable[[Connection], Awaitable[T]], /) -> T:
        self.passed += 1
        return await send(self.connection)
