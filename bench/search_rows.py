"""Fills a database with chunks as the product's embed stage writes them: rows made by several processes, COPY for all.

In: texts, and how many chunks there shall be. Out: documents, their chunks, and the statistics of terms, counted by the
product's own triggers. The GIN index is taken away before and made again behind, which says how long that takes. Pages
are left out: no search reads them.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import psycopg

from bench.search_chunks import rows_of
from bench.search_texts import Texts, read_texts
from services.document.embed import CHUNKER
from services.document.tree import ChunkRow

PROCESSES = 2
DOCUMENTS_AT_ONCE = 400
"""Documents of one portion: some 4,000 chunks, 15 MB of text."""
AHEAD = 6
"""Portions that are made while one is written."""
IDS_A_DOCUMENT = 128
"""Numbers of chunks that a made document may use up; it has at most half of them."""
DOCUMENT_COLUMNS = (
    "id, title, filename, media_type, sha256, size_bytes, page_count, pages_version, corpus_version, chunker"
)
CHUNK_COLUMNS = (
    "document_id, id, parent_id, chunk_index, node_type, level, page_number, start_char, end_page, end_char, text, "
    "terms, lexical, word_order, is_leaf, in_corpus"
)
INDEX = "SELECT pg_get_indexdef('chunks_terms'::regclass)"
QUICK = ("SET maintenance_work_mem = '1GB'", "SET max_parallel_maintenance_workers = 2", "SET synchronous_commit = off")

Portion = tuple[str, str, int]
"""Rows of documents and of chunks as COPY reads them, and how many leaves that are."""

_texts: list[Texts] = []


def load(dsn: str, folder: Path | None, first: int, leaves: int) -> int:
    """Add documents until there are so many leaves more, or a few more than that.

    Args:
        first: number of the first document.
    Returns:
        the number after the last document.
    """
    with psycopg.connect(dsn, autocommit=True) as conn, ProcessPoolExecutor(PROCESSES, None, _read, (folder,)) as pool:
        conn.execute(QUICK[-1])
        waiting: list[Future[Portion]] = []
        while leaves > 0:
            while len(waiting) < AHEAD:
                waiting.append(pool.submit(portion, first + len(waiting) * DOCUMENTS_AT_ONCE, leaves))
            documents, chunks, made = waiting.pop(0).result()
            _copy(conn, documents, chunks)
            leaves -= made
            first += DOCUMENTS_AT_ONCE
        for each in waiting:
            each.cancel()
    return first


def _copy(conn: psycopg.Connection, documents: str, chunks: str) -> None:
    with conn.transaction(), conn.cursor() as cursor:
        with cursor.copy(f"COPY documents ({DOCUMENT_COLUMNS}) FROM STDIN") as copy:
            copy.write(documents)
        with cursor.copy(f"COPY chunks ({CHUNK_COLUMNS}) FROM STDIN") as copy:
            copy.write(chunks)


def without_index(dsn: str) -> str:
    """Take the GIN index away; gives the statement that makes it again."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        (definition,) = conn.execute(INDEX).fetchone() or ("",)
        conn.execute("DROP INDEX chunks_terms")
        return str(definition)


def make_index(dsn: str, definition: str) -> float:
    """Make it again, and add the statistics of terms up; gives the seconds of the index."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in QUICK:
            conn.execute(statement)
        started = time.perf_counter()
        conn.execute(definition)
        took_s = time.perf_counter() - started
        conn.execute("SELECT fold_term_stats()")
        return took_s


def _read(folder: Path | None) -> None:
    _texts.append(read_texts(folder))


def portion(first: int, most: int) -> Portion:
    """Make the rows of the documents from number `first` on, in a process that has read the texts."""
    documents, chunks, leaves = list[str](), list[str](), 0
    for number in range(first, first + DOCUMENTS_AT_ONCE):
        if leaves >= most:
            break
        title, passages = _texts[0].document(number)
        made = rows_of(title, passages, number * IDS_A_DOCUMENT)
        documents.append(_document(number, title, sum(len(row.text.encode()) for row in made)))
        chunks += (_line(_chunk(number, row)) for row in made)
        leaves += len(made) - 1
    return "".join(documents), "".join(chunks), leaves


def _document(number: int, title: str, size: int) -> str:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return _line((number, title, f"{number}.txt", "text/plain", digest, size, 1, 1, 1, CHUNKER))


def _chunk(document: int, row: ChunkRow) -> Iterator[object]:
    order = None if row.word_order is None else f"\\x{row.word_order.hex()}"
    leaf = row.kind == "leaf"
    yield from (document, row.id, row.parent, row.index, row.kind, row.level)
    yield from (row.page, row.start, row.end_page, row.end)
    yield from (row.text, row.terms, row.lexical, order, leaf, leaf)


def _line(values: Iterable[object]) -> str:
    return "\t".join("\\N" if value is None else _escaped(str(value)) for value in values) + "\n"


def _escaped(text: str) -> str:
    if not any(each in text for each in "\\\t\n\r"):
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
