"""The breaker: five failures, a pause for everybody, one probe. Two pools stand for two processes.

Time passes by moving the row's times back, so that no test waits; one test lets the database's clock run.
"""

from collections.abc import AsyncIterator

import anyio
import psycopg
import pytest

from db.pool import Database, open_pool
from services.model.breaker import ERROR_CHARS, Breaker, counts
from services.model.errors import (
    CircuitOpen,
    ModelError,
    ModelMisnamed,
    ModelTimeout,
    ModelUnavailable,
    PromptTooLong,
    ReplyBroken,
    ReplyCut,
    ReplyEmpty,
    ReplyMisshapen,
    RequestRefused,
)
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

ROLE, OTHER = "classifier", "primary"
FAILURES, OPEN_S = 5, 60.0
DOWN = ModelUnavailable("Connection refused.")


@pytest.fixture
async def breakers(dsn: str) -> AsyncIterator[tuple[Breaker, Breaker]]:
    async with open_pool(dsn, "one", 4) as one, open_pool(dsn, "two", 4) as two:
        yield Breaker(one, FAILURES, OPEN_S), Breaker(two, FAILURES, OPEN_S)


@pytest.fixture
def one(breakers: tuple[Breaker, Breaker]) -> Breaker:
    return breakers[0]


@pytest.fixture
def two(breakers: tuple[Breaker, Breaker]) -> Breaker:
    return breakers[1]


async def fail(breaker: Breaker, times: int, role: str = ROLE) -> list[bool]:
    return [await breaker.failed(role, DOWN) for _ in range(times)]


def pass_time(db: psycopg.Connection, seconds: float) -> None:
    """Make everything in the row happen so much earlier."""
    db.execute(
        "UPDATE model_breakers SET opened_at = opened_at - make_interval(secs => %(s)s), "
        "probe_at = probe_at - make_interval(secs => %(s)s)",
        {"s": seconds},
    )


async def is_open(breaker: Breaker, role: str = ROLE) -> bool:
    try:
        await breaker.admit(role)
    except CircuitOpen:
        return True
    return False


async def test_admit__lets_calls_through_until_so_many_failed_in_a_row(one: Breaker) -> None:
    assert await fail(one, FAILURES - 1) == [False] * (FAILURES - 1)
    await one.admit(ROLE)
    assert await fail(one, 1) == [True]
    with pytest.raises(
        CircuitOpen, match="failed 5 times in a row, at last with: ModelUnavailable: Connection"
    ) as shut:
        await one.admit(ROLE)
    assert shut.value.after_s == pytest.approx(OPEN_S, abs=30)
    assert shut.value.code == "model_unavailable"


async def test_success__starts_the_count_anew(one: Breaker) -> None:
    await fail(one, FAILURES - 1)
    await one.succeeded(ROLE)
    await fail(one, FAILURES - 1)
    assert not await is_open(one)


async def test_failures__of_two_processes_are_counted_together(one: Breaker, two: Breaker) -> None:
    await fail(one, 3)
    await fail(two, 2)
    assert await is_open(one)
    assert await is_open(two)


async def test_roles__do_not_touch_each_other(one: Breaker) -> None:
    await fail(one, FAILURES)
    assert await is_open(one)
    assert not await is_open(one, OTHER)
    await one.succeeded(OTHER)
    assert await is_open(one)


async def test_probe__is_one_call_of_all_processes(one: Breaker, two: Breaker, db: psycopg.Connection) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S)
    shut: list[bool] = []

    async def ask(breaker: Breaker) -> None:
        shut.append(await is_open(breaker))

    async with anyio.create_task_group() as group:
        for breaker in (one, two) * 10:
            group.start_soon(ask, breaker)
    assert sorted(shut) == [False] + [True] * 19


