"""Documents in the corpus without the corridor: rows as the stages would write them, for tests of search."""

import hashlib
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg

from services.document.vectors import halfvec_text
from services.text.terms import document_weights, sparsevec_text

numbers = count(1)


def put_document(db: psycopg.Connection, chunks: Sequence[str], title: str = "문서", **fields: Any) -> int:
    """Write a document of one page with so many leaves, and count its terms; gives its number."""
    license_ = fields.pop("license", None)
    values = {
        "title": title,
        "filename": f"{title}.txt",
        "media_type": "text/plain",
        "sha256": hashlib.sha256(f"{next(numbers)}".encode()).hexdigest(),
        "size_bytes": 1,
        "page_count": 1,
        "pages_version": 1,
        "corpus_version": 1,
        "extract_meta": json.dumps({"license": license_} if license_ else {}),
        **fields,
    }
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    inserted = f"INSERT INTO documents ({names}) VALUES ({marks}) RETURNING id"
    (number,) = db.execute(inserted, list(values.values())).fetchone() or (0,)
    put_page(db, int(number), chunks, title)
    return int(number)


def put_page(db: psycopg.Connection, document: int, chunks: Sequence[str], title: str) -> None:
    """Write the page and its leaves, one after the other in its text."""
    text, rows = "", []
    for place, chunk in enumerate(chunks):
        weights = document_weights(chunk, title)
        rows.append(
            (document, place, len(text), len(text) + len(chunk), chunk, sorted(weights), sparsevec_text(weights))
        )
        text += f"{chunk}\n"
    db.execute("INSERT INTO document_pages (document_id, version, number, label, text) VALUES (%s, 1, 1, '1', %s)",
               (document, text))  # fmt: skip
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO chunks (document_id, version, chunk_index, page_number, start_char, end_char, text, terms, "
            "lexical, level, node_type, is_leaf, in_corpus) "
            "VALUES (%s, 1, %s, 1, %s, %s, %s, %s, %s, 1, 'leaf', true, true)",
            rows,
        )
    db.execute("SELECT fold_term_stats()")


def put_section(db: psycopg.Connection, document: int, path: str) -> None:
    """Put all leaves of a document under one section."""
    (section,) = db.execute(
        "INSERT INTO chunks (document_id, version, chunk_index, page_number, start_char, end_char, text, terms, "
        "lexical, level, node_type, is_leaf, in_corpus) "
        "VALUES (%s, 1, 1000, 1, 0, 0, %s, '{}', '{}/536870911', 1, 'section', "
        "false, false) RETURNING id",
        (document, path),
    ).fetchone() or (0,)
    db.execute("UPDATE chunks SET parent_id = %s WHERE document_id = %s AND node_type = 'leaf'", (section, document))


def put_vectors(db: psycopg.Connection, label: str, vectors: dict[int, Sequence[float]]) -> int:
    """Give the leaves of documents a vector, the same for all leaves of one; gives the embedder's number."""
    dim = len(next(iter(vectors.values())))
    (embedder,) = db.execute("SELECT register_embedder(%s, %s)", (label, dim)).fetchone() or (0,)
    for document, vector in vectors.items():
        db.execute(
            "INSERT INTO chunk_vectors (chunk_id, embedder, in_corpus, embedding) "
            "SELECT id, %s, in_corpus, %s::halfvec FROM chunks WHERE document_id = %s AND node_type = 'leaf'",
            (embedder, halfvec_text(list(vector)), document),
        )
        db.execute("SELECT save_document_vector(%s, %s)", (document, embedder))
    return int(embedder)
