"""What leaves db/pool.py and db/notify.py: our rows, our errors, and a bell that is never lost."""

import anyio
import anyio.lowlevel
import psycopg
import pytest

from db.errors import Conflict, DatabaseGone, Refused
from db.notify import Bell, listen_for_ever
from db.plain import plain
from db.pool import Database, Session, connect, open_pool, translated
from db.queries import Query
from db.rows import AskQuestion
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


def ask(text: str, kind: str = "none") -> Query:
    return Query("of_the_test", (), kind, text)


def kill_all(db: psycopg.Connection, purpose: str) -> None:
    db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE %s",
        [f"seodang:{purpose}%"],
    )


async def test_rows__come_as_dataclasses_and_json_as_values(pool: Database, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO asks (question, filters) VALUES ('무엇?', '{\"year\": 2024}')")
    row = await pool.one(AskQuestion, "ask_question", id=1)
    assert row == AskQuestion(1, "무엇?", 1, "background", "ask", {"year": 2024})
    assert await pool.one(AskQuestion, "ask_question", id=2) is None
    assert await pool.many(AskQuestion, "ask_question", id=2) == []
    assert await pool.value("head_of_document", id=404, chars=1) is None


async def test_questions__take_their_arguments_by_name_and_no_others(pool: Database) -> None:
    with pytest.raises(TypeError, match="ask_question takes"):
        await pool.one(AskQuestion, "ask_question", number=1)


async def test_plain__gives_the_same_rows_and_errors(dsn: str, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO asks (question, filters) VALUES ('무엇?', '{\"year\": 2024}')")
    with plain(dsn) as questions:
        assert questions.one(AskQuestion, "ask_question", id=1) == AskQuestion(
            1, "무엇?", 1, "background", "ask", {"year": 2024}
        )
        values = {"question": " ", "user_id": 1, "priority": "background", "filters": {}}
        with pytest.raises(Refused, match="asks_question_not_blank"):
            questions.value("insert_ask", **values)
        kill_all(db, "plain")
        with pytest.raises(DatabaseGone):
            questions.value("insert_ask", **values | {"question": "?"})


async def test_errors__of_a_unique_rule_are_conflicts_that_name_it(session: Session) -> None:
    with pytest.raises(Conflict, match="users_name_unique"):
        await session.records(ask("INSERT INTO users (name) VALUES ('owner')"))


async def test_errors__of_other_rules_are_refusals(session: Session) -> None:
    with pytest.raises(Refused, match="asks_question_not_blank") as caught:
        await session.records(ask("INSERT INTO asks (question) VALUES ('')"))
    assert not isinstance(caught.value, Conflict)


@pytest.mark.parametrize("wrong", ["\udcff", 7, object()])
async def test_errors__of_a_value_that_does_not_fit_are_refusals_and_no_loss_of_the_server(
    session: Session, wrong: object
) -> None:
    with pytest.raises(Refused, match="DataError"):
        await session.value("forget_path", path=wrong)
    assert await session.value("forget_path", path="known") is False


async def test_errors__of_a_killed_session_say_that_it_is_gone(session: Session, db: psycopg.Connection) -> None:
    kill_all(db, "tests")
    for _ in range(2):
        with pytest.raises(DatabaseGone):
            await session.value("forget_path", path="x")


async def test_errors__of_a_server_that_is_not_there_say_that_it_is_gone() -> None:
    with pytest.raises(DatabaseGone):
        await connect("postgresql://seodang@127.0.0.1:1/seodang", "tests")


async def test_transaction__rolls_back_when_its_body_raises(session: Session, db: psycopg.Connection) -> None:
    with pytest.raises(Conflict):
        await add_guest_twice(session)
    assert db.execute("SELECT count(*) FROM users").fetchone() == (1,)


async def add_guest_twice(session: Session) -> None:
    async with session.transaction():
        await session.records(ask("INSERT INTO users (name) VALUES ('guest')"))
        await session.records(ask("INSERT INTO users (name) VALUES ('guest')"))


async def test_pool__makes_new_connections_after_a_cut(pool: Database, db: psycopg.Connection) -> None:
    await pool.value("forget_path", path="x")
    kill_all(db, "tests")

    async def asks_again() -> None:
        with anyio.fail_after(5):
            while True:
                try:
                    return await pool.value("forget_path", path="x")
                except DatabaseGone:
                    await anyio.lowlevel.checkpoint()

    await asks_again()


async def test_pool__serves_many_tasks_at_once(dsn: str) -> None:
    async with open_pool(dsn, "small", 2) as pool, anyio.create_task_group() as tasks:
        for _ in range(40):
            tasks.start_soon(ask_for_nothing, pool)


async def ask_for_nothing(pool: Database) -> None:
    await pool.value("forget_path", path="x")


# -- notifications -----------------------------------------------------------------------------------------------------


async def test_bell__that_rang_before_the_wait_is_not_lost() -> None:
    bell = Bell()
    seen = bell.rings
    bell.ring()
    assert await bell.wait(seen, timeout_s=60)


async def test_bell__wakes_all_who_wait() -> None:
    bell, woken = Bell(), []

    async def wait() -> None:
        woken.append(await bell.wait(bell.rings, timeout_s=60))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        bell.ring()
    assert woken == [True, True, True]


async def test_bell__says_when_it_did_not_ring() -> None:
    assert not await Bell().wait(0, timeout_s=0.01)


async def test_listen__hears_looks_after_a_reconnect_and_hears_again(dsn: str, db: psycopg.Connection) -> None:
    heard: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen_for_ever, dsn, "ears", "news", heard.append, 0.01)
        await eventually(lambda: heard == [""])
        db.execute("NOTIFY news, 'one'")
        await eventually(lambda: heard == ["", "one"])
        kill_all(db, "ears")
        await eventually(lambda: heard == ["", "one", ""])
        db.execute("NOTIFY news, 'two'")
        await eventually(lambda: heard == ["", "one", "", "two"])
        tasks.cancel_scope.cancel()


async def test_loss_in_the_middle_of_a_statement__is_a_loss_and_our_own_mistakes_are_not(dsn: str) -> None:
    connection = await connect(dsn, "tests")
    connection.terminate()
    with pytest.raises(DatabaseGone, match="middle of a statement"), translated():
        connection.get_server_pid()  # asks for a protocol that is no more, as a statement does between two steps
    with pytest.raises(AttributeError), translated():
        connection.nothing_of_the_kind()
