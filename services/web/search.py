"""Search over HTTP: a question and filters in, ranked chunks out."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, Any

from fastapi import Query, Response

from db.pool import Database
from services.kit.settings import SearchSettings
from services.search.decorate import Decorated, count_facets, decorate
from services.search.filters import KINDS, Filters, parse_filters
from services.search.helpers import Helpers
from services.search.retrieve import Found, find
from services.web.context import OWNER, WebPort
from services.web.search_wire import SearchOut, shown
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
) -> Response:
    """Find the chunks that fit a question best."""
    given = {"material_type": material_type, "jurisdiction": jurisdiction, "collection": collection, "kind": kind}
    filters = parse_filters({**given, "year": year, "quotable": quotable}, OWNER)
    settings, helpers = web.settings.search, Helpers(web.models, rewrite=rewrite)
    searched = await Searched.of(web.db, q, filters, limit or settings.limit, settings, helpers)
    # Written here: the framework would take the finished reply apart and check it again, which takes a millisecond.
    return Response(searched.shown(facets, debug).model_dump_json(), media_type="application/json")


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that was made, with all that can be told of it."""

    found: Found
    hits: Sequence[Decorated]
    filters: Filters
    took_ms: float

    @classmethod
    async def of(
        cls, db: Database, question: str, filters: Filters, limit: int, settings: SearchSettings, helpers: Helpers
    ) -> "Searched":
        """Search, and gather what is told of each hit.

        Raises:
            RequestError: the question is too long.
        """
        started = perf_counter()
        found = await find(db, question, filters, limit, settings, helpers)
        hits = await decorate(db, question, found.hits, found.merged)
        return cls(found, hits, filters, round((perf_counter() - started) * 1000, 1))

    def shown(self, facets: bool, debug: bool) -> SearchOut:
        """Give the reply; facets and the legs only where they are asked for."""
        return SearchOut(
            hits=[shown(each) for each in self.hits],
            facets=count_facets(self.hits) if facets else None,
            notes=list(self.found.remarks),
            debug=self._told() if debug else None,
        )

    def _told(self) -> dict[str, Any]:
        """Tell what each leg found, with which weight, and what it added to each hit (R01)."""
        found = self.found
        return {
            "took_ms": self.took_ms,
            "filters": self.filters.values(),
            "legs": {name: [hit.chunk_id for hit in hits] for name, hits in found.legs.items()},
            "weights": found.weights,
            "hits": [{"chunk_id": hit.chunk_id, "legs": hit.legs} for hit in found.hits],
            **found.notes,
        }
