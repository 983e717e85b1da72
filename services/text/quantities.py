"""Read all numbers of a Korean or English text, with their units and limits, so that they can be compared.

In: any text. Out: quantities in the order of the text, at their places in it; a number that may be read in two ways
stands twice at one place. Pure and without a model; docs/numbers.md lists what is read.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from services.text.legible import legible
from services.text.limits import Around, around
from services.text.number_joins import Read, joined, summed
from services.text.number_scan import scan
from services.text.quantity import Quantity

CACHED_TEXTS = 512
"""Evidence is read once for all answers that rest on it; a passage of 1,500 characters has some 20 numbers."""

_UNLIMITED = frozenset(("code", "mark", "ordinal"))


def read_quantities(text: str) -> list[Quantity]:
    """Read the numbers of a text; the readings of one number follow one another and share their place."""
    return list(quantities_of(text))


@lru_cache(maxsize=CACHED_TEXTS)
def quantities_of(text: str) -> tuple[Quantity, ...]:
    """Do the same as `read_quantities`, remembered for the texts read last."""
    plain = legible(text)
    found = [Read(tuple(readings), _around(plain.text, readings)) for readings in scan(plain.text)]
    whole = joined(plain.text, summed(plain.text, found))
    limited = [_limited(reading, each) for each in whole for reading in each.readings]
    if plain.is_as_it_came:
        return tuple(limited)
    return tuple(each.placed(*plain.place(each.start, each.end)) for each in limited)


def _around(text: str, readings: Sequence[Quantity]) -> Around:
    first = readings[0]
    if all(each.kind in _UNLIMITED for each in readings):
        return Around(first.start, first.end, None, True, False)
    return around(text, first.start, first.end)


def _limited(reading: Quantity, each: Read) -> Quantity:
    """Open a quantity on the side where its words leave it open."""
    said = each.around
    if said.approx and not reading.approx:
        reading = replace(reading, approx=True)
    if said.side is None or reading.kind != "amount" or reading.low != reading.high:
        return reading
    # "1938년까지" is a year and no limit: as 1,938 years at most it would let every age pass.
    if any(other.day and other.day[0] is not None for other in each.readings):
        return reading
    if said.side == "at_least":
        return replace(reading, high=None, low_closed=said.closed)
    return replace(reading, low=None, high_closed=said.closed)
