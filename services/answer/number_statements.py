"""What a passage says by a number: the number with the words around it, so that two passages can be compared.

In: a passage. Out: its exact amounts with a unit, each with the words and days of its sentence. Sentences that set
limits (이상, 이하, 초과, 미만) say no single number and are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.answer.number_support import rounds
from services.text.moments import Day
from services.text.quantities import quantities_of
from services.text.quantity import BARE, Quantity
from services.text.terms import FUNCTION_WORDS

LEAST_COMMON, LEAST_SHARE = 2, 0.6
"""Words that two statements share at least, and which share of all their words, before they are about one thing."""

_REACH_CHARS = 120
_STOP = re.compile(r"[.!?。](?=\s|\Z)|\n")
_LIMIT = re.compile(
    r"이상|이하|초과|미만|이내|최대|최소|\b(?:at\s(?:least|most)|more\sthan|less\sthan|fewer\sthan|up\sto|over|under|between"
    r"|exceed\w*|minimum|maximum|within)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[가-힣]{2,}|[A-Za-z]{2,}")
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:으로|에서|에게|까지|부터|은|는|이|가|을|를|의|에|로|와|과|도|만)\Z")
_ENDING = re.compile(r"(?:이다|입니다|이며|이고|였다|이었다|된다|한다|됩니다|합니다|있다|있습니다)\Z")
_NAMELESS = frozenset(("times", "fold", "kind", "item"))


@dataclass(frozen=True, slots=True)
class Statement:
    """One number of a passage: `words` are those of its sentence, `days` the days named there."""

    quantity: Quantity
    where: str
    words: frozenset[str]
    days: frozenset[Day]
    others: frozenset[tuple[str, object]]


def statements(text: str) -> Iterator[Statement]:
    """Give the exact amounts with a unit that a passage states."""
    found = quantities_of(text)
    known = frozenset((each.dimension, each.low) for each in found if each.kind == "amount")
    for each in found:
        if each.kind != "amount" or each.dimension == BARE or each.form != "exact" or each.dimension in _NAMELESS:
            continue
        start, end = _sentence(text, each)
        if _LIMIT.search(text, start, end):
            continue
        days = frozenset(other.day for other in found if other.day and start <= other.start < end)
        around = f"{text[start : each.start]} {text[each.end : end]}"
        yield Statement(each, text[each.start : each.end], frozenset(_words(around)), days, known)


def conflict(mine: Statement, theirs: Statement) -> bool:
    """Say whether two statements give different numbers of what their words say is one thing."""
    first, second = mine.quantity, theirs.quantity
    if first.dimension != second.dimension or first.low == second.low or mine.days != theirs.days:
        return False
    if (first.dimension, first.low) in theirs.others or (second.dimension, second.low) in mine.others:
        return False
    common, whole = mine.words & theirs.words, mine.words | theirs.words
    if len(common) < LEAST_COMMON or len(common) < LEAST_SHARE * len(whole):
        return False
    return not rounds(first, second) and not rounds(second, first)


def _sentence(text: str, each: Quantity) -> tuple[int, int]:
    floor = max(0, each.start - _REACH_CHARS)
    stops = [match.end() for match in _STOP.finditer(text, floor, each.start)]
    following = _STOP.search(text, each.end, each.end + _REACH_CHARS)
    end = following.start() if following else min(len(text), each.end + _REACH_CHARS)
    return stops[-1] if stops else floor, end


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = _PARTICLE.sub("", match[0].lower())
        if word not in FUNCTION_WORDS and not _ENDING.search(word):
            yield word
