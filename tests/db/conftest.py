"""Sessions and a queue for the tests of db/ and of the runner."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import psycopg
import pytest

from db import queue as queue_module
from db.locks import WORKERS
from db.pool import Session, connect
from db.queue import SESSION_SETTINGS, Queue
from tests.db import errands as errands_module

Opener = Callable[[], Awaitable[Session]]


@pytest.fixture
async def open_session(dsn: str) -> AsyncIterator[Opener]:
    """Opens as many sessions of the kind that a runner has as a test wants."""
    async with AsyncExitStack() as stack:

        async def opened() -> Session:
            connection = await connect(dsn, "tests", SESSION_SETTINGS)
            stack.callback(connection.terminate)
            return Session(connection)

        yield opened


@pytest.fixture
async def session(open_session: Opener) -> Session:
    return await open_session()


@pytest.fixture
def errands(db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The queue of tests/db/errands.py, known to the machinery as one of its own."""
    errands_module.install(db)
    monkeypatch.setattr(queue_module, "QUEUES", (*queue_module.QUEUES, errands_module.TABLE))
    return Queue(errands_module.TABLE, errands_module.STAGE)


async def register(session: Session, lease_s: float = 60.0) -> int:
    """Make the session a living worker; gives its number."""
    values = {"stage": errands_module.STAGE, "host": "here", "pid": 1, "lease_s": lease_s, "worker_locks": WORKERS}
    return int(await session.value("register_worker", **values))


@pytest.fixture
async def worker(session: Session) -> int:
    """The number of the worker that `session` is."""
    return await register(session)
