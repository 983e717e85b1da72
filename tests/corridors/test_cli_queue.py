"""`seodang queue ls` and `retry` on a queue: the last word of each file, what is tried again, and why others not."""

from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

import psycopg
import pytest

from db.plain import plain
from db.queue import QUEUES
from services.command.place import Place
from services.command.queue import FAILED, RETRY, Choice, list_queue, retry, show_queue, show_retried
from services.kit.errors import RequestError
from services.kit.settings import Settings

SHA = "0" * 64
SENTENCE = "The PDF is cut off."


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)


def file(db: psycopg.Connection, path: str, status: str = "failed", code: str | None = "corrupt", **more: Any) -> int:
    """Put a row into the inbox that ended, or did not."""
    ended = status in ("failed", "completed", "skipped")
    values = {"path": path, "status": status, "error_code": code, "error_message": SENTENCE} | more
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    found = db.execute(
        f"INSERT INTO inbox ({names}, completed_at) VALUES ({places}, {'clock_timestamp()' if ended else 'NULL'}) "
        "RETURNING id",
        [*values.values()],
    ).fetchone()
    assert found is not None
    return int(found[0])


def failed_job(db: psycopg.Connection, stage: str = "classify", title: str = "점검 지침") -> int:
    db.execute(
        "INSERT INTO documents (id, title, filename, media_type, sha256, size_bytes) "
        "VALUES (7, %s, '지침.pdf', 'application/pdf', %s, 1) ON CONFLICT DO NOTHING",
        [title, SHA],
    )
    found = db.execute(
        "INSERT INTO document_jobs (document_id, stage, status, error_code, error_message, completed_at) "
        "VALUES (7, %s, 'failed', 'llm_timeout', 'It took too long.', clock_timestamp()) RETURNING id",
        [stage],
    ).fetchone()
    assert found is not None
    return int(found[0])


def upload(db: psycopg.Connection, content: bytes, status: str = "failed", document_id: int | None = None) -> int:
    return file(db, path=None, status=status, filename="a.pdf", content=content, document_id=document_id)  # type: ignore[arg-type]


def names(place: Place, **choice: str | None) -> list[str]:
    found = list_queue(place, choice.get("stage"), choice.get("code"))
    return [row.name for row in found.failed]


def waiting(db: psycopg.Connection) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT coalesce(path, filename), payload ->> 'retry_of' FROM inbox WHERE status = 'pending' ORDER BY id"
    ).fetchall()


# -- ls ----------------------------------------------------------------------------------------------------------------


def test_ls__names_files_and_titles_with_code_and_sentence_newest_first(place: Place, db: psycopg.Connection) -> None:
    first = file(db, "/a/첫째.pdf")
    job = failed_job(db)
    rows = list_queue(place, None, None).failed
    told = [(row.id, row.stage, row.name, row.filename, row.error_code, row.error_message) for row in rows]
    assert told == [
        (job, "classify", "점검 지침", "지침.pdf", "llm_timeout", "It took too long."),
        (first, "ingest", "/a/첫째.pdf", "첫째.pdf", "corrupt", SENTENCE),
    ]
    assert rows[0].document_id == 7


def test_ls__has_the_last_word_of_each_file_only(place: Place, db: psycopg.Connection) -> None:
    for path, later in [("/twice", "failed"), ("/well", "completed"), ("/again", "pending"), ("/gone", "skipped")]:
        file(db, path)
        file(db, path, later)
    assert names(place) == ["/twice"]


def test_ls__knows_an_upload_by_its_content(place: Place, db: psycopg.Connection) -> None:
    failed_job(db)
    db.execute("UPDATE documents SET sha256 = encode(sha256('good now'), 'hex')")
    db.execute("UPDATE document_jobs SET status = 'completed'")
    upload(db, b"bad")
    upload(db, b"bad")
    upload(db, b"good now")
    done = upload(db, b"good now", status="completed", document_id=7)
    db.execute("UPDATE inbox SET content = NULL WHERE id = %s", [done])
    assert [row.id for row in list_queue(place, None, None).failed] == [2]


