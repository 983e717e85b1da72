"""The life of a document in the database: deletion, restoration, purge, a person's fields, the versions of a law."""

from datetime import UTC, date, datetime

import anyio
import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from db.errors import Conflict
from db.life_rows import DeletedDocument, LawStatus, Restored
from db.pool import Database
from db.rows import DocumentRow, KnownFile
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

JOBS = "SELECT stage, status FROM document_jobs WHERE document_id = %s AND status = 'pending' ORDER BY stage"


def add(db: psycopg.Connection, content: str = "a", **columns: object) -> int:
    """Write a document with a page, a chunk and an upload; gives its number."""
    sha256 = content * 64
    fields = {"title": "글", "filename": "글.txt", "media_type": "text/plain", "sha256": sha256, "size_bytes": 1,
              "page_count": 1, "pages_version": 1, "corpus_version": 1, "extracted_text": "words",
              "ai_summary": "short", **columns}  # fmt: skip
    names, marks = ", ".join(fields), ", ".join(["%s"] * len(fields))
    row = db.execute(f"INSERT INTO documents ({names}) VALUES ({marks}) RETURNING id", [*fields.values()]).fetchone()
    number = int(row[0])  # type: ignore[index]
    db.execute(
        "INSERT INTO document_pages (document_id, version, number, label, text) VALUES (%s, 1, 1, '1', 'words')",
        [number],
    )
    db.execute("INSERT INTO chunks (document_id, chunk_index, text, terms) VALUES (%s, 0, 'x', '{7}')", [number])
    db.execute("INSERT INTO stored_files (sha256, content) VALUES (%s, 'words') ON CONFLICT DO NOTHING", [sha256])
    return number


def lay(db: psycopg.Connection, number: int, path: str, name: str | None = None) -> None:
    """Note a file of a document."""
    db.execute(
        "INSERT INTO document_files (path, document_id, size_bytes, modified_ns, filename) VALUES (%s, %s, 1, 2, %s)",
        [path, number, name],
    )


def one(db: psycopg.Connection, statement: str, *values: object) -> tuple[object, ...]:
    row = db.execute(statement, values).fetchone()
    assert row is not None
    return tuple(row)


# -- deletion and restoration ------------------------------------------------------------------------------------------


async def test_delete__says_why_and_lists_it_among_the_deleted_only(pool: Database, db: psycopg.Connection) -> None:
    mine, gone = add(db), add(db, "b")
    assert await pool.value("delete_document", id=mine) is True
    assert await pool.value("let_go_document", id=gone) is True
    rows = await pool.many(
        DeletedDocument, "list_deleted_documents",
        user_id=1, material_type=None, collection=None, before=None, most=9,
    )  # fmt: skip
    assert [(row.id, row.deleted_why) for row in rows] == [(gone, "file_gone"), (mine, "user")]
    assert await pool.one(DocumentRow, "document", id=mine) is None
    assert await pool.one(DeletedDocument, "deleted_document", id=mine) == rows[1]


