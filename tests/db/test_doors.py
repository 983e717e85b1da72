"""The SQL doors: an INSERT enqueues in the caller's transaction, wrong values are refused by a rule with a name."""

from collections.abc import Callable, Iterator
from datetime import date

import anyio
import psycopg
import pytest
from psycopg import errors

from db.command_rows import FileRow
from db.pool import Database
from db.queue import QUEUES
from tests.db.errands import row

pytestmark = pytest.mark.anyio

SHA = "0" * 64
NEW_ROW = {
    "inbox": ("path", "'/a.md'"),
    "document_jobs": ("document_id, stage", "1, 'embed'"),
    "asks": ("question", "'안전밸브 작동 압력은?'"),
    "digests": ("slot", "'2026-01-01 07:00+09'"),
    "query_analyses": ("question", "'안전밸브 작동 압력은?'"),
    "study_question_jobs": ("study_question_id, user_id, kind", "1, 1, 'explanation'"),
    "study_topic_jobs": ("study_topic_id", "1"),
    "study_quiz_jobs": ("study_quiz_id", "1"),
}


@pytest.fixture
def document(db: psycopg.Connection) -> int:
    """A document without pages; beside it a topic, a question and a quiz."""
    db.execute("INSERT INTO study_topics (name) VALUES ('a')")
    db.execute("INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, correct_choice) "
               "VALUES (1, 'a', 'b', 'c', 1)")  # fmt: skip
    db.execute("INSERT INTO study_quizzes (study_topic_id) VALUES (1)")
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes) "
        "VALUES ('a', 'a.txt', 'text/plain', %s, 1)",
        [SHA],
    )
    return 1


def insert(table: str, columns: str = "", values: str = "") -> str:
    names, literals = NEW_ROW[table]
    extra, given = (f", {columns}", f", {values}") if columns else ("", "")
    return f"INSERT INTO {table} ({names}{extra}) VALUES ({literals}{given}) RETURNING id"


def refused(db: psycopg.Connection, statement: str) -> str | None:
    """Run a statement that a rule must refuse; gives the rule's name."""
    with pytest.raises(errors.IntegrityError) as caught:
        db.execute(statement)
    return caught.value.diag.constraint_name


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", QUEUES)
@pytest.mark.usefixtures("document")
def test_queue__refuses_wrong_values_by_name(table: str, db: psycopg.Connection) -> None:
    assert refused(db, insert(table, "status", "'done'")) == f"{table}_status_known"
    for status in ("completed", "failed", "skipped"):
        assert refused(db, insert(table, "status", f"'{status}'")) == f"{table}_final_has_completed_at"
    for status in ("pending", "processing"):
        rule = f"{table}_final_has_completed_at"
        assert refused(db, insert(table, "status, completed_at", f"'{status}', now()")) == rule
    assert refused(db, insert(table, "attempts", "-1")) == f"{table}_attempts_in_bounds"
    assert refused(db, insert(table, "max_attempts", "0")) == f"{table}_attempts_in_bounds"


@pytest.mark.parametrize("table", QUEUES)
@pytest.mark.usefixtures("document")
def test_queue__starts_a_row_as_pending_with_two_attempts(table: str, db: psycopg.Connection) -> None:
    found = db.execute(insert(table)).fetchone()
    assert found is not None
    new = row(db, found[0], table)
    assert (new["status"], new["attempts"], new["max_attempts"], new["claim"]) == ("pending", 0, 2, 0)
    assert new["created_at"] is not None
    assert (new["started_at"], new["completed_at"], new["error_code"], new["worker"]) == (None, None, None, None)


def test_inbox__takes_exactly_one_of_path_and_content(db: psycopg.Connection) -> None:
    assert refused(db, "INSERT INTO inbox (filename) VALUES ('a.md')") == "inbox_path_or_content"
    assert refused(db, "INSERT INTO inbox (path, content) VALUES ('/a', 'x')") == "inbox_path_or_content"
    assert refused(db, "INSERT INTO inbox (path) VALUES ('  ')") == "inbox_path_not_blank"
    assert refused(db, "INSERT INTO inbox (path, collection) VALUES ('/a', ' ')") == "inbox_collection_not_blank"
    assert refused(db, "INSERT INTO inbox (path, license) VALUES ('/a', '[1]')") == "inbox_license_is_object"
    db.execute("INSERT INTO inbox (filename, content, collection) VALUES ('a.md', '\\x61', 'law')")


