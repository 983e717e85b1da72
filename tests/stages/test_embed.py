"""From pages to chunks that can be found, and from one reading to the next without a gap."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import psycopg
import pytest

from services.document import embed
from services.kit.document_settings import EmbedSettings
from services.search.filters import Filters
from services.search.retrieve import search
from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_ingest import offer, upload, written
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

CHUNKS = "SELECT * FROM chunks WHERE is_leaf ORDER BY chunk_index"
NODES = "SELECT * FROM chunks WHERE NOT is_leaf ORDER BY chunk_index"


async def found(db: psycopg.Connection, tools: Tools, question: str) -> list[str]:
    """Search as a user does, after what the embed daemon does when it has nothing to do."""
    db.execute("SELECT fold_term_stats()")
    hits = await search(tools.db, question, Filters(), 10, tools.settings.search)
    return [hit.text for hit in hits]


class Numbers:
    """An embedder that nobody may ask while chunks are made."""

    label = "numbers"

    async def embed(self, texts: list[str]) -> list[list[float]]:
        raise AssertionError(f"asked for {len(texts)} vectors")


@asynccontextmanager
async def held_back(dsn: str, drain: Drain, stage: str) -> AsyncIterator[psycopg.Connection]:
    """Run a stage that has done its work and cannot write it down before the block ends, nor see what it does."""
    with psycopg.connect(dsn) as holder, psycopg.connect(dsn, autocommit=True) as looking:
        holder.execute("SELECT FROM documents FOR UPDATE")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drain, stage)
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            await eventually(lambda: looking.execute(waiting).fetchone() is not None)
            yield holder
            holder.commit()


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
    document = only(db, "SELECT * FROM documents")
    assert (document["corpus_version"], document["chunker"]) == (1, embed.CHUNKER)
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
    drain: Drain, db: psycopg.Connection, dsn: str
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    async with held_back(dsn, drain, "embed") as holder:
        holder.execute("SELECT delete_document(1)")
    assert only(db, "SELECT * FROM document_jobs WHERE stage = 'embed'")["status"] == "completed"
    assert all_rows(db, "SELECT * FROM chunks") == []
    db.execute("SELECT fold_term_stats()")
    assert all_rows(db, "SELECT * FROM term_stats WHERE docs <> 0") == []


async def test_embed__follows_a_file_that_changed_while_it_was_embedded(
    drain: Drain, db: psycopg.Connection, dsn: str
) -> None:
    upload(db, "a.txt", b"former")
    await drain("ingest")
    async with held_back(dsn, drain, "embed") as holder:
        holder.execute("UPDATE documents SET pages_version = 2")
        holder.execute("INSERT INTO document_pages (document_id, version, number, label, text) "
                       "VALUES (1, 2, 1, '1', 'present')")  # fmt: skip
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


async def test_embed__in_another_way_does_every_document_again(
    drain: Drain, db: psycopg.Connection, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "OUTDATED_AT_ONCE", 1)
    for name in ("a", "b"):
        upload(db, f"{name}.txt", name.encode())
    await drain("ingest", "embed", "classify")
    waiting = "SELECT document_id, urgency FROM document_jobs WHERE status = 'pending' ORDER BY 1"
    await embed.enqueue_outdated(tools)
    assert all_rows(db, waiting) == []
    monkeypatch.setattr(embed, "CHUNKER", "other")
    for _ in range(2):
        await embed.enqueue_outdated(tools)
    assert all_rows(db, waiting) == [{"document_id": 1, "urgency": 200}, {"document_id": 2, "urgency": 200}]
    await drain("embed")
    assert {row["chunker"] for row in all_rows(db, "SELECT chunker FROM documents")} == {"other"}


@pytest.mark.parametrize(("embedder", "jobs"), [(None, []), (Numbers(), [("pending", 100)])])
async def test_embed__asks_no_model_and_enqueues_vectors_where_an_embedder_is_set(
    drain: Drain, db: psycopg.Connection, tools: Tools, embedder: Numbers | None, jobs: list[tuple[str, int]]
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    await drain("embed", with_tools=replace(tools, embedder=embedder))
    assert await found(db, tools, "words") == ["words"]
    assert db.execute("SELECT status, urgency FROM document_jobs WHERE stage = 'vectors'").fetchall() == jobs


LAW = """# 안전 관리 규정

제1장 총칙

제1조(목적) 이 규정은 안전을 목적으로 한다.

제2장 점검

제2조(점검)
① 점검은 매년 한다.

