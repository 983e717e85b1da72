"""What dies, is cancelled or is cut at the gate frees its place, and hurts nobody else."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import psycopg
import pytest

from db import gate_session
from db.errors import DatabaseGone, GateLost, Refused
from db.gate import Gate, GateListener, Priority
from tests.db.gates import ENDPOINT, Calls, counted, gate_locks, gates, held, labels, rows
from tests.fakes.tcp_proxy import TcpProxy, proxied
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
TURNS = 24
"""So many turns of the event loop after a release the hand-over is done; each is a point at which to cancel."""


@pytest.fixture
async def pair(dsn: str, db: psycopg.Connection) -> AsyncIterator[list[Gate]]:
    """Two gates; afterwards no lock is left."""
    async with gates(dsn, 2) as two:
        yield two
        await eventually(lambda: not gate_locks(db))


def kill(db: psycopg.Connection, state: str, label: str) -> None:
    """End the connection of who holds, or waits, under that label."""
    pids = [row[2] for row in rows(db, state) if row[1] == label]
    assert pids
    db.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::integer[]) AS pid", [pids])


async def turns(count: int) -> None:
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("capacity", [1, 2])
async def test_cancel__of_a_waiter_at_each_turn_of_a_hand_over_passes_the_slot_on(
    pair: list[Gate], db: psycopg.Connection, capacity: int
) -> None:
    for turn in range(TURNS):
        calls = Calls(capacity)
        async with anyio.create_task_group() as tasks:
            async with full(pair, capacity):
                first = anyio.CancelScope()
                tasks.start_soon(in_scope, first, calls, pair[0], f"first{turn}")
                await eventually(lambda turn=turn: f"first{turn}" in labels(db, "waits"))
                tasks.start_soon(calls.call, pair[0], "second")
                tasks.start_soon(calls.call, pair[1], "third")
            await turns(turn)
            first.cancel()
        assert {"second", "third"} <= set(calls.served)
    await eventually(lambda: not gate_locks(db))


@asynccontextmanager
async def full(pair: list[Gate], capacity: int) -> AsyncIterator[None]:
    """Hold every slot for as long as the body runs."""
    async with AsyncExitStack() as stack:
        for number in range(capacity):
            await stack.enter_async_context(held(pair[number % 2], capacity=capacity))
        yield


async def in_scope(scope: anyio.CancelScope, calls: Calls, gate: Gate, label: str) -> None:
    with scope:
        await calls.call(gate, label)


async def test_cancel__at_each_turn_of_an_uncontended_entry_leaves_nothing(
    pair: list[Gate], db: psycopg.Connection
) -> None:
    for turn in range(TURNS):
        calls, scope = Calls(), anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_scope, scope, calls, pair[0], "one")
            await turns(turn)
            scope.cancel()
        with anyio.fail_after(10):
            await Calls().call(pair[1], "next")


async def test_cancel__of_many_waiters_leaves_the_others_their_order(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls()
    async with anyio.create_task_group() as tasks, held(pair[0]):
        scopes = [anyio.CancelScope() for _ in range(12)]
        for number, scope in enumerate(scopes):
            tasks.start_soon(in_scope, scope, calls, pair[0], f"{number}")
        await eventually(lambda: {"0", "1"} <= labels(db, "waits"))
        for number in (0, 3, 1, 2, 7, 11):
            scopes[number].cancel()
            await anyio.lowlevel.checkpoint()
    assert calls.served == ["4", "5", "6", "8", "9", "10"]


async def test_cancel__of_the_last_waiter_makes_the_class_empty_for_those_below(
    pair: list[Gate], db: psycopg.Connection
) -> None:
    calls, scope = Calls(), anyio.CancelScope()

    async def person() -> None:
        with scope:
            await calls.call(pair[0], "person", Priority.FOREGROUND)

    async with anyio.create_task_group() as tasks, held(pair[0]):
        tasks.start_soon(person)
        tasks.start_soon(calls.call, pair[1], "job")
        await eventually(lambda: labels(db, "waits") == {"person", "job"})
        scope.cancel()
        await eventually(lambda: labels(db, "waits") == {"job"})
    assert calls.served == ["job"]


async def test_cancel__from_outside_stays_a_cancellation_also_when_the_connection_dies_with_it(
    pair: list[Gate], db: psycopg.Connection
) -> None:
    for dies in (False, True):
        ended = anyio.Event()
        with anyio.CancelScope() as scope:
            try:
                async with pair[0].enter(ENDPOINT, label="victim"):
                    if dies:
                        kill(db, "holds", "victim")
                    scope.cancel()
                    await anyio.sleep_forever()
            finally:
                ended.set()
        assert scope.cancelled_caught
        assert ended.is_set()


@pytest.mark.parametrize("capacity", [1, 2])
async def test_holder__whose_connection_dies_is_cancelled_and_the_next_enters(
    pair: list[Gate], db: psycopg.Connection, capacity: int
) -> None:
    calls, cut = Calls(), anyio.Event()

    async def victim() -> None:
        async with pair[0].enter(ENDPOINT, capacity=capacity, label="victim"):
            try:
                await anyio.sleep_forever()
            finally:
                cut.set()

    async def lost() -> None:
        with pytest.raises(GateLost, match="the call inside was cancelled"):
            await victim()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lost)
        await eventually(lambda: "victim" in labels(db, "holds"))
        kill(db, "holds", "victim")
        tasks.start_soon(calls.call, pair[1], "next")
    assert (calls.served, cut.is_set()) == (["next"], True)


async def test_holder__whose_body_ends_as_its_connection_dies_raises_nothing_late(
    pair: list[Gate], db: psycopg.Connection
) -> None:
    for turn in range(8):
        try:
            async with pair[0].enter(ENDPOINT, label="victim"):
                kill(db, "holds", "victim")
                await turns(turn)
        except GateLost:
            pass
        await turns(8)
    await Calls().call(pair[0], "next")


@pytest.mark.parametrize("capacity", [1, 2])
async def test_waiter__whose_connection_dies_climbs_again_and_keeps_its_place(
    pair: list[Gate], db: psycopg.Connection, capacity: int
) -> None:
    calls = Calls(capacity)
    async with anyio.create_task_group() as tasks, full(pair, capacity):
        for number in range(5):
            tasks.start_soon(calls.call, pair[number % 2], f"{number}")
            await eventually(lambda number=number: number == 4 or f"{number}" in labels(db, "waits"))
        before = {row[1]: row[2] for row in rows(db, "waits")}
        kill(db, "waits", "0")
        await eventually(lambda: [row[2] for row in rows(db, "waits") if row[1] == "0"] not in ([], [before["0"]]))
        await eventually(lambda: labels(db, "waits") == set("0123"))
    assert [label for label in calls.served if label in "024"] == ["0", "2", "4"]
    # Whoever had become the first of the class when "0" was cut may go first; nobody else passes it.
    assert calls.served.index("0") < 1 + capacity


async def test_watcher__of_one_slot_whose_connection_dies_is_replaced(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls(2)
    async with anyio.create_task_group() as tasks, held(pair[0], capacity=2, label="one"):
        async with held(pair[1], capacity=2, label="two"):
            tasks.start_soon(calls.call, pair[0], "waiter")
            watchers = eventually(lambda: [row[0] for row in gate_locks(db) if row[2] < 256 and not row[4]])
            for pid in await watchers:
                db.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            await eventually(lambda: len([row for row in gate_locks(db) if row[2] < 256 and not row[4]]) == 2)
        await eventually(lambda: calls.served)


async def test_waiter__whose_statement_somebody_cancels_climbs_again(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls()
    async with anyio.create_task_group() as tasks, held(pair[0]):
        tasks.start_soon(calls.call, pair[1], "waiter")
        await eventually(lambda: "waiter" in labels(db, "waits"))
        db.execute("SELECT pg_cancel_backend(pid) FROM gate_status WHERE label = 'waiter'")
    assert calls.served == ["waiter"]


async def test_everybody__is_cut_at_once_and_all_are_served(pair: list[Gate], db: psycopg.Connection) -> None:
    calls = Calls(hold_s=0.01)

    async def call(gate: Gate, label: str) -> None:
        while label not in calls.served:
            with suppress(GateLost):
                await calls.call(gate, label)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(call, pair[number % 2], f"{number}")
        for _ in range(3):
            await anyio.sleep(0.03)
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name LIKE 'seodang:gate%'"
            )
    assert set(calls.served) == {f"{number}" for number in range(20)}


async def test_server__that_is_not_there_is_an_error_for_all_who_wait_and_is_tried_again_by_the_next(
    dsn: str, db: psycopg.Connection
) -> None:
    gone: list[int] = []

    async def wait(gate: Gate, number: int) -> None:
        with pytest.raises(DatabaseGone):
            async with gate.enter(ENDPOINT):
                pytest.fail("entered")
        gone.append(number)

    async with Gate(dsn) as other, proxied(dsn) as proxy, Gate(proxy.dsn) as gate:
        async with held(other), anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(wait, gate, number)
            await eventually(lambda: len(rows(db, "waits")) == 2)
            proxy.close()
        assert sorted(gone) == list(range(6))
        await proxy.open()
        await Calls().call(gate, "again")
        await eventually(lambda: counted(db) > 0)


async def test_schema__that_is_missing_is_an_error_and_not_a_wait(empty_dsn: str) -> None:
    async with Gate(empty_dsn) as gate:
        with pytest.raises(Refused):
            async with gate.enter(ENDPOINT):
                pytest.fail("entered")


async def test_grant__in_the_instant_in_which_a_slice_ends_is_counted_once(dsn: str, db: psycopg.Connection) -> None:
    calls = Calls(hold_s=0.003)
    async with gates(dsn, 3, slice_s=0.003) as three, anyio.create_task_group() as tasks:
        for number in range(240):
            tasks.start_soon(calls.call, three[number % 3], f"{number}", list(Priority)[number % 3])
    assert (calls.most, len(calls.served)) == (1, 240)
    await eventually(lambda: not gate_locks(db))


@pytest.mark.parametrize("cancelled", [False, True])
async def test_waiter__behind_one_who_tried_in_vain_but_was_served_by_its_climb_is_served_too(
    pair: list[Gate], db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    await Calls().call(pair[0], "warm")
    tried, calls, scope = anyio.Event(), Calls(), anyio.CancelScope()

    async def refuse_late(*_: object) -> None:
        await tried.wait()

    monkeypatch.setattr(gate_session.GateSession, "try_at_once", refuse_late)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_scope, scope, calls, pair[0], "first")
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(calls.call, pair[0], "second")
            await eventually(lambda: labels(db, "holds") == {"second"})  # its climb was won, for the first
            if cancelled:
                scope.cancel()
            tried.set()
    assert calls.served == (["second"] if cancelled else ["first", "second"])


async def test_sessions__over_a_network_look_whether_the_server_is_still_there(dsn: str) -> None:
    async with proxied(dsn) as proxy, Gate(proxy.dsn) as gate:
        async with gate.enter(ENDPOINT):
            pass
        wire = gate._sessions._idle[0]._connection._transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_release__at_a_deaf_server_drops_the_connection_and_does_not_hang(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_session, "LET_GO_S", 0.2)
    async with proxied(dsn) as proxy, Gate(proxy.dsn) as gate:
        with anyio.fail_after(10), pytest.raises(ZeroDivisionError):
            await fail_inside(gate, proxy)
        proxy.hear()
        proxy.cut()
        async with Gate(dsn) as other, other.enter(ENDPOINT):
            pass


async def fail_inside(gate: Gate, proxy: TcpProxy) -> None:
    async with gate.enter(ENDPOINT):
        proxy.deafen()
        assert 1 / 0


async def test_listener_that_fails__costs_its_caller_an_error_and_nobody_the_slot(dsn: str) -> None:
    class Broken(GateListener):
        def entered(self, **_: object) -> None:
            raise ZeroDivisionError

    async with Gate(dsn, listener=Broken()) as gate, Gate(dsn) as other:
        with pytest.raises(ZeroDivisionError):
            async with gate.enter(ENDPOINT):
                pytest.fail("entered")
        async with other.enter(ENDPOINT):
            pass
