"""What the time stamps of all processes say together: who held, with whom it overlapped, how long nobody did.

Pure functions. All times are nanoseconds of `time.perf_counter_ns`, the clock that the processes of a machine share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

NS_PER_MS = 1e6


class Hold(NamedTuple):
    """One turn: when it was asked for, when the caller was inside, when it called leave; ns.

    `inside` and `left` are 0 for somebody who still waited at the end.
    """

    asked: int
    inside: int
    left: int


@dataclass(frozen=True)
class ForegroundWait:
    """How long an urgent caller waited beyond what it had to.

    Attributes:
        beyond_ms: from the end of the call in flight (or from the ask, if there was none) to being inside.
        slipped: other calls that began in between; 0 where classes are kept.
    """

    beyond_ms: float
    slipped: int


def in_order(holds: Sequence[Hold]) -> list[Hold]:
    """Return those that came inside, in the order in which they did."""
    return sorted((hold for hold in holds if hold.inside), key=lambda hold: hold.inside)


def overlaps(holds: Sequence[Hold]) -> int:
    """Count the holds that began before an earlier one had called leave."""
    count, latest = 0, 0
    for hold in in_order(holds):
        count += hold.inside < latest
        latest = max(latest, hold.left)
    return count


def busy_share(holds: Sequence[Hold], begin: int, end: int) -> float:
    """Return the part of the time between `begin` and `end` in which somebody was inside."""
    held = sum(max(0, min(hold.left, end) - max(hold.inside, begin)) for hold in in_order(holds))
    return held / (end - begin)


def gaps_ms(holds: Sequence[Hold], begin: int, end: int) -> list[float]:
    """Return the times between one's call of leave and the next being inside, for holds begun in the window, in ms."""
    ordered = in_order(holds)
    return [
        (after.inside - before.left) / NS_PER_MS for before, after in pairwise(ordered) if begin <= after.inside < end
    ]


def per_second(holds: Sequence[Hold], begin: int, end: int) -> float:
    """Return how many holds a second were left between `begin` and `end`."""
    return sum(begin <= hold.left < end for hold in holds) * 1e9 / (end - begin)


def foreground_waits(waits: Sequence[Hold], others: Sequence[Hold], end: int) -> list[ForegroundWait]:
    """Return each urgent wait without the rest of the call in flight.

    The call in flight is the one that was inside at the ask. When nobody was, because the slot was on its way from one
    to the next, it is the next: nobody can take back what was given before the ask.

    Args:
        others: all calls but the urgent ones.
        end: when the measurement was over, for those who were not served; their wait is a lower bound.
    """
    ordered = in_order(others)
    return [_beyond(wait, ordered, end) for wait in waits]


def _beyond(wait: Hold, others: Sequence[Hold], end: int) -> ForegroundWait:
    inside = wait.inside or end
    meanwhile = [hold for hold in others if hold.left > wait.asked and hold.inside < inside]
    free_at = meanwhile[0].left if meanwhile else wait.asked
    beyond_ns = inside - max(wait.asked, free_at)
    return ForegroundWait(max(0, beyond_ns) / NS_PER_MS, max(0, len(meanwhile) - 1))
