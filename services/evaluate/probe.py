"""The one place where the evaluation calls search: what is measured is the function that `GET /api/search` calls.

In: a question. Out: the texts of the first hits, best first, of all legs together and of each by itself. A question
that search refuses (longer than `search.max_query_chars`) finds nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from db.gate import Priority
from services.evaluate.figures import DEPTH
from services.evaluate.seen import FUSED, Look, Seen
from services.kit.errors import RequestError
from services.search.embed_query import embed_question
from services.search.filters import Filters
from services.search.helpers import Helpers
from services.search.hit import Hit, Ranked, read_hits
from services.search.lexical import search_lexical
from services.search.retrieve import find
from services.search.serving import serving_embedder
from services.search.vector import search_chunk_vectors, search_document_vectors, sight
from services.search.weights import CHUNKS, DOCUMENTS, LEXICAL
from services.text.normalise import normalise
from services.tools import Tools

PATIENCE_S = 60.0
"""So long a search waits for a model here: a leg that is left out because the machine was busy would make the figures
those of the machine. The times show what was waited."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which models may help: the analysis of the question, the reranker. Without both the figures need no server."""

    analyze: bool = False
    rerank: bool = False

    def as_json(self) -> dict[str, object]:
        """Give them for the row of the run."""
        return dict(asdict(self))

    def on(self, tools: Tools) -> Tools:
        """Give the tools with these in force."""
        waits = {"embed_wait_s": PATIENCE_S, "rerank_wait_s": PATIENCE_S}
        search = tools.settings.search.model_copy(update={**asdict(self), **waits})
        return replace(tools, settings=tools.settings.model_copy(update={"search": search}))


def probe(tools: Tools) -> Look:
    """Give the search of an evaluation, over the database and with the settings of the tools."""
    helpers = Helpers(tools.models, Priority.BACKGROUND)

    async def look(question: str, watch: bool) -> Seen:
        started = perf_counter()
        try:
            found = await find(tools.db, question, Filters(), DEPTH, tools.settings.search, helpers)
        except RequestError:
            return Seen({FUSED: []}, {})
        took_ms = {FUSED: _ms_since(started)}
        if watch:
            took_ms |= {leg: ms async for leg, ms in _legs(tools, normalise(question), helpers, found.legs)}
        read = {leg: await read_hits(tools.db, hits[:DEPTH], Filters().user_id) for leg, hits in found.legs.items()}
        return Seen({FUSED: _texts(found.hits), **{leg: _texts(hits) for leg, hits in read.items()}}, took_ms)

    return look


async def _legs(
    tools: Tools, question: str, helpers: Helpers, legs: Mapping[str, Sequence[Ranked]]
) -> AsyncIterator[tuple[str, float]]:
    """Time the legs that had a part in a search, each by itself, behind it: the question's vector is known then."""
    settings = tools.settings.search
    most = max(DEPTH, settings.leg_hits) if len(legs) > 1 else DEPTH
    started = perf_counter()
    await search_lexical(tools.db, question, Filters(), most, settings.candidate_rows)
    yield LEXICAL, _ms_since(started)
    serving = await serving_embedder(tools.db) if len(legs) > 1 else None
    if serving is None:
        return
    embedded = await embed_question(question, serving, helpers, settings.embed_wait_s)
    for leg, search_leg in ((CHUNKS, search_chunk_vectors), (DOCUMENTS, search_document_vectors)):
        if leg in legs and embedded.vector is not None:
            started = perf_counter()
            await search_leg(tools.db, sight(serving.id, embedded.vector), Filters(), most)
            yield leg, _ms_since(started)


def _texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.text for hit in hits[:DEPTH]]


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
