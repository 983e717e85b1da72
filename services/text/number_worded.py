"""Find the numbers of a legible text that are written in words, and months: Korean numerals, English number words.

In: a text that `legible` gave. Out: the places where such words stand, in order, and for each all its readings. A
Korean numeral counts only before what is counted (열두 명), since most of its syllables are other words, too.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

from services.text.moments import MONTH, read_clock, read_month
from services.text.number_digits import with_unit
from services.text.number_words import (
    DAYS,
    ENGLISH_ORDINAL,
    ENGLISH_STARTS,
    NATIVE,
    ORDINAL_STARTS,
    ROMAN,
    SINO,
    VAGUE,
    ordinal_value,
)
from services.text.numerals import ONE, Numeral, read_english, read_korean
from services.text.quantity import Quantity, amount, counted, dated
from services.text.units import BY_NAME, NATIVE_UNIT, SINO_UNIT

Readings = list[Quantity]
Candidate = tuple[int, Callable[[], Readings]]
"""Where a number may begin, and how to read it."""

_FIRST = "한두세네서너석넉셋넷하둘다여일아열스마쉰예대이사나닷엿보첫백삼오육륙칠팔구십천만억절"
_KOREAN = re.compile(
    rf"(?=[{_FIRST}])(?<![가-힣])(?:"
    rf"(?P<vague>(?:{'|'.join(sorted(VAGUE, key=len, reverse=True))})(?=\s?{NATIVE_UNIT}))"
    rf"|(?P<days>(?:{'|'.join(DAYS)})(?![가-힣]|\s이\s)|(?:이틀|사흘|나흘|열흘|보름)(?=[가-힣]))"
    rf"|(?P<place>(?:첫\s?번째|첫째|둘째|셋째|넷째|{NATIVE}\s?번?째)(?!\s?주))"
    rf"|(?P<native>{NATIVE}(?=\s?{NATIVE_UNIT}|\s?분의\s?[일이삼사오육칠팔구\d]))"
    rf"|(?P<sino>(?<!수 )(?<!몇 )(?:{SINO}|[삼사오육칠팔구](?=분의|\s))"
    rf"(?=\s?{SINO_UNIT}|\s?분의\s?[일이삼사오육칠팔구\d]))"
    r"|(?P<half>절반))"
)
_HOUR = re.compile(r"\s?시(?!간)(\s?반(?:(?![가-힣])|(?=에|까지|부터|이|쯤)))?")
_CENTURY = re.compile(r"[\s-]century\b", re.IGNORECASE)
_LATIN = re.compile(r"[A-Za-z]+")
_SCALED = (" hundred", " thousand", " million", " billion", " trillion", " dozen", " third", " quarter", " half")
_ORDINAL = re.compile(ENGLISH_ORDINAL, re.IGNORECASE)
_MONTH = re.compile(rf"{MONTH}\b")
_NO_NUMBERS = """
만일 천일 백일 백인 천인 만인 백조 천조 천장 백장 만장 천도 백도 만도 만회 천회 백호 천호 만호 만대
백대 천대 천동 만동 백동 만점 천점 백주 천주 만주 만석 천석 백석 천명 백화 천자 만자 백자 천면 백면
만면 만행 백병 천병 천해 백해 만건 천골 백골 만곡 천불 만불 백불 세대 한대 한장 한편 한때 한곳 한쪽
한해 한주 한배 두건 세배 만세 백세 천세 만년 조원 억원
"""
_NUMBER_WORDS_THAT_ARE_NONE = frozenset(_NO_NUMBERS.split())
_PLACE_WORDS = {"첫번째": 1, "첫째": 1, "둘째": 2, "셋째": 3, "넷째": 4}
_DAY = BY_NAME["day"]


def worded_numbers(text: str) -> Iterator[Candidate]:
    """Give the places of numbers in words, those in Hangul first, each in order."""
    for match in _KOREAN.finditer(text):
        yield match.start(), partial(_HANGUL[match.lastgroup or ""], text, match)
    for word in _LATIN.finditer(text):
        lower = word[0].lower()
        if lower in _STARTS and (found := _latin(text, word.start(), lower)):
            yield found
        elif word[0] in ROMAN and text[word.start() - 1 : word.start()] == " ":
            yield word.start(), partial(_roman, word)


def _latin(text: str, start: int, lower: str) -> Candidate | None:
    if lower == "a":
        return (start, partial(_english, text, start)) if text.startswith(_SCALED, start + 1) else None
    if lower in ORDINAL_STARTS and (ordinal := _ORDINAL.match(text, start)):
        return start, partial(_ordinal, text, ordinal)
    if lower in ENGLISH_STARTS:
        return start, partial(_english, text, start)
    return (start, partial(_month, text, start)) if _MONTH.match(text, start) else None


def _vague(text: str, match: re.Match[str]) -> Readings:
    low, high = VAGUE[match[0]]
    ends = [
        with_unit(text, match.start(), Numeral(match.end(), Decimal(each), ONE, 1, worded=True)) for each in (low, high)
    ]
    return [
        Quantity(
            first.start,
            first.end,
            "amount",
            first.dimension,
            first.unit,
            first.low,
            last.high,
            written=first.written,
            step=first.step,
            approx=True,
            worded=True,
        )
        for first, last in zip(*ends, strict=True)
    ]


def _days(_text: str, match: re.Match[str]) -> Readings:
    number = Numeral(match.end(), Decimal(DAYS[match[0]]), ONE, 1, worded=True)
    return [amount(match.start(), match.end(), number, _DAY)]


def _place(text: str, match: re.Match[str]) -> Readings:
    word = match[0].replace(" ", "")
    value = _PLACE_WORDS.get(word)
    if value is None:
        numeral = word.removesuffix("째").removesuffix("번")
        found = read_korean(numeral, 0, len(numeral))
        value = int(found.value) if found else None
    return [counted(match.start(), match.end(), "ordinal", value, worded=True)] if value else []


def _korean(text: str, match: re.Match[str]) -> Readings:
    end = match.start() + len(match[0].rstrip())
    if text[match.start() : end + 1] in _NUMBER_WORDS_THAT_ARE_NONE:
        return []
    number = read_korean(text, match.start(), end)
    if not number:
        return []
    if match.lastgroup == "native" and _HOUR.match(text, number.end):
        return _spoken_hour(text, match.start(), number)
    return with_unit(text, match.start(), number)


def _spoken_hour(text: str, start: int, number: Numeral) -> Readings:
    """Read 세 시 and 세 시 반."""
    tail = _HOUR.match(text, number.end)
    found = read_clock(f"{number.value}시{' 반' if tail and tail[1] else ''}", 0)
    end = tail.end() if tail else number.end
    return [counted(start, end, "clock", each, worded=True) for each in found.minutes] if found else []


def _half(_text: str, match: re.Match[str]) -> Readings:
    number = Numeral(match.end(), Decimal("0.5"), Decimal(0), 1, worded=True, fraction=True)
    return [amount(match.start(), match.end(), number, None)]


def _month(text: str, start: int) -> Readings:
    found = read_month(text, start)
    return [dated(start, found.end, day) for day in found.days] if found else []


def _ordinal(text: str, match: re.Match[str]) -> Readings:
    value = ordinal_value(match[0])
    found = [counted(match.start(), match.end(), "ordinal", value, worded=True)]
    if _CENTURY.match(text, match.end()):
        number = Numeral(match.end(), Decimal(value), ONE, len(str(value)), worded=True)
        found = [each.placed(match.start(), match.end() + 8) for each in found]
        found.append(amount(match.start(), match.end() + 8, number, BY_NAME["century"]))
    return found


def _roman(word: re.Match[str]) -> Readings:
    value = ROMAN[word[0]]
    number = Numeral(word.end(), Decimal(value), ONE, len(str(value)), worded=True)
    ordinal = counted(word.start(), word.end(), "ordinal", value, worded=True)
    return [ordinal, amount(word.start(), word.end(), number, None)]


def _english(text: str, start: int) -> Readings:
    number = read_english(text, start)
    return with_unit(text, start, number) if number else []


_HANGUL = {
    "vague": _vague,
    "days": _days,
    "place": _place,
    "native": _korean,
    "sino": _korean,
    "half": _half,
}
_MONTHS = """
jan january feb february mar march apr april may jun june jul july aug
august sep sept september oct october nov november dec december
"""
_STARTS = ENGLISH_STARTS | ORDINAL_STARTS | frozenset(_MONTHS.split()) | {"a"}
