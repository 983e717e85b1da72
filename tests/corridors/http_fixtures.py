"""A facade that really serves, and somebody who plays the synthesis daemon behind it."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import anyio
import httpx
import pytest

from db.pool import Database
from services.answer.events import CHANNEL, CITATIONS, AskEvent, status_event, token_events
from services.api import serve
from services.kit.settings import Settings

T = TypeVar("T")
PATIENCE_S = 20.0


async def until(found: Callable[[], Awaitable[T | None]]) -> T:
    """Ask again until there is something; what is waited for has no event to wait on."""
    with anyio.fail_after(PATIENCE_S):
        while (thing := await found()) is None:  # noqa: ASYNC110 - see above
            await anyio.sleep(0.01)
    return thing


@asynccontextmanager
async def serving(
    settings: Settings, stages: tuple[str, ...] = (), wait: bool = True, port: int = 0
) -> AsyncIterator[str]:
    """Run the HTTP process' own code on a free port; gives its address, once the schema is there."""
    listener = socket.create_server(("127.0.0.1", port))
    stop, address = anyio.Event(), f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, settings, listener, stop.wait, stages)
        if wait:
            async with client_of(address) as client:
                await until(partial(_prepared, client))
        yield address
        stop.set()


async def _prepared(client: httpx.AsyncClient) -> bool | None:
    return (await client.get("/api/documents")).status_code == 200 or None


def client_of(address: str) -> httpx.AsyncClient:
    """Make a client; without certificates, whose loading takes longer than most tests."""
    return httpx.AsyncClient(base_url=address, timeout=PATIENCE_S, trust_env=False, verify=False)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a facade on the test's database."""
    async with serving(settings) as address, client_of(address) as client:
        yield client


async def row_of(pool: Database, statement: str, *values: object) -> Any:
    """Run a statement of the test's own and give its first row."""
    async with pool.session() as session:
        return await session.connection.fetchrow(statement, *values)


@dataclass
class Synthesis:
    """Plays the daemon: answers rows of `asks` as a test tells it to."""

    pool: Database
    citations: list[dict[str, Any]] = field(default_factory=list)

    async def next_ask(self) -> int:
        """Wait for a pending ask, claim it and give its number."""
        statement = """
            UPDATE asks SET status = 'processing', started_at = now()
            WHERE id = (SELECT id FROM asks WHERE status = 'pending' ORDER BY id LIMIT 1) RETURNING id"""
        row = await until(partial(row_of, self.pool, statement))
        return int(row["id"])

    async def listened_to(self) -> None:
        """Wait until the facade's listener is there."""
        statement = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                       AND query LIKE 'LISTEN%' AND application_name LIKE '%api:listen'"""
        await until(partial(row_of, self.pool, statement))

    async def publish(self, ask_id: int, events: Sequence[AskEvent]) -> None:
        """Send events as the daemon does."""
        for event in events:
            await self._notify({"ask": ask_id, "seq": event.id, "event": event.name, "data": event.data})

    async def _notify(self, payload: dict[str, Any]) -> None:
        await row_of(self.pool, "SELECT pg_notify($1, $2)", CHANNEL, json.dumps(payload))

    async def tell(self, ask_id: int, text: str) -> None:
        """Publish the steps, the words and the citations of an answer."""
        steps = [status_event(step) for step in ("retrieve", "answer", "check")]
        cited = [AskEvent(CITATIONS + each["n"], "citation", each) for each in self.citations]
        await self.publish(ask_id, [*steps, *token_events(text), *cited])

    async def finish(self, ask_id: int, text: str, refused: str | None = None) -> None:
        """End the row; its trigger tells so."""
        await row_of(
            self.pool,
            """UPDATE asks SET status = 'completed', completed_at = now(), answer = $2, refused = $3,
                   refuse_reason = $4, completeness = $5, confidence = 'high', citations = $6,
                   trace = coalesce(trace, '{}') || '{"steps": ["queued", "retrieve", "answer", "check"]}',
                   model = 'fake'
               WHERE id = $1""",
            ask_id, text, refused is not None, refused, "insufficient" if refused else "full", self.citations,
        )  # fmt: skip

    async def finish_partly(self, ask_id: int, text: str, missing: Sequence[str], confidence: str = "medium") -> None:
        """End the row with an answer to a part of the question."""
        await row_of(
            self.pool,
            """UPDATE asks SET status = 'completed', completed_at = now(), answer = $2, refused = false,
                   completeness = 'partial', confidence = $3, citations = $4, trace = $5, model = 'fake'
               WHERE id = $1""",
            ask_id, text, confidence, self.citations, {"steps": ["queued", "retrieve"], "missing": list(missing)},
        )  # fmt: skip

    async def ended(self, ask_id: int) -> None:
        """Wait until an ask is final."""
        statement = "SELECT 1 FROM asks WHERE id = $1 AND completed_at IS NOT NULL"
        await until(partial(row_of, self.pool, statement, ask_id))

    async def fail(self, ask_id: int, code: str, message: str) -> None:
        """End the row as failed."""
        statement = """UPDATE asks SET status = 'failed', completed_at = now(), error_code = $2, error_message = $3
                       WHERE id = $1"""
        await row_of(self.pool, statement, ask_id, code, message)

    async def answer_next(self, text: str, refused: str | None = None) -> None:
        """Answer the next question."""
        ask_id = await self.next_ask()
        await self.tell(ask_id, text)
        await self.finish(ask_id, text, refused)


@pytest.fixture
def synthesis(pool: Database) -> Synthesis:
    """The daemon's player."""
    return Synthesis(pool)


@dataclass(frozen=True)
class Told:
    """An event as a client reads it."""

    id: int
    name: str
    data: dict[str, Any]


async def events_in(response: httpx.Response) -> AsyncIterator[Told | str]:
    """Read a stream of events; a comment comes as its text."""
    number, name = 0, ""
    async for line in response.aiter_lines():
        kind, _, value = line.partition(": ")
        if line.startswith(":"):
            yield value
        elif kind == "id":
            number = int(value)
        elif kind == "event":
            name = value
        elif kind == "data":
            yield Told(number, name, json.loads(value))
