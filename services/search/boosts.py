"""Soft boosts of fused scores: what is new of a kind that ages, and kinds that somebody prefers. Pure, and off.

In: fused hits, best first. Out: the same hits. With nothing set they come out as they went in, score by score.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.kit.settings import SearchSettings
from services.search.hit import Hit


def boost(hits: Sequence[Hit], settings: SearchSettings, today: date) -> list[Hit]:
    """Multiply scores by up to 1 + `search.most_boost_share`, and order again; of equal scores the former first.

    Of a kind in `search.freshness` a hit of today gains `search.freshness_share`, after the days named there half of
    it, after twice as many a quarter; one whose publication is not known gains nothing. A kind in `search.type_boost`
    gains what stands there. A boost is to decide between passages that fit equally well; a larger one hurts exact
    matches: 0.03 did where 0.01 did not (P05).
    """
    if not settings.freshness and not settings.type_boost:
        return list(hits)
    raised = [replace(hit, score=hit.score * (1 + gain(hit, settings, today))) for hit in hits]
    return sorted(raised, key=lambda hit: -hit.score)


def gain(hit: Hit, settings: SearchSettings, today: date) -> float:
    """Say by what share a hit's score is raised, 0 to `search.most_boost_share`."""
    kind = hit.material_type or ""
    gained = settings.type_boost.get(kind, 0.0)
    half_life_days = settings.freshness.get(kind)
    if half_life_days is not None and hit.published_date is not None:
        age_days = max(0, (today - hit.published_date).days)
        gained += settings.freshness_share * 0.5 ** (age_days / half_life_days)
    return min(gained, settings.most_boost_share)
