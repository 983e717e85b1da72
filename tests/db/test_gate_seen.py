"""What others see of the gate: gate_status and gate_counts, and that waiting holds nothing back."""

import anyio
import psycopg
import pytest

from db.gate import Gate, Priority
from db.gate_rows import GateCount, GateSeat
from db.locks import RESERVED, SEODANG, endpoint_key
from db.pool import Database
from tests.db.gates import ENDPOINT, Calls, counted, gate_locks, gates, held, labels
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
FOREGROUND, STUDY, BACKGROUND = Priority


async def test_status__says_who_holds_and_who_waits_since_when(
    dsn: str, db: psycopg.Connection, pool: Database
) -> None:
    calls = Calls()
    holder = {"priority": STUDY, "label": "explain/7"}
    async with gates(dsn, 2) as two, anyio.create_task_group() as tasks, held(two[0], **holder):
        tasks.start_soon(calls.call, two[1], "ask 41: 무엇'; DROP TABLE asks", FOREGROUND)
        await eventually(lambda: len(db.execute("TABLE gate_status").fetchall()) == 2)
        await anyio.sleep(0.05)
        holds, waits = await pool.many(GateSeat, "gate_status")
        pids = {row[0] for row in gate_locks(db)}
    assert (holds.endpoint, holds.state, holds.priority, holds.label) == (ENDPOINT, "holds", "study", "explain/7")
    assert (waits.endpoint, waits.state, waits.priority) == (ENDPOINT, "waits", "foreground")
    assert waits.label == "ask_41:_DROP_TABLE_asks"
    assert {holds.pid, waits.pid} == pids
    assert 0.04 < waits.seconds <= holds.seconds < 60
    assert (holds.behind, waits.behind) == (0, 0)
    assert await pool.many(GateSeat, "gate_status") == []


async def test_counts__include_those_who_wait_in_memory(dsn: str, db: psycopg.Connection, pool: Database) -> None:
    calls, told = Calls(), []
    async with gates(dsn, 2) as two, anyio.create_task_group() as tasks:
        async with held(two[0]):
            for number in range(60):
                tasks.start_soon(calls.call, two[number % 2], str(number), list(Priority)[number % 3])

            async def look() -> None:
                while told != [GateCount(ENDPOINT, 1, 1, 20, 20, 20)]:
                    told[:] = await pool.many(GateCount, "gate_counts")

            with anyio.fail_after(10):
                await look()
            seats = await pool.many(GateSeat, "gate_status")
            assert sum(seat.behind for seat in seats) == 60 - 12
        await eventually(lambda: len(calls.served) == 60)
        await eventually(lambda: not gate_locks(db))
    assert await pool.many(GateCount, "gate_counts") == [GateCount(ENDPOINT, 1, 0, 0, 0, 0)]


async def test_status__of_several_endpoints_and_slots_is_apart(dsn: str, pool: Database) -> None:
    async with Gate(dsn) as gate, held(gate, capacity=3), held(gate, capacity=3), gate.enter("other"):
        assert await pool.many(GateCount, "gate_counts") == [
            GateCount(ENDPOINT, 3, 2, 0, 0, 0),
            GateCount("other", 1, 1, 0, 0, 0),
        ]


async def test_status__of_another_database_is_not_seen(dsn: str, empty_dsn: str, pool: Database) -> None:
    with psycopg.connect(empty_dsn, application_name="seodang:gate:holds:0:0000000000000:x") as stranger:
        stranger.execute("SELECT pg_advisory_lock(%s, 0)", [endpoint_key(ENDPOINT)])
        async with Gate(dsn) as gate, gate.enter(ENDPOINT):
            assert [seat.label for seat in await pool.many(GateSeat, "gate_status")] == [""]


