"""Give the words that numbers are written in, Korean and English, as patterns and as values.

In: a word or phrase that one of the patterns found. Out: its value, or None where it only looks like a numeral.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

_NATIVE_ONES = {
    **dict.fromkeys(("하나", "한"), 1),
    **dict.fromkeys(("둘", "두"), 2),
    **dict.fromkeys(("셋", "세", "석", "서"), 3),
    **dict.fromkeys(("넷", "네", "넉", "너"), 4),
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
}
_NATIVE_TENS = {
    "열": 10,
    "스물": 20,
    "스무": 20,
    "서른": 30,
    "마흔": 40,
    "쉰": 50,
    "예순": 60,
    "일흔": 70,
    "여든": 80,
    "아흔": 90,
}
_SINO = {char: value for value, char in enumerate("영일이삼사오육칠팔구")} | {"륙": 6}
_SINO_SMALL = {"십": 10, "백": 100, "천": 1000}
_SINO_BIG = {"만": 10**4, "억": 10**8, "조": 10**12}

_D = "[일이삼사오육륙칠팔구]"
_SECTION = rf"(?:{_D}?천 ?)?(?:{_D}?백 ?)?(?:{_D}?십 ?)?{_D}?"
SINO = rf"(?={_D}?[십백천만억조]|[십백천만억])(?:{_SECTION}조 ?)?(?:{_SECTION}억 ?)?(?:{_SECTION}만 ?)?{_SECTION}"
NATIVE = rf"(?:백)?(?:(?:{'|'.join(_NATIVE_TENS)})(?:{'|'.join(_NATIVE_ONES)})?|{'|'.join(_NATIVE_ONES)})"
KOREAN = rf"(?:{NATIVE}|{SINO})"

_ROMAN_WORDS = "II III IV - VI VII VIII IX - XI XII XIII XIV XV XVI XVII XVIII XIX XX"
ROMAN: Mapping[str, int] = {word: value for value, word in enumerate(_ROMAN_WORDS.split(), start=2) if word != "-"}
"""Roman numerals behind a name (World War II); single letters are initials."""

VAGUE: Mapping[str, tuple[int, int]] = {
    "한두": (1, 2),
    "두세": (2, 3),
    "두서너": (2, 4),
    "서너": (3, 4),
    "너댓": (4, 5),
    "네댓": (4, 5),
    "대여섯": (5, 6),
    "예닐곱": (6, 7),
    "일고여덟": (7, 8),
    "여덟아홉": (8, 9),
}
"""Words for "two or three": each is a range."""

DAYS: Mapping[str, int] = {
    "하루": 1,
    "이틀": 2,
    "사흘": 3,
    "나흘": 4,
    "닷새": 5,
    "엿새": 6,
    "이레": 7,
    "여드레": 8,
    "아흐레": 9,
    "열흘": 10,
    "보름": 15,
}
"""Words that are a number of days by themselves."""

_ONE_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: value for value, word in enumerate(_ONE_WORDS.split())}
_TENS = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), start=2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_PARTS = {
    "half": 2,
    "halve": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "hundredth": 100,
}
_ORDINAL_WORDS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
"""
_TENTH_WORDS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth hundredth"
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_WORDS.split(), start=1)}
_ORDINALS |= {word: 10 * value for value, word in enumerate(_TENTH_WORDS.split(), start=2)}


def _any(words: Mapping[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_SMALL = rf"(?:(?:{_any(_TENS)})(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine)\b)?|{_any(_ONES)})\b"
_HUNDRED = rf"(?:(?:{_SMALL}|a)[-\s]hundred\b(?:\s(?:and\s)?{_SMALL})?|{_SMALL})"
_SCALED = rf"(?:{_HUNDRED}|a|half\sa)[-\s](?:{_any(_SCALES)})\b"
_PART = rf"(?:a|{_SMALL})[-\s](?:{_any(_PARTS)})s?\b(?![-\s](?:place|time|largest|party|person|century|floor|grade))"
ENGLISH = (
    rf"(?:{_SCALED}(?:,?\s(?:and\s)?{_SCALED}){{0,3}}(?:,?\s(?:and\s)?{_HUNDRED})?"
    rf"|{_PART}|{_HUNDRED}|half\b(?:\san?\b)?(?!-))"
)
ENGLISH_ORDINAL = rf"(?:(?:{_any(_TENS)})[-\s](?:{_any(_ORDINALS)})|{_any(_ORDINALS)})\b"

ENGLISH_STARTS = frozenset((*_ONES, *_TENS, "half"))
ORDINAL_STARTS = frozenset((*_TENS, *_ORDINALS))
"""Words that a number, or an ordinal, begins with."""

_WORD = re.compile(r"[a-z]+")


@lru_cache(maxsize=2048)
def korean_value(word: str) -> Decimal | None:
    """Give the value of a Korean numeral, native or Sino-Korean; None for one that is no number."""
    plain = word.replace(" ", "")
    native = _native(plain)
    if native is not None:
        return Decimal(native)
    return Decimal(value) if (value := _sino(plain)) else None


def _native(word: str) -> int | None:
    hundred, rest = (100, word[1:]) if word.startswith("백") else (0, word)
    tens = next((ten for ten in _NATIVE_TENS if rest.startswith(ten)), "")
    ones = rest[len(tens) :]
    if not rest or (ones and ones not in _NATIVE_ONES):
        return None
    return hundred + _NATIVE_TENS.get(tens, 0) + _NATIVE_ONES.get(ones, 0)


def _sino(word: str) -> int:
    total, part, digit = 0, 0, 0
    for char in word:
        if char in _SINO_BIG:
            total += (part + digit or 1) * _SINO_BIG[char]
            part = digit = 0
        elif char in _SINO_SMALL:
            part += (digit or 1) * _SINO_SMALL[char]
            digit = 0
        else:
            digit = _SINO[char]
    return total + part + digit


@lru_cache(maxsize=2048)
def english_value(phrase: str) -> tuple[Decimal, bool] | None:
    """Give the value of an English numeral and whether it is a fraction; None for one that is no number."""
    words = _WORD.findall(phrase.lower())
    last = words[-1].removesuffix("s") if words[-1] != "halves" else "half"
    if words[0] == "half" and len(words) > 2:
        return Decimal(_SCALES[words[2]]) / 2, False
    if words[0] == "half":
        return Decimal("0.5"), True
    if last in _PARTS:
        return Decimal(_cardinal(words[:-1])) / _PARTS[last], True
    return Decimal(_cardinal(words)), False


def ordinal_value(phrase: str) -> int:
    """Give the value of an English ordinal: twenty-first is 21."""
    *tens, last = _WORD.findall(phrase.lower())
    return sum(_TENS[word] for word in tens) + _ORDINALS[last]


def _cardinal(words: list[str]) -> int:
    total, part = 0, 0
    for word in words:
        if word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0
        elif word == "hundred":
            part = (part or 1) * 100
        elif word == "a":
            part = 1
        elif word != "and":
            part += _ONES.get(word, 0) + _TENS.get(word, 0)
    return total + part
