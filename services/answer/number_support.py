"""Say whether one reading of an answer's number is supported by the numbers of the evidence, and if not, why.

In: a quantity of the answer and what the evidence holds. Out: None where it is supported, else a code. The rules are
those of docs/numbers.md: a number counts in its own unit only, units that can be turned into one another are one, and a
bare number gets neither ranges nor rounding.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from services.answer.evidence_numbers import EvidenceNumbers
from services.text.moments import Day
from services.text.quantity import BARE, Quantity

NumberCode = Literal[
    "fabricated_number",
    "bound_reversed",
    "bound_as_exact",
    "limits_differ",
    "unit_missing",
    "unit_added",
    "number_from_question",
    "code_unknown",
    "count_differs",
]

ROUNDED_FROM = 4
"""Digits from which a number of the evidence may be rounded in an answer (behaviours A19)."""
LEAST_DIGITS = 2
"""Digits a rounded number keeps at least: 1,234,567 is about 1.2 million, and not about one."""

_COUNTED = """
person item kind species case volume_no machine times animal tree bottle cup sheet building ship
household place team company country pair age floor school_year term stage score level page letter
word question line lecture credit vote song game goal round generation group seat row fold months
"""
_COUNTS = frozenset(_COUNTED.split())
"""What a noun may say that is in no table of units: "30 researchers" supports 30명."""
_RANKED = ("floor", "school_year", "quarter", "generation", "stage", "term", "round", "century", "times", "age")
"""Units that number what they count: 3층 is the third floor, and 3분기 the third quarter."""
_HALF = Decimal("0.5")
_NEAR_SHARE = Decimal("0.05")
"""How far a share may lie from the half or third it is said to be about."""

Pools = Sequence[EvidenceNumbers]


def unsupported(each: Quantity, pools: Pools) -> NumberCode | None:
    """Find what is wrong with one reading of a number, or None."""
    match each.kind:
        case "mark":
            return None
        case "date":
            return None if each.day is None or _day_stands(each.day, pools) else "fabricated_number"
        case "clock":
            return None if any(each.low in pool.clocks for pool in pools) else "fabricated_number"
        case "code":
            return _code(each, pools)
        case "ordinal":
            return _ordinal(each, pools)
        case "article":
            return _article(each, pools)
        case "amount":
            return _bare(each, pools) if each.dimension == BARE else _amount(each, pools)


def _day_stands(day: Day, pools: Pools) -> bool:
    if any(_within(day, other) for pool in pools for other in pool.days):
        return True
    year, month, _ = day
    if year is None or month is None:
        return False
    # "2024년 … 5월 1일" says the same as "2024년 5월 1일", unless the day stands with another year.
    without_year = any(other[0] is None and _within((None, *day[1:]), other) for pool in pools for other in pool.days)
    return without_year and any(other[0] == year for pool in pools for other in pool.days)


def _within(day: Day, other: Day) -> bool:
    return all(part is None or part == whole for part, whole in zip(day, other, strict=True))


def _code(each: Quantity, pools: Pools) -> NumberCode | None:
    if any(each.name in pool.codes for pool in pools):
        return None
    return "code_unknown" if each.digits == 1 else "fabricated_number"


def _ordinal(each: Quantity, pools: Pools) -> NumberCode | None:
    """An ordinal stands as one, or as a bare number in digits ("step 3"); in words also as a place: 3층, ③, the 3rd."""
    for pool in pools:
        bare = pool.exact.get(BARE, {}).get(each.written)
        if each.written in pool.ordinals or (bare and not bare.worded):
            return None
        if each.worded and any(each.written in pool.exact.get(unit, ()) for unit in _RANKED):
            return None
        if each.worded and (each.written in pool.marks or any(day[2] == each.written for day in pool.days)):
            return None
    return "fabricated_number"


def _article(each: Quantity, pools: Pools) -> NumberCode | None:
    for pool in pools:
        if each.form == "range":
            if all((each.unit, end, "") in pool.articles for end in (each.low, each.high) if end is not None):
                return None
        elif (each.unit, each.written, each.name) in pool.articles or (
            not each.name
            and (each.written in pool.ordinals or (each.unit in ("항", "호", "목") and each.written in pool.marks))
        ):
            return None
    return "fabricated_number"


def _bare(each: Quantity, pools: Pools) -> NumberCode | None:
    """A number without a unit: the same number without one, else one that the evidence has with a unit only."""
    ends = [end for end in (each.low, each.high) if end is not None]
    if all(any(end in pool.exact.get(BARE, ()) for pool in pools) for end in ends):
        return None
    if any(_same_limits(each, limit) for pool in pools for limit in pool.limits.get(BARE, ())):
        return None
    borders = {border for pool in pools for border in pool.borders(BARE)}
    if all(end in borders for end in ends):
        return _against_limits(each, [limit for pool in pools for limit in pool.limits.get(BARE, ())])
    if all(any(end in pool.written for pool in pools) for end in ends):
        return "unit_missing"
    if each.form == "exact" and any(rounds(each, other) for pool in pools for other in pool.exact[BARE].values()):
        return "unit_missing"
    return "fabricated_number"


def _amount(each: Quantity, pools: Pools) -> NumberCode | None:
    values = [other for pool in pools for other in pool.exact.get(each.dimension, {}).values()]
    limits = [limit for pool in pools for limit in pool.limits.get(each.dimension, ())]
    ends = [end for end in (each.low, each.high) if end is not None]
    known = {other.low for other in values}
    if each.form == "range":
        known.update(end for limit in limits for end in (limit.low, limit.high) if end is not None)
    if all(end in known for end in ends):
        return None
    if each.form != "range" and any(rounds(each, other) for other in values):
        return None
    if each.worded and each.step == 0 and any(_holds_share(each, other) for other in (*values, *limits)):
        return None
    found = _against_limits(each, limits)
    if found != "fabricated_number":
        return found
    return _against_bare(each, pools)


def _against_limits(each: Quantity, limits: Sequence[Quantity]) -> NumberCode | None:
    """Compare with ranges and limits: the one that supports most counts."""
    codes = [_against(each, limit) for limit in limits]
    if None in codes:
        return None
    order: tuple[NumberCode, ...] = ("bound_as_exact", "limits_differ", "bound_reversed")
    return next((code for code in order if code in codes), "fabricated_number")


def _against(each: Quantity, limit: Quantity) -> NumberCode | None:
    if each.form == "exact":
        return _one_against(each, limit)
    if _same_limits(each, limit):
        return None
    if each.form in ("at_least", "at_most") and limit.form in ("at_least", "at_most") and each.form != limit.form:
        border, other = (each.low, limit.high) if each.form == "at_least" else (each.high, limit.low)
        if border != other:
            return "fabricated_number"
        # "5명 미만은 제외" and "5명 이상" are two sides of one border; "최대 5명" and "최소 5명" are not.
        closed = (each.low_closed and each.high_closed, limit.low_closed and limit.high_closed)
        return "limits_differ" if closed[0] != closed[1] else "bound_reversed"
    inside = all(
        _holds(limit, end) or end in (limit.low, limit.high) for end in (each.low, each.high) if end is not None
    )
    return "limits_differ" if inside else "fabricated_number"


def _one_against(each: Quantity, limit: Quantity) -> NumberCode | None:
    """Hold a single value against a limit: inside it is supported, on a border only where a range ends there."""
    value = each.low
    if value is None:
        return "fabricated_number"
    if value not in (limit.low, limit.high):
        return None if _holds(limit, value) else "fabricated_number"
    closed = limit.low_closed if value == limit.low else limit.high_closed
    return None if limit.form == "range" and closed else "bound_as_exact"


def _holds_share(each: Quantity, other: Quantity) -> bool:
    """Say whether a share supports one in words: 53% is more than half, and 48% about half."""
    if each.approx and each.form == "exact" and each.low is not None:
        return other.form == "exact" and other.low is not None and abs(other.low - each.low) <= _NEAR_SHARE
    if each.form == "at_least":
        return each.low is not None and other.low is not None and each.low <= other.low <= 1
    return each.form == "at_most" and each.high is not None and other.high is not None and other.high <= each.high


def _holds(limit: Quantity, value: Decimal) -> bool:
    below_zero = limit.dimension == "temperature"
    low = limit.low if limit.low is not None else (None if below_zero else Decimal(0))
    return (low is None or low <= value) and (limit.high is None or value <= limit.high)


def _same_limits(each: Quantity, limit: Quantity) -> bool:
    """Say whether an answer's limits are those of the evidence, or one side of them."""
    low = each.low is None or (each.low == limit.low and each.low_closed == limit.low_closed)
    high = each.high is None or (each.high == limit.high and each.high_closed == limit.high_closed)
    return low and high


