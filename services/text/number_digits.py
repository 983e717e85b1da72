"""Read what begins with a digit: a date, a time, an ordinal, an article, a ratio, a code, or an amount with its unit.

In: a legible text and the place of the digit. Out: all readings, of one place. What may be two things is read as both
(2024.5, 3조, 3번), and an answer is held to neither: the reading that the evidence supports counts.
"""

import re
from dataclasses import replace
from decimal import Decimal

from services.text.moments import may_be_year, read_clock, read_date
from services.text.numerals import ONE, Numeral, read_digits
from services.text.quantity import Quantity, amount, coded, counted, dated
from services.text.units import BY_NAME, SIGNS, Unit, UnitFound, per_time, read_unit

Readings = list[Quantity]

_RUN = re.compile(r"\d+")
_GROUPS = re.compile(r"\d+(?:-\d+){2,8}(?![\d])|\d+(?:\.\d+){2,8}(?!\d)")
_RATIO = re.compile(r"(\d{1,5}(?:\.\d+)?)(?:\s?:\s?|\s대\s)(\d{1,5}(?:\.\d+)?)(?![\d:])")
_DECADE = re.compile(r"(\d{3}0|\d0)(?:\s?년대|'?s(?![A-Za-z0-9]))")
_ORDINAL = re.compile(
    r"(\d{1,9})(?:(?:st|nd|rd|th)\b|\s?(?:번째|째(?!깍)|위(?![원치험생])|등(?![급록기산유학장본교분의])|차(?![원량이별선종례]|로\b)))"
)
_CENTURY = re.compile(r"[\s-]century\b|[\s-]centuries\b")
_ARTICLE = re.compile(
    r"(\d{1,5})\s?(조(?![각건직])|항(?![목공구해상만])|호(?![선텔수봉])|목(?![표적록차요])|장|절|편|관)(?:\s?의\s?(\d{1,3})(?![\d.,]?\d|[개명건번%년월일원배]))?"
)
_BARE_ARTICLE = re.compile(
    r"(\d{1,4})\s?(조(?!각|건|직|\s?원|\s?달러|\s?\d[\d,.]{0,9}\s?[천백십]?[억만천백])|항(?![목공구해상만])|호(?![선텔수봉])|목(?![표적록차요]))"
    r"(?:의\s?(\d{1,3})(?![\d.,]?\d|[개명건번%년월일원배]))?"
)
_LETTERS = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-./][A-Za-z0-9]+)*")
_CODE_AHEAD = re.compile(r"(?<![A-Za-z0-9])([A-Z]{1,6})\s\Z")
_BEFORE_CHRIST = re.compile(r"\s?(?:B\.?C\.?(?:E\.?)?)(?![A-Za-z])")
_CHRIST_BEFORE = re.compile(r"기원전\s?(?:약\s?)?\Z")
_SPEED = re.compile(r"(시속|분속|초속)\s?(?:약\s?)?\Z")
_LINE_START = re.compile(r"(?:^|\n)[ \t]*-\Z")
_DASHED = re.compile(r"^[ \t]*-[^\W\d]", re.MULTILINE)
"""A list whose dashes touch their text; elsewhere a dash before a number is its sign."""
_MINUS = re.compile(r"(?:영하|마이너스|△|\bminus|\bnegative)\s?(?:약\s?)?\Z", re.IGNORECASE)
_AGED = re.compile(r"\b(?:aged?|ages|age\sof)\s\Z", re.IGNORECASE)
_ODD = re.compile(r"\s?여(?=\s?[가-힣])")
_DAYS_OF_MONTH = 31
_DATE_DIGITS = 8
_MOST_ORDINAL_DIGITS = 9
_THIRD_PARTY = re.compile(r"3(?:자(?![가-힣]*\d)|국|세계)")
_MOST_ARTICLES = 2000


def digit_readings(text: str, start: int) -> Readings:
    """Read the number whose first digit, decimal point or apostrophe stands at `start`."""
    run = _RUN.match(text, start)
    behind = text[run.end() : run.end() + 2] if run else text[start : start + 1]
    first = behind.lstrip()[:1]
    if run and (first or len(run[0]) == _DATE_DIGITS):
        special = _moment(text, start, first) or (_named(text, start) if first in ":.대번째위등차sntr년" else None)
        if special:
            return special
    elif behind == "'":
        return _moment(text, start, "'") or digit_readings(text, start + 1)
    if (groups := _GROUPS.match(text, start)) and behind[:1] in "-.":
        return [coded(start, groups.end(), groups[0])]
    return _number(text, start, run)


