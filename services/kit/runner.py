"""The one loop of every daemon: shift after shift, lanes within a shift, until it is told to stop.

In: a `Stage` and its tools. Out: rows that are ended in the transaction that writes their result. "Database gone" is
a pause here, never the end of the process.
"""

from dataclasses import replace
from time import perf_counter
from typing import Generic

import anyio

from db.errors import DatabaseGone
from db.notify import Bell
from services.kit.lane import Lane
from services.kit.log import Event, get_logger
from services.kit.settings import QueueSettings
from services.kit.shift import LAST_WORD_S, Shift, open_shift
from services.kit.stage import Stage, ToolsT

log = get_logger()

RECONNECT_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to reach the database; the last one repeats."""


class Runner(Generic[ToolsT]):
    """Runs one stage until it is stopped, or until its queue is empty."""

    def __init__(
        self, dsn: str, stage: Stage[ToolsT], tools: ToolsT, settings: QueueSettings, until_empty: bool = False
    ) -> None:
        if stage.batch_of is not None:
            stage = replace(stage, batch=stage.batch_of(tools))
        self.dsn, self.stage, self.tools, self.settings = dsn, stage, tools, settings
        self.until_empty = until_empty
        self.bell = Bell()
        self.stopping = anyio.Event()
        self.completed = 0

    def stop(self) -> None:
        """Ask the runner to finish what it has in hand and return."""
        self.stopping.set()
        self.bell.ring()

    async def run(self) -> None:
        """Work shift after shift; returns after `stop()`, or with `until_empty` when nothing is ready."""
        failures = 0
        while not self.stopping.is_set():
            started = perf_counter()
            gone = await self._shift_until_gone()
            if gone is None:
                return
            failures = 0 if perf_counter() - started > RECONNECT_S[-1] else failures + 1
            pause_s = RECONNECT_S[min(failures, len(RECONNECT_S) - 1)]
            log.warning(Event.DATABASE_GONE, stage=self.stage.name, reason=str(gone), pause_s=pause_s)
            with anyio.move_on_after(pause_s):
                await self.stopping.wait()

    async def _shift_until_gone(self) -> DatabaseGone | None:
        gone: DatabaseGone | None = None
        try:
            async with open_shift(self.dsn, self.stage, self.settings, self.bell) as shift:
                try:
                    if self.stage.prepare is not None:
                        await self.stage.prepare(self.tools)
                    await self._run_lanes(shift)
                finally:
                    self.completed += shift.ended
        except* DatabaseGone as group:
            gone = _first(group)
        return gone

    async def _run_lanes(self, shift: Shift[ToolsT]) -> None:
        """Run the lanes; asked to stop they have the grace time to finish, then they give their rows back."""
        async with anyio.create_task_group() as clock:
            async with anyio.create_task_group() as lanes:
                clock.start_soon(self._end_of_grace, shift, lanes.cancel_scope)
                clock.start_soon(self._watch)
                for ceiling in self.stage.lanes:
                    lane = Lane(shift, self.tools, ceiling, self.stopping, self.until_empty)
                    lanes.start_soon(lane.work)
            clock.cancel_scope.cancel()

    async def _watch(self) -> None:
        """Do what comes by the clock, from one look at the queue to the next."""
        while self.stage.watch is not None:
            await self.stage.watch(self.tools)
            await anyio.sleep(self.settings.look_s)

    async def _end_of_grace(self, shift: Shift[ToolsT], lanes: anyio.CancelScope) -> None:
        await self.stopping.wait()
        await anyio.sleep(self.settings.grace_s)
        lanes.cancel()
        await anyio.sleep(LAST_WORD_S)  # a lane that is in the middle of a statement does not let itself be cut short
        shift.abandon()


def _first(group: BaseExceptionGroup[DatabaseGone]) -> DatabaseGone:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
