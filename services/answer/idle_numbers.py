"""Tell the numbers of an answer that claim nothing of a passage: its own list, "one", a small bare count, idioms.

In: the readings of one number, the answer around it, and what the evidence holds. Out: whether it needs no support, and
if so, whether the evidence contradicts it all the same: a third that is the fourth there, 5 that is -5 or 0.5 there.
Only whole numbers of one digit without a unit are let pass (behaviours A19); a decimal, a sign and a share are claims.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from services.answer.number_support import NumberCode, Pools, unsupported
from services.text.legible import legible
from services.text.quantities import quantities_of
from services.text.quantity import BARE, Quantity
from services.text.units import names_of

_NOT_IDENTIFYING = frozenset(["kind", "stage", "group", "generation", "place", "team"])
"""An answer counts its own points by these: "세 가지 조건" is in no evidence."""
_SMALL = 10
_BESIDE_CHARS = 24

_CLAUSE_BEGINS = re.compile(r"(?:\A|[\n.!?;:,。)\]*•·-]|\b(?:and|then|but)|그리고|또)\s*\Z", re.IGNORECASE)
_LISTED_AFTER = re.compile(r"\s?[,:]|로(?:는)?,|\sis\sthat\b|\sof\sall\b")
_LISTED_SHORTLY = re.compile(r"(?:로(?:는)?|는)\s")
"""Behind 둘째, and not behind 두 번째: "두 번째로 큰 도시" is a claim."""
_ADVERB_BEFORE = re.compile(
    r"\b(?:was|were|is|are|been|be|at|when|who|that|which|had|has|have|and|he|she|it|they|from)\s\Z", re.IGNORECASE
)
_VERB_AFTER = re.compile(r"\s[a-z]")
"""Between these two "first" is an adverb: "was first sold"; "was first." is a rank."""
_IDIOM_AFTER = re.compile(r"[\s-](?:part(?:y|ies)|person|world|aid|names?|lad(?:y|ies)|hand|nature|come|class)\b", re.I)
_TIME_BEFORE = re.compile(r"(?:\b(?:per|one|each|every|split)\s|/\s?)\Z", re.IGNORECASE)
_TIME_AFTER = re.compile(r"[.,;)]|\s(?:later|ago|to|or|apart|long|squared)\b|\Z")
_HALF_OF_TWO = re.compile(
    r"\b(?:first|second|1st|2nd|latter|other|better|upper|lower|top|bottom|front|back|early|late|eastern|western"
    r"|northern|southern)[\s-]\Z",
    re.IGNORECASE,
)
_THIRD_PARTY = re.compile(r"제\s?3[자국세]\Z")
_IN_OTHER_WORDS = {
    Decimal(1): re.compile(
        r"최초|처음|첫|초대(?!형)|시초|초연|제일|가장 먼저|상반기|전반|\bI\b"
        r"|(?<![\w-])(?:first|initial|original|earliest|began|begin|debut|inaugura|pioneer)",
        re.IGNORECASE,
    ),
    Decimal(2): re.compile(r"하반기|후반|차남|차녀|차석|(?<![\w-])(?:latter|runner-up|second)", re.IGNORECASE),
}
"""What else supports "first" and "second"; World War I is the first, the twenty-first is not."""


def says_nothing(each: Quantity) -> bool:
    """Say whether one reading of a number is none that a passage has to support, unless one contradicts it."""
    if each.kind == "ordinal":
        return each.worded and each.written < _SMALL
    if each.kind != "amount":
        return False
    if each.worded and (each.written == 1 or (each.step == 0 and each.digits == 1)):
        return True
    whole = each.digits == 1 and each.step == 1 and 0 <= each.written < _SMALL
    return whole and (each.dimension == BARE or each.dimension in _NOT_IDENTIFYING)


def contradicted(group: Sequence[Quantity], answer: str, pools: Pools) -> NumberCode | None:
    """Find what of the evidence speaks against a number that nobody would have to support, by its readings."""
    if any(unsupported(each, pools) is None for each in group):
        return None
    codes = [_against(each, answer, pools) for each in group]
    return None if None in codes else codes[0]


def _against(each: Quantity, answer: str, pools: Pools) -> NumberCode | None:
    if each.kind == "ordinal":
        return "fabricated_number" if _is_other_rank(each, answer, pools) else None
    if each.dimension == BARE:
        return "fabricated_number" if _is_turned(each, pools) else None
    if not any(pool.exact.get(each.dimension) or pool.limits.get(each.dimension) for pool in pools):
        return None
    if each.step == 0:
        return None if _HALF_OF_TWO.search(_before(each, answer)) else "fabricated_number"
    one = each.written == 1 and any(_says_one(each.unit, pool.text) for pool in pools)
    return None if one else "count_differs"


def _is_other_rank(each: Quantity, answer: str, pools: Pools) -> bool:
    """Say whether an ordinal in words claims a rank that the evidence has not, and no list explains it."""
    if _is_idiom(each, answer) or _is_listed(each, answer):
        return False
    words = _IN_OTHER_WORDS.get(each.written)
    if words and any(words.search(pool.text) for pool in pools):
        return False
    ranked = any(pool.ordinals for pool in pools)
    if each.written == 1:
        adverb = _ADVERB_BEFORE.search(_before(each, answer)) and _VERB_AFTER.match(_after(each, answer))
        return ranked and not adverb
    return ranked or not _continues_list(each, answer)


def _is_idiom(each: Quantity, answer: str) -> bool:
    """Say whether an ordinal is no rank by what stands beside it: "third party", "per second"."""
    before, after = _before(each, answer), _after(each, answer)
    said = legible(answer[each.start : each.end]).text
    if _THIRD_PARTY.match(said) or _IDIOM_AFTER.match(after):
        return True
    is_a = before.lower().endswith((" a ", " the last "))
    return said.lower() == "second" and bool(_TIME_BEFORE.search(before) or (is_a and _TIME_AFTER.match(after)))


def _is_listed(each: Quantity, answer: str) -> bool:
    """Say whether an ordinal opens a point of the answer's own list: "Second, …", "둘째로 …"."""
    said, after = legible(answer[each.start : each.end]).text, _after(each, answer)
    shortly = said.endswith("째") and not said.endswith("번째") and _LISTED_SHORTLY.match(after)
    return bool((shortly or _LISTED_AFTER.match(after)) and _CLAUSE_BEGINS.search(_before(each, answer)))


