"""Merges ranked lists of several legs: pure.

By score: each leg's scores are divided by its best one for this query, then summed with the leg's weight. By rank:
each hit counts its leg's weight over k and its rank. Rank fusion with equal weights was measured and lets one bad leg
destroy a good one (R@1 .95 -> .12 with an English-only embedder); it is a setting, and is weighed, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

from services.search.hit import Fused, Ranked

Fusion = Literal["score", "rank"]
RANK_K = 60
"""The usual constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009)."""
Shares = Callable[[Sequence[Ranked]], Iterator[float]]


def fuse(
    legs: Mapping[str, Sequence[Ranked]],
    weights: Mapping[str, float],
    limit: int,
    by: Fusion = "score",
    rank_k: int = RANK_K,
) -> list[Fused]:
    """Merge legs into one list.

    Args:
        legs: hits by leg, each best first; a chunk may stand in several.
        weights: share of each leg; a leg without one counts as 1.
        limit: how many hits to give.
        by: "score", or "rank" with the constant `rank_k`.
    Returns:
        each chunk once, best first, with what each leg added to its score; with one leg its own order and scores.
    """
    if len(legs) == 1:
        name, hits = next(iter(legs.items()))
        return [Fused(hit.chunk_id, hit.score, {name: hit.score}) for hit in hits[:limit]]
    shares: Shares = of_best if by == "score" else partial(of_rank, k=rank_k)
    parts: dict[int, dict[str, float]] = {}
    for name, hits in legs.items():
        for hit, share in zip(hits, shares(hits), strict=True):
            parts.setdefault(hit.chunk_id, {})[name] = weights.get(name, 1.0) * share
    sums = {chunk_id: sum(added.values()) for chunk_id, added in parts.items()}
    ranked = sorted(sums, key=lambda chunk_id: (-sums[chunk_id], chunk_id))
    return [Fused(number, sums[number], parts[number]) for number in ranked[:limit]]


def of_best(hits: Sequence[Ranked | Fused]) -> Iterator[float]:
    """Give each score as a share of the best; what is not above 0 (a vector that points away) counts as nothing."""
    best = max((hit.score for hit in hits), default=0.0)
    return (max(hit.score, 0.0) / best if best > 0 else 0.0 for hit in hits)


def of_rank(hits: Sequence[Ranked], k: int = RANK_K) -> Iterator[float]:
    """Give 1 / (k + rank), ranks from 1."""
    return (1 / (k + rank) for rank in range(1, len(hits) + 1))