def test_ls__leaves_out_stages_of_deleted_documents(place: Place, db: psycopg.Connection) -> None:
    failed_job(db)
    db.execute("UPDATE documents SET deleted_at = now()")
    assert names(place) == []


def test_ls__has_questions_and_digests_too(place: Place, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO asks (question, status, completed_at) VALUES ('왜?', 'failed', now())")
    db.execute("INSERT INTO digests (slot, status, completed_at) VALUES ('2026-01-01 12:00+00', 'failed', now())")
    assert [name[:10] for name in sorted(names(place))] == ["2026-01-01", "왜?"]
    retry(place, Choice())
    assert names(place) == []


def test_ls__has_the_analysis_of_questions_until_a_newer_one(place: Place, db: psycopg.Connection) -> None:
    for status in ("failed", "failed", "completed"):
        question = "둘째" if status == "completed" else "첫째"
        values = (question, status)
        db.execute("INSERT INTO query_analyses (question, status, completed_at) VALUES (%s, %s, now())", values)
    assert names(place) == ["첫째"]
    assert retry(place, Choice()).new["query_analyses"] == 1
    assert names(place) == []
    assert [row.stage for row in list_queue(place, None, None).active] == ["analyze"]


def test_ls__by_stage_and_by_code(place: Place, db: psycopg.Connection) -> None:
    file(db, "/a", code="corrupt")
    file(db, "/b", code="encrypted")
    failed_job(db, "classify")
    failed_job(db, "embed")
    assert names(place, code="encrypted") == ["/b"]
    assert names(place, stage="ingest") == ["/b", "/a"]
    assert [row.stage for row in list_queue(place, "embed", None).failed] == ["embed"]
    with pytest.raises(KeyError, match="There is no stage 'dream'"):
        list_queue(place, "dream", None)


def test_ls__marks_what_has_waited_for_ten_minutes(
    place: Place, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    file(db, "/old", "pending", code=None, created_at="2026-01-01 00:00+00")
    db.execute("INSERT INTO asks (question) VALUES ('why?')")
    found = list_queue(place, None, None)
    assert {row.stage: row.late for row in found.active} == {"ingest": True, "synthesis": False}
    show_queue(found)
    lines = capsys.readouterr().out.splitlines()
    assert [("late" in line) for line in lines if line.startswith(("ingest", "synthesis"))] == [True, False]


def test_ls__shows_names_as_they_are(place: Place, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    file(db, "/a/[red]bold[/red].pdf")
    show_queue(list_queue(place, None, None))
    assert "/a/[red]bold[/red].pdf" in capsys.readouterr().out


# -- retry -------------------------------------------------------------------------------------------------------------


def test_retry__of_nothing_in_particular_is_all_that_failed_and_not_what_succeeded_since(
    place: Place, db: psycopg.Connection
) -> None:
    file(db, "/a")
    file(db, "/well")
    file(db, "/well", "completed")
    job = failed_job(db)
    retried = retry(place, Choice())
    none = dict.fromkeys(QUEUES, 0)
    assert retried.as_json() == {**none, "inbox": 1, "document_jobs": 1, "left_out": []}
    assert waiting(db) == [("/a", "1")]
    again = db.execute("SELECT stage, payload ->> 'retry_of' FROM document_jobs WHERE status = 'pending'").fetchall()
    assert again == [("classify", str(job))]


def test_retry__makes_a_new_row_and_leaves_the_failed_one(place: Place, db: psycopg.Connection) -> None:
    file(db, "/a")
    before = db.execute("SELECT * FROM inbox WHERE id = 1").fetchone()
    assert retry(place, Choice(everything=True)).new["inbox"] == 1
    assert db.execute("SELECT * FROM inbox WHERE id = 1").fetchone() == before
    twice = retry(place, Choice(everything=True))
    assert (twice.new["inbox"], [row.why for row in twice.left_out]) == (0, ["is in the queue again already, as row 2"])


def test_retry__of_an_upload_has_its_content_and_is_made_once(place: Place, db: psycopg.Connection) -> None:
    upload(db, b"bad")
    assert retry(place, Choice()).new["inbox"] == 1
    assert retry(place, Choice()).new["inbox"] == 0
    assert db.execute("SELECT content FROM inbox WHERE status = 'pending'").fetchall() == [(b"bad",)]


MAC = normalize("NFD", "지침 1.pdf")
"""As macOS gives names: 한글 with its letters apart."""


@pytest.mark.parametrize("pattern", ["지침 1.pdf", "/srv/문서/지침 1.pdf", "/srv/*/지침 1.pdf", "지침*.pdf", MAC])
def test_retry__by_file_takes_a_name_a_path_or_a_glob(pattern: str, place: Place, db: psycopg.Connection) -> None:
    file(db, "/srv/문서/지침 1.pdf")
    file(db, "/srv/문서/다른 것.pdf")
    retried = retry(place, Choice(files=(pattern,)))
    assert retried.left_out == []
    assert waiting(db) == [("/srv/문서/지침 1.pdf", "1")]


def test_retry__by_file_finds_the_stages_of_a_document(place: Place, db: psycopg.Connection) -> None:
    failed_job(db, "classify")
    failed_job(db, "embed")
    assert retry(place, Choice(files=("지침.pdf",), stage="embed")).new["document_jobs"] == 1
    assert retry(place, Choice(files=("점검*",))).new["document_jobs"] == 1


def test_retry__by_code_and_by_id(place: Place, db: psycopg.Connection) -> None:
    for path, code in [("/a", "corrupt"), ("/b", "encrypted"), ("/c", "corrupt")]:
        file(db, path, code=code)
    assert retry(place, Choice(code="encrypted")).new["inbox"] == 1
    assert retry(place, Choice(ids=(3,))).new["inbox"] == 1
    assert waiting(db) == [("/b", "2"), ("/c", "3")]


def test_retry__says_of_each_row_that_was_named_why_it_is_left_out(
    place: Place, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, later in [("/twice", "failed"), ("/well", "completed"), ("/again", "pending"), ("/gone", "skipped")]:
        file(db, path)
        file(db, path, later)
    retried = retry(place, Choice(ids=(1, 3, 4, 5, 7, 99), files=("/*",)))
    assert {row.id: row.why for row in retried.left_out} == {
        1: "failed again since: its newest try is row 2",
        3: "has succeeded since, as row 4",
        4: "is completed: only failed rows are tried again",
        5: "is in the queue again already, as row 6",
        7: "was skipped since, as row 8: there was nothing to do",
        99: "is no row that failed and was chosen: see `seodang queue ls`",
    }
    assert retried.in_vain
    show_retried(retried)
    assert "ingest 3 /well: has succeeded since, as row 4." in capsys.readouterr().out
    nothing = retry(place, Choice(files=("*.xyz",)))
    assert [(row.name, row.why) for row in nothing.left_out] == [
        ("*.xyz", "names nothing that failed: see `seodang queue ls`")
    ]


def test_retry__of_everything_and_only_some_is_wrong_use(place: Place) -> None:
    with pytest.raises(RequestError, match="--all goes with --stage at most"):
        retry(place, Choice(everything=True, code="corrupt"))


def test_commands__know_every_queue() -> None:
    assert set(FAILED) == set(RETRY) == set(QUEUES)


@pytest.mark.slow
def test_commands__take_seconds_for_ten_thousand_failures(place: Place, db: psycopg.Connection) -> None:
    """Without statistics: a plan that compares each failed row with each other took minutes."""
    for table in ("inbox", "asks"):
        db.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    db.execute("INSERT INTO inbox (path, status, completed_at) SELECT '/' || n, 'failed', now() "
               "FROM generate_series(1, 10000) AS n")  # fmt: skip
    db.execute("INSERT INTO asks (question, status, completed_at) SELECT 'q', 'failed', now() "
               "FROM generate_series(1, 10000)")  # fmt: skip
    place.db.connection.execute("SET statement_timeout = '20s'")
    assert len(list_queue(place, None, None).failed) == 20_000
    none = dict.fromkeys(QUEUES, 0)
    assert retry(place, Choice()).new == {**none, "inbox": 10_000, "asks": 10_000}
    assert retry(place, Choice()).new == none
    assert list_queue(place, None, None).failed == []
