"""What the scripted model server remembers: script, calls, and how many were in flight at once."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from tests.fakes.model_script import Script


@dataclass
class Call:
    """A line of the log; times are `time.monotonic_ns`, one clock for all processes of a Linux machine."""

    id: int
    kind: str
    path: str
    role: str
    klass: str
    label: str
    headers: dict[str, str]
    body: dict[str, Any]
    started_ns: int
    first_ns: int | None = None
    ended_ns: int | None = None
    left: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it as `/_log` does."""
        row = asdict(self)
        return row | {"class": row.pop("klass")}


@dataclass
class State:
    """Script, log and counts of one server."""

    script: Script = field(default_factory=Script)
    calls: list[Call] = field(default_factory=list)
    now: int = 0
    most: int = 0
    holds: dict[str, asyncio.Event] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def begin(self, kind: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Call:
        """Write a call down and count it."""
        role, klass, label = (headers.get(f"x-seodang-{word}", "") for word in ("role", "class", "label"))
        call = Call(next(self.ids), kind, path, role, klass, label, headers, body, time.monotonic_ns())
        self.calls.append(call)
        self.now += 1
        self.most = max(self.most, self.now)
        return call

    def end(self, call: Call, left: bool = False) -> None:
        """Note when a call ended, once."""
        if call.ended_ns is None:
            call.ended_ns, call.left = time.monotonic_ns(), left
            self.now -= 1

    def release(self, word: str) -> None:
        """Let go what is held by a word, now and later."""
        self.holds.setdefault(word, asyncio.Event()).set()
