"""From pages to chunks that can be found, and from one reading to the next without a gap."""

from dataclasses import replace
from pathlib import Path

import anyio
import psycopg
import pytest

from db.pool import Database
from services.document import embed
from services.search.filters import Filters
from services.search.retrieve import search
from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_ingest import offer, upload, written
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

CHUNKS = "SELECT * FROM chunks ORDER BY chunk_index"


async def found(db: psycopg.Connection, tools: Tools, question: str) -> list[str]:
    """Search as a user does, after what the embed daemon does when it has nothing to do."""
    db.execute("SELECT fold_term_stats()")
    hits = await search(tools.db, question, Filters(), 10, tools.settings.search)
    return [hit.text for hit in hits]


class Numbers:
    """An embedder that gives each text two numbers, when it is let."""

    def __init__(self, label: str = "numbers") -> None:
        self.label = label
        self.asked: list[str] = []
        self.let = anyio.Event()
        self.let.set()

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        await self.let.wait()
        return [[float(len(text)), 0.5] for text in texts]


async def test_embed__makes_chunks_that_are_found_where_they_stand(
    drain: Drain, db: psycopg.Connection, tools: Tools, tmp_path: Path
) -> None:
    paragraphs = [
        f"Paragraph {number} is about topic{number}. " + "Filling words follow here. " * 20 for number in range(6)
    ]
    offer(db, written(tmp_path / "a.txt", "\n\n".join(paragraphs)))
    await drain("ingest", "embed")
    page, chunks = only(db, "SELECT * FROM document_pages")["text"], all_rows(db, CHUNKS)
    assert len(chunks) > 2
    assert [chunk["chunk_index"] for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert page[chunk["start_char"] : chunk["end_char"]] == chunk["text"]
        assert (chunk["page_number"], chunk["version"], chunk["in_corpus"], chunk["is_leaf"]) == (1, 1, True, True)
        assert chunk["embedder"] == embed.LEXICAL
    document = only(db, "SELECT * FROM documents")
    assert (document["corpus_version"], document["embedder"]) == (1, embed.LEXICAL)
    (hit, *_) = await found(db, tools, "What does topic4 say?")
    assert "topic4" in hit
    follower = only(db, "SELECT * FROM document_jobs WHERE stage = 'classify'")
    assert follower["status"] == "pending"


async def test_embed__reads_all_pages_of_a_long_document(
    drain: Drain, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "PAGES_AT_ONCE", 2)
    monkeypatch.setattr(embed, "CHUNKS_A_STATEMENT", 3)
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes, pages_version, page_count) "
        "VALUES ('t', 'f', 'text/plain', %s, 1, 1, 10)",
        ["a" * 64],
    )
    db.execute(
        "INSERT INTO document_pages (document_id, version, number, label, text) "
        "SELECT 1, 1, n, n, 'page number ' || n FROM generate_series(1, 10) AS n"
    )
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')")
    await drain("embed")
    chunks = all_rows(db, CHUNKS)
    assert [chunk["page_number"] for chunk in chunks] == list(range(1, 11))
    assert [chunk["text"] for chunk in chunks] == [f"page number {number}" for number in range(1, 11)]


async def test_embed__replaces_the_former_chunks_in_one_piece(
    drain: Drain, db: psycopg.Connection, tools: Tools, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "The former text mentions zebras.")
    offer(db, path)
    await drain("ingest", "embed")
    written(path, "The present text mentions giraffes.")
    offer(db, path)
    await drain("ingest")
    assert await found(db, tools, "zebras") == ["The former text mentions zebras."]
    await drain("embed")
    assert await found(db, tools, "zebras") == []
    assert await found(db, tools, "giraffes") == ["The present text mentions giraffes."]
    assert [page["version"] for page in all_rows(db, "SELECT version FROM document_pages")] == [2]


async def test_embed__skips_a_document_that_was_deleted(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    db.execute("SELECT delete_document(1)")
    await drain("embed")
    job = only(db, "SELECT * FROM document_jobs")
    assert (job["status"], job["error_code"]) == ("skipped", "document_deleted")
    assert all_rows(db, CHUNKS) == []


async def test_embed__puts_nothing_of_a_document_into_the_corpus_that_was_deleted_meanwhile(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    numbers = Numbers()
    numbers.let = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: drain("embed", with_tools=replace(tools, embedder=numbers)))
        await eventually(lambda: numbers.asked)
        db.execute("SELECT delete_document(1)")
        numbers.let.set()
    assert all_rows(db, CHUNKS) == []
    db.execute("SELECT fold_term_stats()")
    assert all_rows(db, "SELECT * FROM term_stats WHERE docs <> 0") == []


async def test_embed__follows_a_file_that_changed_while_it_was_embedded(
    drain: Drain, db: psycopg.Connection, tools: Tools, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "former")
    offer(db, path)
    await drain("ingest")
    numbers = Numbers()
    numbers.let = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: drain("embed", with_tools=replace(tools, embedder=numbers)))
        await eventually(lambda: numbers.asked)
        written(path, "present")
        offer(db, path)
        await drain("ingest")
        numbers.let.set()
    assert numbers.asked == ["former", "present"]
    assert [chunk["text"] for chunk in all_rows(db, CHUNKS)] == ["present"]
    assert only(db, "SELECT corpus_version FROM documents")["corpus_version"] == 2


async def test_embed__stops_a_batch_that_grows_over_its_memory(
    drain: Drain, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "BATCH_CHARS", 10)
    for number in range(5):
        upload(db, f"{number}.txt", f"document number {number}".encode())
    await drain("ingest", "embed")
    jobs = all_rows(db, "SELECT * FROM document_jobs WHERE stage = 'embed'")
    assert {(job["status"], job["attempts"]) for job in jobs} == {("completed", 1)}
    assert len(all_rows(db, CHUNKS)) == 5


async def test_embed__keeps_vectors_with_the_name_of_their_model(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    await drain("embed", with_tools=replace(tools, embedder=Numbers()))
    chunk = only(db, "SELECT embedding::text AS embedding, embedder FROM chunks")
    assert chunk == {"embedding": "[5,0.5]", "embedder": f"{embed.LEXICAL}+numbers"}


async def test_embed__of_another_model_does_every_document_again(
    drain: Drain, db: psycopg.Connection, tools: Tools, pool: Database
) -> None:
    for name in ("a", "b"):
        upload(db, f"{name}.txt", name.encode())
    await drain("ingest", "embed", "classify")
    waiting = "SELECT document_id, urgency FROM document_jobs WHERE status = 'pending' ORDER BY 1"
    await embed.enqueue_outdated(tools)
    assert all_rows(db, waiting) == []
    other = replace(tools, embedder=Numbers("other"))
    for _ in range(2):
        await embed.enqueue_outdated(other)
    assert all_rows(db, waiting) == [{"document_id": 1, "urgency": 200}, {"document_id": 2, "urgency": 200}]
    await drain("embed", with_tools=other)
    assert {row["embedder"] for row in all_rows(db, "SELECT embedder FROM documents")} == {f"{embed.LEXICAL}+other"}
