"""Join neighbouring numbers that say one thing: sums (3시간 30분), ranges (10~20명), lists (5, 10 mm).

In: a legible text and its numbers in order, each with what stands around it. Out: the same, joined. Two days are never
joined: a day between two others was not said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.text.limits import Around, joins_limits, joins_list, joins_range
from services.text.quantity import BARE, Quantity, dated, measured

_SUMMED = frozenset(("time", "months", "length", "mass"))
_SUM_GAPS = frozenset(("", " ", " and ", ", "))
_REACH_CHARS = 14
_LAST_DAY, _LAST_MONTH = 31, 12
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Read:
    """The readings of one number, all of one place, and what stands around it; the last `shared` readings are
    its neighbour's."""

    readings: tuple[Quantity, ...]
    around: Around
    shared: int = 0

    @property
    def start(self) -> int:
        return self.readings[0].start

    @property
    def end(self) -> int:
        return self.readings[0].end

    @property
    def reach(self) -> tuple[int, int]:
        return self.around.lead, self.around.tail


def summed(text: str, found: Sequence[Read]) -> list[Read]:
    """Make one quantity of "3시간 30분" and "5 feet 6 inches"."""
    result: list[Read] = []
    for each in found:
        last = result[-1] if result else None
        if last and text[last.end : each.start] in _SUM_GAPS and (whole := _sum(last, each)):
            result[-1] = Read((whole,), replace(each.around, lead=last.around.lead, approx=last.around.approx))
        else:
            result.append(each)
    return result


def _sum(first: Read, second: Read) -> Quantity | None:
    large, small = first.readings[0], second.readings[0]
    if large.dimension not in _SUMMED or large.dimension != small.dimension or first.around.tail != first.end:
        return None
    if large.low is None or small.low is None or large.measure is None or small.measure is None:
        return None
    if abs(small.low) >= large.measure.factor or small.measure.factor >= large.measure.factor:
        return None
    total, digits = large.low + small.low, large.digits + small.digits
    return replace(large, end=second.end, low=total, high=total, step=small.step, digits=digits, written=total)


def joined(text: str, found: Sequence[Read]) -> list[Read]:
    """Make ranges of neighbours; from the right, so that a list shares the unit of its last."""
    result: list[Read] = []
    for each in reversed(found):
        following = result[-1] if result else None
        if following is None or following.around.lead - each.around.tail > _REACH_CHARS:
            result.append(each)
            continue
        shared = _sharing(text, each, following)
        result[-1] = following = _short_year(text, each, following)
        whole = _range(text, shared, _paid(each, following))
        if whole:
            result[-1] = whole
        else:
            result.append(shared)
    return result[::-1]


def _sharing(text: str, each: Read, following: Read) -> Read:
    """Give a bare number the unit of the next as a further reading: "10" in "10, 20 mm" and "5" in "5~6월"."""
    bare = each.readings[0]
    if bare.kind != "amount" or bare.dimension != BARE or bare.low is None or bare.low != bare.high:
        return each
    listed = joins_list(text, each.around.tail, following.around.lead) and (
        each.around.side is None or not following.shared
    )
    if not listed and not _limits(text, each, following):
        return each
    more = tuple(shared for other in following.readings if (shared := _as(bare, other)))
    return Read((*each.readings, *more), each.around, len(more))


def _as(bare: Quantity, other: Quantity) -> Quantity | None:
    """Read a bare number as the next one is read."""
    if other.kind == "amount" and other.measure and other.low is not None:
        return measured(bare, other.measure, _scale(bare, other))
    if other.kind == "amount" and other.scale != _ONE:
        scale = _scale(bare, other)
        value = bare.written * scale
        return replace(bare, low=value, high=value, written=value, step=bare.step * scale)
    if bare.written != int(bare.written) or bare.scale != _ONE:
        return None
    whole = int(bare.written)
    if other.kind in ("article", "ordinal"):
        return replace(
            other, start=bare.start, end=bare.end, low=bare.low, high=bare.low, written=bare.written, name=""
        )
    return _as_day(bare, other, whole)


