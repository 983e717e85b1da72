"""What numbers one piece of evidence holds, sorted so that an answer's numbers can be looked up.

In: the text of a passage. Out: its exact values by dimension, its ranges and limits, days, times, articles, ordinals
and codes. A number inside a limit (최대 100명) is no exact value (behaviours A17).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from services.text.legible import legible
from services.text.moments import Day
from services.text.quantities import CACHED_TEXTS, quantities_of
from services.text.quantity import BARE, Quantity
from services.text.units import names_of

_SPACES = re.compile(r"\s+")
_MOST_BETWEEN = 50
"""제3조부터 제60조 names no article between; 제3조부터 제5조 does."""


@dataclass(frozen=True, slots=True)
class EvidenceNumbers:
    """The numbers of one text; `exact` and `limits` by dimension, `written` as they stand there with a unit."""

    exact: Mapping[str, Mapping[Decimal, Quantity]]
    limits: Mapping[str, tuple[Quantity, ...]]
    written: frozenset[Decimal]
    days: frozenset[Day]
    clocks: frozenset[Decimal]
    ordinals: frozenset[Decimal]
    articles: frozenset[tuple[str, Decimal, str]]
    marks: frozenset[Decimal]
    codes: frozenset[str]
    text: str

    def borders(self, dimension: str) -> Iterator[Decimal]:
        """Give the ends of ranges and limits in a dimension."""
        for limit in self.limits.get(dimension, ()):
            yield from (end for end in (limit.low, limit.high) if end is not None)

    def names_unit(self, unit: str) -> bool:
        """Say whether the text names a unit for numbers without one, as the head of a table does: 압력(MPa)."""
        plain = spaced_text(self.text)
        return any(_head(name).search(plain) for name in names_of(unit))


@lru_cache(maxsize=CACHED_TEXTS)
def spaced_text(text: str) -> str:
    """Give a legible text with one space between its words, and around it; only a doubtful number asks for it."""
    return f" {_SPACES.sub(' ', legible(text).text)} "


@lru_cache(maxsize=1024)
def _head(name: str) -> re.Pattern[str]:
    return re.compile(rf"[(\[:,/]\s?{re.escape(name)}\s?[)\],|/]")


@lru_cache(maxsize=CACHED_TEXTS)
def numbers_of(text: str) -> EvidenceNumbers:
    """Read a piece of evidence, remembered for the pieces read last."""
    found = quantities_of(text)
    exact: dict[str, dict[Decimal, Quantity]] = defaultdict(dict)
    limits: dict[str, list[Quantity]] = defaultdict(list)
    for each in found:
        if each.kind != "amount":
            continue
        if each.form == "exact" and each.low is not None:
            exact[each.dimension].setdefault(each.low, each)
        else:
            limits[each.dimension].append(each)
    return EvidenceNumbers(
        exact=exact,
        limits={dimension: tuple(each) for dimension, each in limits.items()},
        written=frozenset(_written(found)),
        days=frozenset(each.day for each in found if each.day),
        clocks=frozenset(each.low for each in found if each.kind == "clock" and each.low is not None),
        ordinals=frozenset(each.written for each in found if each.kind == "ordinal"),
        articles=frozenset(article for each in found if each.kind == "article" for article in _articles(each)),
        marks=frozenset(each.written for each in found if each.kind == "mark"),
        codes=frozenset(each.name for each in found if each.kind == "code"),
        text=text,
    )


def _written(found: tuple[Quantity, ...]) -> Iterator[Decimal]:
    """Give the numbers that stand with a unit or a name, as they are written."""
    for each in found:
        if each.kind == "amount" and each.dimension != BARE:
            yield each.written
            if each.measure and each.high is not None and each.form == "range":
                yield (each.high - each.measure.offset) / each.measure.factor
        elif each.kind in ("ordinal", "article"):
            yield each.written
        elif each.day:
            yield from (Decimal(part) for part in each.day if part is not None)


def _articles(each: Quantity) -> Iterator[tuple[str, Decimal, str]]:
    low, high = each.low, each.high
    if low is None or high is None or high - low > _MOST_BETWEEN:
        return
    for number in range(int(low), int(high) + 1):
        yield each.unit, Decimal(number), each.name
