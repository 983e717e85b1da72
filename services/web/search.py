"""Search over HTTP: a question and filters in, ranked chunks out."""

from time import perf_counter
from typing import Annotated, Any

from fastapi import Query

from services.search.decorate import Decorated, count_facets, decorate
from services.search.filters import KINDS, parse_filters
from services.search.helpers import Helpers
from services.search.retrieve import Found, find
from services.web.context import OWNER, WebPort
from services.web.search_wire import HitOut, SearchOut
from services.web.urls import page_url
from services.web.wire import Label, Question, Year

AnyOf = Annotated[list[Label], Query()]


async def search_chunks(
    web: WebPort,
    q: Annotated[Question, Query(description="What is searched for, in Korean or English.")],
    limit: Annotated[int | None, Query(ge=1)] = None,
    material_type: AnyOf = [],  # noqa: B006 - FastAPI copies it
    jurisdiction: AnyOf = [],  # noqa: B006
    collection: AnyOf = [],  # noqa: B006
    year: Annotated[Year | None, Query()] = None,
    kind: Annotated[list[Label], Query(description=f"Kinds of file: {', '.join(KINDS)}.")] = [],  # noqa: B006
    quotable: Annotated[bool, Query(description="Leave out restricted material.")] = False,
    rewrite: Annotated[bool, Query(description="Search it in other words, too; needs a model, and its time.")] = False,
    facets: bool = False,
    debug: bool = False,
) -> SearchOut:
    """Find the chunks that fit a question best."""
    started, settings = perf_counter(), web.settings.search
    given = {"material_type": material_type, "jurisdiction": jurisdiction, "collection": collection, "kind": kind}
    filters = parse_filters({**given, "year": year, "quotable": quotable}, OWNER)
    found = await find(web.db, q, filters, limit or settings.limit, settings, Helpers(web.models, rewrite=rewrite))
    decorated = await decorate(web.db, q, found.hits, found.merged)
    took_ms = round((perf_counter() - started) * 1000, 1)
    return SearchOut(
        hits=[_shown(each) for each in decorated],
        facets=count_facets(decorated) if facets else None,
        debug={"took_ms": took_ms, "filters": filters.values(), **_legs(found)} if debug else None,
    )


def _legs(found: Found) -> dict[str, Any]:
    """Tell what each leg found, with which weight, and what it added to each hit (R01)."""
    return {
        "legs": {name: [hit.chunk_id for hit in hits] for name, hits in found.legs.items()},
        "weights": found.weights,
        "hits": [{"chunk_id": hit.chunk_id, "legs": hit.legs} for hit in found.hits],
        **found.notes,
    }


def _shown(each: Decorated) -> HitOut:
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
        section=each.section,
    )
