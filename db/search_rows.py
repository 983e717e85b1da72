"""Rows of the legs that search vectors, and of what those legs are worth (db/sql/vector_search.sql)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A chunk found by a leg of vectors; `score` is the inner product of unit vectors, -1 to 1, higher is nearer."""

    chunk_id: int
    document_id: int
    title: str
    page_number: int
    start_char: int
    end_char: int
    text: str
    score: float
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    restricted: bool


@dataclass(frozen=True, slots=True)
class ChunkScore:
    """How near a chunk is to a question, -1 to 1."""

    chunk_id: int
    score: float


@dataclass(frozen=True, slots=True)
class LegWeightRow:
    """What the legs of vectors are worth for questions in a language; the rest up to 1 is the lexical leg's."""

    language: str
    chunk_weight: float
    document_weight: float


@dataclass(frozen=True, slots=True)
class WeightsDue:
    """A generation of vectors that is to be measured, in a corpus of so many chunks."""

    id: int
    dim: int
    chunks: int


@dataclass(frozen=True, slots=True)
class SampleChunk:
    """A chunk from which a question is made, and whose it is."""

    id: int
    text: str
    user_id: int
