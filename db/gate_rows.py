"""Rows that tell how the gate stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateSeat:
    """Who holds the model or waits for it in the lock manager; `state` is holds or waits, `pid` the server's process.

    `seconds` counts from the entry or from the beginning of the wait. `behind`, on the row of a class that came last,
    counts those who wait in the memory of processes.
    """

    endpoint: str
    state: str
    priority: str
    pid: int
    seconds: float
    label: str
    behind: int


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many hold an endpoint and how many wait, those in memory included; approximate while it changes."""

    endpoint: str
    capacity: int
    inflight: int
    foreground: int
    study: int
    background: int
