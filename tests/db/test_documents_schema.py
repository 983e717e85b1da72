"""The tables of documents: term counts that follow every change, one view to search, deletion in one piece."""

import anyio
import psycopg
import pytest
from psycopg import errors

from db.errors import Conflict
from db.locks import SEODANG, Lock
from db.pool import Database
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

CHUNKS = 0
"""The term under which chunks themselves are counted."""


@pytest.fixture
def document(db: psycopg.Connection) -> int:
    """A document with everything a document can have."""
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes, extracted_text, ai_summary) "
        "VALUES ('a', 'a.txt', 'text/plain', %s, 1, 'words', 'short')",
        ["a" * 64],
    )
    db.execute("INSERT INTO document_pages (document_id, version, number, label, text) VALUES (1, 1, 1, '1', 'words')")
    db.execute("INSERT INTO document_files (path, document_id, size_bytes, modified_ns) VALUES ('/a.txt', 1, 1, 1)")
    db.execute("INSERT INTO stored_files (sha256, content) VALUES (%s, 'words')", ["a" * 64])
    return 1


def add_chunks(db: psycopg.Connection, *terms: list[int], first: int = 0, in_corpus: bool = True) -> None:
    for index, each in enumerate(terms, first):
        db.execute(
            "INSERT INTO chunks (document_id, chunk_index, text, terms, in_corpus) VALUES (1, %s, 'x', %s, %s)",
            [index, each, in_corpus],
        )


def counted(db: psycopg.Connection) -> dict[int, int]:
    """Fold, and give the counts that are not zero."""
    db.execute("SELECT fold_term_stats()")
    return dict(db.execute("SELECT term, docs FROM term_stats WHERE docs <> 0").fetchall())


@pytest.mark.usefixtures("document")
def test_term_stats__follow_insert_update_and_delete(db: psycopg.Connection) -> None:
    add_chunks(db, [7, 8], [8, 9])
    assert counted(db) == {CHUNKS: 2, 7: 1, 8: 2, 9: 1}
    db.execute("UPDATE chunks SET terms = '{9}' WHERE chunk_index = 0")
    assert counted(db) == {CHUNKS: 2, 8: 1, 9: 2}
    db.execute("DELETE FROM chunks WHERE chunk_index = 1")
    assert counted(db) == {CHUNKS: 1, 9: 1}
    db.execute("DELETE FROM chunks")
    assert counted(db) == {}


@pytest.mark.usefixtures("document")
def test_term_stats__do_not_count_what_is_not_in_the_corpus(db: psycopg.Connection) -> None:
    add_chunks(db, [7])
    add_chunks(db, [7], first=1, in_corpus=False)
    assert counted(db) == {CHUNKS: 1, 7: 1}
    db.execute("UPDATE chunks SET in_corpus = NOT in_corpus")
    assert counted(db) == {CHUNKS: 1, 7: 1}
    db.execute("UPDATE chunks SET in_corpus = false")
    assert counted(db) == {}


@pytest.mark.usefixtures("document")
def test_term_stats__count_nothing_of_a_transaction_that_is_rolled_back(db: psycopg.Connection) -> None:
    with db.transaction(force_rollback=True):
        add_chunks(db, [7])
    assert counted(db) == {}


@pytest.mark.usefixtures("document")
def test_fold__empties_the_deltas_and_can_be_repeated(db: psycopg.Connection) -> None:
    add_chunks(db, [7], [8])
    assert db.execute("SELECT fold_term_stats()").fetchone() == (2,)
    assert db.execute("SELECT fold_term_stats()").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM term_deltas").fetchone() == (0,)


@pytest.mark.usefixtures("document")
def test_fold__leaves_at_once_when_another_folds(db: psycopg.Connection, dsn: str) -> None:
    add_chunks(db, [7])
    with psycopg.connect(dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SEODANG, Lock.STATISTICS])
        assert db.execute("SELECT fold_term_stats()").fetchone() == (0,)
    assert counted(db) == {CHUNKS: 1, 7: 1}


