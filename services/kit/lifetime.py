"""When a process is to end: a signal, or the death of its supervisor.

A supervised process has a pipe as standard input whose other end the supervisor holds. When the supervisor is killed
the pipe is closed, and its daemons end by themselves instead of living on unseen.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from db.errors import DatabaseUnfit

SUPERVISED = "SEODANG_SUPERVISED"


async def until_told_to_stop() -> None:
    """Return at SIGTERM or SIGINT, or when the supervisor is gone."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if os.environ.get(SUPERVISED):
        loop.add_reader(sys.stdin.fileno(), _set_at_end, told)
    try:
        await told.wait()
    finally:
        if os.environ.get(SUPERVISED):
            loop.remove_reader(sys.stdin.fileno())


def _set_at_end(told: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        told.set()


def run_process(serve: Callable[..., Awaitable[Any]], *arguments: object) -> int:
    """Run the body of a process; gives its exit code: 1, with a sentence, when the database cannot serve us."""
    code = 0
    try:
        anyio.run(serve, *arguments)
    except* DatabaseUnfit as group:
        print(group.exceptions[0], file=sys.stderr)  # noqa: T201 - a sentence for the operator, not an event
        code = 1
    return code
