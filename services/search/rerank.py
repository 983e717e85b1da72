"""A second opinion on the first hits, by a served cross-encoder; without one, or where it is late, they stay in order.

In: a question and fused hits, best first. Out: the same hits, by the reranker's score, and a note where that could not
be had. It loses no hit and makes none.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import anyio

from db.gate import Priority
from services.kit.settings import SearchSettings
from services.model.batches import Batches
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.rerank import ServedReranker
from services.search.hit import Hit

UNAVAILABLE = "rerank_unavailable"
"""Note: no server answered, or its scores were of no use."""
LATE = "rerank_late"
"""Note: `search.rerank_wait_s` was over before all scores were there."""
OWN_SHARE = 0.9
"""Share of the wait that one request may take: the breaker then hears of a server that is silent, which it would not
of a search that went away; after some of those nobody waits for it any longer."""

_sizes: dict[str, Batches] = {}
"""How many texts each server was found to take at once; known for as long as the process lives."""


async def rerank(
    question: str, hits: Sequence[Hit], models: ModelClient | None, settings: SearchSettings, priority: Priority
) -> tuple[list[Hit], str | None]:
    """Put hits into the order of a reranker.

    Args:
        hits: best first; only the first `settings.rerank_input` by `chosen` are looked at, the others follow in their
            order, with the lowest of its scores.
        models: None where this process calls no model.
        priority: the class of the calls at the gate; whoever waits for the search is FOREGROUND.
    Returns:
        all hits, with the reranker's scores, of equal ones the better fused first; and None. Or the hits as they were,
        and None where no reranker is set, or else a note that says why (UNAVAILABLE, LATE).
    """
    endpoint = models.endpoint(Role.RERANK) if models is not None and settings.rerank else None
    if models is None or endpoint is None or len(hits) < 2:
        return list(hits), None
    limit_s = settings.rerank_wait_s * OWN_SHARE
    reranker = ServedReranker(models.door(Call(Role.RERANK, priority, "search", limit_s=limit_s)), models.calls)
    reranker.batches = _sizes.setdefault(endpoint.name, reranker.batches)
    first = chosen(hits, settings.rerank_input, settings.rerank_per_document)
    scores: list[float] | None = None
    try:
        with anyio.move_on_after(settings.rerank_wait_s):
            scores = await reranker.scores(question, [_text(hit, settings.rerank_chars) for hit in first])
    except ModelError:
        return list(hits), UNAVAILABLE
    return (list(hits), LATE) if scores is None else (ordered(hits, first, scores), None)


def _text(hit: Hit, max_chars: int) -> str:
    """Give what is scored: a passage does not say of what law or machine it is, its title does."""
    return f"{hit.title}\n{hit.text}"[:max_chars]


def chosen(hits: Sequence[Hit], most: int, per_document: int) -> list[Hit]:
    """Choose the hits to look at: of each document so many (P05), and where there is room the others, too.

    Returns:
        at most `most` hits, in their order.
    """
    seen: Counter[int] = Counter()
    early: list[int] = []
    later: list[int] = []
    for place, hit in enumerate(hits):
        seen[hit.document_id] += 1
        (early if seen[hit.document_id] <= per_document else later).append(place)
    return [hits[place] for place in sorted((early + later)[:most])]


def ordered(hits: Sequence[Hit], scored: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    """Order hits by scores, of equal ones the former first; those without a score follow, in their order.

    Args:
        scores: one for each of `scored`, all of them numbers (services/model/rerank.py).
    """
    by_chunk = {hit.chunk_id: score for hit, score in zip(scored, scores, strict=True)}
    lowest = min(scores, default=0.0)
    best = sorted(scored, key=lambda hit: -by_chunk[hit.chunk_id])
    rest = [hit for hit in hits if hit.chunk_id not in by_chunk]
    return [replace(hit, score=by_chunk.get(hit.chunk_id, lowest)) for hit in [*best, *rest]]