def _as_day(bare: Quantity, other: Quantity, whole: int) -> Quantity | None:
    if other.day is None or other.day[0] is not None or not 0 < whole <= _LAST_DAY:
        return None
    _, month, day = other.day
    if month is None:
        return dated(bare.start, bare.end, (None, None, whole))
    return dated(bare.start, bare.end, (None, whole, None)) if day is None and whole <= _LAST_MONTH else None


def _scale(bare: Quantity, other: Quantity) -> Decimal:
    """Say what scale a number shares with the next: 2 in "2~3억" is 2억, 950 in "950~1만" is 950."""
    return other.scale if bare.scale == _ONE and bare.written < other.written / other.scale else _ONE


def _paid(each: Read, following: Read) -> Read:
    """Give the second of "$10-20" the money of the first."""
    first, second = each.readings[0], following.readings[0]
    if second.dimension or second.kind != "amount" or not first.measure or first.end == first.start:
        return following
    if first.measure.name not in ("USD", "KRW", "EUR", "GBP", "JPY") or second.low is None:
        return following
    return Read((measured(second, first.measure), *following.readings), following.around)


def _short_year(text: str, each: Read, following: Read) -> Read:
    """Read the second of "1965-66" as 1966, too."""
    first, second = _year(each), following.readings[0]
    if first is None or text[each.end : following.start] not in ("-", "/", "~") or second.kind != "amount":
        return following
    if second.dimension or second.digits != 2 or second.low is None or int(second.low) <= first % 100:
        return following
    year = dated(second.start, second.end, (first - first % 100 + int(second.low), None, None))
    return Read((*following.readings, year), following.around)


def _year(each: Read) -> int | None:
    return next((reading.day[0] for reading in each.readings if reading.day), None)


def _limits(text: str, each: Read, following: Read) -> bool:
    """Say whether the two are a lower and an upper limit of one thing."""
    if {each.around.side, following.around.side} != {"at_least", "at_most"}:
        return False
    return joins_limits(text, each.around.tail, following.around.lead)


def _range(text: str, each: Read, following: Read) -> Read | None:
    if _is_date(each) and _is_date(following):
        return None
    limits = _limits(text, each, following)
    plain = following.around.side in (None, "at_most") and each.around.side in (None, "at_least")
    if not limits and not (plain and joins_range(text, each.reach, (following.start, following.end), following.reach)):
        return None
    pairs = [
        whole
        for first in each.readings
        for second in following.readings[: len(following.readings) - following.shared]
        if (whole := _between(first, second, each.around, following.around, limits))
    ]
    if not pairs:
        return None
    approx = each.around.approx or following.around.approx
    around = Around(each.around.lead, following.around.tail, None, True, approx)
    united = [pair for pair in pairs if pair.dimension != BARE or pair.kind == "article"]
    return Read(tuple(united or pairs), around)


def _is_date(each: Read) -> bool:
    return any(reading.day is not None and reading.day[:2] != (None, None) for reading in each.readings)


def _between(first: Quantity, second: Quantity, low: Around, high: Around, limits: bool) -> Quantity | None:
    if first.kind != second.kind or first.dimension != second.dimension or first.kind not in ("amount", "article"):
        return None
    if first.kind == "article" and (first.unit != second.unit or first.name or second.name):
        return None
    if first.low is None or second.high is None or first.low != first.high or second.low != second.high:
        return None
    first = _scaled_money(first, second)
    ends = sorted(((first.low or second.high, low.closed), (second.high, high.closed)))
    if first.low == second.high or (first.low is not None and first.low > second.high and low.side != "at_most"):
        return None
    return replace(
        first,
        end=second.end,
        low=ends[0][0],
        high=ends[1][0],
        low_closed=ends[0][1] if limits else True,
        high_closed=ends[1][1] if limits or high.side else True,
        step=min(first.step, second.step),
        digits=max(first.digits, second.digits),
        worded=first.worded and second.worded,
    )


def _scaled_money(first: Quantity, second: Quantity) -> Quantity:
    """Give the first of "$3-5 million" and "30만~50만" its share of the scale."""
    if first.measure is None or first.measure != second.measure or first.scale == second.scale:
        return first
    scale = _scale(first, second)
    return measured(replace(first, written=first.written), first.measure, scale) if scale != _ONE else first