def _continues_list(each: Quantity, answer: str) -> bool:
    """Say whether the answer counts up to an ordinal: "the first … the second"."""
    told = {other.written for other in quantities_of(answer) if other.kind == "ordinal" and other.worded}
    return all(Decimal(place) in told for place in range(1, int(each.written)))


def _is_turned(each: Quantity, pools: Pools) -> bool:
    """Say whether the evidence has a small number with another sign, or with its decimal point elsewhere."""
    return any(_same_digits(each.written, other) for pool in pools for other in pool.exact.get(BARE, ()))


def _same_digits(mine: Decimal, other: Decimal) -> bool:
    if not mine or not other:
        return False
    if other == -mine:
        return True
    return other != int(other) and mine.normalize().as_tuple().digits == other.normalize().as_tuple().digits


@lru_cache(maxsize=1024)
def _says_one(unit: str, text: str) -> bool:
    """Say whether a text has one of a unit without a number: "an hour", 매년, 시간당."""
    names = "|".join(map(re.escape, names_of(unit)))
    one = rf"\b(?:an?|per|each|every|another|single)\s(?:{names})\b|매\s?(?:{names})|(?:{names})\s?당"
    return re.search(one, text) is not None


def _before(each: Quantity, answer: str) -> str:
    return answer[max(0, each.start - _BESIDE_CHARS) : each.start]


def _after(each: Quantity, answer: str) -> str:
    return answer[each.end : each.end + _BESIDE_CHARS]
