"""Search over HTTP: a question and filters in, ranked chunks out."""

from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from typing import Annotated

from fastapi import Query

from services.search.filters import Filters
from services.search.hit import Hit
from services.search.retrieve import search
from services.search.versions import law_statuses
from services.web.context import OWNER, WebPort
from services.web.urls import page_url
from services.web.wire import HitOut, Label, Question, SearchOut, Year

FACETS = ("material_type", "jurisdiction")
AnyOf = Annotated[list[Label], Query()]


async def search_chunks(
    web: WebPort,
    q: Annotated[Question, Query(description="What is searched for, in Korean or English.")],
    limit: Annotated[int | None, Query(ge=1)] = None,
    material_type: AnyOf = [],  # noqa: B006 - FastAPI copies it
    jurisdiction: AnyOf = [],  # noqa: B006
    collection: AnyOf = [],  # noqa: B006
    year: Annotated[Year | None, Query()] = None,
    facets: bool = False,
    debug: bool = False,
) -> SearchOut:
    """Find the chunks that fit a question best."""
    started, settings = perf_counter(), web.settings.search
    filters = Filters(OWNER, _given(material_type), _given(jurisdiction), year, _given(collection))
    hits = await search(web.db, q, filters, min(limit or settings.limit, settings.max_limit), settings)
    versions = await law_statuses(web.db, hits)
    took_ms = round((perf_counter() - started) * 1000, 1)
    return SearchOut(
        hits=[_shown(hit, versions.get(hit.document_id)) for hit in hits],
        facets=_counted(hits) if facets else None,
        debug={"took_ms": took_ms, "filters": filters.values()} if debug else None,
    )


def _given(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in values if value)


def _counted(hits: Sequence[Hit]) -> dict[str, dict[str, int]]:
    return {field: dict(Counter(value for hit in hits if (value := getattr(hit, field)))) for field in FACETS}


def _shown(hit: Hit, version_status: str | None) -> HitOut:
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
        version_status=version_status,
    )
