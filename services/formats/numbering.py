"""A counted number -> the sign a word processor prints for it, and the counters of a list with levels.

DOCX and Hangul documents keep automatic numbers as rules, never as text: who reads only the text loses the
"제3조" or "2.1." by which everybody cites the paragraph. Nothing here reads a file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MOST_LEVELS = 10  # Hangul has 10 levels, DOCX 9

_GANADA = "가나다라마바사아자차카타파하"
# Hangul goes on with the next vowels (거, 너, 더 after 하), as the rules for official papers say.
_GEONEODEO = _GANADA + "".join(chr(ord(sign) + 28 * step) for step in (4, 8, 13, 18, 20) for sign in _GANADA)
_JAMO = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_STEMS, _STEMS_HANJA = "갑을병정무기경신임계", "甲乙丙丁戊己庚辛壬癸"
_BRANCHES_HANJA = "子丑寅卯辰巳午未申酉戌亥"
_SINO = "〇일이삼사오육칠팔구"
_HANJA = "〇一二三四五六七八九"
_NATIVE_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_ROMAN = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L")),
    *((40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)
_MOST_ROMAN = 3_999  # more would need a bar over the letters
_MOST_REPEATS = 20  # "zz…": a counter of millions would write megabytes


def ordinal(form: str, number: int) -> str:
    """Give `number` in `form`, one of the keys of `FORMS`; what the form cannot write comes in digits."""
    write = FORMS.get(form)
    return (write(number) if write and number > 0 else "") or str(number)


def _repeated(signs: str) -> Callable[[int], str]:
    """Count a, b, … z, aa, bb, as DOCX does with every alphabet."""

    def write(number: int) -> str:
        repeats, place = divmod(number - 1, len(signs))
        return signs[place] * (repeats + 1) if repeats < _MOST_REPEATS else ""

    return write


def _shifted(first: str, count: int) -> Callable[[int], str]:
    """Count in a row of code points that ends."""
    return lambda number: chr(ord(first) + number - 1) if number <= count else ""


def _circled(number: int) -> str:
    for first, start, count in (("①", 1, 20), ("㉑", 21, 15), ("㊱", 36, 15)):
        if start <= number < start + count:
            return chr(ord(first) + number - start)
    return ""


def _roman(number: int) -> str:
    text = ""
    for value, sign in _ROMAN if number <= _MOST_ROMAN else ():
        repeats, number = divmod(number, value)
        text += sign * repeats
    return text


def _sino(digits: str, units: Sequence[str]) -> Callable[[int], str]:
    """Count in Chinese numbers: 십일, 이십, 백; up to 9,999."""

    def write(number: int) -> str:
        if number > 9_999:
            return ""
        text = ""
        for power, unit in zip((3, 2, 1, 0), units, strict=True):
            digit = number // 10**power % 10
            if digit:
                text += ("" if digit == 1 and power else digits[digit]) + unit
        return text

    return write


def _native(number: int) -> str:
    return _NATIVE_TENS[number // 10] + _NATIVE_ONES[number % 10] if number <= 99 else ""


def _spelled(digits: str) -> Callable[[int], str]:
    return lambda number: "".join(digits[int(digit)] for digit in str(number))


FORMS: Mapping[str, Callable[[int], str]] = {
    "digit": str,
    "padded": lambda number: f"{number:02}",
    "circled": _circled,
    "parenthesised": _shifted("⑴", 20),
    "ROMAN": _roman,
    "roman": lambda number: _roman(number).lower(),
    "LATIN": _repeated("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "latin": _repeated("abcdefghijklmnopqrstuvwxyz"),
    "circled LATIN": _shifted("Ⓐ", 26),
    "circled latin": _shifted("ⓐ", 26),
    "ganada": _repeated(_GANADA),
    "geoneodeo": _repeated(_GEONEODEO),
    "circled ganada": _shifted("㉮", 14),
    "jamo": _repeated(_JAMO),
    "circled jamo": _shifted("㉠", 14),
    "sino": _sino(_SINO, ("천", "백", "십", "")),
    "spelled": _spelled(_SINO.replace("〇", "영")),
    "hanja": _sino(_HANJA, ("千", "百", "十", "")),
    "spelled hanja": _spelled(_HANJA),
    "spelled hanja of Korea": _spelled(_HANJA.replace("〇", "零")),
    "circled hanja": _shifted("㊀", 10),
    "native": _native,
    "stems": _repeated(_STEMS),
    "stems hanja": _repeated(_STEMS_HANJA),
    "branches hanja": _repeated(_BRANCHES_HANJA),
    "ordinal": lambda number: f"{number}{_ending(number)}",
}
"""Each writes a number of 1 and more, or gives "" for one it has no sign for."""


def _ending(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


@dataclass(slots=True)
class Counter:
    """The numbers a list has come to, one for each level; a level not met yet has none."""

    starts: Sequence[int]  # the first number of each level
    begins_passed: bool  # Hangul counts a level passed over as begun, so what comes there next is its second
    counts: list[int | None] = field(default_factory=lambda: [None] * MOST_LEVELS)

    def step(self, level: int, *, kept: Sequence[int] = ()) -> list[int]:
        """Count one paragraph at `level` (0-based) and give the numbers of the levels down to it.

        A level passed over shows its first number. Deeper levels begin anew but those in `kept`.
        """
        last = self.counts[level]
        self.counts[level] = self.starts[level] if last is None else last + 1
        for deeper in range(level + 1, MOST_LEVELS):
            if deeper not in kept:
                self.counts[deeper] = None
        shown = [self.starts[upper] if count is None else count for upper, count in enumerate(self.counts[: level + 1])]
        if self.begins_passed:
            self.counts[: level + 1] = shown
        return shown
