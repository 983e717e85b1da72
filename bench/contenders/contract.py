"""What a job queue gives to be measured: small primitives, so that all the timing is written once, elsewhere.

A contender never times itself. It says how its tables are made and filled, how its own API enqueues, and how
its worker runs with a no-op handler; `bench.queue_measures` does the rest, the same way for each.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any, Literal, Protocol, runtime_checkable

# "drain": as many jobs per second as it can; "pickup": as soon as it can. The set-up may differ.
Purpose = Literal["drain", "pickup"]

# The no-op handler's only act: note the time at which it starts (see `bench.contenders.stamps`).
Mark = Callable[[], None]


class UnknownContender(Exception):
    """There is no `bench/contenders/<name>.py`: leave it out with `--systems`."""


class Producer(Protocol):
    """A connected client that enqueues through the system's own API."""

    async def one(self) -> None:
        """Enqueue one job and commit."""

    async def many(self, jobs: int) -> None:
        """Enqueue `jobs` jobs in one call and commit."""


class Contender(Protocol):
    """One job queue, in the fastest durable set-up that its documentation names.

    Attributes:
        name: how `--systems` calls it; also its module's name.
        version: distribution and version, for the report.
        share: the part of `--rows` it drains. Results are rates: a slow system need not take the whole run.
        insert_one: SQL that enqueues one job as its API would, for asyncpg: in the pickup measure the client's
            cost after the commit would otherwise be taken off the latency.
        unfinished: SQL that counts the jobs which have not durably ended.
    """

    name: str
    version: str
    share: float
    insert_one: str
    unfinished: str

    async def prepare(self, dsn: str) -> None:
        """Create the tables in an empty database."""

    def producer(self, dsn: str) -> AbstractAsyncContextManager[Producer]:
        """Connect a client of the system's own API."""

    async def fill(self, conn: Any, rows: int) -> None:
        """Load pending jobs the fastest way, leaving what `rows` calls of the API would have left."""

    def new_loop(self) -> AbstractEventLoop:
        """Return the event loop that the system's own command runs its worker on."""

    async def work(self, dsn: str, purpose: Purpose, mark: Mark) -> None:
        """Run one worker whose handler calls `mark` once per job, until it is cancelled.

        Called in a process of its own. It wakes on new jobs and looks at once at the ones that wait already.
        """


@runtime_checkable
class KeepsHistory(Contender, Protocol):
    """A queue whose finished jobs stay in the table that the claim reads."""

    async def fill_finished(self, conn: Any, rows: int) -> None:
        """Load jobs that have ended, as its own worker would have left them."""


def load(name: str) -> Contender:
    """Return the contender of `bench/contenders/<name>.py`, its module's `CONTENDER`."""
    module_name = f"bench.contenders.{name}"
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as missing:
        if missing.name == module_name:
            raise UnknownContender(name) from missing
        raise
    contender: Contender = module.CONTENDER
    return contender