def test_inbox__takes_everything_that_the_contract_names(db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO inbox (path, collection, material_type, jurisdiction, published_date, license, user_id) "
        "VALUES ('/a.pdf', 'law', 'law', 'KR', '2024-03-05', '{\"name\": \"kogl\"}', 1)"
    )
    found = db.execute("SELECT published_date, license ->> 'name', user_id FROM inbox").fetchone()
    assert found == (date(2024, 3, 5), "kogl", 1)


def test_asks__refuses_wrong_values_by_name(db: psycopg.Connection) -> None:
    assert refused(db, "INSERT INTO asks (question) VALUES (E' \\n')") == "asks_question_not_blank"
    assert refused(db, "INSERT INTO asks (question) VALUES (repeat('?', 4001))") == "asks_question_length"
    assert refused(db, insert("asks", "priority", "'urgent'")) == "asks_priority_known"
    assert refused(db, insert("asks", "mode", "'guess'")) == "asks_mode_known"
    assert refused(db, insert("asks", "filters", "'[]'")) == "asks_filters_is_object"
    assert refused(db, insert("asks", "completeness", "'some'")) == "asks_completeness_known"
    assert refused(db, insert("asks", "completeness, refused", "'full', true")) == "asks_full_is_not_refused"


def test_asks__of_a_person_go_before_those_of_a_script(db: psycopg.Connection) -> None:
    db.execute(insert("asks"))
    db.execute(insert("asks", "priority", "'foreground'"))
    assert db.execute("SELECT priority, urgency FROM asks ORDER BY urgency").fetchall() == [
        ("foreground", 0),
        ("background", 100),
    ]
    db.execute("UPDATE asks SET priority = 'foreground'")
    assert db.execute("SELECT DISTINCT urgency FROM asks").fetchall() == [(0,)]


@pytest.mark.usefixtures("document")
def test_document_jobs__knows_its_stages(db: psycopg.Connection) -> None:
    statement = "INSERT INTO document_jobs (document_id, stage) VALUES (1, 'chunk')"
    assert refused(db, statement) == "document_jobs_stage_known"


# -- one active row ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "rule"), [("inbox", "inbox_one_active"), ("document_jobs", "document_jobs_one_active")]
)
@pytest.mark.usefixtures("document")
def test_queue__has_one_active_row_for_the_same_work(table: str, rule: str, db: psycopg.Connection) -> None:
    db.execute(insert(table))
    assert refused(db, insert(table)) == rule
    db.execute(f"UPDATE {table} SET status = 'processing'")
    assert refused(db, insert(table)) == rule
    for status in ("completed", "failed", "skipped"):
        db.execute(
            f"UPDATE {table} SET status = '{status}', completed_at = now() WHERE status IN ('pending', 'processing')"
        )
        db.execute(insert(table))
    assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (4,)


@pytest.mark.usefixtures("document")
async def test_enqueue__by_fifty_callers_at_once_leaves_one_row(pool: Database, db: psycopg.Connection) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(enqueue, pool)
    assert db.execute("SELECT count(*) FROM document_jobs").fetchone() == (1,)


async def enqueue(pool: Database) -> None:
    await pool.none("enqueue_document_job", subject=1, stage="embed")


async def test_insert_inbox_paths__says_nothing_of_a_path_that_waits_already(pool: Database) -> None:
    values = {"collection": "default", "user_id": 1}
    first = await pool.many(FileRow, "insert_inbox_paths", paths=["/a.md", "/a.md"], **values)
    assert [row.path for row in first] == ["/a.md"]
    both = await pool.many(FileRow, "insert_inbox_paths", paths=["/a.md", "/b.md"], **values)
    assert [row.path for row in both] == ["/b.md"]


# -- a new try is a new row --------------------------------------------------------------------------------------------


