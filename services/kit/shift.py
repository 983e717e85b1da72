"""A shift: the time a worker has with one session of Postgres, and all that it says to its queue in that time.

The session holds the lock of the worker's number. Whatever ends the session ends the shift: the rows in hand go back,
and the runner begins another when the database is there again. Beside the lanes that work, a listener rings the bell
when rows come, and a keeper beats, rescues the rows of the dead, and makes put-off rows ready.
"""

import os
import platform
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Generic

import anyio

from db.errors import DatabaseGone, Deadlocked
from db.jobs import Job
from db.locks import WORKERS
from db.notify import Bell, listen_for_ever
from db.pool import Session, connect
from db.queries import query
from db.queue import SESSION_SETTINGS, Queue
from services.kit.log import Event, get_logger
from services.kit.outcome import Completed, Outcome
from services.kit.settings import QueueSettings
from services.kit.settle import released, settle
from services.kit.stage import Stage, ToolsT

log = get_logger()

STATEMENT_LIMIT_S = 120.0
"""Over this a statement of the queue counts as lost with its connection; the largest save takes seconds."""
LAST_WORD_S = 1.5
"""Asked to stop, and past the grace time, this long is waited for an answer of Postgres; with the default grace that
ends a daemon in 9 seconds of the 10 it has."""
BEATS_PER_LEASE = 4
SAVE_AGAIN = 3
"""After so many deadlocks of one save the next counts as a refusal; each costs `deadlock_timeout`, a second."""


