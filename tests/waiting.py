"""Waiting with a deadline: a test never hopes that some time is enough."""

import time
from collections.abc import Callable
from typing import TypeVar

import anyio

T = TypeVar("T")
LOOK_S = 0.01


async def eventually(check: Callable[[], T], within_s: float = 10.0) -> T:
    """Give the first true value of `check()`, looking again and again; fails after the deadline."""
    end = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < end, f"not so within {within_s:.0f} s"
        await anyio.sleep(LOOK_S)
    return found


def wait_for(check: Callable[[], T], within_s: float = 10.0) -> T:
    """Do the same where no event loop runs."""
    end = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < end, f"not so within {within_s:.0f} s"
        time.sleep(LOOK_S)
    return found
