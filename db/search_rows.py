"""Rows of the legs that search vectors, and of what those legs are worth (db/sql/vector_search.sql)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class NearDocument:
    """A document near to a question; `score` is the inner product of unit vectors, -1 to 1."""

    document_id: int
    score: float


@dataclass(frozen=True, slots=True)
class BestChunk:
    """The chunk by which a document stands in a search."""

    document_id: int
    chunk_id: int


@dataclass(frozen=True, slots=True)
class HitRow:
    """What is shown of a chunk; `section` has the headings above it, outermost first, "" outside of any."""

    chunk_id: int
    document_id: int
    title: str
    page_number: int
    start_char: int
    end_char: int
    text: str
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    restricted: bool
    section: str


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