def _moment(text: str, start: int, first: str) -> Readings | None:
    """Read dates and times; where the form may be a number as well, that reading too."""
    if first in ":시aApP" and (clock := read_clock(text, start)):
        return [counted(start, clock.end, "clock", each) for each in clock.minutes]
    if first in "년월./-'" or first in "stndrhoJFMASOND" or first.isdigit() or _is_eight(text, start):
        found = read_date(text, start)
        if found:
            days = [_era(text, start, dated(start, found.end, day)) for day in found.days]
            if first == "년" and len(found.days) == 1 and found.days[0][1] is None:
                days += with_unit_only(text, start)
            return _with_number(text, start, days) if found.also_number else _spread(days)
    return None


def _with_number(text: str, start: int, days: Readings) -> Readings:
    """Add to a date the number or code its piece may be; where a number goes on (3/4인치), it is no date."""
    if (groups := _GROUPS.match(text, start)) is not None:
        return _spread([*days, coded(start, groups.end(), groups[0])])
    run = _RUN.match(text, start)
    number = _number(text, start, run) if run else days
    end = max(each.end for each in days)
    return number if number[0].end > end else _spread([*days, *(each for each in number if each.end == end)])


def _is_eight(text: str, start: int) -> bool:
    return text[start : start + 8].isdigit() and not text[start + 8 : start + 9].isdigit()


def _era(text: str, start: int, found: Quantity) -> Quantity:
    if found.day and found.day[0] and _CHRIST_BEFORE.search(text, max(0, start - 8), start):
        return replace(found, day=(-found.day[0], *found.day[1:]))
    return found


def _named(text: str, start: int) -> Readings | None:
    """Read ratios, decades and ordinals."""
    if ratio := _RATIO.match(text, start):
        return [coded(start, ratio.end(), f"{ratio[1]}:{ratio[2]}")]
    if decade := _DECADE.match(text, start):
        year = int(decade[1])
        years = (year,) if year > 99 else (1900 + year, 2000 + year, year)
        unit = BY_NAME["decade"]
        return [amount(start, decade.end(), _whole(each, decade.end()), unit) for each in years]
    if ordinal := _ORDINAL.match(text, start):
        found = [counted(start, ordinal.end(), "ordinal", int(ordinal[1]))]
        if century := _CENTURY.match(text, ordinal.end()):
            number = _whole(int(ordinal[1]), century.end())
            found = [*found, amount(start, century.end(), number, BY_NAME["century"])]
        return _spread(found)
    return None


def _whole(value: int, end: int) -> Numeral:
    return Numeral(end, Decimal(value), ONE, len(str(value)))


def _number(text: str, start: int, run: re.Match[str] | None) -> Readings:
    number = read_digits(text, start)
    if number is None:
        end = run.end() if run else start + 1
        return [coded(start, end, text[start:end])] if run else []
    found = with_unit(text, start, number)
    article = _BARE_ARTICLE.match(text, start)
    if article and int(article[1]) < _MOST_ARTICLES:
        named = _article(start, article)
        found = [named] if article[3] else [*found, named]
    end = max(each.end for each in found)
    if text[end : end + 1].isascii() and (letters := _LETTERS.match(text, end)) and text[end].isalpha():
        return [coded(start, letters.end(), text[start : letters.end()])]
    if all(each.dimension == "" for each in found) and (ahead := _CODE_AHEAD.search(text, max(0, start - 8), start)):
        found.append(coded(start, end, f"{ahead[1]}{text[start:end]}"))
    return _spread(_signed(text, start, found))


def _signed(text: str, start: int, found: Readings) -> Readings:
    """Let a negative number begin at its sign."""
    if text[start - 1 : start] != "-" or not any(each.low is not None and each.low < 0 for each in found):
        return found
    return [each.placed(start - 1, each.end) for each in found]


def _spread(found: Readings) -> Readings:
    """Give all readings the place of the longest."""
    end = max(each.end for each in found)
    return [each if each.end == end else each.placed(each.start, end) for each in found]


def with_unit(text: str, start: int, number: Numeral) -> Readings:
    """Give the readings of a number by the unit behind it; a bare one may also be a year."""
    odd = _ODD.match(text, number.end)
    unit = read_unit(text, odd.end() if odd else number.end)
    negative = _is_negative(text, start)
    if not unit:
        return _bare(text, start, number, negative)
    found = [
        amount(start, unit.end, number, _sped(text, start, each), negative and each.dimension != "months")
        for each in unit.units
    ]
    found = [replace(each, approx=True) for each in found] if odd else found
    return [*found, *_further(text, start, number, unit)]


