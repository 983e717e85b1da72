"""What a lock gives to be measured as a gate: enter and leave, so that all the timing is written once, elsewhere.

A contender never times itself. It says how its server is prepared, how a process connects, and how one coroutine
enters and leaves; `bench.gate_worker` calls it and `bench.gate_measures` does the rest, the same way for each.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol

from bench.contenders.contract import UnknownContender

Urgency = Literal["foreground", "study", "background"]


@dataclass(frozen=True)
class Address:
    """Where the servers of a run listen.

    Attributes:
        dsn: the contender's own database.
        redis: URL of the Redis server; empty where there is none.
    """

    dsn: str
    redis: str


class Door(Protocol):
    """What one process enters by, with any number of coroutines."""

    def enter(self, urgency: Urgency) -> AbstractAsyncContextManager[Any]:
        """Wait for the one slot, hold it for the body, give it back; one without classes ignores `urgency`."""


class Contender(Protocol):
    """One lock that lets one holder in, over all processes.

    Attributes:
        name: how `--systems` calls it; its module is `bench.contenders.gate_<name>`.
        version: distribution and version, for the report.
        classes: whether an urgent caller goes before the others.
        on_postgres: whether its waiters are sessions of the database, which are then counted.
        share: the part of the laps and kills it runs. A slow system need not take the whole run.
        poll_s: how long a waiter may sleep through a free slot, in seconds; 0 if it is woken. Holds are spread over
            this time, so that a poll falls anywhere in it.
        crowd: how many coroutines may wait at once.
    """

    name: str
    version: str
    classes: bool
    on_postgres: bool
    share: float
    poll_s: float
    crowd: int

    async def prepare(self, dsn: str) -> None:
        """Install in an empty database what it needs."""

    def open(self, address: Address, waiters: int) -> AbstractAsyncContextManager[Door]:
        """Connect one process in which at most `waiters` coroutines will wait."""


def load(name: str) -> Contender:
    """Return the contender of `bench/contenders/gate_<name>.py`, its module's `CONTENDER`."""
    module_name = f"bench.contenders.gate_{name}"
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as missing:
        if missing.name == module_name:
            raise UnknownContender(name) from missing
        raise
    contender: Contender = module.CONTENDER
    return contender
