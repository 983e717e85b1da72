"""Each leg of a search beside its bare index query, question by question, and what the index and the cut leave out.

Bare is what nobody can go below with this index: the same candidates or neighbours, the same order and LIMIT, from one
table, on a connection of its own, prepared, with a plan that is made once; the query's weights or vector are there
already.

Ours is the product's way over a pool as the HTTP process opens it: question to terms and their frequencies, whose
documents these are, filters, joins, rows to dataclasses. It ends with the fifty chunks or documents of the leg. What
comes behind has a line of its own without a bare query: the second look at chunks that have the words, the best chunk
of each document, and all of search_lexical. Texts are read after the legs, of the hits alone. Which goes first changes
with every question.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.pg import connection
from db.pool import SEARCHING, Database, Session, open_pool
from db.rows import LexicalHit
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.hit import Ranked
from services.search.lexical import (
    LOOKED_AT_TWICE,
    PAIRS,
    Candidates,
    choose_candidates,
    document_frequencies,
    search_lexical,
    weigh,
)
from services.search.second import Look, second_look
from services.search.vector import best_chunks, search_chunk_vectors, search_document_vectors, sight
from services.text.order import unpacked
from services.text.terms import query_terms, sparsevec_text

LEXICAL, CHUNKS, DOCUMENTS = "lexical", "chunk vectors", "document vectors"
SECOND, WHOLE = "lexical: second look", "lexical: search_lexical"
BEST = "document vectors: best chunks"
TOP = 10
EVERYTHING = 10**12
OWNER = Filters(user_id=1)
SETTINGS = SearchSettings()
WARM_UP = 20
BARE_LEXICAL = """
SELECT id, -(lexical <#> $1::text::sparsevec) AS score FROM chunks
WHERE in_corpus AND (terms && $2::integer[] {pairs})
ORDER BY lexical <#> $1::text::sparsevec LIMIT $3
"""
A_PAIR = "OR terms @> ARRAY[($4::integer[])[{place}][1], ($4::integer[])[{place}][2]]"
BARE_VECTORS = """
WITH asked AS MATERIALIZED (SELECT $1::text::halfvec AS vector)
SELECT {key}, -(embedding <#> (SELECT vector FROM asked)) AS score FROM {table}
WHERE {condition} ORDER BY embedding::halfvec({dim}) <#> (SELECT vector FROM asked) LIMIT $2
"""
PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""For a bare query: whatever the numbers are, the index leads, and nobody plans again."""
WALKED = PLANNED_ONCE | {"enable_sort": "off"}
BARE = {
    CHUNKS: ("chunk_id", "chunk_vectors", "in_corpus AND embedder = 1"),
    DOCUMENTS: ("document_id", "document_vectors", "embedder = 1"),
}
EXACT = """
SELECT chunk_id FROM chunk_vectors WHERE in_corpus AND embedder = 1
ORDER BY embedding <#> $1::text::halfvec, chunk_id LIMIT $2
"""

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Leg:
    """Milliseconds of one leg at a number of chunks, a value for each question, bare and ours in the same order.

    What has no bare query has no values for it.
    """

    chunks: int
    leg: str
    bare_ms: list[float]
    ours_ms: list[float]


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the exact first ten that is in the given first ten, mean and lowest over the questions."""

    chunks: int
    what: str
    questions: int
    mean: float
    lowest: float


async def _timed(ask: Ask) -> float:
    started = time.perf_counter()
    await ask()
    return (time.perf_counter() - started) * 1000


Ways = Mapping[str, Ask]
"""Ways to answer one question, by their names."""


async def _side_by_side(questions: Sequence[Ways]) -> dict[str, list[float]]:
    """Time each way for each question; each goes first in its turn."""
    took_ms = defaultdict[str, list[float]](list)
    for place, ways in enumerate(questions):
        names = list(ways)
        first = place % len(names)
        for name in names[first:] + names[:first]:
            took_ms[name].append(await _timed(ways[name]))
    return {name: values[WARM_UP:] for name, values in took_ms.items()}


async def measure_lexical(dsn: str, chunks: int, questions: Sequence[str]) -> list[Leg]:
    """Time the leg of words, the second look behind it, and both as the product runs them."""
    async with open_pool(dsn, "bench", 2, searching=True) as db, connection(dsn) as conn:
        await _set(conn, SEARCHING)
        pairs = " ".join(A_PAIR.format(place=place) for place in range(1, len(PAIRS) + 1))
        bare = await conn.prepare(BARE_LEXICAL.format(pairs=pairs))
        took_ms = await _side_by_side([await _worded(db, bare, each) for each in questions])
    bare_ms = took_ms.pop("bare")
    return [Leg(chunks, name, bare_ms if name == LEXICAL else [], ours_ms) for name, ours_ms in took_ms.items()]


async def _set(conn: Any, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        await conn.execute("SELECT set_config($1, $2, false)", name, value)


async def _worded(db: Database, prepared: Any, question: str) -> Ways:
    weights, chosen = await _weighed(db, question)
    looks = [Look(unpacked(row.word_order or b""), row.title, row.score) for row in await _leg(db, question)]

    async def look() -> object:
        return second_look(question, weights, looks)

    return {
        "bare": lambda: prepared.fetch(sparsevec_text(weights), chosen.terms, LOOKED_AT_TWICE, chosen.pairs),
        LEXICAL: lambda: _leg(db, question),
        SECOND: look,
        WHOLE: _lexical(db, question),
    }


async def _weighed(db: Database | Session, question: str) -> tuple[dict[int, float], Candidates]:
    """Give the question's side of BM25, and what chooses the candidates, as search_lexical does."""
    ids = list(query_terms(question).values())
    docs = await document_frequencies(db, ids)
    return weigh(question, ids, docs), choose_candidates(ids, docs, SETTINGS.candidate_rows)


async def _leg(db: Database, question: str) -> list[LexicalHit]:
    async with db.session() as session:
        weights, chosen = await _weighed(session, question)
        asked = {"query": sparsevec_text(weights), "most": LOOKED_AT_TWICE, "filters": OWNER.values()}
        return await session.many(
            LexicalHit, "search_lexical", terms=chosen.terms, pairs=chosen.pairs, narrowly=False, **asked
        )


def _lexical(db: Database, question: str, candidate_rows: int = SETTINGS.candidate_rows) -> Callable[[], Any]:
    return lambda: search_lexical(db, question, OWNER, TOP, candidate_rows)


async def measure_vectors(dsn: str, chunks: int, leg: str, vectors: Sequence[Sequence[float]]) -> list[Leg]:
    """Time a leg of vectors, and of documents what finds their best chunks."""
    ours = search_chunk_vectors if leg == CHUNKS else search_document_vectors
    key, table, condition = BARE[leg]
    statement = BARE_VECTORS.format(key=key, table=table, condition=condition, dim=len(vectors[0]))
    async with open_pool(dsn, "bench", 2, searching=True) as db, connection(dsn) as conn:
        await _set(conn, {**SEARCHING, **WALKED, "hnsw.ef_search": "100"})
        bare = await conn.prepare(statement)

        async def ways(vector: Sequence[float]) -> Ways:
            seen, most = sight(1, vector), SETTINGS.leg_hits
            made: dict[str, Ask] = {
                "bare": lambda: bare.fetch(seen.text, most),
                leg: lambda: ours(db, seen, OWNER, most),
            }
            if leg == DOCUMENTS:
                near = await search_document_vectors(db, seen, OWNER, most)
                made[BEST] = lambda: best_chunks(db, seen, near)
            return made

        took_ms = await _side_by_side([await ways(each) for each in vectors])
    bare_ms = took_ms.pop("bare")
    return [Leg(chunks, name, bare_ms if name == leg else [], ours_ms) for name, ours_ms in took_ms.items()]


async def lexical_recall(dsn: str, chunks: int, questions: Sequence[str]) -> Recall:
    """Hold what the rarest terms choose against every chunk that has any term."""
    shares = []
    async with open_pool(dsn, "bench", 2, searching=True) as db:
        for question in questions:
            cut = await _lexical(db, question)()
            whole = await _lexical(db, question, EVERYTHING)()
            shares.append(_share(_ids(cut), _ids(whole)))
    return _recall(chunks, f"{LEXICAL}: rarest terms / any term", shares)


async def vector_recall(dsn: str, chunks: int, vectors: Sequence[Sequence[float]]) -> Recall:
    """Hold what the index finds against the order of all vectors."""
    shares = []
    async with open_pool(dsn, "bench", 2, searching=True) as db, connection(dsn) as conn:
        for vector in vectors:
            seen = sight(1, vector)
            found = await search_chunk_vectors(db, seen, OWNER, SETTINGS.leg_hits)
            exact = await conn.fetch(EXACT, seen.text, TOP)
            shares.append(_share(_ids(found[:TOP]), [row["chunk_id"] for row in exact]))
    return _recall(chunks, f"{CHUNKS}: index / all vectors", shares)


def _ids(hits: Sequence[Ranked]) -> list[int]:
    return [hit.chunk_id for hit in hits]


def _share(given: Sequence[int], wanted: Sequence[int]) -> float:
    return len(set(given) & set(wanted)) / len(wanted) if wanted else 1.0


def _recall(chunks: int, what: str, shares: Sequence[float]) -> Recall:
    return Recall(chunks, what, len(shares), sum(shares) / len(shares), min(shares))