class Shift(Generic[ToolsT]):
    """The verbs of a queue for one worker, one statement at a time."""

    def __init__(
        self, stage: Stage[ToolsT], settings: QueueSettings, session: Session, worker: int, bell: Bell
    ) -> None:
        self.stage, self.settings, self.bell = stage, settings, bell
        self.queue = Queue(stage.queue, stage.name)
        self.ended = 0
        self._session, self._worker = session, worker
        self._turnstile = anyio.Lock()
        self._in_hand: dict[int, anyio.CancelScope] = {}

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Have the session alone, for as long as Postgres may take to answer."""
        async with self._turnstile:
            try:
                with anyio.fail_after(STATEMENT_LIMIT_S):
                    yield
            except TimeoutError as error:
                raise DatabaseGone(f"no answer from Postgres in {STATEMENT_LIMIT_S:.0f} s") from error

    @asynccontextmanager
    async def _undisturbed(self) -> AsyncIterator[None]:
        """Do not let a cancel cut the statement either: nobody would know how it ended."""
        with anyio.CancelScope(shield=True):
            async with self._alone():
                yield

    async def claim(self, after: tuple[int, int], ceiling: int) -> list[Job]:
        """Claim the next rows after a position, none less urgent than `ceiling`."""
        async with self._undisturbed():
            return await self.queue.claim(self._session, self._worker, self.stage.batch, after, ceiling)

    @contextmanager
    def in_hand(self, jobs: Sequence[Job]) -> Iterator[anyio.CancelScope]:
        """Let a job that is alone in its batch be called off while the body runs, which is cancelled then."""
        with anyio.CancelScope() as scope:
            if len(jobs) == 1:
                self._in_hand[jobs[0].id] = scope
            try:
                yield scope
            finally:
                self._in_hand.pop(jobs[0].id, None)

    def heard(self, payload: str) -> None:
        """Take a notification of the queue: look at it, or, with a number, let go of that job."""
        if payload.isascii() and payload.isdigit():
            self._call_off(int(payload))
        else:
            self.bell.ring()

    def _call_off(self, job_id: int) -> None:
        if (scope := self._in_hand.get(job_id)) is not None and not scope.cancel_called:
            log.info(Event.JOB_CALLED_OFF, stage=self.stage.name, job=job_id)
            scope.cancel()

    async def turn(self, done: Sequence[Job], after: tuple[int, int], ceiling: int, most: int) -> list[Job]:
        """Complete a batch that writes nothing and claim up to `most` more in the same statement."""
        async with self._undisturbed():
            ended, jobs = await self.queue.turn(self._session, done, self._worker, most, after, ceiling)
        self._count(done, ended)
        return jobs

    async def save(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        """End jobs with their writes and follow-ups in one transaction; all of it or nothing.

        Raises:
            Conflict: a write met a unique rule. Refused: the server would not take a write.
        """
        async with self._undisturbed():
            ended = await self._save_undeterred(jobs, outcomes)
        self._count(jobs, ended)

    async def _save_undeterred(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> set[int]:
        """Save again what a deadlock undid: one job ends and wants its document while another holds the document and
        enqueues the same stage. The work, perhaps a model's answer of minutes, is as good as before."""
        for _ in range(SAVE_AGAIN):
            with suppress(Deadlocked):
                async with self._session.transaction():
                    return await self._save_in_transaction(jobs, outcomes)
        async with self._session.transaction():
            return await self._save_in_transaction(jobs, outcomes)

    async def _save_in_transaction(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> set[int]:
        endings = [settle(job, out, self.settings.retry_after_s) for job, out in zip(jobs, outcomes, strict=True)]
        ended = await self.queue.end(self._session, endings)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.id in ended:  # what lost its claim writes nothing
                await self._write(outcome)
        return ended

    async def _write(self, outcome: Outcome) -> None:
        for write in outcome.writes:
            await self._session.each(write.name, write.rows)
        if isinstance(outcome, Completed) and outcome.subject is not None:
            for stage in self.stage.then:
                await self._session.none(self.stage.hand_on, subject=outcome.subject, stage=stage)

    async def release(self, jobs: Sequence[Job]) -> None:
        """Give rows back untouched, and tell the other workers of the stage."""
        async with self._undisturbed():
            await self.queue.end(self._session, [released(job) for job in jobs])
            await self._session.none("ring", channel=self.queue.channel)
        log.info(Event.JOBS_RELEASED, stage=self.stage.name, jobs=[job.id for job in jobs])

    def _count(self, jobs: Sequence[Job], ended: set[int]) -> None:
        self.ended += len(ended)
        lost = [job.id for job in jobs if job.id not in ended]
        if lost:
            log.warning(Event.CLAIM_LOST, stage=self.stage.name, jobs=lost)

    async def keep(self) -> None:
        """Look after the queue and give signs of life, until cancelled."""
        beat_s, look_s = self.stage.lease_s / BEATS_PER_LEASE, self.settings.look_s
        beat_at = look_at = 0.0
        while True:
            now = anyio.current_time()
            async with self._alone():
                await self._recover()
                if now >= beat_at:
                    await self._session.none("beat_worker", worker=self._worker)
                    beat_at = now + beat_s
                if now >= look_at:  # also under load: a long drain must not leave the statistics of search behind
                    await self._tidy()
                    look_at = now + look_s
            await anyio.sleep(self.settings.watch_s)

    async def _recover(self) -> None:
        """Give back the rows of the dead, and make ready what was put off until now."""
        max_crashes, stale_s = self.settings.max_crashes, self.settings.stale_s
        rescued = await self.queue.rescue(self._session, self._worker, max_crashes, stale_s)
        if rescued:
            log.warning(Event.JOBS_RESCUED, stage=self.stage.name, jobs=[job_id for job_id, _ in rescued])
        if self._in_hand and self.stage.called_off is not None:  # one whose notification was lost
            for row in await self._session.records(query(self.stage.called_off), self._worker):
                self._call_off(row["id"])
        due_s = await self.queue.promote(self._session)
        if rescued or due_s == 0:
            self.bell.ring()

    def abandon(self) -> None:
        """End the session without a word: a statement that Postgres does not answer ends with it."""
        self._session.connection.terminate()

    async def _tidy(self) -> None:
        for name in self.stage.upkeep:
            await self._session.none(name)
        await self._session.none("bury_workers", worker_locks=WORKERS)
        if self.settings.archive_after_days:
            await self.queue.archive(self._session, self.settings.archive_after_days)


@asynccontextmanager
async def open_shift(
    dsn: str, stage: Stage[ToolsT], settings: QueueSettings, bell: Bell
) -> AsyncIterator[Shift[ToolsT]]:
    """Take a worker's number and look after the queue while the body works; give the number back at the end.

    Raises:
        DatabaseGone, in a group: the session could not be had, or was lost; the body is cancelled then.
    """
    connection = await connect(dsn, stage.name, SESSION_SETTINGS)
    try:
        lost = anyio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        session = Session(connection)
        worker = await _register(session, stage)
        shift = Shift(stage, settings, session, worker, bell)
        log.info(Event.WORKER_STARTED, stage=stage.name, worker=worker)
        async with anyio.create_task_group() as helpers:
            helpers.start_soon(listen_for_ever, dsn, stage.name, shift.queue.channel, shift.heard)
            helpers.start_soon(shift.keep)
            helpers.start_soon(_raise_when, lost)
            yield shift
            helpers.cancel_scope.cancel()
        with anyio.move_on_after(LAST_WORD_S):  # a courtesy: others bury the dead
            await session.none("leave_worker", worker=worker)
        log.info(Event.WORKER_STOPPED, stage=stage.name, worker=worker)
    finally:
        connection.terminate()


async def _register(session: Session, stage: Stage[ToolsT]) -> int:
    here = {"stage": stage.name, "host": platform.node(), "pid": os.getpid(), "lease_s": stage.lease_s}
    return int(await session.value("register_worker", **here, worker_locks=WORKERS))


async def _raise_when(lost: anyio.Event) -> None:
    await lost.wait()
    raise DatabaseGone("the session with Postgres ended")
