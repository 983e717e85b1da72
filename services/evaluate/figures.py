"""Figures of a run, by group of questions: pure.

In: for each question its rank, or its times. Out: recall, reciprocal rank and discounted gain at ten, or quantiles.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from services.evaluate.sets import Question
from services.evaluate.tags import groups_of

Value = TypeVar("Value")
Figures = dict[str, dict[str, float]]
"""By group: `n`, and each measure by its name."""

DEPTH = 10
"""Ranks that count."""
RECALL_AT = (1, 5, 10)
DIGITS = 4


def quality(ranks: Sequence[int | None]) -> dict[str, float]:
    """Weigh ranks, counted from 1; None is a miss. One passage answers, so the ideal gain is 1."""
    n = len(ranks)
    within = [rank if rank is not None and rank <= DEPTH else None for rank in ranks]
    found = [rank for rank in within if rank is not None]
    recalls = {f"R@{k}": sum(rank <= k for rank in found) / n for k in RECALL_AT}
    reciprocal = math.fsum(1 / rank for rank in found) / n
    gain = math.fsum(1 / math.log2(rank + 1) for rank in found) / n
    measures = {**recalls, f"MRR@{DEPTH}": reciprocal, f"nDCG@{DEPTH}": gain}
    return {"n": n, **{name: round(value, DIGITS) for name, value in measures.items()}}


def latency(took_ms: Sequence[float]) -> dict[str, float]:
    """Give the median and the 95th percentile, in milliseconds."""
    ordered = sorted(took_ms)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {"n": len(ordered), "p50_ms": round(statistics.median(ordered), 1), "p95_ms": round(p95, 1)}


def by_group(values: Mapping[Question, Value], weigh: Callable[[Sequence[Value]], dict[str, float]]) -> Figures:
    """Weigh the values of each group of questions: all, by set, by language, by tag; groups in that order, by name."""
    groups: dict[str, list[Value]] = {}
    for question, value in values.items():
        for group in groups_of(question):
            groups.setdefault(group, []).append(value)
    order = {"all": 0, "set": 1, "language": 2, "tag": 3}
    names = sorted(groups, key=lambda name: (order[name.partition(":")[0]], name))
    return {name: weigh(groups[name]) for name in names}
