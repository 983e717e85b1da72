"""Vectors beside the corridor: made in bounded portions, and changed from one embedder to the next without a gap."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import psycopg
import pytest
from psycopg import errors

from services.document import vectors
from services.kit.document_settings import EmbedSettings
from services.kit.model_settings import CallSettings
from services.kit.settings import Settings, load_settings
from services.search.serving import serving_embedder
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_ingest import upload

pytestmark = pytest.mark.anyio

JOBS = "SELECT status, error_code, attempts, urgency FROM document_jobs WHERE stage = 'vectors' ORDER BY id"
GENERATIONS = "SELECT id, label, dim, state FROM embedders ORDER BY id"
BY_EMBEDDER = "SELECT embedder, count(*) FROM chunk_vectors GROUP BY embedder ORDER BY embedder"
UPKEEP = ("SELECT serve_whole_embedder()", "SELECT clear_retired_embedder(2)")
Opened = Callable[..., Awaitable[Tools]]


class Flat:
    """An embedder of a test: `dim` numbers for each text, the same for the same text."""

    def __init__(self, label: str, dim: int = 4) -> None:
        self.label, self.dim = label, dim
        self.asked: list[str] = []

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        return [[1.0 / (1 + len(text) + place) for place in range(self.dim)] for text in texts]


def using(tools: Tools, embedder: Flat | None, at_once: int = 512) -> Tools:
    settings = tools.settings.model_copy(update={"embed": EmbedSettings(vectors_at_once=at_once)})
    return replace(tools, embedder=embedder, settings=settings)


def texts_of(count: int, word: str = "word") -> bytes:
    """Write a file that becomes so many chunks."""
    return "\n\n".join(f"{word}{number} " + "and more words. " * 15 for number in range(count)).encode()


def states(db: psycopg.Connection) -> list[tuple[str, str]]:
    return [(row["label"], row["state"]) for row in all_rows(db, GENERATIONS)]


def counts(db: psycopg.Connection) -> list[tuple[int, int]]:
    return db.execute(BY_EMBEDDER).fetchall()


def keep_up(db: psycopg.Connection, times: int = 20) -> None:
    """Do what the daemon does every few seconds."""
    for _ in range(times):
        for statement in UPKEEP:
            db.execute(statement)


# -- a served embedder -------------------------------------------------------------------------------------------------


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        yield server


def served(settings: Settings, model: ModelServer) -> Settings:
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"embed": {"base_url": model.url, "model": "m"}},
        calls=CallSettings(embed_batch=4, attempts=1, backoff_s=0.01),
        embed=EmbedSettings(vectors_at_once=6),
    )


async def test_vectors__come_in_portions_and_requests_of_the_background(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> None:
    upload(db, "a.txt", texts_of(10))
    upload(db, "b.txt", b"one more")
    async with open_tools(served(settings, model), "tests") as tools:
        await drain("ingest", "embed", "vectors", with_tools=tools)
    assert {(call.kind, call.klass, call.role, call.label) for call in model.calls} == {
        ("embeddings", "background", "embed", "embed")
    }
    assert [len(call.body["input"]) for call in model.calls] == [4, 2, 4, 1]
    asked = [text for call in model.calls for text in call.body["input"]]
    assert sorted(asked) == sorted(chunk["text"] for chunk in all_rows(db, "SELECT text FROM corpus_chunks"))
    assert all_rows(db, GENERATIONS) == [{"id": 1, "label": "m", "dim": 64, "state": "serving"}]
    assert only(db, "SELECT count(*), count(DISTINCT chunk_id) AS chunks FROM corpus_vectors") == {
        "count": 11,
        "chunks": 11,
    }
    assert {job["status"] for job in all_rows(db, JOBS)} == {"completed"}
    for row in all_rows(db, "SELECT vectors_by, vectors_due FROM documents"):
        assert row == {"vectors_by": 1, "vectors_due": False}


async def test_vectors__wait_for_a_server_that_is_away_and_nothing_waits_for_them(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> None:
    upload(db, "a.txt", b"words")
    await model.close()
    async with open_tools(served(settings, model), "tests") as tools:
        await drain("ingest", "embed", "classify", "vectors", with_tools=tools)
        assert only(db, "SELECT text FROM corpus_chunks") == {"text": "words"}
        assert only(db, JOBS) == {"status": "pending", "error_code": "model_unavailable", "attempts": 0, "urgency": 100}
        await model.open()
        db.execute("UPDATE document_jobs SET run_at = NULL WHERE status = 'pending'")
        db.execute("DELETE FROM model_breakers")
        await drain("vectors", with_tools=tools)
    assert only(db, JOBS)["status"] == "completed"
    assert counts(db) == [(1, 1)]


# -- portions ----------------------------------------------------------------------------------------------------------


async def test_vectors__of_one_document_do_not_keep_the_next_one_waiting(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    flat = Flat("a")
    with_a = using(tools, flat, at_once=2)
    upload(db, "long.txt", texts_of(5, "long"))
    upload(db, "short.txt", texts_of(1, "short"))
    await drain("ingest", "embed", "vectors", with_tools=with_a)
    heads = [text.split()[0] for text in flat.asked]
    assert heads == ["long0", "long1", "short0", "long2", "long3", "long4"]
    assert counts(db) == [(1, 6)]


async def test_vectors__without_an_embedder_are_skipped(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest", "embed")
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'vectors')")
    await drain("vectors")
    job = only(db, JOBS)
    assert (job["status"], job["error_code"]) == ("skipped", "no_embedder")
    await vectors.enqueue_lacking(tools)
    assert len(all_rows(db, JOBS)) == 1


async def test_vectors__of_a_deleted_document_are_not_made(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    flat = Flat("a")
    upload(db, "a.txt", b"words")
    await drain("ingest", "embed", with_tools=using(tools, flat))
    db.execute("SELECT delete_document(1)")
    await drain("vectors", with_tools=using(tools, flat))
    assert only(db, JOBS)["error_code"] == "document_deleted"
    assert flat.asked == []


async def test_vectors__of_chunks_that_were_replaced_meanwhile_do_no_harm(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.txt", texts_of(2))

    class Late(Flat):
        async def embed(self, texts: list[str]) -> list[list[float]]:
            if not self.asked:  # the chunks come anew while the first vectors are made
                db.execute("UPDATE document_pages SET text = 'other words'")
                db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')")
                await drain("embed")
            return await super().embed(texts)

    late = using(tools, Late("a"))
    await drain("ingest", "embed", "vectors", with_tools=late)
    assert only(db, "SELECT c.text FROM corpus_vectors v JOIN chunks c ON c.id = v.chunk_id") == {"text": "other words"}
    assert only(db, "SELECT vectors_by, vectors_due FROM documents") == {"vectors_by": 1, "vectors_due": False}


async def test_vectors__are_kept_by_a_passage_that_stays_as_it_was(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    flat = Flat("a")
    with_a = using(tools, flat)
    upload(db, "a.txt", texts_of(3))
    await drain("ingest", "embed", "vectors", with_tools=with_a)
    before = db.execute("SELECT c.text, v.embedding::text FROM corpus_vectors v JOIN chunks c ON c.id = v.chunk_id")
    kept = dict(before.fetchall())
    del flat.asked[:]
    db.execute(
        "UPDATE document_pages SET text = text || E'\\n\\nA passage more, which is new. ' || repeat('New. ', 60)"
    )
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')")
    await drain("embed", "vectors", with_tools=with_a)
    assert [text[:14] for text in flat.asked] == ["A passage more"]
    after = db.execute("SELECT c.text, v.embedding::text FROM corpus_vectors v JOIN chunks c ON c.id = v.chunk_id")
    now = dict(after.fetchall())
    assert len(now) == 4
    assert kept.items() <= now.items()


async def test_vectors__of_two_daemons_are_one_generation(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    with_a = using(tools, Flat("a"), at_once=1)
    for number in range(8):
        upload(db, f"{number}.txt", texts_of(3, f"{number}-"))
    await drain("ingest", "embed", with_tools=with_a)
    async with anyio.create_task_group() as daemons:
        for _ in range(2):
            daemons.start_soon(lambda: drain("vectors", with_tools=with_a))
    await drain("vectors", with_tools=with_a)
    assert (states(db), counts(db)) == ([("a", "serving")], [(1, 24)])
    assert {job["status"] for job in all_rows(db, JOBS)} == {"completed"}


# -- from one embedder to the next -------------------------------------------------------------------------------------


@pytest.fixture
async def with_a(drain: Drain, db: psycopg.Connection, tools: Tools) -> Tools:
    """Two documents of three chunks, with vectors of the embedder `a`."""
    tools_a = using(tools, Flat("a"))
    for name in ("x", "y"):
        upload(db, f"{name}.txt", texts_of(3, name))
    await drain("ingest", "embed", "vectors", with_tools=tools_a)
    assert counts(db) == [(1, 6)]
    return tools_a


async def test_change__keeps_the_old_vectors_until_every_document_has_the_new(
    drain: Drain, db: psycopg.Connection, with_a: Tools
) -> None:
    with_b = using(with_a, Flat("b", dim=8), at_once=3)
    await vectors.enqueue_lacking(with_b)
    assert [job["urgency"] for job in all_rows(db, JOBS)[-2:]] == [200, 200]
    db.execute("UPDATE document_jobs SET run_at = 'infinity' WHERE document_id = 2 AND status = 'pending'")
    await drain("vectors", with_tools=with_b)
    keep_up(db)
    assert states(db) == [("a", "serving"), ("b", "coming")]
    assert counts(db) == [(1, 6), (2, 3)]
    assert (await serving_embedder(with_b.db)).label == "a"  # type: ignore[union-attr]
    db.execute("UPDATE document_jobs SET run_at = NULL WHERE document_id = 2 AND status = 'pending'")
    await drain("vectors", with_tools=with_b)
    db.execute(UPKEEP[0])
    assert states(db) == [("a", "retired"), ("b", "serving")]
    assert counts(db) == [(1, 6), (2, 6)]
    keep_up(db)
    assert counts(db) == [(2, 6)]
    assert only(db, "SELECT to_regclass('chunk_vectors_near_1') AS gone, cleared_at IS NOT NULL AS cleared "
                "FROM embedders WHERE id = 1") == {"gone": None, "cleared": True}  # fmt: skip


async def test_change__asks_each_text_once(drain: Drain, db: psycopg.Connection, with_a: Tools) -> None:
    flat = Flat("b")
    with_b = using(with_a, flat, at_once=2)
    await drain("vectors", "vectors", with_tools=with_b)
    assert len(flat.asked) == len(set(flat.asked)) == 6


async def test_change__gives_new_chunks_the_new_vectors_only(
    drain: Drain, db: psycopg.Connection, with_a: Tools
) -> None:
    with_b = using(with_a, Flat("b"))
    upload(db, "new.txt", b"new words")
    await drain("ingest", "embed", with_tools=with_b)
    db.execute("UPDATE document_jobs SET run_at = 'infinity' WHERE urgency = 200")
    await drain("vectors", with_tools=with_b)
    assert only(db, "SELECT v.embedder FROM chunk_vectors v JOIN chunks c ON c.id = v.chunk_id "
                "WHERE c.document_id = 3") == {"embedder": 2}  # fmt: skip


async def test_change__is_not_held_up_by_documents_that_have_no_vectors_yet(
    drain: Drain, db: psycopg.Connection, with_a: Tools
) -> None:
    with_b = using(with_a, Flat("b"))
    await drain("vectors", with_tools=with_b)
    upload(db, "new.txt", b"new words")
    await drain("ingest", "embed", with_tools=with_b)
    db.execute(UPKEEP[0])
    assert states(db) == [("a", "retired"), ("b", "serving")]


async def test_change__taken_back_goes_on_with_the_old_one(drain: Drain, db: psycopg.Connection, with_a: Tools) -> None:
    with_b = using(with_a, Flat("b"), at_once=3)
    await vectors.enqueue_lacking(with_b)
    db.execute("UPDATE document_jobs SET run_at = 'infinity' WHERE document_id = 2 AND status = 'pending'")
    await drain("vectors", with_tools=with_b)
    assert states(db) == [("a", "serving"), ("b", "coming")]
    asked = with_a.embedder.asked.copy()  # type: ignore[union-attr]
    db.execute("UPDATE document_jobs SET run_at = NULL WHERE status = 'pending'")
    await drain("vectors", with_tools=with_a)
    keep_up(db)
    assert states(db) == [("a", "serving"), ("b", "retired")]
    assert counts(db) == [(1, 6)]
    assert with_a.embedder.asked == asked  # type: ignore[union-attr]
    assert {row["vectors_by"] for row in all_rows(db, "SELECT vectors_by FROM documents")} == {1}


async def test_change__back_and_forth_makes_a_new_generation(
    drain: Drain, db: psycopg.Connection, with_a: Tools
) -> None:
    for embedder in (Flat("b"), Flat("a")):
        await drain("vectors", with_tools=using(with_a, embedder))
        db.execute(UPKEEP[0])
    keep_up(db)
    assert states(db) == [("a", "retired"), ("b", "retired"), ("a", "serving")]
    assert counts(db) == [(3, 6)]


async def test_change__of_the_length_under_one_name_is_a_change_too(
    drain: Drain, db: psycopg.Connection, with_a: Tools
) -> None:
    longer = using(with_a, Flat("a", dim=6))
    upload(db, "new.txt", b"new words")
    await drain("ingest", "embed", "vectors", with_tools=longer)
    assert all_rows(db, GENERATIONS)[1] == {"id": 2, "label": "a", "dim": 6, "state": "coming"}
    await vectors.enqueue_lacking(longer)
    await drain("vectors", with_tools=longer)
    keep_up(db)
    assert counts(db) == [(2, 7)]


async def test_change__is_enqueued_in_bounded_statements_and_once(
    db: psycopg.Connection, with_a: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "DOCUMENTS_AT_ONCE", 1)
    with_b = using(with_a, Flat("b"))
    for _ in range(2):
        await vectors.enqueue_lacking(with_b)
    assert [job["status"] for job in all_rows(db, JOBS)] == ["completed", "completed", "pending", "pending"]


async def test_change__goes_on_where_its_jobs_were_lost(db: psycopg.Connection, with_a: Tools) -> None:
    del with_a
    db.execute("SELECT register_embedder('b', 4)")
    db.execute(UPKEEP[0])
    assert [job["status"] for job in all_rows(db, JOBS)] == ["completed", "completed", "pending", "pending"]


async def test_change__is_not_made_while_too_many_documents_failed(db: psycopg.Connection, with_a: Tools) -> None:
    del with_a
    db.execute("SELECT register_embedder('b', 4)")
    fail = (
        "INSERT INTO document_jobs (document_id, stage, status, completed_at) VALUES (%s, 'vectors', 'failed', now())"
    )
    db.execute(fail, [1])
    db.execute("UPDATE documents SET vectors_by = 2 WHERE id = 2")
    db.execute(UPKEEP[0])
    assert states(db) == [("a", "serving"), ("b", "coming")]
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes, corpus_version, vectors_by) "
        "SELECT 't', 'f', 'text/plain', lpad(n::text, 64, '0'), 1, 1, 2 FROM generate_series(1, 98) AS n"
    )
    db.execute(UPKEEP[0])
    assert states(db) == [("a", "retired"), ("b", "serving")]


async def test_save__that_is_cut_short_leaves_whole_generations(
    drain: Drain, db: psycopg.Connection, with_a: Tools, dsn: str
) -> None:
    """A kill before COMMIT rolls all of a job back: its vectors, its note, and the embedder it registered."""
    chunk = only(db, "SELECT min(chunk_id) AS id FROM chunk_vectors")["id"]
    with psycopg.connect(dsn) as cut:
        cut.execute("SELECT FROM documents WHERE id = 1 FOR UPDATE")
        cut.execute("SELECT register_embedder('b', 4)")
        cut.execute("INSERT INTO chunk_vectors VALUES (%s, 2, true, '[1,0,0,0]')", [chunk])
        cut.execute("UPDATE documents SET vectors_by = 2 WHERE id = 1")
        cut.rollback()
    keep_up(db)
    assert (states(db), counts(db)) == ([("a", "serving")], [(1, 6)])
    await drain("vectors", with_tools=using(with_a, Flat("b")))
    keep_up(db)
    assert [state for _, state in states(db)] == ["retired", "serving"]
    assert [count for _, count in counts(db)] == [6]


# -- what search sees --------------------------------------------------------------------------------------------------

NEAREST = (
    "SELECT chunk_id FROM {} WHERE embedder = 1 ORDER BY embedding::halfvec(4) <#> '[1,0,0,0]'::halfvec(4) LIMIT 3"
)


@pytest.fixture
def hidden(db: psycopg.Connection, with_a: Tools) -> int:
    """A chunk out of the corpus whose vector is nearer to the question than any other."""
    del with_a
    db.execute(
        "INSERT INTO chunks (id, document_id, version, chunk_index, text, is_leaf, in_corpus) "
        "VALUES (1000, 1, 1, 1000, 'hidden', true, false)"
    )
    db.execute("INSERT INTO chunk_vectors VALUES (1000, 1, false, '[1,0,0,0]')")
    return 1000


def nearest(db: psycopg.Connection, source: str) -> list[int]:
    return [row[0] for row in db.execute(NEAREST.format(source)).fetchall()]


async def test_neighbours__are_never_out_of_the_corpus(db: psycopg.Connection, hidden: int) -> None:
    assert nearest(db, "chunk_vectors")[0] == hidden
    assert hidden not in nearest(db, "corpus_vectors")
    assert len(nearest(db, "corpus_vectors")) == 3


async def test_neighbours__follow_their_chunk_into_the_corpus_and_out(db: psycopg.Connection, hidden: int) -> None:
    db.execute("UPDATE chunks SET in_corpus = NOT in_corpus WHERE document_id = 1 AND is_leaf")
    assert nearest(db, "corpus_vectors")[0] == hidden
    apart = "SELECT FROM chunk_vectors v JOIN chunks c ON c.id = v.chunk_id WHERE v.in_corpus <> c.in_corpus"
    assert db.execute(apart).fetchall() == []
    db.execute("DELETE FROM chunks WHERE id = 1000")
    assert hidden not in nearest(db, "chunk_vectors")


async def test_neighbours__are_of_one_set_of_chunks(drain: Drain, db: psycopg.Connection, with_a: Tools) -> None:
    before = {row["chunk_id"] for row in all_rows(db, "SELECT chunk_id FROM corpus_vectors")}
    db.execute("UPDATE document_pages SET text = replace(text, 'more', 'other') WHERE document_id = 1")
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed'), (2, 'embed')")
    await drain("embed", "vectors", with_tools=with_a)
    after = {row["chunk_id"] for row in all_rows(db, "SELECT chunk_id FROM corpus_vectors")}
    assert (len(before), len(after), len(before & after)) == (6, 6, 3)
    assert after == {row["id"] for row in all_rows(db, "SELECT id FROM corpus_chunks")}


async def test_node_above_leaves__is_not_let_into_the_corpus(db: psycopg.Connection, hidden: int) -> None:
    with pytest.raises(errors.CheckViolation, match="chunks_above_leaves_not_searched"):
        db.execute("UPDATE chunks SET in_corpus = true, node_type = 'section' WHERE id = %s", [hidden])


def plan_of(db: psycopg.Connection, statement: str) -> list[dict[str, Any]]:
    found = db.execute(f"EXPLAIN (FORMAT json) {statement}").fetchone()
    assert found is not None
    nodes = [found[0][0]["Plan"]]
    for node in nodes:  # grows while it is read
        nodes += node.get("Plans", [])
    return nodes


async def test_neighbours__are_read_from_the_partial_index_of_their_embedder(
    db: psycopg.Connection, with_a: Tools
) -> None:
    del with_a
    db.execute("SELECT register_embedder('b', 4)")
    db.execute(
        "INSERT INTO chunks (document_id, version, chunk_index, text, is_leaf) "
        "SELECT 1, 1, 100 + n, 'x', true FROM generate_series(1, 500) AS n"
    )
    db.execute(
        "INSERT INTO chunk_vectors SELECT id, e, true, ARRAY[chunk_index, 1, e, 0]::halfvec "
        "FROM chunks, generate_series(1, 2) AS e WHERE chunk_index > 100 AND is_leaf"
    )
    db.execute("ANALYZE chunk_vectors")
    assert {node.get("Index Name") for node in plan_of(db, NEAREST.format("corpus_vectors"))} == {
        None,
        "chunk_vectors_near_1",
    }
    for index in all_rows(db, "SELECT indexdef FROM pg_indexes WHERE starts_with(indexname, 'chunk_vectors_near_')"):
        assert "WHERE (in_corpus AND (embedder = " in index["indexdef"]


def test_index__is_made_as_far_as_pgvector_can(db: psycopg.Connection) -> None:
    made = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'chunk_vectors_near_%' ORDER BY 1"
    for number, dim in ((1, 4000), (2, 4001)):
        assert db.execute("SELECT register_embedder(%s, %s)", [f"m{number}", dim]).fetchone() == (number,)
    assert db.execute(made).fetchall() == [("chunk_vectors_near_1",)]
    assert db.execute("SELECT register_embedder('m2', 4001)").fetchone() == (2,)


async def test_deletion__of_a_document_takes_its_vectors(db: psycopg.Connection, with_a: Tools) -> None:
    del with_a
    db.execute("SELECT delete_document(1)")
    assert counts(db) == [(1, 3)]