@pytest.mark.usefixtures("document")
def test_writers_of_chunks__do_not_wait_for_one_another(db: psycopg.Connection, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("INSERT INTO chunks (document_id, chunk_index, text, terms) VALUES (1, 5, 'x', '{7}')")
        db.execute("SET lock_timeout = '1s'")
        add_chunks(db, [7])
        other.commit()
    assert counted(db) == {CHUNKS: 2, 7: 2}


@pytest.mark.usefixtures("document")
def test_corpus_chunks__hides_what_is_not_in_the_corpus(db: psycopg.Connection) -> None:
    add_chunks(db, [7])
    add_chunks(db, [7], first=1, in_corpus=False)
    assert db.execute("SELECT chunk_index FROM corpus_chunks").fetchall() == [(0,)]


@pytest.mark.usefixtures("document")
def test_chunks__of_an_old_insert_path_get_the_defaults(db: psycopg.Connection) -> None:
    db.execute("INSERT INTO chunks (document_id, chunk_index, text) VALUES (1, 0, 'x')")
    found = db.execute("SELECT in_corpus, is_leaf, parent_id, level, node_type FROM chunks").fetchone()
    assert found == (True, False, None, 0, "chunk")


@pytest.mark.usefixtures("document")
def test_chunks__refuse_a_place_that_is_taken_and_a_span_that_runs_back(db: psycopg.Connection) -> None:
    add_chunks(db, [7])
    with pytest.raises(errors.UniqueViolation, match="chunks_once"):
        add_chunks(db, [8])
    with pytest.raises(errors.CheckViolation, match="chunks_span_in_order"):
        db.execute("INSERT INTO chunks (document_id, chunk_index, text, start_char) VALUES (1, 9, 'x', 2)")


# -- deletion ----------------------------------------------------------------------------------------------------------

TRACES = """
    SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM document_pages), (SELECT count(*) FROM document_files),
           (SELECT count(*) FROM stored_files), (SELECT count(*) FROM documents WHERE deleted_at IS NULL)"""


async def test_delete_document__takes_its_chunks_in_one_transaction_and_keeps_what_can_be_restored(
    pool: Database, db: psycopg.Connection, dsn: str, document: int
) -> None:
    add_chunks(db, [7], [8])
    with psycopg.connect(dsn) as deleting:
        assert deleting.execute("SELECT delete_document(1)").fetchone() == (True,)
        assert db.execute(TRACES).fetchone() == (2, 1, 1, 1, 1)
        deleting.commit()
    assert db.execute(TRACES).fetchone() == (0, 1, 1, 1, 0)
    assert counted(db) == {}
    assert await pool.value("delete_document", id=document) is False


async def test_delete_document__says_false_where_there_is_none(pool: Database) -> None:
    assert await pool.value("delete_document", id=404) is False


async def test_delete_document__keeps_content_that_another_owner_has(
    pool: Database, db: psycopg.Connection, document: int
) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'guest')")
    db.execute(
        "INSERT INTO documents (user_id, title, filename, media_type, sha256, size_bytes) "
        "VALUES (2, 'a', 'a.txt', 'text/plain', %s, 1)",
        ["a" * 64],
    )
    assert await pool.value("delete_document", id=document) is True
    assert db.execute("SELECT count(*) FROM stored_files").fetchone() == (1,)


async def test_forget_path__deletes_the_document_that_lies_nowhere_else(
    pool: Database, db: psycopg.Connection, document: int
) -> None:
    db.execute("DELETE FROM stored_files")
    db.execute("INSERT INTO document_files (path, document_id, size_bytes, modified_ns) VALUES ('/b.txt', 1, 1, 1)")
    await pool.value("forget_path", path="/a.txt")
    assert db.execute("SELECT deleted_at IS NULL FROM documents").fetchone() == (True,)
    await pool.value("forget_path", path="/b.txt")
    assert db.execute("SELECT deleted_at IS NULL FROM documents WHERE id = %s", [document]).fetchone() == (False,)


async def test_forget_path__keeps_what_was_uploaded_too(pool: Database, db: psycopg.Connection, document: int) -> None:
    await pool.value("forget_path", path="/a.txt")
    found = db.execute("SELECT deleted_at IS NULL FROM documents WHERE id = %s", [document]).fetchone()
    assert found == (True,)
    assert db.execute("SELECT count(*) FROM document_files").fetchone() == (0,)


async def test_moved_file__keeps_its_document_while_the_old_place_is_forgotten(
    pool: Database, db: psycopg.Connection, document: int
) -> None:
    db.execute("DELETE FROM stored_files")
    forgotten: list[bool] = []

    async def forget() -> None:
        forgotten.append(await pool.value("forget_path", path="/a.txt"))

    async with anyio.create_task_group() as tasks, pool.session() as reader, reader.transaction():
        await reader.none("hold_document", id=document)
        place = {"path": "/b.txt", "size_bytes": 1, "modified_ns": 1, "filename": "b.txt"}
        await reader.none("point_path", document_id=document, **place)
        tasks.start_soon(forget)
        await eventually(lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
    assert forgotten == [False]
    assert db.execute("SELECT path FROM document_files").fetchall() == [("/b.txt",)]
    assert db.execute("SELECT deleted_at FROM documents").fetchone() == (None,)


async def test_hold_document__of_one_that_was_deleted_meanwhile_is_a_lost_race(
    pool: Database, db: psycopg.Connection, document: int
) -> None:
    await pool.value("delete_document", id=document)
    with pytest.raises(Conflict, match="deleted meanwhile"):
        await pool.none("hold_document", id=document)


def test_documents__of_the_same_content_are_one_for_each_owner(db: psycopg.Connection, document: int) -> None:
    again = (
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes) "
        "SELECT title, filename, media_type, sha256, size_bytes FROM documents WHERE id = %s"
    )
    with pytest.raises(errors.UniqueViolation, match="documents_same_content"):
        db.execute(again, [document])
    db.execute("SELECT delete_document(1)")
    db.execute(again, [document])
