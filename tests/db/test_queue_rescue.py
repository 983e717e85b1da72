"""Rows of workers that died, hang or never said who they are; and what was put off, given up or archived."""

import anyio
import psycopg
import pytest

from db.jobs import Status
from db.locks import WORKERS
from db.pool import Session
from db.queue import FROM_THE_START, Queue
from db.rows import WorkerRow
from tests.db.conftest import Opener, register
from tests.db.errands import NOBODY, change, put, row
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


async def rescue(queue: Queue, session: Session, max_crashes: int = 5) -> list[tuple[int, Status]]:
    return await queue.rescue(session, 0, max_crashes, stale_s=600)


async def claimed_by_another(queue: Queue, db: psycopg.Connection, open_session: Opener) -> tuple[int, Session, int]:
    """Have a second worker claim a row; gives row, session, worker."""
    job_id, other = put(db), await open_session()
    worker = await register(other)
    await queue.claim(other, worker, 1, FROM_THE_START, 32767)
    return job_id, other, worker


def kill_session(db: psycopg.Connection, session: Session) -> None:
    db.execute("SELECT pg_terminate_backend(%s, 5000)", [session.connection.get_server_pid()])


async def test_rescue__gives_back_the_row_of_a_killed_worker_at_once(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    job_id, other, _ = await claimed_by_another(errands, db, open_session)
    assert await rescue(errands, session) == []
    kill_session(db, other)
    assert await rescue(errands, session) == [(job_id, Status.PENDING)]
    now = row(db, job_id)
    assert (now["attempts"], now["crashes"], now["claim"], now["worker"]) == (0, 1, 1, None)


async def test_rescue__leaves_the_rows_of_the_living(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    job_id, other, worker = await claimed_by_another(errands, db, open_session)
    db.execute("UPDATE workers SET beat_at = now() - interval '59 s' WHERE id = %s", [worker])
    db.execute("UPDATE errands SET started_at = now() - interval '1 day'")
    assert await rescue(errands, session) == []
    assert row(db, job_id)["status"] == "processing"
    assert not other.connection.is_closed()


async def test_rescue__takes_the_row_of_a_worker_that_hangs_longer_than_its_lease(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    job_id, _, worker = await claimed_by_another(errands, db, open_session)
    db.execute("UPDATE workers SET beat_at = now() - interval '61 s' WHERE id = %s", [worker])
    assert await rescue(errands, session) == [(job_id, Status.PENDING)]


async def test_rescue__does_not_take_the_rows_of_the_one_who_asks(
    errands: Queue, db: psycopg.Connection, session: Session, worker: int
) -> None:
    put(db, status="processing", worker=worker)
    db.execute("UPDATE workers SET beat_at = now() - interval '1 day'")
    assert await errands.rescue(session, worker, max_crashes=5, stale_s=600) == []
    assert await errands.rescue(session, NOBODY, max_crashes=5, stale_s=600) == [(1, Status.PENDING)]


async def test_rescue__takes_a_row_without_a_worker_after_the_stale_time(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    db.execute(
        "INSERT INTO errands (status, started_at) VALUES "
        "('processing', now() - interval '601 s'), ('processing', now() - interval '599 s')"
    )
    assert await rescue(errands, session) == [(1, Status.PENDING)]
    assert row(db, 2)["status"] == "processing"


async def test_rescue__leaves_other_stages_alone(errands: Queue, db: psycopg.Connection, session: Session) -> None:
    put(db, stage="another", status="processing", worker=NOBODY)
    assert await rescue(errands, session) == []


async def test_rescue__ends_a_row_that_was_in_hand_at_too_many_crashes(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    job_id = put(db)
    for crash in (1, 2, 3):
        await errands.claim(session, NOBODY, 1, FROM_THE_START, 32767)
        status = Status.FAILED if crash == 3 else Status.PENDING
        assert await rescue(errands, session, max_crashes=3) == [(job_id, status)]
    now = row(db, job_id)
    assert (now["error_code"], now["crashes"], now["claim"]) == ("unknown", 3, 3)
    assert now["error_message"].startswith("WorkerDied: ")
    assert now["completed_at"] is not None


async def test_rescue__by_two_daemons_at_once_counts_one_crash(
    errands: Queue, db: psycopg.Connection, session: Session, open_session: Opener
) -> None:
    job_id, other = put(db, status="processing", worker=NOBODY, attempts=1), await open_session()
    found: list[list[tuple[int, Status]]] = []

    async def rescue_beside() -> None:
        found.append(await rescue(errands, other))

    async with anyio.create_task_group() as tasks, session.transaction():
        assert await rescue(errands, session) == [(job_id, Status.PENDING)]
        tasks.start_soon(rescue_beside)
        await eventually(lambda: waits(db))
    assert found == [[]]
    assert row(db, job_id)["crashes"] == 1


def waits(db: psycopg.Connection) -> bool:
    """Say whether a session waits for the lock of another."""
    return db.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone() is not None


async def test_bury_workers__removes_the_dead_only(
    db: psycopg.Connection, session: Session, worker: int, open_session: Opener
) -> None:
    other = await open_session()
    dead = await register(other)
    await session.none("bury_workers", worker_locks=WORKERS)
    assert {number for (number,) in db.execute("SELECT id FROM workers").fetchall()} == {worker, dead}
    kill_session(db, other)
    await session.none("bury_workers", worker_locks=WORKERS)
    assert db.execute("SELECT id FROM workers").fetchall() == [(worker,)]


async def test_list_workers__shows_the_living_with_what_they_hold(
    db: psycopg.Connection, session: Session, worker: int
) -> None:
    db.execute("INSERT INTO workers (stage, host, pid, lease_s) VALUES ('embed', 'gone', 1, 60)")
    db.execute("INSERT INTO asks (question, status, worker) VALUES ('무엇?', 'processing', %s)", [worker])
    (living,) = await session.many(WorkerRow, "list_workers", worker_locks=WORKERS)
    assert (living.id, living.stage, living.in_hand) == (worker, "errand", 1)


async def test_worker_lock__is_free_as_soon_as_its_session_ends(
    db: psycopg.Connection, worker: int, session: Session
) -> None:
    lock = "SELECT pg_try_advisory_lock(%s, %s)"
    assert db.execute(lock, [WORKERS, worker]).fetchone() == (False,)
    session.connection.terminate()
    await eventually(lambda: db.execute(lock, [WORKERS, worker]).fetchone() == (True,), within_s=2)


async def test_promote__makes_ready_what_is_due_and_tells_when_the_next_is(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    due, later = put(db), put(db)
    change(db, due, run_at="-infinity")
    db.execute("UPDATE errands SET run_at = now() + interval '30 s' WHERE id = %s", [later])
    assert await errands.promote(session) == 0
    assert row(db, due)["run_at"] is None
    next_s = await errands.promote(session)
    assert next_s is not None
    assert 20 < next_s <= 30


async def test_archive__moves_old_finished_rows_and_no_others(
    errands: Queue, db: psycopg.Connection, session: Session
) -> None:
    db.execute(
        "INSERT INTO errands (note, status, completed_at) "
        "SELECT 'old', 'completed', now() - interval '31 days' FROM generate_series(1, 5)"
    )
    db.execute("INSERT INTO errands (note, status, completed_at) VALUES ('new', 'failed', now())")
    db.execute("INSERT INTO errands (note, created_at) VALUES ('waits', now() - interval '90 days')")
    assert await errands.archive(session, days=30, most=3) == 3
    assert await errands.archive(session, days=30) == 2
    assert await errands.archive(session, days=30) == 0
    assert db.execute("SELECT note FROM errands ORDER BY id").fetchall() == [("new",), ("waits",)]
    kept = db.execute("SELECT queue, id, job ->> 'note' FROM queue_archive ORDER BY id").fetchall()
    assert kept == [("errands", number, "old") for number in range(1, 6)]


async def test_archive__keeps_no_content_of_a_file(db: psycopg.Connection, session: Session) -> None:
    db.execute(
        "INSERT INTO inbox (filename, content, status, completed_at) "
        "VALUES ('a.txt', 'secret', 'failed', now() - interval '2 days')"
    )
    assert await Queue("inbox", "ingest").archive(session, days=1) == 1
    assert db.execute("SELECT job ? 'content', job ->> 'filename' FROM queue_archive").fetchone() == (False, "a.txt")
