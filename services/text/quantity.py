"""What one number of a text says: how much of what, exactly or between which limits, or which day, article or code.

Values stand here, and how they are made; where they are found is the business of `quantities` and `number_scan`.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, Self

from services.text.moments import Day
from services.text.numerals import Numeral
from services.text.units import Unit

Kind = Literal["amount", "ordinal", "article", "date", "clock", "code", "mark"]
Form = Literal["exact", "range", "at_least", "at_most"]

BARE = ""
"""The dimension of a number without a unit."""
RATIO = "ratio"

_ZERO, _ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, read in one way; where a form has several readings, several begin and end at the same place.

    Attributes:
        start, end: place in the text as it came.
        kind: amount, or what is named by a number: an ordinal, an article of a law, a day, a time of day (low in
            minutes since midnight), a code of letters and digits, the mark of an item of a list.
        dimension, unit: of an amount, BARE and "" without a unit; of an article its word (조).
        low, high: in the base of the dimension; both the same where it is exact, None where it is open.
        low_closed, high_closed: whether the limit itself belongs to it.
        written: the number as it is written with its scale, the unit not applied (3만 is 30000).
        step: what one more in the last written digit adds, in the base; 0 where the value is exact by its form.
        digits: how many are written.
        scale: the 만 or million it is written with. measure: its unit, as far as it has one.
        approx: said to be about so much. worded: in words. name: of a code, or the branch of an article (의2).
        day: of a date.
    """

    start: int
    end: int
    kind: Kind
    dimension: str = BARE
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    low_closed: bool = True
    high_closed: bool = True
    written: Decimal = _ZERO
    step: Decimal = _ONE
    digits: int = 1
    scale: Decimal = _ONE
    measure: Unit | None = None
    approx: bool = False
    worded: bool = False
    name: str = ""
    day: Day | None = None

    @property
    def form(self) -> Form:
        """Say whether it is one value, or lies between limits, or has one limit."""
        if self.low is None:
            return "at_most"
        if self.high is None:
            return "at_least"
        return "exact" if self.low == self.high else "range"

    def placed(self, start: int, end: int) -> Self:
        """Give the same at another place."""
        if (start, end) == (self.start, self.end):
            return self
        return replace(self, start=start, end=end)


def amount(start: int, end: int, number: Numeral, unit: Unit | None, negative: bool = False) -> Quantity:
    """Make an exact amount of a number and its unit."""
    written = -number.value if negative else number.value
    dimension, name, value, step = BARE, "", written, number.step
    if unit:
        dimension, name, value, step = (
            unit.dimension,
            unit.name,
            written * unit.factor + unit.offset,
            number.step * unit.factor,
        )
    elif number.fraction:
        dimension = RATIO
    return Quantity(
        start,
        end,
        "amount",
        dimension,
        name,
        value,
        value,
        written=written,
        step=step,
        digits=number.digits,
        scale=number.scale,
        measure=unit,
        worded=number.worded,
    )


def measured(bare: Quantity, unit: Unit, scale: Decimal = _ONE) -> Quantity:
    """Give a bare exact number the unit, and the scale, that are written behind the next: "10" in "10~20명"."""
    written = bare.written * scale
    value = written * unit.factor + unit.offset
    return replace(
        bare,
        dimension=unit.dimension,
        unit=unit.name,
        low=value,
        high=value,
        written=written,
        step=bare.step * scale * unit.factor,
        measure=unit,
    )


def counted(start: int, end: int, kind: Kind, value: int, unit: str = "", worded: bool = False) -> Quantity:
    """Make an ordinal, an article, a time of day or a mark: what a whole number names."""
    number = Decimal(value)
    digits = len(str(value))
    return Quantity(start, end, kind, unit=unit, low=number, high=number, written=number, digits=digits, worded=worded)


def dated(start: int, end: int, day: Day) -> Quantity:
    """Make a date."""
    return Quantity(start, end, "date", digits=2, day=day)


def coded(start: int, end: int, written: str) -> Quantity:
    """Make a code; FP-112, fp112 and FP 112 are one."""
    name = "".join(char for char in written.lower() if char not in "-_ /")
    return Quantity(start, end, "code", digits=sum(char.isdigit() for char in name), name=name)
