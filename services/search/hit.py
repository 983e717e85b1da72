"""A chunk that a search found, as all that comes after the legs sees it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked chunk: `text` stands on the page from character `start` to `end`; `score` compares within a query."""

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
