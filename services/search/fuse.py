"""Merges ranked lists of several legs: pure.

Each leg's scores are divided by its best one for this query, then summed with the leg's weight. Rank fusion with equal
weights was measured and lets one bad leg destroy a good one (R@1 .95 -> .12 with an English-only embedder).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.search.hit import Hit


def fuse(legs: Mapping[str, Sequence[Hit]], weights: Mapping[str, float], limit: int) -> list[Hit]:
    """Merge legs into one list.

    Args:
        legs: hits by leg, each best first; a chunk may stand in several.
        weights: share of each leg; a leg without one counts as 1.
        limit: how many hits to give.
    Returns:
        each chunk once, best first; with one leg its own order and its own scores.
    """
    if len(legs) == 1:
        return list(next(iter(legs.values())))[:limit]
    sums: dict[int, float] = {}
    first_seen: dict[int, Hit] = {}
    for name, hits in legs.items():
        best = max((hit.score for hit in hits), default=0.0) or 1.0
        for hit in hits:
            first_seen.setdefault(hit.chunk_id, hit)
            sums[hit.chunk_id] = sums.get(hit.chunk_id, 0.0) + weights.get(name, 1.0) * hit.score / best
    ranked = sorted(sums, key=lambda chunk_id: (-sums[chunk_id], chunk_id))
    return [replace(first_seen[chunk_id], score=sums[chunk_id]) for chunk_id in ranked[:limit]]
