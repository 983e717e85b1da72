"""From a question to ranked hits: the legs side by side, each on a connection of its own, then one list.

In: a question and filters. Out: hits, best first, and what each leg had to do with them. Refuses a question that is too
long to be one. The legs of vectors come in where an embedder is set, its server answers in time, and its vectors are
worth something in the question's language; without them the words alone are searched.

    question -> lexical ------------------------------+-> fuse -> boosts, reranker -> hits
             -> embed -> chunk vectors, documents ----+
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar

from db.pool import Database
from services.kit.early import begun
from services.kit.settings import SearchSettings
from services.search.asked import check_length
from services.search.boosts import boost
from services.search.embed_query import Why, embed_question
from services.search.filters import Filters
from services.search.fuse import fuse
from services.search.helpers import ALONE, Helpers
from services.search.hit import Fused, Hit, Ranked, read_hits
from services.search.lexical import search_lexical
from services.search.rerank import rerank
from services.search.serving import serving_embedder
from services.search.variants import plan_wordings, search_all
from services.search.vector import (
    Sight,
    also_scored,
    best_chunks,
    search_chunk_vectors,
    search_document_vectors,
    sight,
)
from services.search.weights import CHUNKS, DOCUMENTS, LEXICAL, Weights, weights_for
from services.text.language import detect
from services.text.normalise import normalise

Each = TypeVar("Each", Fused, Hit)


@dataclass(frozen=True, slots=True)
class Searched(Generic[Each]):
    """What a search found: chunks by their number, until what is shown of them is read.

    Attributes:
        hits: fused, best first.
        legs: the hits of each leg, best first, deeper than `hits` where there are several.
        weights: with which the legs were fused.
        notes: what became of the legs of vectors, for `debug`.
        merged: how the hits of several wordings were merged (`ml_ko+en`); None where the question alone was searched.
        remarks: which other wordings were searched, or why they were not.
    """

    hits: list[Each]
    legs: Mapping[str, Sequence[Ranked]]
    weights: Mapping[str, float]
    notes: Mapping[str, object]
    merged: str | None = None
    remarks: Sequence[str] = ()


Found = Searched[Hit]


async def search(
    db: Database, question: str, filters: Filters, limit: int, settings: SearchSettings, helpers: Helpers = ALONE
) -> list[Hit]:
    """Find the chunks that answer a question best.

    Raises:
        RequestError: the question is longer than `settings.max_query_chars`.
    """
    return (await find(db, question, filters, limit, settings, helpers)).hits


async def find(
    db: Database, question: str, filters: Filters, limit: int, settings: SearchSettings, helpers: Helpers = ALONE
) -> Found:
    """Search, and tell how the hits came about.

    Raises:
        RequestError: as `search`.
    """
    check_length(question, settings.max_query_chars)
    limit = max(1, min(limit, settings.max_limit))
    depth = max(limit, settings.rerank_input) if helpers.reranks(settings) else limit
    looking = _Looking(db, normalise(question), filters, depth, settings)
    worded = helpers.models is not None or helpers.rewrite or settings.rewrite
    ranking = await (_worded if worded else _once)(looking, helpers)
    return await _read(ranking, looking, helpers, limit)


Legs = dict[str, list[Ranked]]


@dataclass(frozen=True, slots=True)
class _Looking:
    """What every leg is handed."""

    db: Database
    question: str
    filters: Filters
    limit: int
    settings: SearchSettings

    async def words(self, most: int) -> list[Ranked]:
        return await search_lexical(self.db, self.question, self.filters, most, self.settings.candidate_rows)


async def _read(ranking: Searched[Fused], looking: _Looking, helpers: Helpers, limit: int) -> Found:
    """Read what was found; soft boosts and a reranker have the last word on the order, where they are set."""
    settings = looking.settings
    hits = await read_hits(looking.db, ranking.hits, looking.filters.user_id)
    boosted = boost(hits, settings, datetime.now(UTC).date())
    hits, note = await rerank(looking.question, boosted, helpers.models, settings, helpers.priority)
    notes = ranking.notes if note is None else {**ranking.notes, "rerank": note}
    return Searched(hits[:limit], ranking.legs, ranking.weights, notes, ranking.merged, ranking.remarks)


async def _worded(looking: _Looking, helpers: Helpers) -> Searched[Fused]:
    """Search a question, and where models have said how else it may be worded, those wordings, too.

    What was said is looked up beside the search itself, which is the whole of it where there is nothing.
    """
    settings, filters = looking.settings, looking.filters
    asked = (looking.question, filters.user_id, looking.db, settings, helpers)
    async with begun(partial(plan_wordings, *asked)) as planned:
        plain = await _once(looking, helpers)
        plan = await planned.get()
    told = {**plain.notes, "wordings": plan.told} if plan.notes else plain.notes
    if plan.match_reason is None:
        return replace(plain, notes=told, remarks=plan.notes)
    depth = max(looking.limit, settings.variant_hits)

    async def one(text: str, within: Filters) -> Sequence[Fused]:
        return (await _once(replace(looking, question=text, filters=within, limit=depth), helpers)).hits

    cap = max(looking.limit, settings.variants_cap)
    merged = await search_all(plan, one, filters, settings.multilingual_types, cap)
    return Searched(merged[: looking.limit], plain.legs, plain.weights, told, plan.match_reason, plan.notes)


async def _once(looking: _Looking, helpers: Helpers) -> Searched[Fused]:
    """Search one wording by all legs."""
    limit, settings = looking.limit, looking.settings
    legs, weights, notes = await _all_legs(looking, helpers)
    ranked = fuse(legs, weights, limit, settings.fusion, settings.rank_k)
    return Searched(ranked, legs, weights, notes)


@dataclass(frozen=True, slots=True)
class _Dense:
    """What the legs of vectors brought, with which weights, and what is to be told of it."""

    legs: Legs
    weights: Weights
    notes: Mapping[str, object]
    seen: Sight | None = None


async def _all_legs(looking: _Looking, helpers: Helpers) -> tuple[Legs, Weights, Mapping[str, object]]:
    """Search words and vectors side by side, deeper than is asked for: what is tenth for both may be first."""
    if helpers.embedder is None:
        return {LEXICAL: await looking.words(looking.limit)}, {}, {"vectors": Why.NONE_SET}
    depth = max(looking.limit, looking.settings.leg_hits)
    async with begun(partial(_vectors, looking, helpers, depth)) as dense:
        words = await looking.words(depth)
        found = await dense.get()
    legs = {LEXICAL: words, **found.legs}
    if found.seen is not None and CHUNKS in legs:
        legs[CHUNKS] = await also_scored(looking.db, found.seen, legs[CHUNKS], words)
    return legs, found.weights, found.notes


async def _vectors(looking: _Looking, helpers: Helpers, depth: int) -> _Dense:
    """Search by the question's vector, as far as there is one that is of use."""
    serving = await serving_embedder(looking.db)
    if serving is None:
        return _Dense({}, {}, {"vectors": Why.NO_VECTORS})
    language = detect(looking.question)
    weights = await weights_for(looking.db, serving.id, language)
    used = {name: weight for name, weight in weights.items() if weight > 0}
    notes: dict[str, object] = {"vectors": Why.WORTHLESS, "embedder": serving.label, "language": language}
    if not used.keys() - {LEXICAL}:
        return _Dense({}, {}, notes)
    embedded = await embed_question(looking.question, serving, helpers, looking.settings.embed_wait_s)
    notes |= {"vectors": embedded.why, "embed_ms": embedded.took_ms, "embed_cached": embedded.cached}
    if embedded.vector is None:
        return _Dense({}, {}, notes)
    seen = sight(serving.id, embedded.vector)
    return _Dense(await _near(looking, seen, used, depth), used, notes, seen)


async def _near(looking: _Looking, seen: Sight, used: Weights, depth: int) -> Legs:
    """Run the legs of vectors that count, side by side."""
    asked = (looking.db, seen, looking.filters, depth)
    if DOCUMENTS not in used:
        return {CHUNKS: await search_chunk_vectors(*asked)}

    async def documents() -> list[Ranked]:
        return await best_chunks(looking.db, seen, await search_document_vectors(*asked))

    async with begun(documents) as by_documents:
        near = await search_chunk_vectors(*asked) if CHUNKS in used else []
        return {CHUNKS: near, DOCUMENTS: await by_documents.get()}
