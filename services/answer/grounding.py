"""Check every number of an answer, with its unit, against the passages it rests on, and these among each other.

In: an answer, its evidence, the question. Out: findings, in the order of the answer; strong where a number stands in no
evidence, weak where it does with other limits or without its unit. docs/numbers.md is the table of what supports what.
No model is asked; words are not looked at.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, groupby
from typing import Literal

from services.answer.evidence_numbers import numbers_of, spaced_text
from services.answer.idle_numbers import contradicted, says_nothing
from services.answer.number_statements import conflict, statements
from services.answer.number_support import NumberCode, Pools, unsupported
from services.text.legible import legible
from services.text.quantities import quantities_of
from services.text.quantity import BARE, Quantity

Strength = Literal["strong", "weak"]

STRENGTH: Mapping[NumberCode, Strength] = {
    "fabricated_number": "strong",
    "bound_reversed": "strong",
    "bound_as_exact": "weak",
    "limits_differ": "weak",
    "unit_missing": "weak",
    "unit_added": "weak",
    "number_from_question": "weak",
    "code_unknown": "weak",
    "count_differs": "weak",
}
"""A number that is nowhere is strong (behaviours P01); a border without its bound word is weak (Z07)."""

_ORDER: tuple[NumberCode, ...] = tuple(STRENGTH)[::-1]
_SPACES = re.compile(r"\s+")
_BESIDE_CHARS = 60
_PIECE_CHARS = 240
_BEFORE = re.compile(r"(?:[^\s.!?。;:]+[^\S\n]+)?\S*\Z")
_AFTER = re.compile(r"[^\s.!?。;:]*(?:[^\S\n]+[^\s.!?。;:]+)?")
_LONGER_BEFORE = re.compile(r"(?:\d[.,/]|[\s(~]-|[\s(]\.)\d\Z")
_LONGER_AFTER = re.compile(r"\d[.,/]\d")
"""What makes another number of the one that is looked for: 0.7 and -7 hold no 7."""
_POINT = re.compile(r"\s\.(?=\d)")
_EDGES = " .,;:!?()[]{}'\"“”‘’「」『』<>《》。、…·*_|"


@dataclass(frozen=True, slots=True)
class NumberFinding:
    """A number that the evidence does not support: a stable code, and where it stands in the answer."""

    code: NumberCode
    where: str
    start: int
    end: int

    @property
    def strength(self) -> Strength:
        return STRENGTH[self.code]


@dataclass(frozen=True, slots=True)
class NumberConflict:
    """Two passages, by their places in the evidence, that say different numbers of one thing."""

    first: int
    second: int
    where: str
    code: Literal["evidence_conflict"] = "evidence_conflict"
    strength: Strength = "weak"


def check_numbers(answer: str, evidence: Sequence[str], question: str = "") -> list[NumberFinding]:
    """Find the numbers of an answer that its evidence does not support.

    Args:
        answer: with its markers [n]; they are no numbers.
        evidence: the passages, each in full.
        question: its dates, articles and codes may be said again; an amount of it that no evidence has is weak.
    Returns:
        at most one finding for each number, in order; `answer[start:end]` is `where`.
    """
    pools = [numbers_of(text) for text in evidence]
    asked = [numbers_of(question)] if question else []
    groups = [tuple(group) for _, group in groupby(quantities_of(answer), lambda each: (each.start, each.end))]
    codes = [_code(group, answer, pools, asked) for group in groups]
    anchored = {
        each.written
        for group, code in zip(groups, codes, strict=True)
        if code is None
        for each in group
        if each.dimension
    }
    return [
        NumberFinding(code, answer[group[0].start : group[0].end], group[0].start, group[0].end)
        for group, code in zip(groups, codes, strict=True)
        if code
        and not _repeats(group, anchored)
        and not (STRENGTH[code] == "strong" and _stands_word_for_word(answer, group[0].start, group[0].end, pools))
    ]


def numeric_conflicts(evidence: Sequence[str]) -> list[NumberConflict]:
    """Find passages that give different numbers of one unit among the same words (behaviours P04).

    Limits are no conflict (이상, at least), nor are numbers of two days, nor a number and its rounded form.
    """
    said = [[*statements(text)] for text in evidence]
    pairs = (
        NumberConflict(first, second, f"{mine.where} / {theirs.where}")
        for first, second in combinations(range(len(said)), 2)
        for mine in said[first]
        for theirs in said[second]
        if conflict(mine, theirs)
    )
    return list({(each.first, each.second, each.where): each for each in pairs}.values())


def _code(group: Sequence[Quantity], answer: str, pools: Pools, asked: Pools) -> NumberCode | None:
    """Judge a number by its best reading."""
    if _is_idle(group):
        return contradicted(group, answer, [*pools, *asked])
    if any(each.day and each.day[0] is not None for each in group):
        # "2116년" is no 2,116 years that "50년 이상" would let pass.
        group = [each for each in group if each.dimension != "months" or _stands_exactly(each, pools)]
    codes = [unsupported(each, pools) for each in group]
    if None in codes:
        return None
    if asked and any(unsupported(each, asked) is None for each in group if each.kind != "amount"):
        return None
    if asked and any(unsupported(each, asked) is None for each in group):
        return "number_from_question"
    return min((code for code in codes if code), key=_ORDER.index)


def _is_idle(group: Sequence[Quantity]) -> bool:
    """Say whether a number needs no support in any reading; "-3" at the beginning of a line is perhaps 3."""
    idle = [each for each in group if says_nothing(each)]
    others = [each for each in group if each not in idle]
    return bool(idle) and all(any(other.written == -each.written for other in idle) for each in others)


def _stands_exactly(each: Quantity, pools: Pools) -> bool:
    return any(each.low in pool.exact.get(each.dimension, ()) for pool in pools)


def _repeats(group: Sequence[Quantity], anchored: Set[Decimal]) -> bool:
    """Say whether a bare number repeats one that its unit has cleared: "1,234명 … 1234" (behaviours A16)."""
    return group[0].kind == "amount" and group[0].dimension == BARE and group[0].written in anchored


def _stands_word_for_word(answer: str, start: int, end: int, pools: Pools) -> bool:
    """Say whether a number stands in a passage just as it stands here, with the words beside it.

    What is copied is never wrong, also where a passage's words are read together with those of its next sentence.
    """
    lead, tail = answer[max(0, start - _BESIDE_CHARS) : start], answer[end : end + _BESIDE_CHARS]
    before, after = _BEFORE.search(lead), _AFTER.match(tail)
    piece = (before[0] if before else "") + answer[start:end] + (after[0] if after else "")
    plain = _SPACES.sub(" ", legible(piece).text)
    plain = plain if _POINT.match(f" {plain.strip()}") else plain.strip(_EDGES)
    return len(plain) <= _PIECE_CHARS and any(_stands(plain, spaced_text(pool.text)) for pool in pools)


def _stands(piece: str, text: str) -> bool:
    """Say whether a piece stands in a text with no letter or digit beside it, nor a sign or point of its number."""
    at = text.find(piece)
    while at >= 0:
        end = at + len(piece)
        beside = text[at - 1].isalnum() or text[end].isalnum()
        if not beside and not _LONGER_BEFORE.search(text, at - 2, at + 1) and not _LONGER_AFTER.match(text, end - 1):
            return True
        at = text.find(piece, at + 1)
    return False