async def test_restore__brings_text_and_summary_back_and_embeds(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    await pool.value("delete_document", id=number)
    assert one(db, "SELECT count(*) FROM chunks") == (0,)
    assert await pool.one(Restored, "restore_document", id=number) == Restored(number, "restored")
    found = await pool.one(DocumentRow, "document", id=number)
    assert found is not None
    assert (found.ai_summary, found.corpus_version, found.pages_version) == ("short", 0, 1)
    assert one(db, "SELECT deleted_why, extracted_text FROM documents") == (None, "words")
    assert db.execute(JOBS, [number]).fetchall() == [("embed", "pending")]
    assert await pool.one(Restored, "restore_document", id=number) == Restored(number, "alive")


async def test_restore__repeats_the_stages_that_were_skipped_meanwhile(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    for stage, code in (("ocr", "document_deleted"), ("classify", None), ("embed", "document_deleted")):
        db.execute(
            "INSERT INTO document_jobs (document_id, stage, status, completed_at, error_code) "
            "VALUES (%s, %s, 'skipped', now(), %s)",
            [number, stage, code],
        )
    await pool.value("delete_document", id=number)
    await pool.one(Restored, "restore_document", id=number)
    assert db.execute(JOBS, [number]).fetchall() == [("embed", "pending"), ("ocr", "pending")]


async def test_restore__names_the_document_that_has_the_content_now(pool: Database, db: psycopg.Connection) -> None:
    former = add(db)
    await pool.value("delete_document", id=former)
    present = add(db)
    assert await pool.one(Restored, "restore_document", id=former) == Restored(present, "content_elsewhere")
    assert db.execute(JOBS, [former]).fetchall() == []


async def test_restore__loses_to_the_same_content_that_comes_at_the_same_moment(
    pool: Database, db: psycopg.Connection, dsn: str
) -> None:
    former = add(db)
    await pool.value("delete_document", id=former)
    found: list[Restored | None] = []

    async def restore() -> None:
        found.append(await pool.one(Restored, "restore_document", id=former))

    with psycopg.connect(dsn) as other:
        present = add(other)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(restore)
            await eventually(lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            other.commit()
    assert found == [Restored(present, "content_elsewhere")]


async def test_restore__of_what_kept_no_text_says_so(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    await pool.value("delete_document", id=number)
    db.execute("DELETE FROM document_pages")
    assert await pool.one(Restored, "restore_document", id=number) == Restored(number, "nothing_kept")
    assert await pool.one(Restored, "restore_document", id=404) is None


async def test_delete_restore_and_purge__take_a_number_told_before_the_content_was_known(
    pool: Database, db: psycopg.Connection
) -> None:
    number = add(db)
    db.execute("INSERT INTO document_aliases (id, document_id) VALUES (77, %s)", [number])
    assert await pool.value("delete_document", id=77) is True
    assert await pool.one(Restored, "restore_document", id=77) == Restored(number, "restored")
    assert await pool.value("purge_document", id=77) is True
    assert one(db, "SELECT count(*) FROM document_aliases") == (0,)


async def test_hold_deleted__of_one_that_was_restored_meanwhile_is_a_lost_race(
    pool: Database, db: psycopg.Connection
) -> None:
    number = add(db)
    await pool.value("delete_document", id=number)
    await pool.none("hold_deleted_document", id=number)
    await pool.one(Restored, "restore_document", id=number)
    with pytest.raises(Conflict, match="restored or purged meanwhile"):
        await pool.none("hold_deleted_document", id=number)


async def test_embed_if_alive__enqueues_a_living_document_once(pool: Database, db: psycopg.Connection) -> None:
    living, deleted = add(db), add(db, "b")
    await pool.value("delete_document", id=deleted)
    for number in (living, living, deleted):
        await pool.none("embed_if_alive", id=number)
    assert db.execute("SELECT document_id, stage FROM document_jobs").fetchall() == [(living, "embed")]


@pytest.mark.parametrize("verb", ["restore_document", "purge_document", "set_document_fields"])
async def test_verbs__wait_for_the_end_of_a_job_and_not_in_a_circle(
    verb: str, pool: Database, db: psycopg.Connection, dsn: str
) -> None:
    """Whoever ends a job takes its row first and the document after it."""
    number = add(db)
    if verb == "restore_document":
        await pool.value("delete_document", id=number)
    db.execute(
        "INSERT INTO document_jobs (document_id, stage, status, started_at, worker) "
        "VALUES (%s, 'embed', 'processing', now(), 1)",
        [number],
    )

    async def act() -> None:
        values = {"fields": {"title": "다른 이름"}} if verb == "set_document_fields" else {}
        await pool.value(verb, id=number, **values)

    with psycopg.connect(dsn) as ending:
        ending.execute("UPDATE document_jobs SET status = 'completed', completed_at = now()")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(act)
            await eventually(lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            ending.execute("SELECT id FROM documents FOR UPDATE")
            ending.commit()
    pending = db.execute(JOBS, [number]).fetchall()
    assert pending == ([] if verb == "purge_document" else [("embed", "pending")])


# -- purge -------------------------------------------------------------------------------------------------------------


async def test_purge__leaves_nothing_of_a_document(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    lay(db, number, "/watched/a.txt")
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (%s, 'classify')", [number])
    assert await pool.value("purge_document", id=number) is True
    for table in ("documents", "document_pages", "chunks", "document_files", "document_jobs", "stored_files"):
        assert one(db, f"SELECT count(*) FROM {table}") == (0,), table
    assert await pool.value("purge_document", id=number) is False


async def test_purge__keeps_content_that_another_document_has(pool: Database, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'guest')")
    mine = add(db)
    add(db, user_id=2)
    assert await pool.value("purge_document", id=mine) is True
    assert one(db, "SELECT count(*) FROM stored_files") == (1,)


async def test_purge_expired__takes_the_oldest_that_were_deleted_long_enough_ago(
    pool: Database, db: psycopg.Connection
) -> None:
    numbers = [add(db, content) for content in "abcd"]
    for days, number in zip((50, 40, 31, 29), numbers, strict=True):
        db.execute("SELECT delete_document(%s)", [number])
        db.execute("UPDATE documents SET deleted_at = now() - make_interval(days => %s) WHERE id = %s", [days, number])
    assert await pool.value("purge_expired", days=30, most=2) == 2
    assert db.execute("SELECT id FROM documents ORDER BY id").fetchall() == [(numbers[2],), (numbers[3],)]
    assert await pool.value("purge_expired", days=30, most=2) == 1
    assert await pool.value("purge_expired", days=30, most=2) == 0


async def test_purge_expired__does_not_wait_for_one_that_is_being_restored(
    pool: Database, db: psycopg.Connection, dsn: str
) -> None:
    number = add(db)
    db.execute("SELECT delete_document(%s)", [number])
    db.execute("UPDATE documents SET deleted_at = now() - interval '40 days'")
    with psycopg.connect(dsn) as restoring:
        restoring.execute("SELECT restore_document(%s)", [number])
        assert await pool.value("purge_expired", days=30, most=9) == 0
        restoring.commit()
    assert await pool.value("purge_expired", days=30, most=9) == 0


# -- places ------------------------------------------------------------------------------------------------------------


async def test_known_files__have_those_of_deleted_and_purged_documents(pool: Database, db: psycopg.Connection) -> None:
    for content, path in zip("abc", ("/w/a.txt", "/w/b.txt", "/w/c.txt"), strict=True):
        lay(db, add(db, content), path)
    await pool.value("delete_document", id=1)
    await pool.value("purge_document", id=2)
    known = await pool.many(KnownFile, "known_files", prefix="/w/")
    assert sorted(row.path for row in known) == ["/w/a.txt", "/w/b.txt", "/w/c.txt"]
    for path in ("/w/a.txt", "/w/b.txt"):
        assert await pool.value("forget_path", path=path) is False
    assert [row.path for row in await pool.many(KnownFile, "known_files", prefix="/w/")] == ["/w/c.txt"]
    assert one(db, "SELECT deleted_why FROM documents WHERE id = 1") == ("user",)


@pytest.mark.parametrize(("verb", "count"), [("delete_document", 0), ("purge_document", 0), ("nothing", 1)])
async def test_withdraw__takes_back_what_a_person_deleted_or_purged(
    verb: str, count: int, pool: Database, db: psycopg.Connection
) -> None:
    number, seen = add(db), {"path": "/w/a.txt", "size_bytes": 1, "modified_ns": 2}
    if verb != "nothing":
        lay(db, number, "/w/a.txt")
        await pool.value(verb, id=number)
    offered = await pool.value("offer_file", user_id=1, **seen)
    await pool.value("withdraw_known_file", id=offered, **seen)
    assert one(db, "SELECT count(*) FROM inbox") == (count,)


async def test_point_path__ends_the_memory_of_a_purged_file(pool: Database, db: psycopg.Connection) -> None:
    lay(db, add(db), "/w/a.txt")
    await pool.value("purge_document", id=1)
    place = {"path": "/w/a.txt", "size_bytes": 3, "modified_ns": 4, "filename": "a.txt"}
    await pool.none("point_path", document_id=add(db, "b"), **place)
    assert one(db, "SELECT count(*) FROM ignored_files") == (0,)


async def test_forget_path__names_a_document_after_the_place_it_has_now(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    lay(db, number, "/w/글.txt", "글.txt")
    lay(db, number, "/w/new/다른 글.txt", "다른 글.txt")
    assert await pool.value("forget_path", path="/w/글.txt") is False
    assert one(db, "SELECT filename, title FROM documents") == ("다른 글.txt", "다른 글")
    assert db.execute(JOBS, [number]).fetchall() == [("embed", "pending")]  # chunks carry words of the title


async def test_forget_path__keeps_a_title_that_is_not_the_files_name(pool: Database, db: psycopg.Connection) -> None:
    own, set_ = add(db, title="머리말의 제목"), add(db, "b", person_set=["title"])
    for number, folder in ((own, "/o"), (set_, "/s")):
        lay(db, number, f"{folder}/글.txt", "글.txt")
        lay(db, number, f"{folder}/b.txt")  # noted before names were
        await pool.value("forget_path", path=f"{folder}/글.txt")
    assert db.execute("SELECT filename, title FROM documents ORDER BY id").fetchall() == [
        ("b.txt", "머리말의 제목"),
        ("b.txt", "글"),
    ]
    assert one(db, "SELECT count(*) FROM document_jobs") == (0,)


async def test_forget_path__of_another_copy_changes_no_name(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    lay(db, number, "/w/글.txt", "글.txt")
    lay(db, number, "/w/copy.txt", "copy.txt")
    await pool.value("forget_path", path="/w/copy.txt")
    assert one(db, "SELECT filename, title FROM documents") == ("글.txt", "글")


# -- fields ------------------------------------------------------------------------------------------------------------


async def test_set_fields__writes_marks_and_clears(pool: Database, db: psycopg.Connection) -> None:
    number = add(db, material_type="note", extract_meta=Jsonb({"license": {"restricted": True}, "pages": 3}))
    said = {"title": "새 제목", "collection": "법", "material_type": "law", "jurisdiction": "KR",
            "published_date": "2024-01-02", "license": {"name": "kogl", "restricted": False},
            "series": "안전법", "effective_date": "2024-03-01"}  # fmt: skip
    assert await pool.value("set_document_fields", id=number, fields=said) == number
    row = await pool.one(DocumentRow, "document", id=number)
    assert row is not None
    shown = {name: getattr(row, name) for name in said if name != "license"}
    dates = {"published_date": date(2024, 1, 2), "effective_date": date(2024, 3, 1)}
    assert shown == {name: value for name, value in (said | dates).items() if name != "license"}
    assert row.extract_meta == {"license": {"name": "kogl", "restricted": False}, "pages": 3}
    assert one(db, "SELECT person_set FROM documents") == (sorted(said),)
    assert db.execute(JOBS, [number]).fetchall() == [("embed", "pending")]  # chunks carry words of the title
    await pool.value("set_document_fields", id=number, fields=dict.fromkeys(said))
    cleared = await pool.one(DocumentRow, "document", id=number)
    assert cleared is not None
    assert (cleared.title, cleared.collection, cleared.material_type) == ("글", "default", None)
    assert (cleared.published_date, cleared.series, cleared.extract_meta) == (None, None, {"pages": 3})
    assert one(db, "SELECT person_set FROM documents") == ([],)
    again = one(db, "SELECT status, payload FROM document_jobs WHERE stage = 'classify'")
    assert again == ("pending", {"again": True})


async def test_set_fields__changes_only_what_is_named(pool: Database, db: psycopg.Connection) -> None:
    number = add(db, material_type="law", series="안전법")
    await pool.value("set_document_fields", id=number, fields={"jurisdiction": "KR"})
    found = one(db, "SELECT title, material_type, jurisdiction, series, person_set FROM documents")
    assert found == ("글", "law", "KR", "안전법", ["jurisdiction"])
    assert one(db, "SELECT count(*) FROM document_jobs") == (0,)


async def test_set_fields__tells_a_job_that_runs_to_follow_itself(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    db.execute(
        "INSERT INTO document_jobs (document_id, stage, status, started_at, worker) "
        "VALUES (%s, 'embed', 'processing', now(), 1)",
        [number],
    )
    await pool.value("set_document_fields", id=number, fields={"title": "다른 이름"})
    assert one(db, "SELECT status, payload FROM document_jobs") == ("processing", {"pages_changed": True})


async def test_set_fields__of_none_alive_is_none(pool: Database, db: psycopg.Connection) -> None:
    number = add(db)
    await pool.value("delete_document", id=number)
    assert await pool.value("set_document_fields", id=number, fields={"title": "x"}) is None
    assert await pool.value("set_document_fields", id=404, fields={"title": "x"}) is None


def test_set_fields__refuses_a_field_that_is_not_a_persons(db: psycopg.Connection) -> None:
    number = add(db)
    with pytest.raises(errors.CheckViolation, match="may not set"):
        db.execute('SELECT set_document_fields(%s, \'{"sha256": "0"}\')', [number])


# -- the versions of a law ---------------------------------------------------------------------------------------------


def law(
    db: psycopg.Connection, content: str, effective: str | None, series: str | None = "안전법", **more: object
) -> int:
    return add(db, content, material_type="law", series=series, effective_date=effective, **more)


async def statuses(pool: Database, now: datetime, *numbers: int) -> list[str | None]:
    rows = await pool.many(LawStatus, "law_statuses", ids=list(numbers), now=now)
    found = {row.document_id: row.version_status for row in rows}
    return [found.get(number) for number in numbers]


def noon(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)


async def test_law_status__follows_the_day(pool: Database, db: psycopg.Connection) -> None:
    old, present, coming = law(db, "a", "2022-01-01"), law(db, "b", "2024-01-01"), law(db, "c", "2026-01-01")
    expected = {
        "2021-06-01": ["future", "future", "future"],
        "2023-06-01": ["current", "future", "future"],
        "2024-01-01": ["superseded", "current", "future"],
        "2025-12-31": ["superseded", "current", "future"],
        "2026-01-01": ["superseded", "superseded", "current"],
    }
    for day, said in expected.items():
        assert await statuses(pool, noon(day), old, present, coming) == said, day


async def test_law_status__begins_at_midnight_of_the_databases_clock(dsn: str, db: psycopg.Connection) -> None:
    number = law(db, "a", "2024-01-01")
    asked = "SELECT law_version_status(1, 'law', '안전법', effective_date, %s::timestamptz::date) FROM documents"
    db.execute("SET TimeZone = 'Asia/Seoul'")
    assert one(db, asked, "2023-12-31 23:59:59+09") == ("future",)
    assert one(db, asked, "2024-01-01 00:00:00+09") == ("current",)
    assert number


async def test_law_status__compares_versions_of_one_law_and_owner_that_are_alive(
    pool: Database, db: psycopg.Connection
) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'guest')")
    mine = law(db, "a", "2022-01-01")
    law(db, "b", "2024-01-01", series="다른 법")
    law(db, "c", "2024-01-01", user_id=2)
    add(db, "d", series="안전법", effective_date="2024-01-01", material_type="manual")
    law(db, "e", None)
    newer = law(db, "f", "2023-01-01")
    assert await statuses(pool, noon("2025-01-01"), mine) == ["superseded"]
    await pool.value("delete_document", id=newer)
    assert await statuses(pool, noon("2025-01-01"), mine) == ["current"]


async def test_law_status__of_what_is_not_known_is_none(pool: Database, db: psycopg.Connection) -> None:
    undated, alone = law(db, "a", None), law(db, "b", "2020-01-01", series=None)
    manual = add(db, "c", effective_date="2020-01-01")
    same_day = [law(db, content, "2021-05-05", series="둘") for content in "de"]
    assert await statuses(pool, noon("2025-01-01"), undated, alone, manual) == [None, "current", None]
    assert await statuses(pool, noon("2025-01-01"), *same_day) == ["current", "current"]
    shown = db.execute("SELECT document_id, version_status FROM law_versions ORDER BY document_id").fetchall()
    assert shown == [(undated, None), (alone, "current"), *((number, "current") for number in same_day)]


async def test_note_law_version__fills_what_is_empty_of_a_law(pool: Database, db: psycopg.Connection) -> None:
    empty, filled, manual = law(db, "a", None, series=None), law(db, "b", "2020-01-01"), add(db, "c")
    for number in (empty, filled, manual):
        values = {"series": "새 법", "effective_date": date(2024, 1, 1), "number": "법률 제1호"}
        await pool.none("note_law_version", id=number, **values)
    found = db.execute("SELECT series, effective_date, extract_meta ->> 'law_number' FROM documents ORDER BY id")
    assert found.fetchall() == [
        ("새 법", date(2024, 1, 1), "법률 제1호"),
        ("안전법", date(2020, 1, 1), "법률 제1호"),
        (None, None, None),
    ]
