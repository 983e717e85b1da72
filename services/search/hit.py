"""A chunk that a search found, as all that comes after the legs sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from db.rows import LexicalHit
from db.search_rows import VectorHit


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked chunk: `text` stands on the page from character `start` to `end`; `score` compares within a query.

    `legs` says what each leg added to the score; it is told, and not compared.
    """

    chunk_id: int
    document_id: int
    title: str
    page: int
    start: int
    end: int
    text: str
    score: float
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    restricted: bool
    legs: Mapping[str, float] = field(default_factory=dict, compare=False)


def hit_of(row: LexicalHit | VectorHit, score: float) -> Hit:
    """Give the row of a leg as a hit, with the score that it is to have."""
    return Hit(
        chunk_id=row.chunk_id,
        document_id=row.document_id,
        title=row.title,
        page=row.page_number,
        start=row.start_char,
        end=row.end_char,
        text=row.text,
        score=score,
        material_type=row.material_type,
        jurisdiction=row.jurisdiction,
        published_date=row.published_date,
        restricted=row.restricted,
    )
