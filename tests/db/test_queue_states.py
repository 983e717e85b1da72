"""Every verb on every state: the table db/jobs.py is what the statements really do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from db.jobs import FINAL, TRANSITIONS, Ending, Job, Status
from db.pool import Session
from db.queue import FROM_THE_START, Queue
from services.kit.outcome import Completed, Failed, Retry, Skipped
from services.kit.settle import released, settle
from tests.db.errands import NOBODY, put, row

pytestmark = pytest.mark.anyio

CLAIM = 3
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
MOVES = {(move.verb, move.before): move.after for move in TRANSITIONS}


def job(job_id: int) -> Job:
    return Job(id=job_id, claim=CLAIM, attempts=1, max_attempts=2, urgency=100, queue_ms=0.0)


def end(make: Callable[[Job], Ending]) -> Callable[[Queue, Session, int, int], Awaitable[object]]:
    return lambda queue, session, _worker, job_id: queue.end(session, [make(job(job_id))])


VERBS: dict[str, Callable[[Queue, Session, int, int], Awaitable[object]]] = {
    "claim": lambda queue, session, worker, _: queue.claim(session, worker, 10, FROM_THE_START, 32767),
    "complete": end(lambda job: settle(job, Completed(), 1.0)),
    "skip": end(lambda job: settle(job, Skipped("nothing"), 1.0)),
    "fail": end(lambda job: settle(job, Failed("broken"), 1.0)),
    "retry": end(lambda job: settle(job, Retry("unknown"), 1.0)),
    "release": end(released),
    "rescue": lambda queue, session, worker, _id: queue.rescue(session, worker, max_crashes=5, stale_s=600),
    "give_up": lambda queue, session, worker, _id: queue.rescue(session, worker, max_crashes=1, stale_s=600),
    "promote": lambda queue, session, _, _id: queue.promote(session),
}


def put_in(db: psycopg.Connection, status: Status, verb: str) -> int:
    """Insert a row that the verb would move, if the state let it."""
    return put(
        db,
        status=status.value,
        claim=CLAIM,
        attempts=1,
        worker=NOBODY,
        started_at=YESTERDAY,
        completed_at=YESTERDAY if status in FINAL else None,
        run_at=YESTERDAY if verb == "promote" else None,
        error_code="former",
    )


def test_verbs__are_those_of_the_table() -> None:
    assert set(VERBS) == {move.verb for move in TRANSITIONS}


@pytest.mark.parametrize("verb", VERBS)
async def test_verb__moves_a_row_as_the_table_says_and_touches_no_other_state(
    verb: str, errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    jobs = {status: put_in(db, status, verb) for status in Status}
    before = {status: row(db, job_id) for status, job_id in jobs.items()}
    for job_id in jobs.values():
        await VERBS[verb](errands, session, worker, job_id)
    for status, job_id in jobs.items():
        now = row(db, job_id)
        after = MOVES.get((verb, status))
        if after is None:
            assert now == before[status], f"{verb} changed a row that is {status}"
        else:
            assert now["status"] == after
            assert (now["completed_at"] is not None) == (after in FINAL)
            assert now != before[status]


@pytest.mark.parametrize("verb", ["complete", "skip", "fail", "retry", "release"])
async def test_verb__of_the_holder_moves_nothing_under_another_claim(
    verb: str, errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    job_id = put_in(db, Status.PROCESSING, verb)
    db.execute("UPDATE errands SET claim = claim + 1")
    before = row(db, job_id)
    assert await VERBS[verb](errands, session, worker, job_id) == set()
    assert row(db, job_id) == before
