"""How well refusals tell questions without an answer from those with one: pure.

In: scores of both, higher where an answer is more likely; None where there was nothing to weigh, which is less than any
number. Out: figures that need no threshold.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Score = float | None

FALSE_REFUSALS = 0.1
"""Share of answerable questions that may be refused where thresholds are compared."""


def auroc(answerable: Sequence[Score], others: Sequence[Score]) -> float:
    """Give the chance that an answerable question scores higher than another one; equal scores count half.

    Args:
        answerable, others: at least one each.
    """
    below = _ordered(others)
    wins = sum(bisect_left(below, score) + bisect_right(below, score) for score in _ordered(answerable))
    return wins / (2 * len(answerable) * len(others))


def refused_at(answerable: Sequence[Score], others: Sequence[Score], false_refusals: float = FALSE_REFUSALS) -> float:
    """Give the share of the others that is refused by the highest threshold that refuses no more answerable ones.

    Args:
        answerable, others: at least one each.
        false_refusals: below 1.
    """
    allowed = _ordered(answerable)
    threshold = allowed[int(len(allowed) * false_refusals)]
    return bisect_left(_ordered(others), threshold) / len(others)


def _ordered(scores: Iterable[Score]) -> list[float]:
    return sorted(-math.inf if score is None else score for score in scores)