async def test_status__is_readable_by_anybody_and_not_misled_by_names(
    dsn: str, db: psycopg.Connection, pool: Database
) -> None:
    with psycopg.connect(dsn, application_name="seodang:gate:holds:nonsense", autocommit=True) as stranger:
        stranger.execute("SELECT pg_advisory_lock(1, 2), pg_advisory_lock(7)")
        db.execute("CREATE ROLE guest_of_the_gate")
        try:
            async with Gate(dsn) as gate, gate.enter(ENDPOINT, label="seen"):
                db.execute("GRANT SELECT ON gate_status TO guest_of_the_gate")
                db.execute("SET ROLE guest_of_the_gate")
                assert labels(db, "holds") == {"seen"}
                db.execute("RESET ROLE")
        finally:
            db.execute("DROP OWNED BY guest_of_the_gate")
            db.execute("DROP ROLE guest_of_the_gate")


def climbers(db: psycopg.Connection, number: int) -> set[int] | None:
    """Give the server processes that wait, when they are so many: one that renews its wait is in no queue meanwhile."""
    found = {row[0] for row in db.execute("SELECT pid FROM gate_status WHERE state = 'waits'")}
    return found if len(found) == number else None


async def test_vacuum__is_not_held_back_while_fifty_jobs_wait_many_slices(dsn: str, db: psycopg.Connection) -> None:
    """Forty slices, as many as ten minutes have with the default of 15 s."""
    slice_s, calls = 0.1, Calls()
    age = """
        SELECT coalesce(max(age(backend_xmin)), 0), count(backend_xmin) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'seodang:gate:waits%'"""
    oldest, seen, sum_of_waiters = 0, 0, 0
    async with gates(dsn, 4, slice_s=slice_s) as four, anyio.create_task_group() as tasks, held(four[0]):
        for number in range(50):
            tasks.start_soon(calls.call, four[number % 4], str(number), list(Priority)[number % 3])
        before = await eventually(lambda: climbers(db, 24))
        db.execute("CREATE TABLE busy (n integer)")
        for _ in range(200):  # of 20 ms: 40 slices
            db.execute("INSERT INTO busy VALUES (1)")
            await anyio.sleep(0.02)
            transactions, waiters = db.execute(age).fetchone()
            oldest, seen, sum_of_waiters = max(oldest, transactions), seen + 1, sum_of_waiters + waiters
        after = await eventually(lambda: climbers(db, 24))
    assert before == after, "the same sessions waited all the time"
    assert sum_of_waiters / seen > 20, "they did wait in the lock manager, each with a snapshot"
    assert oldest < 60, "of 200 transactions, no snapshot was older than a few slices of five"
    assert len(calls.served) == 50


async def test_age__decides_also_after_many_slices_in_several_processes(dsn: str, db: psycopg.Connection) -> None:
    calls = Calls(hold_s=0.08)
    async with gates(dsn, 6, slice_s=0.02) as six, anyio.create_task_group() as tasks, held(six[0]):
        for number in range(12):
            tasks.start_soon(calls.call, six[number % 6], f"n{number:02}")
            await eventually(lambda number=number: f"n{number:02}" in labels(db, "waits"))
        await anyio.sleep(0.2)
    assert calls.served == [f"n{number:02}" for number in range(12)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert db.execute(deadlocks).fetchone() == (0,)


async def test_sessions__that_are_idle_are_a_couple(dsn: str, db: psycopg.Connection) -> None:
    calls = Calls()
    async with Gate(dsn) as gate:
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(calls.call, gate, str(number), list(Priority)[number % 3])
        await eventually(lambda: counted(db) == 2)


def test_keys__are_positive_stable_and_apart_from_other_locks() -> None:
    keys = {endpoint_key(f"http://127.0.0.1:{port}") for port in range(2000)}
    assert len(keys) == 2000
    assert all(0 < key < 2**31 and key not in RESERVED for key in keys)
    assert SEODANG in RESERVED
    assert endpoint_key(ENDPOINT) == endpoint_key(ENDPOINT) == 434164376
