"""Read one number at a place of a legible text: digits with commas and scales, Korean numerals, English number words.

In: a text that `legible` gave, and a place. Out: the number, its value exact, how precisely it is written, and where
it ends; or None. It refuses numbers of more than 25 digits, and words that only look like numerals (만일, 천사).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from services.text.number_words import ENGLISH, KOREAN, english_value, korean_value

MOST_DIGITS = 25
"""Longer runs are keys and checksums; Decimal computes with 28 digits exactly."""

ZERO, ONE, TEN = Decimal(0), Decimal(1), Decimal(10)
_SMALL = {"십": Decimal(10), "백": Decimal(100), "천": Decimal(1000)}
_BIG = {"만": Decimal(10**4), "억": Decimal(10**8), "조": Decimal(10**12), "경": Decimal(10**16)}
_WORDS = {
    "thousand": Decimal(10**3),
    "million": Decimal(10**6),
    "billion": Decimal(10**9),
    "trillion": Decimal(10**12),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "mn": Decimal(10**6),
    "m": Decimal(10**6),
    "B": Decimal(10**9),
    "bn": Decimal(10**9),
    "T": Decimal(10**12),
}

_DIGITS = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?![\d])|\d+)(?:\.\d+)?|\.\d+")
_SCALE = re.compile(
    r"십(?!자|진)|백(?!신|분|화)|천(?!문|체)|만(?!큼|이라도|난)|억(?!제)|조(?!각|건|사|항|직|치|합|율|정|명|문|례|업|립)"
    r"|경(?=\s?원|\s?달러|\s|\Z|\d)"
)
_SCALE_WORD = re.compile(
    r"[\s-]?(?i:(thousand|million|billion|trillion))\b|\s?(bn|mn)\b|(k|K)(?![A-Za-z0-9/])|([MBT])(?![A-Za-z0-9/])"
)
_NEXT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,4})(?![\d.,]\d|\d)")
_SPACED = re.compile(r"\s(?=\d)")
_DATE_UNIT = re.compile(r"\s?(?:년|월|일|시|분|차|호|조|항|번째|세기|학년|층)|[-/]\d|\s?%")
_POWER = re.compile(r"\s?[x×*·]\s?10\s?\^\s?([+-]?\d{1,2})(?!\d)|\^([+-]?\d{1,2})(?!\d)")
_FRACTION = re.compile(r"\s?/\s?(\d{1,3})(?![/.,]?\d)")
_MIXED = re.compile(r"\s(\d{1,2})/(\d{1,2})(?![\d/])")
_PARTS = re.compile(rf"\s?분의\s?(?:(\d{{1,4}})|({KOREAN}|[일이삼사오육칠팔구]))")
_HALF = re.compile(r"\s(?:and\s(?:a|one)\shalf|반(?=\s|$))")
_ENGLISH = re.compile(ENGLISH, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it is written.

    `step` is what one more in its last written digit adds, `digits` how many digits it shows; `scale` is the 만 or
    million behind it, 1 without; `fraction` tells 1/2 and 3분의 2; `plain` is the value without that scale.
    """

    end: int
    value: Decimal
    step: Decimal
    digits: int
    scale: Decimal = ONE
    worded: bool = False
    fraction: bool = False

    @property
    def plain(self) -> Decimal:
        return self.value / self.scale


def read_digits(text: str, start: int) -> Numeral | None:
    """Read a number that begins with a digit or a decimal point at `start`."""
    match = _DIGITS.match(text, start)
    if not match:
        return None
    written = match[0].replace(",", "")
    digits = len(written.replace(".", "").lstrip("0")) or 1
    if digits > MOST_DIGITS:
        return None
    value = Decimal(written)
    step = TEN ** -len(written.partition(".")[2])
    return _extended(text, Numeral(match.end(), value, step, digits))


def _extended(text: str, number: Numeral) -> Numeral:
    """Take in what belongs to a number: 억 and 만, million, × 10^5, /2, 분의 2."""
    following = text[number.end : number.end + 1]
    if following in _SMALL or following in _BIG:
        return _scaled(text, number)
    if following and following in " -kKMBTbm^x×*·":
        return _worded_scale(text, number) or _power(text, number) or _mixed(text, number)
    if following and following in "/분":
        return _fraction(text, number)
    return number


def _fraction(text: str, number: Numeral) -> Numeral:
    if (match := _PARTS.match(text, number.end)) and number.value:
        upper = Decimal(match[1]) if match[1] else korean_value(match[2]) or ZERO
        return Numeral(match.end(), upper / number.value, ZERO, number.digits + 1, fraction=True)
    match = _FRACTION.match(text, number.end)
    if match and number.step == ONE and (lower := Decimal(match[1])) and number.digits <= 3:
        return Numeral(match.end(), number.value / lower, ZERO, number.digits + 1, fraction=True)
    return number


