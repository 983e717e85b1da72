"""Each leg of a search beside its bare index query, question by question, and what the index and the cut leave out.

Bare is what nobody can go below with this index: the same candidates or neighbours, the same order and LIMIT, from one
table, on a connection of its own; the query's weights or vector are there already. Ours is the product's function over
a pool as the HTTP process opens it: question to terms, their frequencies, filters, joins, texts, the second look, rows
to hits. Which of the two goes first changes with every question.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.pg import connection
from db.pool import SEARCHING, Database, open_pool
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.hit import Hit
from services.search.lexical import (
    ALL_CHUNKS,
    LOOKED_AT_TWICE,
    choosing_terms,
    document_frequencies,
    search_lexical,
)
from services.search.vector import search_chunk_vectors, search_document_vectors, sight
from services.text.terms import query_terms, query_weights, sparsevec_text

LEXICAL, CHUNKS, DOCUMENTS = "lexical", "chunk vectors", "document vectors"
TOP = 10
EVERYTHING = 10**12
OWNER = Filters(user_id=1)
SETTINGS = SearchSettings()
WARM_UP = 20
BARE_LEXICAL = """
SELECT id, -(lexical <#> $1::text::sparsevec) AS score FROM chunks
WHERE in_corpus AND terms && $2::integer[]
ORDER BY lexical <#> $1::text::sparsevec LIMIT $3
"""
BARE_VECTORS = """
SELECT {key}, -(embedding <#> $1::text::halfvec) AS score FROM {table}
WHERE {condition} ORDER BY embedding::halfvec({dim}) <#> $1::text::halfvec LIMIT $2
"""
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
    """Milliseconds of one leg at a number of chunks, a value for each question, bare and ours in the same order."""

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


async def _side_by_side(chunks: int, leg: str, pairs: Sequence[tuple[Ask, Ask]]) -> Leg:
    bare_ms, ours_ms = [], []
    for place, (bare, ours) in enumerate(pairs):
        if place % 2:
            ours_ms.append(await _timed(ours))
        bare_ms.append(await _timed(bare))
        if not place % 2:
            ours_ms.append(await _timed(ours))
    return Leg(chunks, leg, bare_ms[WARM_UP:], ours_ms[WARM_UP:])


async def measure_lexical(dsn: str, chunks: int, questions: Sequence[str]) -> Leg:
    """Time the leg of words."""
    async with open_pool(dsn, "bench", 2, searching=True) as db, connection(dsn) as conn:
        await _as_searching(conn)
        bare = await conn.prepare(BARE_LEXICAL)
        pairs = [(await _bare_lexical(db, bare, each), _lexical(db, each)) for each in questions]
        return await _side_by_side(chunks, LEXICAL, pairs)


async def _as_searching(conn: Any) -> None:
    for name, value in {**SEARCHING, "hnsw.ef_search": "100"}.items():
        await conn.execute("SELECT set_config($1, $2, false)", name, value)


async def _bare_lexical(db: Database, prepared: Any, question: str) -> Ask:
    ids = list(query_terms(question).values())
    docs = await document_frequencies(db, ids)
    weights = sparsevec_text(query_weights(ids, docs, docs.get(ALL_CHUNKS, 0)))
    chosen = choosing_terms(ids, docs, SETTINGS.candidate_rows)
    return lambda: prepared.fetch(weights, chosen, LOOKED_AT_TWICE)


def _lexical(db: Database, question: str, candidate_rows: int = SETTINGS.candidate_rows) -> Callable[[], Any]:
    return lambda: search_lexical(db, question, OWNER, TOP, candidate_rows)


async def measure_vectors(dsn: str, chunks: int, leg: str, vectors: Sequence[Sequence[float]]) -> Leg:
    """Time a leg of vectors."""
    ours = search_chunk_vectors if leg == CHUNKS else search_document_vectors
    key, table, condition = BARE[leg]
    statement = BARE_VECTORS.format(key=key, table=table, condition=condition, dim=len(vectors[0]))
    async with open_pool(dsn, "bench", 2, searching=True) as db, connection(dsn) as conn:
        await _as_searching(conn)
        bare = await conn.prepare(statement)

        def pair(vector: Sequence[float]) -> tuple[Ask, Ask]:
            seen = sight(1, vector)
            return lambda: bare.fetch(seen.text, SETTINGS.leg_hits), lambda: ours(db, seen, OWNER, SETTINGS.leg_hits)

        return await _side_by_side(chunks, leg, [pair(each) for each in vectors])


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


def _ids(hits: Sequence[Hit]) -> list[int]:
    return [hit.chunk_id for hit in hits]


def _share(given: Sequence[int], wanted: Sequence[int]) -> float:
    return len(set(given) & set(wanted)) / len(wanted) if wanted else 1.0


def _recall(chunks: int, what: str, shares: Sequence[float]) -> Recall:
    return Recall(chunks, what, len(shares), sum(shares) / len(shares), min(shares))
