"""Rows about the tree of chunks and about vectors (db/sql/chunks.sql, db/sql/vectors.sql)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedderRow:
    """A generation of vectors: what made them, and how long each is."""

    id: int
    label: str
    dim: int


@dataclass(frozen=True, slots=True)
class FormerChunk:
    """A chunk that a document has: `kind` is its node_type, `hash` the MD5 of its text in UTF-8, as hexadecimal."""

    id: int
    kind: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChunkText:
    """A chunk that wants a vector."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class ChunkInSection:
    """Where a chunk stands, and the section around it.

    Attributes:
        path: the section's headings, outermost first, `SEPARATOR` of services/text/outline.py between; "" where the
            chunk stands in none.
        page_number, start_char, end_char: the chunk; of a chunk over several pages its beginning, and nothing more.
        section_end: excluded, on page `section_end_page`; None: the end of that page.
    """

    chunk_id: int
    document_id: int
    version: int
    title: str
    path: str
    page_number: int
    start_char: int
    end_char: int
    section_page: int
    section_start: int
    section_end_page: int
    section_end: int | None


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section of a document: level 1 is the highest; `end_page` is the page on which it ends."""

    chunk_id: int
    level: int
    title: str
    path: str
    page_number: int
    start_char: int
    end_page: int