async def test_retry_inbox__makes_a_new_row_and_keeps_the_failed_one(pool: Database, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO inbox (path, status, completed_at, error_code) VALUES ('/a', 'failed', now(), 'corrupt')")
    assert await pool.value("retry_inbox", ids=None, code="encrypted") is None
    new = await pool.value("retry_inbox", ids=None, code=None)
    assert await pool.value("retry_inbox", ids=None, code=None) is None
    rows = db.execute("SELECT id, status, error_code, payload ->> 'retry_of' FROM inbox ORDER BY id").fetchall()
    assert rows == [(1, "failed", "corrupt", None), (new, "pending", None, "1")]


@pytest.mark.usefixtures("document")
async def test_retry_document_jobs__makes_one_new_row_for_each_stage(pool: Database, db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO document_jobs (document_id, stage, status, completed_at) VALUES "
        "(1, 'embed', 'failed', now()), (1, 'embed', 'failed', now()), (1, 'classify', 'failed', now())"
    )
    values = {"stage": None, "ids": None, "code": None}
    for _ in range(2):
        await pool.none("retry_document_jobs", **values)
    waiting = db.execute("SELECT stage, payload ->> 'retry_of' FROM document_jobs WHERE status = 'pending' ORDER BY 1")
    assert waiting.fetchall() == [("classify", "3"), ("embed", "2")]


async def test_retry_asks__asks_a_failed_question_once_more(pool: Database, db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO asks (question, priority, status, completed_at) VALUES ('q', 'foreground', 'failed', now())"
    )
    for _ in range(2):
        await pool.none("retry_asks", ids=None, code=None)
    waiting = db.execute("SELECT question, priority, urgency FROM asks WHERE status = 'pending'")
    assert waiting.fetchall() == [("q", "foreground", 0)]


# -- notifications -----------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(dsn: str, db: psycopg.Connection) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Gives the notifications since the last call, as (channel, payload)."""
    listener = psycopg.connect(dsn, autocommit=True)
    for channel in (*(f"seodang_{table}" for table in QUEUES), "seodang_ask_events", "marker"):
        listener.execute(f"LISTEN {channel}")

    def hear() -> list[tuple[str, str]]:
        db.execute("NOTIFY marker")  # notifications of one session arrive in the order of its commits
        told = []
        for note in listener.notifies(timeout=5):
            if note.channel == "marker":
                return told
            told.append((note.channel, note.payload))
        raise AssertionError("the marker did not come")

    yield hear
    listener.close()


Hear = Callable[[], list[tuple[str, str]]]


@pytest.mark.parametrize("table", QUEUES)
@pytest.mark.usefixtures("document")
def test_insert__rings_the_bell_of_its_queue(table: str, db: psycopg.Connection, heard: Hear) -> None:
    db.execute(insert(table))
    assert heard() == [(f"seodang_{table}", "")]


def test_insert__that_is_rolled_back_enqueues_nothing_and_tells_nobody(db: psycopg.Connection, heard: Hear) -> None:
    with db.transaction(force_rollback=True):
        db.execute(insert("inbox"))
        db.execute(insert("asks"))
    assert heard() == []
    assert db.execute("SELECT count(*) FROM inbox").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM asks").fetchone() == (0,)


def test_insert__of_many_rows_and_statements_tells_once_per_transaction(db: psycopg.Connection, heard: Hear) -> None:
    with db.transaction():
        for first in (1, 1001, 2001):
            db.execute(f"INSERT INTO asks (question) SELECT 'q' || n FROM generate_series({first}, {first} + 999) AS n")
    assert heard() == [("seodang_asks", "")]


def test_ask__that_ends_tells_its_asker_once(db: psycopg.Connection, heard: Hear) -> None:
    db.execute(insert("asks"))
    db.execute("UPDATE asks SET status = 'processing'")
    heard()
    db.execute("UPDATE asks SET status = 'completed', completed_at = now()")
    db.execute("UPDATE asks SET payload = '{}'")
    assert heard() == [("seodang_ask_events", '{"ask" : 1, "event" : "end"}')]


# -- views and the owner -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("document")
def test_pipeline_status__counts_every_queue(db: psycopg.Connection) -> None:
    for table in QUEUES:
        db.execute(insert(table))
    db.execute("UPDATE asks SET status = 'completed', completed_at = now()")
    db.execute("UPDATE inbox SET created_at = now() - interval '90 s'")
    rows = db.execute(
        "SELECT stage, status, count, round(oldest_seconds) FROM pipeline_status ORDER BY stage"
    ).fetchall()
    assert rows == [
        ("analysis", "pending", 1, 0),
        ("analyze", "pending", 1, 0),
        ("digest", "pending", 1, 0),
        ("embed", "pending", 1, 0),
        ("explanation", "pending", 1, 0),
        ("ingest", "pending", 1, 90),
        ("note", "pending", 1, 0),
        ("synthesis", "completed", 1, None),
    ]


def test_users__have_the_owner(db: psycopg.Connection) -> None:
    assert db.execute("SELECT id, name FROM users").fetchall() == [(1, "owner")]
    assert db.execute("INSERT INTO users (name) VALUES ('guest') RETURNING id").fetchone() == (2,)