async def test_probe__waits_for_a_rival_that_has_not_committed_and_then_looks_anew(
    one: Breaker, db: psycopg.Connection, dsn: str
) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S)
    shut: list[bool] = []

    async def ask() -> None:
        shut.append(await is_open(one))

    with psycopg.connect(dsn) as rival:
        async with anyio.create_task_group() as group:
            rival.execute("UPDATE model_breakers SET probe_at = now()")
            group.start_soon(ask)
            await eventually(lambda: blocked(db), within_s=30)
            rival.commit()
    assert shut == [True]


def blocked(db: psycopg.Connection) -> bool:
    waiting = db.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    return waiting != (0,)


async def test_probe__that_succeeds_lets_everybody_through(one: Breaker, two: Breaker, db: psycopg.Connection) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S)
    assert not await is_open(one)
    assert await is_open(two)
    await one.succeeded(ROLE)
    assert not await is_open(two)
    assert not await is_open(one)


async def test_probe__that_fails_opens_the_circuit_for_as_long_again(one: Breaker, db: psycopg.Connection) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S + 100)
    assert not await is_open(one)
    assert await fail(one, 1) == [True]
    assert await is_open(one)
    pass_time(db, OPEN_S / 2)
    assert await is_open(one)
    pass_time(db, OPEN_S / 2)
    assert not await is_open(one)


async def test_probe__that_dies_without_a_word_is_replaced(one: Breaker, two: Breaker, db: psycopg.Connection) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S)
    assert not await is_open(one)
    pass_time(db, OPEN_S / 2)
    with pytest.raises(CircuitOpen) as shut:
        await two.admit(ROLE)
    assert shut.value.after_s == pytest.approx(OPEN_S / 2, abs=20)
    pass_time(db, OPEN_S / 2)
    assert not await is_open(two)
    assert await is_open(one)


async def test_failure__of_a_call_begun_before_the_opening_does_not_make_the_pause_longer(
    one: Breaker, db: psycopg.Connection
) -> None:
    await fail(one, FAILURES)
    pass_time(db, OPEN_S)
    assert await fail(one, 1) == [False]
    assert not await is_open(one)


async def test_open_time__is_the_databases(dsn: str, db: psycopg.Connection, pool: Database) -> None:
    quick = Breaker(pool, 1, 0.2)
    await quick.failed(ROLE, DOWN)
    db.execute("SELECT pg_sleep(0.25)")
    assert not await is_open(quick)


async def test_success__writes_nothing_where_nothing_was_counted(one: Breaker, db: psycopg.Connection) -> None:
    await one.succeeded(ROLE)
    assert db.execute("SELECT count(*) FROM model_breakers").fetchone() == (0,)
    await fail(one, 1)
    await one.succeeded(ROLE)
    version = db.execute("SELECT xmin, ctid FROM model_breakers").fetchone()
    await one.admit(ROLE)
    await one.succeeded(ROLE)
    assert db.execute("SELECT xmin, ctid FROM model_breakers").fetchone() == version


async def test_states__show_what_is_open_and_why(one: Breaker, two: Breaker) -> None:
    await fail(one, FAILURES)
    await one.failed(OTHER, RuntimeError("a\0b" + "x" * 2 * ERROR_CHARS))
    classifier, primary = await two.states()
    assert (classifier.role, classifier.failures, classifier.opened_at is not None) == (ROLE, FAILURES, True)
    assert 0 < classifier.wait_s <= OPEN_S
    assert (primary.failures, primary.opened_at, primary.wait_s) == (1, None, 0)
    assert primary.last_error is not None
    assert primary.last_error.startswith("RuntimeError: abxx")
    assert len(primary.last_error) == ERROR_CHARS


@pytest.mark.parametrize("kind", [ModelUnavailable, ModelMisnamed, ModelTimeout, ReplyBroken])
def test_counts__what_speaks_of_a_server_that_cannot_serve(kind: type[ModelError]) -> None:
    assert counts(kind("?"))


@pytest.mark.parametrize(
    "kind", [CircuitOpen, RequestRefused, PromptTooLong, ReplyCut, ReplyEmpty, ReplyMisshapen, RuntimeError]
)
def test_counts__nothing_that_a_healthy_server_may_say(kind: type[Exception]) -> None:
    assert not counts(kind("?"))
