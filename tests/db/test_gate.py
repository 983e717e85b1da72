"""Who enters the gate, and when: gates of one event loop stand for processes, since only Postgres joins them."""

import random
from collections import Counter
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import psycopg
import pytest

from db.errors import DatabaseGone, GateReentered
from db.gate import Gate, Priority
from db.locks import endpoint_key
from tests.db.gates import ENDPOINT, Calls, Heard, counted, gate_locks, gates, held, labels
from tests.waiting import eventually, wait_for

pytestmark = pytest.mark.anyio
FOREGROUND, STUDY, BACKGROUND = Priority
HOLD_S = 0.02
"""Two calls take longer than one climb: within that time a class that waits in memory is in the lock manager again."""


@pytest.fixture
async def pair(dsn: str, db: psycopg.Connection) -> AsyncIterator[list[Gate]]:
    """Two gates; afterwards no lock is left, and Postgres has not seen a deadlock."""
    async with gates(dsn, 2) as two:
        yield two
        await eventually(lambda: not gate_locks(db))
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert db.execute(deadlocks).fetchone() == (0,)


@pytest.mark.parametrize("capacity", [1, 2, 4])
async def test_capacity__is_reached_and_never_passed(pair: list[Gate], capacity: int) -> None:
    calls = Calls(capacity, hold_s=0.005)
    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(calls.call, pair[number % 2], str(number), list(Priority)[number % 3])
    assert (calls.most, len(calls.served)) == (capacity, 40)


async def test_endpoints__do_not_wait_for_each_other(pair: list[Gate]) -> None:
    async with pair[0].enter("one"), pair[0].enter("two"), pair[1].enter("three"):
        pass


async def test_entering__a_free_gate_takes_one_statement_and_leaving_another(dsn: str, db: psycopg.Connection) -> None:
    committed = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"

    def statements() -> int:
        """Count all that ended; a session tells its count when it is closed, at the latest."""
        wait_for(lambda: counted(db) == 0)
        return int(db.execute(committed).fetchone()[0])

    before = statements()
    async with Gate(dsn) as gate:
        for _ in range(200):
            async with gate.enter(ENDPOINT) as place:
                assert (place.endpoint, place.priority, place.label) == (ENDPOINT, BACKGROUND, "")
    assert 400 <= statements() - before < 440


@pytest.mark.parametrize("seed", range(8))
async def test_order__is_by_class_and_then_by_age(pair: list[Gate], db: psycopg.Connection, seed: int) -> None:
    dice, calls, asked = random.Random(seed), Calls(hold_s=HOLD_S), []
    async with anyio.create_task_group() as tasks, held(pair[0]):
        for number in range(20):
            priority, process = dice.choice(list(Priority)), dice.randrange(2)
            asked.append((priority, number, process))
            tasks.start_soon(calls.call, pair[process], f"{number}", priority)
            if dice.random() < 0.5:
                await anyio.lowlevel.checkpoint()
        await eventually(lambda: len(labels(db, "waits")) == climbing(asked))
    served = [next(each for each in asked if each[1] == int(label)) for label in calls.served]
    assert [each[0] for each in served] == sorted(each[0] for each in asked)
    for process in range(2):  # in one process it is exact; across processes among those who climb, see the next test
        mine = [each for each in served if each[2] == process]
        assert mine == sorted(mine)


def climbing(asked: list[tuple[Priority, int, int]]) -> int:
    """Count those who are in the lock manager: two of a class and process."""
    return sum(min(2, number) for number in Counter((each[0], each[2]) for each in asked).values())


async def test_age__decides_between_climbers_of_several_processes(dsn: str, db: psycopg.Connection) -> None:
    calls = Calls()
    async with gates(dsn, 6) as six, anyio.create_task_group() as tasks, held(six[0]):
        for number in range(12):
            tasks.start_soon(calls.call, six[number % 6], f"n{number:02}")
            await eventually(lambda number=number: f"n{number:02}" in labels(db, "waits"))
    assert calls.served == [f"n{number:02}" for number in range(12)]


