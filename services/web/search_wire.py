"""The shapes of a search's reply."""

from datetime import date
from typing import Any

from pydantic import BaseModel

from services.search.decorate import Decorated
from services.web.urls import page_url


class HitOut(BaseModel):
    """A chunk that fits: `text` is the page's text from `start` to `end`, `url` opens the page with it marked.

    `restricted` says that no answer quotes it. `highlights` are the places of the question's words in `text`, each
    `[start, end]` in characters; `section` the headings above it; `match_reason` the legs that found it (lex, vec, doc)
    and the article or the numbers of the question that it has.
    """

    document_id: int
    chunk_id: int
    title: str
    page: int
    text: str
    start: int
    end: int
    score: float
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    url: str
    version_status: str | None = None
    restricted: bool = False
    match_reason: str = ""
    highlights: list[tuple[int, int]] = []
    section: str = ""


class SearchOut(BaseModel):
    """Hits, best first; `facets` counts them by field and value, null unless asked for.

    `notes` says in which other words the question was searched, too (`multilingual langs=[ko, en]`, `rewrite n=3`).
    """

    hits: list[HitOut]
    facets: dict[str, dict[str, int]] | None
    notes: list[str] = []
    debug: dict[str, Any] | None = None


def shown(each: Decorated) -> HitOut:
    """Give a hit as callers see it."""
    hit = each.hit
    return HitOut(
        document_id=hit.document_id,
        chunk_id=hit.chunk_id,
        title=hit.title,
        page=hit.page,
        text=hit.text,
        start=hit.start,
        end=hit.end,
        score=hit.score,
        material_type=hit.material_type,
        jurisdiction=hit.jurisdiction,
        published_date=hit.published_date,
        url=page_url(hit.document_id, hit.page, hit.start, hit.end),
        version_status=each.version_status,
        restricted=hit.restricted,
        match_reason=each.match_reason,
        highlights=list(each.highlights),
        section=hit.section,
    )