def _against_bare(each: Quantity, pools: Pools) -> NumberCode | None:
    """Look for the number without its unit, as a table has it whose head names the unit."""
    for pool in pools:
        bare = set(pool.exact.get(BARE, ())).union(pool.borders(BARE))
        if not all(end in bare for end in _written_ends(each)):
            continue
        return None if each.dimension in _COUNTS or pool.names_unit(each.unit) else "unit_added"
    return "fabricated_number"


def _written_ends(each: Quantity) -> list[Decimal]:
    if not each.measure:
        return [each.written]
    ends = (end for end in (each.low, each.high) if end is not None)
    return (
        [(end - each.measure.offset) / each.measure.factor for end in ends] if each.form == "range" else [each.written]
    )


def rounds(each: Quantity, other: Quantity) -> bool:
    """Say whether an answer's number is one of the evidence rounded to the digits it is written with.

    In the same unit only numbers of ROUNDED_FROM digits are rounded, and it shows: by 약, by 만 or million, by decimals
    left out. After a conversion either may be the rounded one.
    """
    mine, theirs = each.low if each.low is not None else each.high, other.low
    if mine is None or theirs is None:
        return False
    step = _shown_step(each)
    if each.form == "exact":
        near = abs(mine - theirs) <= step * _HALF
    else:  # "over 1.2 million" of 1,284,000
        near = 0 <= (theirs - mine if each.form == "at_least" else mine - theirs) < step
    if each.unit == other.unit:
        return near and other.digits >= ROUNDED_FROM and step > other.step and _digits(each) >= LEAST_DIGITS
    converted_back = abs(mine - theirs) <= other.step * _HALF and other.digits >= LEAST_DIGITS
    return (near and _digits(each) >= LEAST_DIGITS) or converted_back


def _shown_step(each: Quantity) -> Decimal:
    """Give what the last digit that counts is worth: behind 약 and "over" the zeros at the end do not count."""
    return each.step * Decimal(10) ** _idle_zeros(each)


def _digits(each: Quantity) -> int:
    return max(1, each.digits - _idle_zeros(each))


def _idle_zeros(each: Quantity) -> int:
    """Count the zeros at the end of a number that is not meant exactly."""
    if each.step == 0 or (not each.approx and each.form == "exact"):
        return 0
    factor = each.measure.factor if each.measure else Decimal(1)
    shown = each.written * factor / each.step
    digits = str(int(shown.to_integral_value()))
    return len(digits) - len(digits.rstrip("0")) if shown else 0
