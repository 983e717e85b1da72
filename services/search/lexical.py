"""The lexical leg: BM25 inside Postgres, terms from a GIN index, order by an inner product of sparse vectors; then a
second look at the best (second.py).

In: a question and filters. Out: hits, best first. Refuses nothing: a question without a known term has no hits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from db.pool import Database, Session
from db.rows import LexicalHit, TermDocs
from services.search.filters import Filters
from services.search.hit import Ranked
from services.search.second import Look, second_look
from services.text.order import unpacked
from services.text.terms import emphasis, query_terms, query_weights, sparsevec_text

LOOKED_AT_TWICE = 50
"""The right passage is among the first fifty of BM25 in .992 (squad2-en) to 1.0 of questions; a look takes 3 ms."""
PAIRED = 4
"""Terms behind the rarest of which two together name a candidate, too."""
PAIRS = tuple(combinations(range(PAIRED), 2))
ROWS_A_TERM = 100
"""A long question has more words that each choose: its candidates are at least so many for each term."""
TOO_COMMON = 2
"""The last term that chooses does so with another one where it alone is in so many times the candidates wanted."""
NO_PAIR = [0, 0]
"""No chunk has the term 0."""
ALL_CHUNKS = 0
"""The term under which term_stats counts the chunks themselves."""


async def document_frequencies(db: Database | Session, ids: Sequence[int]) -> dict[int, int]:
    """Look up how many chunks hold each term, and under ALL_CHUNKS how many there are."""
    rows = await db.many(TermDocs, "term_docs", terms=[ALL_CHUNKS, *ids])
    return {row.term: max(row.docs, 0) for row in rows}


async def search_lexical(
    db: Database, question: str, filters: Filters, limit: int, candidate_rows: int
) -> list[Ranked]:
    """Find the chunks that hold most of a question's words, and look at the first of them twice.

    Args:
        candidate_rows: see `choose_candidates`.
    """
    ids = list(query_terms(question).values())
    async with db.session() as session:  # a connection that is given back is tidied up each time
        docs = await document_frequencies(session, ids)
        weights = weigh(question, ids, docs)
        if not weights:
            return []
        chosen = choose_candidates(ids, docs, candidate_rows)
        most = max(limit, LOOKED_AT_TWICE)
        asked = {"query": sparsevec_text(weights), "most": most, "filters": filters.values()}
        rows = await session.many(
            LexicalHit, "search_lexical", terms=chosen.terms, pairs=chosen.pairs, narrowly=False, **asked
        )
        if len(rows) < limit and len(chosen.terms) < len(set(ids)):  # what was chosen, the filters may leave out
            every = {"terms": sorted(set(ids)), "pairs": [NO_PAIR] * len(PAIRS)}
            rows = await session.many(LexicalHit, "search_lexical", narrowly=True, **every, **asked)
    return _looked_at_twice(question, weights, rows)[:limit]


def weigh(question: str, ids: Sequence[int], docs: Mapping[int, int]) -> dict[int, float]:
    """Weigh the terms that are in some chunk: idf, and how much of the question each is."""
    share = emphasis(question)
    plain = query_weights(ids, docs, docs.get(ALL_CHUNKS, 0))
    return {ident: weight * share.get(ident, 1.0) for ident, weight in plain.items()}


def _looked_at_twice(question: str, weights: Mapping[int, float], rows: Sequence[LexicalHit]) -> list[Ranked]:
    """Order the first hits by a second look, with its scores; those behind keep their order and stay behind.

    Where the order of words of one of them is not known (it was cut by a former version), BM25 has the word.
    """
    first, behind = rows[:LOOKED_AT_TWICE], rows[LOOKED_AT_TWICE:]
    if any(row.word_order is None for row in first):
        return [Ranked(row.chunk_id, row.score) for row in rows]
    looks = [Look(unpacked(row.word_order or b""), row.title, row.score) for row in first]
    scores = second_look(question, weights, looks)
    looked_at = [Ranked(row.chunk_id, score) for row, score in zip(first, scores, strict=True)]
    ranked = sorted(looked_at, key=lambda each: (-each.score, each.chunk_id))
    least = ranked[-1].score if ranked else 0.0
    return ranked + [Ranked(row.chunk_id, min(row.score, least)) for row in behind]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a chunk must have to be scored: any one of `terms`, or both of any of `pairs` (PAIRS of them, always)."""

    terms: list[int]
    pairs: list[list[int]]


def choose_candidates(ids: Sequence[int], docs: Mapping[int, int], candidate_rows: int) -> Candidates:
    """Choose what names the candidates: the rarest terms, and of those behind them any two together.

    A chunk that has one common word of a question, and nothing else of it, is not among the best; those with two are
    found inside the index, unread. How many of the best are found, and in what time: docs/decisions.md.

    Args:
        candidate_rows: the rarest terms are taken until their chunks add up to so many, or more for a long question.
    """
    candidate_rows = max(candidate_rows, ROWS_A_TERM * len(set(ids)))
    terms = choosing_terms(ids, docs, candidate_rows)
    behind = sorted(set(ids).difference(terms), key=lambda term: docs.get(term, 0))
    if len(terms) > 1 and docs.get(terms[-1], 0) > TOO_COMMON * candidate_rows:
        behind.insert(0, terms.pop())
    pairs = [[behind[one], behind[two]] if two < len(behind) else NO_PAIR for one, two in PAIRS]
    return Candidates(terms, pairs)


def choosing_terms(ids: Sequence[int], docs: Mapping[int, int], candidate_rows: int) -> list[int]:
    """Choose the rarest terms, until their chunks add up to `candidate_rows`; always one."""
    chosen: list[int] = []
    rows = 0
    for term in sorted(set(ids), key=lambda term: docs.get(term, 0)):
        if chosen and rows >= candidate_rows:
            break
        chosen.append(term)
        rows += docs.get(term, 0)
    return chosen
