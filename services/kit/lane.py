"""A lane: one batch in hand at a time, from the claim to the end of its rows.

It remembers where in the order it claimed last. That spares a long drain the index entries of rows already taken,
which stay until vacuum can remove them (a forgotten transaction can keep it from that for hours). Any wake-up starts
again from the head, so nothing is passed over.
"""

from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Generic

import anyio

from db.errors import Conflict, DatabaseError, DatabaseGone, Refused
from db.jobs import Job
from db.queue import FROM_THE_START
from services.kit.errors import JobError
from services.kit.log import Event, get_logger
from services.kit.outcome import NOTHING_MORE, Completed, Outcome, Skipped
from services.kit.settle import outcome_of
from services.kit.shift import Shift
from services.kit.stage import ToolsT

log = get_logger()

CALLED_OFF = Skipped("cancelled", "Nobody waited for it any more. Ask again.")
LOOK_AGAIN = 3
"""How often a job that lost a race on a unique rule is worked again at once before it counts as a failed attempt."""


class Lane(Generic[ToolsT]):
    """Claims and handles batches of one shift."""

    def __init__(
        self, shift: Shift[ToolsT], tools: ToolsT, ceiling: int, stopping: anyio.Event, until_empty: bool
    ) -> None:
        self.shift, self.tools, self.ceiling = shift, tools, ceiling
        self.stopping, self.until_empty = stopping, until_empty
        self.stage, self.bell = shift.stage, shift.bell
        self.position, self.rings = FROM_THE_START, -1

    async def work(self) -> None:
        """Work until asked to stop, or with `until_empty` until nothing is ready."""
        while not self.stopping.is_set():
            jobs = await self.shift.claim(self._next_position(), self.ceiling)
            while jobs:
                jobs = await self._handle(jobs)
            if self.position != FROM_THE_START:
                self.position = FROM_THE_START
            elif self.until_empty:
                return
            elif not self.stopping.is_set():  # its ring may have been heard by the claim before
                await self.bell.wait(self.rings, self.shift.settings.look_s)

    def _next_position(self) -> tuple[int, int]:
        if self.rings != self.bell.rings:
            self.rings, self.position = self.bell.rings, FROM_THE_START
        return self.position

    async def _handle(self, jobs: list[Job]) -> list[Job]:
        """Work a batch and end its rows; gives the next batch where that came with the same round trip."""
        self.position = (jobs[-1].urgency, jobs[-1].id)
        try:
            started = perf_counter()
            outcomes = await self._work(jobs)
            took_ms = (perf_counter() - started) * 1000
            following = await self._end(jobs, outcomes)
        except anyio.get_cancelled_exc_class():
            with suppress(DatabaseGone):  # its lock went with the session: others rescue the rows
                await self.shift.release(jobs)
            raise
        self._tell(jobs, outcomes, took_ms)
        return following

    async def _work(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run the stage over a batch; where the batch raises, each job by itself, so that one cannot spoil others."""
        try:
            outcomes = await self._run(jobs)
            if len(outcomes) != len(jobs):
                raise ValueError(f"{self.stage.name} gave {len(outcomes)} outcomes for {len(jobs)} jobs")
        except Exception as error:  # the one place where any error becomes the ending of a job
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in await self._work([job])]
            if not isinstance(error, JobError):  # that has a name, and its line in the log is the job's ending
                log.warning(Event.JOB_CRASHED, stage=self.stage.name, job=jobs[0].id, exc_info=error)
            return [outcome_of(error)]
        return outcomes

    async def _run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run the stage over a batch; a job that is called off meanwhile has let go of everything when this returns."""
        with self.shift.in_hand(jobs) as called_off:
            try:
                return list(await self.stage.run(jobs, self.tools))
            except Exception:
                if not called_off.cancel_called:
                    raise
        return [CALLED_OFF]

    async def _end(self, jobs: Sequence[Job], outcomes: list[Outcome]) -> list[Job]:
        if not self.stage.then and all(outcome is NOTHING_MORE for outcome in outcomes):
            most = 0 if self.stopping.is_set() else self.stage.batch
            return await self.shift.turn(jobs, self._next_position(), self.ceiling, most)
        try:
            await self.shift.save(jobs, outcomes)
        except DatabaseGone:
            raise
        except DatabaseError as error:
            await self._end_apart(jobs, outcomes, error)
        return []

    async def _end_apart(self, jobs: Sequence[Job], outcomes: list[Outcome], error: DatabaseError) -> None:
        """End each job of a batch by itself, so that only the one whose write was refused bears it."""
        if len(jobs) == 1:
            outcomes[0] = await self._end_again(jobs, error)
            return
        for place, job in enumerate(jobs):
            alone = [outcomes[place]]
            await self._end([job], alone)
            outcomes[place] = alone[0]

    async def _end_again(self, jobs: Sequence[Job], error: DatabaseError) -> Outcome:
        """Look again after a lost race: somebody else made the same thing first, and the stage will now see it."""
        for _ in range(LOOK_AGAIN):
            if not isinstance(error, Conflict):
                break
            outcomes = await self._work(jobs)
            try:
                await self.shift.save(jobs, outcomes)
            except Refused as again:
                error = again
            else:
                return outcomes[0]
        log.warning(Event.JOB_CRASHED, stage=self.stage.name, job=jobs[0].id, exc_info=error)
        outcome = outcome_of(error)
        await self.shift.save(jobs, [outcome])
        return outcome

    def _tell(self, jobs: Sequence[Job], outcomes: Sequence[Outcome], took_ms: float) -> None:
        rounded = round(took_ms, 1)
        if len(jobs) > 1:
            log.info(Event.JOBS_COMPLETED, stage=self.stage.name, jobs=len(jobs), took_ms=rounded)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if len(jobs) == 1 or not isinstance(outcome, Completed):
                log.info(
                    Event.JOB_ENDED,
                    stage=self.stage.name,
                    job=job.id,
                    attempt=job.attempts,
                    outcome=type(outcome).__name__.lower(),
                    code=getattr(outcome, "code", None),
                    queue_ms=round(job.queue_ms, 1),
                    took_ms=rounded,
                )