def _mixed(text: str, number: Numeral) -> Numeral:
    """Read "1 1/2", "2 and a half" and "3 분의 2"."""
    if (match := _MIXED.match(text, number.end)) and number.step == ONE and match[2].strip("0"):
        part = Decimal(match[1]) / Decimal(match[2])
        if part < ONE:
            return Numeral(match.end(), number.value + part, ZERO, number.digits + 2, fraction=True)
    if match := _HALF.match(text, number.end):
        return Numeral(match.end(), number.value + Decimal("0.5"), Decimal("0.1"), number.digits + 1)
    return _fraction(text, number)


def _power(text: str, number: Numeral) -> Numeral | None:
    match = _POWER.match(text, number.end)
    if not match:
        return None
    if match[2]:
        exponent = int(match[2])
        fits = abs(exponent) * number.digits <= MOST_DIGITS and (number.value or exponent > 0)
        return Numeral(match.end(), number.value**exponent, ZERO, number.digits + 1) if fits else None
    factor = TEN ** int(match[1])
    return Numeral(match.end(), number.value * factor, number.step * factor, number.digits)


def _worded_scale(text: str, number: Numeral) -> Numeral | None:
    match = _SCALE_WORD.match(text, number.end)
    if not match:
        return None
    word = match[1] or match[2] or match[3] or match[4]
    scale = _WORDS.get(word) or _WORDS[word.lower()]
    return Numeral(match.end(), number.value * scale, number.step * scale, number.digits, scale)


def _scaled(text: str, number: Numeral) -> Numeral:
    """Add up "3억 2천만", "1만 2,000" and "2천5백": each part smaller than the one before it."""
    total, part, current = ZERO, ZERO, number.value
    pending, step, digits, place, last = True, number.step, number.digits, number.end, ONE
    while match := _SCALE.match(text, place):
        scale, place = _SMALL.get(match[0]) or _BIG[match[0]], match.end()
        if scale in _BIG.values():
            whole = part + (current if pending else ZERO)
            step = (step if pending else last) * scale
            total, part, last = total + whole * scale, ZERO, scale
        else:
            part, step, last = part + current * scale, step * scale, scale
        pending = False
        found = _more(text, place, last)
        if found:
            current, place, pending, step = Decimal(found[0].replace(",", "")), found[1], True, ONE
            digits += len(found[0].replace(",", ""))
    value = total + part + (current if pending else ZERO)
    simple = digits == number.digits and number.value
    return Numeral(place, value, step, digits, value / number.value if simple else ONE)


def _more(text: str, place: int, last: Decimal) -> tuple[str, int] | None:
    """Find the digits that go on with a number after a scale: "2,000" in "1만 2,000"."""
    spaced = _SPACED.match(text, place)
    match = _NEXT.match(text, spaced.end() if spaced else place)
    if not match or Decimal(match[1].replace(",", "")) >= last:
        return None
    scaled = _SCALE.match(text, match.end())
    # "5억 2024년" is a sum of money and a year; "1만 2000명" and "5억 3,000원" are one number each.
    apart = spaced and not scaled and not ("," in match[1] or (last <= _BIG["만"] and len(match[1]) > 2))
    if apart or (spaced and _DATE_UNIT.match(text, match.end())):
        return None
    return match[1], match.end()


def read_korean(text: str, start: int, end: int) -> Numeral | None:
    """Read the Korean numeral word `text[start:end]`, and 분의 behind it: 열두, 삼천오백, 이십, 삼분의 이."""
    value = korean_value(text[start:end])
    if value is None:
        return None
    if (parts := _PARTS.match(text, end)) and value:
        upper = Decimal(parts[1]) if parts[1] else korean_value(parts[2]) or ZERO
        return Numeral(parts.end(), upper / value, ZERO, 2, worded=True, fraction=True)
    return Numeral(end, value, ONE, len(str(value)), worded=True)


def read_english(text: str, start: int) -> Numeral | None:
    """Read English number words at `start`: twenty-three, two million, a dozen, two and a half, two thirds."""
    match = _ENGLISH.match(text, start)
    found = english_value(match[0]) if match else None
    if not match or found is None:
        return None
    value, fraction = found
    if not fraction and (half := _HALF.match(text, match.end())):
        return Numeral(half.end(), value + Decimal("0.5"), Decimal("0.1"), 2, worded=True)
    single = not fraction or match[0].lower().startswith(("half", "a "))
    digits = len(str(int(value))) if single else 2
    return Numeral(match.end(), value, ZERO if fraction else ONE, digits, worded=True, fraction=fraction)