def with_unit_only(text: str, start: int) -> Readings:
    """Read "2000년" as two thousand years, too."""
    number = read_digits(text, start)
    unit = read_unit(text, number.end) if number else None
    return [amount(start, unit.end, number, each) for each in unit.units] if number and unit else []


def _further(text: str, start: int, number: Numeral, unit: UnitFound) -> Readings:
    """Give the other readings: 3번 is the third, 1일 the first of a month, "5 A teams" are perhaps 5."""
    if text[unit.end - 1] == "년" and _CHRIST_BEFORE.search(text, max(0, start - 8), start):
        return [dated(start, unit.end, (-int(number.value), None, None))]
    found: Readings = []
    name, whole = unit.units[0].name, number.value == int(number.value)
    if name == "times" and text[unit.end - 1] == "번" and whole:
        found.append(counted(start, unit.end, "ordinal", int(number.value), worded=number.worded))
    if name == "day" and text[unit.end - 1] == "일" and whole and 0 < number.value <= _DAYS_OF_MONTH:
        found.append(dated(start, unit.end, (None, None, int(number.value))))
    if unit.doubtful:
        found.append(amount(start, unit.end, number, None))
    if text[unit.end - 1] == "년" and whole and may_be_year(int(number.value)):
        found.append(dated(start, unit.end, (int(number.value), None, None)))
    return found


def _bare(text: str, start: int, number: Numeral, negative: bool) -> Readings:
    found = [amount(start, number.end, number, None, negative)]
    if negative and _LINE_START.search(text, max(0, start - 8), start) and _DASHED.search(text):
        found.append(amount(start, number.end, number, None))
    if text[start - 1 : start] == " " and _AGED.search(text, max(0, start - 8), start):
        found.append(amount(start, number.end, number, BY_NAME["age"]))
    if (
        number.step == ONE
        and not negative
        and may_be_year(int(number.value))
        and number.digits == len(str(number.value))
    ):
        year = int(number.value)
        if before_christ := _BEFORE_CHRIST.match(text, number.end):
            return [dated(start, before_christ.end(), (-year, None, None))]
        if "," not in text[start : number.end]:
            found.append(dated(start, number.end, (year, None, None)))
    elif before_christ := _BEFORE_CHRIST.match(text, number.end):
        return [dated(start, before_christ.end(), (-int(number.value), None, None))]
    return found


def _sped(text: str, start: int, unit: Unit) -> Unit:
    if unit.dimension != "length":
        return unit
    match = _SPEED.search(text, max(0, start - 7), start)
    return per_time(unit, match[1]) if match else unit


def _is_negative(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    if before == "-":
        return not (text[start - 2 : start - 1].isalnum() or text[start - 2 : start - 1] in tuple("°%)]'\"-"))
    return bool(before and before in " 하스△se" and _MINUS.search(text, max(0, start - 12), start))


def money_readings(text: str, start: int, digits: int, sign: str) -> Readings:
    """Read money whose sign stands before it: $1.5 million, ₩5,000, USD 100."""
    number = read_digits(text, digits)
    if not number:
        return []
    unit = SIGNS.get(sign) or SIGNS.get(sign[-1:]) or (BY_NAME["USD"],)
    million = re.compile(r"m(?![A-Za-z0-9])").match(text, number.end)
    if million:
        scale = Decimal(10**6)
        number = Numeral(million.end(), number.value * scale, number.step * scale, number.digits, scale)
    return [amount(start, number.end, number, unit[0])]


def article_readings(text: str, start: int, digits: int) -> Readings:
    """Read what stands behind 제: 제12조의2, 제3항, 제5차, 제3회."""
    if article := _ARTICLE.match(text, digits):
        return [_article(start, article)]
    run = _RUN.match(text, digits)
    if not run or len(run[0]) > _MOST_ORDINAL_DIGITS:
        return []
    if _THIRD_PARTY.match(text, digits):
        return [counted(start, run.end() + 1, "ordinal", 3, worded=True)]
    groups = re.compile(r"\d+(?:-\d+){1,5}").match(text, digits)
    if groups:
        return [coded(start, groups.end(), groups[0])]
    number = _whole(int(run[0]), run.end())
    found = [counted(start, run.end(), "ordinal", int(run[0]))]
    tail = _ORDINAL.match(text, digits)
    unit = read_unit(text, run.end())
    if tail:
        found = [found[0].placed(start, tail.end())]
    elif unit:
        found += [amount(start, unit.end, number, each) for each in unit.units]
    return _spread(found)


def _article(start: int, match: re.Match[str]) -> Quantity:
    return replace(counted(start, match.end(), "article", int(match[1]), match[2]), name=match[3] or "")