제3조(기록) 기록은 3년간 보관한다.
"""


async def test_embed__grows_a_tree_whose_leaves_know_their_sections(
    drain: Drain, db: psycopg.Connection, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "CHUNKS_A_STATEMENT", 2)
    settings = tools.settings.model_copy(update={"embed": EmbedSettings(chunk_chars=40)})
    upload(db, "a.md", LAW.encode())
    await drain("ingest")
    await drain("embed", with_tools=replace(tools, settings=settings))
    nodes, leaves, page = all_rows(db, NODES), all_rows(db, CHUNKS), only(db, "SELECT * FROM document_pages")["text"]
    top = "안전 관리 규정"
    assert [(node["node_type"], node["level"], node["text"]) for node in nodes] == [
        ("document", 0, top),
        ("section", 1, top),
        ("section", 2, f"{top} > 제1장 총칙"),
        ("section", 3, f"{top} > 제1장 총칙 > 제1조(목적)"),
        ("section", 2, f"{top} > 제2장 점검"),
        ("section", 3, f"{top} > 제2장 점검 > 제2조(점검)"),
        ("section", 3, f"{top} > 제2장 점검 > 제3조(기록)"),
    ]
    assert not any(node["in_corpus"] or node["terms"] or node["is_leaf"] for node in nodes)
    assert [node["chunk_index"] for node in nodes] == list(range(len(leaves), len(leaves) + len(nodes)))
    by_id = {node["id"]: node for node in nodes}
    for chunk in nodes[1:] + leaves:
        assert chunk["level"] == by_id[chunk["parent_id"]]["level"] + 1
    heads = {leaf["text"].split()[0]: by_id[leaf["parent_id"]]["text"].split(" > ")[-1] for leaf in leaves}
    assert heads["제2조(점검)"] == "제2조(점검)"
    chapter = by_id[by_id[leaves[-1]["parent_id"]]["parent_id"]]
    assert page[chapter["start_char"] : chapter["end_char"]].strip() == LAW[LAW.index("제2장") :].strip()


async def test_embed__takes_the_headings_that_the_format_told(drain: Drain, db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes, pages_version, page_count) "
        "VALUES ('t', 'f', 'application/pdf', %s, 1, 1, 2)",
        ["a" * 64],
    )
    db.execute(
        "INSERT INTO document_pages (document_id, version, number, label, text, headings) VALUES "
        '(1, 1, 1, \'1\', \'Preface. Chapter one begins.\', \'[{"start": 9, "level": 1, "title": "One"}]\'),'
        "(1, 1, 2, '2', 'It goes on.', NULL)"
    )
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')")
    await drain("embed")
    document, section = all_rows(db, NODES)
    span = ("page_number", "start_char", "end_page", "end_char")
    assert [document[name] for name in span] == [1, 0, 2, 11]
    assert [section[name] for name in ("text", *span)] == ["One", 1, 9, 2, 11]
    assert [leaf["parent_id"] for leaf in all_rows(db, CHUNKS)] == [document["id"], section["id"]]


async def test_embed__keeps_the_row_of_a_chunk_whose_text_is_as_it_was(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.md", "\n\n".join(f"# {name}\n\n{name}말 {'낱말이 있다. ' * 40}" for name in "가나다").encode())
    await drain("ingest", "embed")
    leaves, nodes, touched = all_rows(db, CHUNKS), all_rows(db, NODES), "SELECT id, xmin::text FROM chunks ORDER BY id"
    rows = all_rows(db, touched)
    again = "INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')"
    db.execute(again)
    await drain("embed")
    assert all_rows(db, touched) == rows
    db.execute("UPDATE document_pages SET text = E'# 새\\n\\n새말 ' || repeat('낱말이 있다. ', 40) || E'\\n\\n' || "
               "replace(text, '나말', '너말')")  # fmt: skip
    db.execute(again)
    await drain("embed")
    now, page = all_rows(db, CHUNKS), only(db, "SELECT text FROM document_pages")["text"]
    assert [leaf["text"][5:7] for leaf in now] == ["새말", "가말", "너말", "다말"]
    assert [leaf["id"] for leaf in leaves if leaf["id"] in {each["id"] for each in now}] == [now[1]["id"], now[3]["id"]]
    assert {node["id"] for node in nodes} < {node["id"] for node in all_rows(db, NODES)}
    assert all(page[leaf["start_char"] : leaf["end_char"]] == leaf["text"] for leaf in now)
    assert [leaf["chunk_index"] for leaf in now] == [0, 1, 2, 3]
    assert [text[5:7] for text in await found(db, tools, "가말")] == ["가말"]
    assert await found(db, tools, "나말") == []
    assert only(db, "SELECT docs FROM term_stats WHERE term = 0")["docs"] == 4


async def test_embed__of_a_document_that_was_deleted_and_restored_meanwhile_is_whole(
    drain: Drain, db: psycopg.Connection, dsn: str
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest", "embed")
    db.execute("INSERT INTO document_jobs (document_id, stage) VALUES (1, 'embed')")
    async with held_back(dsn, drain, "embed") as holder:
        holder.execute("DELETE FROM chunks")
    assert [chunk["text"] for chunk in all_rows(db, CHUNKS)] == ["words"]


async def test_statistics__count_leaves_only(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, "a.md", LAW.encode())
    await drain("ingest", "embed")
    db.execute("SELECT fold_term_stats()")
    assert only(db, "SELECT docs FROM term_stats WHERE term = 0")["docs"] == len(all_rows(db, CHUNKS))
