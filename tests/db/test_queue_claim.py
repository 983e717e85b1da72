"""What a claim takes, in which order, and what it writes before the work begins."""

import anyio
import psycopg
import pytest

from db.jobs import Ending, Status
from db.pool import Session
from db.queue import FROM_THE_START, Queue
from tests.db.conftest import Opener, register
from tests.db.errands import change, put, row

pytestmark = pytest.mark.anyio

EVERY = 32767


async def claim(queue: Queue, session: Session, most: int = 10, ceiling: int = EVERY) -> list[int]:
    return [job.id for job in await queue.claim(session, 1, most, FROM_THE_START, ceiling)]


async def test_claim__takes_the_most_urgent_first_and_the_oldest_of_them(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    late, soon, later = put(db, urgency=100), put(db, urgency=0), put(db, urgency=100)
    assert await claim(errands, session, most=1) == [soon]
    assert await claim(errands, session) == [late, later]


async def test_claim__gives_a_batch_in_the_order_of_claiming(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    rows = [put(db, urgency=urgency) for urgency in (50, 10, 50, 0, 10)]
    assert await claim(errands, session) == [rows[3], rows[1], rows[4], rows[0], rows[2]]


async def test_claim__leaves_what_is_less_urgent_than_the_ceiling(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    put(db, urgency=100)
    urgent = put(db, urgency=0)
    assert await claim(errands, session, ceiling=0) == [urgent]
    assert await claim(errands, session, ceiling=0) == []


async def test_claim__begins_after_the_position_it_is_given(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    first, second, third = (put(db) for _ in range(3))
    jobs = await errands.claim(session, 1, 10, (100, second), EVERY)
    assert [job.id for job in jobs] == [third]
    assert await claim(errands, session) == [first, second]


async def test_claim__takes_only_ready_rows_of_its_stage(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    put(db, stage="another")
    db.execute("INSERT INTO errands (run_at) VALUES (now() + interval '1 hour'), (now() - interval '1 hour')")
    ready = put(db)
    assert await claim(errands, session) == [ready]


async def test_claim__skips_a_row_held_by_another(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    held, free = put(db), put(db)
    other = await open_session()
    with anyio.fail_after(5):
        async with other.transaction():
            assert await claim(errands, other, most=1) == [held]
            assert await claim(errands, session) == [free]


async def test_claim__by_many_sessions_at_once_gives_each_row_to_one(
    errands: Queue, db: psycopg.Connection, open_session: Opener
) -> None:
    db.execute("INSERT INTO errands (note) SELECT 'x' FROM generate_series(1, 200)")
    taken: list[int] = []

    async def take_all() -> None:
        session = await open_session()
        while found := await claim(errands, session, most=7):
            taken.extend(found)

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(take_all)
    assert len(taken) == len(set(taken)) == 200


async def test_claim__writes_attempt_start_and_holder_before_the_work(
    errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    job_id = put(db)
    (job,) = await errands.claim(session, worker, 1, FROM_THE_START, EVERY)
    now = row(db, job_id)
    assert (now["status"], now["attempts"], now["claim"], now["worker"]) == ("processing", 1, 1, worker)
    assert now["started_at"] is not None
    assert now["completed_at"] is None
    assert (job.claim, job.attempts, job.max_attempts, job.urgency) == (1, 1, 2, 100)
    assert job.queue_ms >= 0


async def test_claim__clears_the_error_that_a_retry_left(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    job_id = put(db)
    (job,) = await errands.claim(session, 1, 1, FROM_THE_START, EVERY)
    await errands.end(session, [Ending(job.id, job.claim, Status.PENDING, "llm_timeout", "TimeoutError: 30 s")])
    kept = row(db, job_id)
    assert (kept["error_code"], kept["error_message"]) == ("llm_timeout", "TimeoutError: 30 s")
    started = kept["started_at"]
    assert started is not None

    await claim(errands, session)
    again = row(db, job_id)
    assert (again["error_code"], again["error_message"], again["attempts"]) == (None, None, 2)
    assert again["started_at"] > started


async def test_claim__number_grows_where_the_attempt_was_given_back(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    job_id = put(db)
    for turn in (1, 2, 3):
        (job,) = await errands.claim(session, 1, 1, FROM_THE_START, EVERY)
        assert (job.claim, job.attempts) == (turn, 1)
        await errands.end(session, [Ending(job.id, job.claim, Status.PENDING, refund=1)])
        assert row(db, job_id)["attempts"] == 0


async def test_end__merges_the_payload_key_by_key(errands: Queue, db: psycopg.Connection, session: Session) -> None:
    job_id, without = put(db, payload='{"asked_by": "me", "step": 1}'), put(db)
    jobs = await errands.claim(session, 1, 2, FROM_THE_START, EVERY)
    payload: dict[str, object] = {"step": 2, "note": "한글"}
    await errands.end(session, [Ending(job.id, job.claim, Status.COMPLETED, payload=payload) for job in jobs])
    assert row(db, job_id)["payload"] == {"asked_by": "me", "step": 2, "note": "한글"}
    assert row(db, without)["payload"] == payload


async def test_end__without_a_payload_leaves_the_old_one(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    job_id = put(db, payload='{"kept": true}')
    (job,) = await errands.claim(session, 1, 1, FROM_THE_START, EVERY)
    await errands.end(session, [Ending(job.id, job.claim, Status.COMPLETED)])
    assert row(db, job_id)["payload"] == {"kept": True}


async def test_end__puts_off_until_its_time(errands: Queue, db: psycopg.Connection, session: Session) -> None:
    job_id = put(db)
    (job,) = await errands.claim(session, 1, 1, FROM_THE_START, EVERY)
    await errands.end(session, [Ending(job.id, job.claim, Status.PENDING, "unknown", delay_s=60)])
    assert await claim(errands, session) == []
    due_s = await errands.promote(session)
    assert due_s is not None
    assert 50 < due_s <= 60
    change(db, job_id, run_at="-infinity")
    assert await errands.promote(session) == 0
    assert await claim(errands, session) == [job_id]
    assert await errands.promote(session) is None


async def test_end__ends_each_row_in_its_own_way_in_one_statement(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    done, skipped, failed, retried, lost = (put(db) for _ in range(5))
    claims = {job.id: job.claim for job in await errands.claim(session, 1, 5, FROM_THE_START, EVERY)}
    ended = await errands.end(
        session,
        [
            Ending(done, claims[done], Status.COMPLETED),
            Ending(skipped, claims[skipped], Status.SKIPPED, "evidence_missing", "no chunk"),
            Ending(failed, claims[failed], Status.FAILED, "guard_fail"),
            Ending(retried, claims[retried], Status.PENDING, "parse_fail", "ValueError: no JSON", 1.0),
            Ending(lost, claims[lost] - 1, Status.COMPLETED),
        ],
    )
    assert ended == {done, skipped, failed, retried}
    states = {job_id: row(db, job_id)["status"] for job_id in (done, skipped, failed, retried, lost)}
    assert list(states.values()) == ["completed", "skipped", "failed", "pending", "processing"]
    assert all(row(db, job_id)["worker"] is None for job_id in ended)


async def test_end__under_a_former_claim_changes_nothing_and_its_transaction_can_be_rolled_back(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    job_id = put(db)
    (late,) = await errands.claim(session, 1, 1, FROM_THE_START, EVERY)
    change(db, job_id, status="pending", worker=None)
    other = await open_session()
    (held,) = await errands.claim(other, 2, 1, FROM_THE_START, EVERY)
    before = row(db, job_id)

    async with session.transaction():
        assert await errands.end(session, [Ending(late.id, late.claim, Status.COMPLETED)]) == set()
    assert row(db, job_id) == before
    assert await errands.end(other, [Ending(held.id, held.claim, Status.COMPLETED)]) == {job_id}


async def test_turn__completes_a_batch_and_claims_the_next(
    errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    rows = [put(db) for _ in range(5)]
    first = await errands.claim(session, worker, 2, FROM_THE_START, EVERY)
    change(db, rows[1], claim=9)
    ended, following = await errands.turn(session, first, worker, 2, (100, rows[1]), EVERY)
    assert ended == {rows[0]}
    assert [job.id for job in following] == rows[2:4]
    assert [row(db, job_id)["status"] for job_id in rows] == ["completed", *["processing"] * 3, "pending"]
    assert row(db, rows[0])["completed_at"] is not None

    ended, following = await errands.turn(session, following, worker, 0, FROM_THE_START, EVERY)
    assert (ended, following) == (set(rows[2:4]), [])


async def test_turn__does_not_complete_what_another_worker_has_in_hand(
    errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    kept, lost, given_back = (put(db) for _ in range(3))
    jobs = await errands.claim(session, worker, 3, FROM_THE_START, EVERY)
    change(db, lost, worker=worker + 1)
    change(db, given_back, status="pending", worker=None, run_at="2999-01-01")
    before = row(db, lost), row(db, given_back)
    ended, following = await errands.turn(session, jobs, worker, 3, FROM_THE_START, EVERY)
    assert (ended, following) == ({kept}, [])
    assert (row(db, lost), row(db, given_back)) == before


async def test_claim__that_was_not_committed_leaves_the_row_pending(
    errands: Queue, db: psycopg.Connection, open_session: Opener
) -> None:
    job_id, dying = put(db), await open_session()
    await dying.connection.execute("BEGIN")
    assert await claim(errands, dying) == [job_id]
    dying.connection.terminate()
    other = await open_session()
    with anyio.fail_after(5):
        while await claim(errands, other) != [job_id]:
            await anyio.lowlevel.checkpoint()
    assert row(db, job_id)["attempts"] == 1


def test_queue__refuses_a_table_outside_the_closed_list() -> None:
    with pytest.raises(ValueError, match="no queue"):
        Queue("documents", "ingest")


async def test_register__shows_no_worker_without_its_lock(db: psycopg.Connection, open_session: Opener) -> None:
    numbers = [await register(await open_session()) for _ in range(3)]
    assert len(set(numbers)) == 3
    held = db.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2").fetchall()
    assert {number for (number,) in held} >= set(numbers)