async def test_newcomer__does_not_pass_who_waits(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls()
    async with anyio.create_task_group() as tasks:
        async with held(pair[0]):
            tasks.start_soon(calls.call, pair[0], "old")
            await eventually(lambda: "old" in labels(db, "waits"))
        tasks.start_soon(calls.call, pair[1], "new")
    assert calls.served == ["old", "new"]


@pytest.mark.parametrize("place", range(3))
async def test_newcomer__waits_as_long_as_somebody_of_its_class_or_above_does_also_where_a_slot_is_free(
    pair: list[Gate], db: psycopg.Connection, place: int
) -> None:
    calls, rung = Calls(), [endpoint_key(ENDPOINT), 256 + place]
    async with pair[0].enter(ENDPOINT):
        pass  # has a warm session: the next entry tries the short way
    db.execute("SELECT pg_advisory_lock(%s, %s)", rung)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(calls.call, pair[0], "job")
        await eventually(lambda: "job" in labels(db, "waits"))
        assert calls.served == []
        db.execute("SELECT pg_advisory_unlock(%s, %s)", rung)
    assert calls.served == ["job"]


async def test_newcomer__of_a_class_above_passes_who_waits_below(pair: list[Gate], db: psycopg.Connection) -> None:
    calls, rung = Calls(), [endpoint_key(ENDPOINT), 256 + 2]
    db.execute("SELECT pg_advisory_lock(%s, %s)", rung)
    await calls.call(pair[0], "person", FOREGROUND)
    await calls.call(pair[0], "study", STUDY)
    db.execute("SELECT pg_advisory_unlock(%s, %s)", rung)


async def test_person__is_next_however_many_jobs_wait_and_cuts_none_short(
    pair: list[Gate], db: psycopg.Connection
) -> None:
    calls = Calls()
    async with anyio.create_task_group() as tasks:
        async with held(pair[0]):
            for number in range(50):
                tasks.start_soon(calls.call, pair[number % 2], f"job{number}")
            await eventually(lambda: len(labels(db, "waits")) == 4)
            tasks.start_soon(calls.call, pair[1], "person", FOREGROUND)
            await eventually(lambda: "person" in labels(db, "waits"))
            assert labels(db, "holds") == {"holder"}
        await eventually(lambda: calls.served)
        assert calls.served[0] == "person"
    assert len(calls.served) == 51


async def test_study__stands_between_a_person_and_jobs(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls()
    async with anyio.create_task_group() as tasks, held(pair[0]):
        for number, priority in enumerate((BACKGROUND, STUDY, FOREGROUND)):
            tasks.start_soon(calls.call, pair[number % 2], priority.name, priority)
            await eventually(lambda priority=priority: priority.name in labels(db, "waits"))
    assert calls.served == ["FOREGROUND", "STUDY", "BACKGROUND"]


async def test_slot__is_free_again_when_the_body_raises(pair: list[Gate]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with pair[0].enter(ENDPOINT):
            assert 1 / 0
    async with pair[1].enter(ENDPOINT):
        pass


async def test_waiting__is_never_timed_out_by_what_the_database_says(dsn: str, db: psycopg.Connection) -> None:
    name = db.info.dbname
    for setting in ("statement_timeout", "lock_timeout", "idle_session_timeout", "transaction_timeout"):
        db.execute(f"ALTER DATABASE {name} SET {setting} = '60ms'")
    calls = Calls()
    async with gates(dsn, 2) as two, anyio.create_task_group() as tasks, held(two[0]):
        tasks.start_soon(calls.call, two[1], "patient")
        await eventually(lambda: "patient" in labels(db, "waits"))
        await anyio.sleep(0.3)
        assert "patient" in labels(db, "waits")
    assert calls.served == ["patient"]


async def test_second_entry__by_the_same_task_is_an_error_at_once(pair: list[Gate]) -> None:
    async with pair[0].enter(ENDPOINT, capacity=2):
        with pytest.raises(GateReentered, match="asked for it again"):
            async with pair[0].enter(ENDPOINT, capacity=2):
                pytest.fail("entered twice")
        async with pair[0].enter("another"):
            pass
    async with pair[0].enter(ENDPOINT):
        pass


async def test_second_entry__by_a_task_started_inside_is_an_error_as_long_as_that_lasts(pair: list[Gate]) -> None:
    refused, entered, outside = anyio.Event(), anyio.Event(), anyio.Event()

    async def child() -> None:
        with pytest.raises(GateReentered):
            async with pair[0].enter(ENDPOINT):
                pytest.fail("entered twice")
        refused.set()
        await outside.wait()
        async with pair[0].enter(ENDPOINT):
            entered.set()

    async with anyio.create_task_group() as tasks:
        async with pair[0].enter(ENDPOINT):
            tasks.start_soon(child)
            await refused.wait()
        outside.set()
    assert entered.is_set()


@pytest.mark.parametrize("capacity", [0, 257])
async def test_capacity__out_of_bounds_is_refused(pair: list[Gate], capacity: int) -> None:
    with pytest.raises(ValueError, match="capacity is 1 to 256"):
        async with pair[0].enter(ENDPOINT, capacity=capacity):
            pass


async def test_listener__hears_the_way_of_a_call(dsn: str) -> None:
    heard = Heard()
    async with Gate(dsn, listener=heard) as gate, gate.enter(ENDPOINT, priority=STUDY, label="무엇 x"):
        pass
    who = {"endpoint": ENDPOINT, "priority": STUDY, "label": "무엇 x", "seq": 1}
    assert [name for name, _ in heard.events] == ["queued", "entered", "left"]
    queued, entered, left = (fields for _, fields in heard.events)
    assert queued == who | {"queue_len": 1}
    assert entered == who | {"queue_len": 0, "wait_ms": entered["wait_ms"]}
    assert left == who | {"duration_ms": left["duration_ms"]}


async def test_starved__is_told_of_the_last_class_only_and_when_it_enters(dsn: str, db: psycopg.Connection) -> None:
    heard, calls = Heard(), Calls()
    async with Gate(dsn, listener=heard, warn_after_s=0.05) as gate, anyio.create_task_group() as tasks, held(gate):
        for priority in Priority:
            tasks.start_soon(calls.call, gate, priority.name, priority)
        await eventually(lambda: len(labels(db, "waits")) == 3)
        await anyio.sleep(0.1)
        assert "starved" not in [name for name, _ in heard.events]
    told = [fields for name, fields in heard.events if name == "starved"]
    assert [fields["priority"] for fields in told] == [BACKGROUND]
    assert told[0]["wait_ms"] > 50


async def test_connections__stay_few_however_many_wait(dsn: str, db: psycopg.Connection) -> None:
    calls, most = Calls(), 0
    async with gates(dsn, 4) as four, anyio.create_task_group() as tasks:
        async with held(four[0]):
            for number in range(500):
                tasks.start_soon(calls.call, four[number % 4], str(number), list(Priority)[number % 3])
            await eventually(lambda: len(labels(db, "waits")) == 24)
            most = max(most, counted(db))
        while len(calls.served) < 500:
            most = max(most, counted(db))
            await anyio.sleep(0.01)
    assert calls.most == 1
    assert most <= 40


async def test_closing__tells_who_waits_and_leaves_no_connection(dsn: str, db: psycopg.Connection) -> None:
    told: list[str] = []

    async def wait(gate: Gate) -> None:
        with pytest.raises(DatabaseGone, match="closed"):
            async with gate.enter(ENDPOINT):
                pytest.fail("entered")
        told.append("closed")

    async with Gate(dsn) as other, held(other), anyio.create_task_group() as tasks:
        async with Gate(dsn) as gate:
            for _ in range(3):
                tasks.start_soon(wait, gate)
            await eventually(lambda: len(db.execute("TABLE gate_status").fetchall()) == 3)
        await eventually(lambda: len(told) == 3)
        with pytest.raises(DatabaseGone, match="closed"):
            async with gate.enter(ENDPOINT):
                pass
    await eventually(lambda: counted(db) == 0)
