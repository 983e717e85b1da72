"""Read a date or a time of day at a place of a legible text, in all usual Korean and English forms.

In: a text that `legible` gave, and a place. Out: what day or minute is meant, as many readings as the form has (5/4 is
May 4th or April 5th, 3시 is at night or in the afternoon), and the end; or None. A 13th month or a 32nd day is none.
"""

import re
from dataclasses import dataclass

Day = tuple[int | None, int | None, int | None]
"""Year, month and day, each None where it is not said; a year before Christ is negative."""

FIRST_YEAR, LAST_YEAR = 1000, 2199
"""A bare number between these may be a year."""
CENTURY_TURNS = 50
"""'24 is 2024, '87 is 1987."""

_LAST_MONTH, _LAST_DAY = 12, 31
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_TH = r"(?:st|nd|rd|th)?"
_YEAR = r"(?:\d{4}|(?<!\d)'?\d{2})"

_KOREAN = re.compile(
    rf"(?:(?P<y>{_YEAR})\s?년(?:도)?\s?)?(?P<m>\d{{1,2}})\s?월(?!드)\s?(?P<d>\d{{1,2}})\s?일(?!간|\s?동안)"
    rf"|(?P<y2>{_YEAR})\s?년(?:도)?\s?(?P<m2>\d{{1,2}})\s?월(?!드)"
    r"|(?P<m3>\d{1,2})\s?월(?!드)"
)
_KOREAN_YEAR = re.compile(r"(?P<y>\d{4}|'?\d{2}(?=\s?년도|\s?학년도))\s?(?:학?년도|년(?!대|간|\s?동안))")
_DOTTED = re.compile(
    r"'?(?P<y>\d{4}|\d{2})(?P<sep>\s?[./-]\s?)(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?![\d]|[./-]\d)\.?"
    r"|'?(?P<y1>\d{4}|\d{2})\.\s?(?P<m1>\d{1,2})\.\s?(?P<d1>\d{1,2})(?![\d]|[./-]\d)\.?"
    r"|(?P<y2>\d{4})\s?\.\s?(?P<m2>\d{1,2})\.(?!\s?\d)"
    r"|(?P<y3>(?:1[89]|20)\d{2})[./-](?P<m3>0?[1-9]|1[0-2])(?![\d]|[./-]\d)"
    r"|(?P<y4>(?:19|20)\d{2})(?P<m4>0[1-9]|1[0-2])(?P<d4>0[1-9]|[12]\d|3[01])(?!\d)"
)
_SLASHED = re.compile(r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<y>\d{4}|\d{2}))?(?![\d/])")
_DAY_FIRST = re.compile(rf"(?P<d>\d{{1,2}}){_TH}\s(?:day\s)?(?:of\s)?(?P<m>{MONTH})\b\.?(?:,?\s(?P<y>\d{{4}})(?!\d))?")
_MONTH_FIRST = re.compile(
    rf"(?P<m>{MONTH})\b\.?\s(?:(?:the\s)?(?P<d>\d{{1,2}}){_TH}(?![\d:.]\d|\d|\s?(?:%|percent))"
    r"(?:(?:,\s?|\s)(?P<y>\d{4})(?!\d))?|(?:of\s)?,?(?P<y2>\d{4})(?!\d))"
)
_MONTH_ALONE = re.compile(rf"{MONTH}\b")
_IN_MONTH = re.compile(r"\b(?:in|of|by|since|until|till|last|next|early|late|mid|from|to|and|or)[\s-]\Z", re.IGNORECASE)
_DOUBTFUL_MONTHS = frozenset(("May", "March", "Mar", "Jan", "Dec", "Sept", "Sep"))

_HALF_DAY = r"(?P<half>오전|오후|새벽|아침|저녁|밤|낮)"
_CLOCK = re.compile(
    rf"(?:{_HALF_DAY}\s?)?(?P<h>\d{{1,2}})\s?(?:시(?![간대장민설도])(?:\s?(?P<min>\d{{1,2}})\s?분(?!의)|\s?(?P<thirty>반)(?![가-힣]))?"
    r"|:(?P<min2>[0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s?(?P<ap>[ap])\.?m\b\.?)?|\s?(?P<ap2>[ap])\.?m\b\.?)",
    re.IGNORECASE,
)
_AFTERNOON = frozenset(("오후", "저녁", "밤", "낮"))


@dataclass(frozen=True, slots=True)
class DateFound:
    """A date's readings and its end; `also_number` where the same piece may be a plain number or code (2024.5)."""

    end: int
    days: tuple[Day, ...]
    also_number: bool = False


@dataclass(frozen=True, slots=True)
class ClockFound:
    """A time of day in minutes since midnight, one or two readings, and its end."""

    end: int
    minutes: tuple[int, ...]


def read_date(text: str, start: int) -> DateFound | None:
    """Read a date that begins with a digit or an apostrophe at `start`."""
    return (
        _read_korean(text, start)
        or _read_dotted(text, start)
        or _read_slashed(text, start)
        or _read_worded(_DAY_FIRST.match(text, start))
    )


def read_month(text: str, start: int) -> DateFound | None:
    """Read a date that begins with the name of a month at `start`; May and March alone only behind "in"."""
    if found := _read_worded(_MONTH_FIRST.match(text, start)):
        return found
    match = _MONTH_ALONE.match(text, start)
    if not match or (match[0] in _DOUBTFUL_MONTHS and not _IN_MONTH.search(text[max(0, start - 8) : start])):
        return None
    return DateFound(match.end(), ((None, _month(match[0]), None),))


def read_clock(text: str, start: int) -> ClockFound | None:
    """Read a time of day at `start`: 오후 3시 30분, 15:30, 3:30 pm; without a half of the day both are meant."""
    match = _CLOCK.match(text, start)
    if not match:
        return None
    hour, minute = int(match["h"]), int(match["min"] or match["min2"] or ("30" if match["thirty"] else "0"))
    if hour > 24 or minute > 59:
        return None
    half = match["half"] or (match["ap"] or match["ap2"] or "").lower()
    return ClockFound(match.end(), clock_readings(hour, minute, half))


def clock_readings(hour: int, minute: int, half: str = "") -> tuple[int, ...]:
    """Give the minutes since midnight an hour may mean: 3 is 3:00 and 15:00 unless a half of the day is said."""
    if half in _AFTERNOON or half == "p":
        return ((hour % 12 + 12) * 60 + minute,) if hour <= 12 else (hour % 24 * 60 + minute,)
    if half:
        return (hour % 12 * 60 + minute,) if hour <= 12 else (hour % 24 * 60 + minute,)
    first = hour % 24 * 60 + minute
    return (first, hour % 12 * 60 + minute + 720) if 0 < hour < 13 and hour != 12 else (first,)


def may_be_year(value: int) -> bool:
    """Say whether a bare whole number may be a year."""
    return FIRST_YEAR <= value <= LAST_YEAR


def _read_korean(text: str, start: int) -> DateFound | None:
    if match := _KOREAN.match(text, start):
        year = match["y"] or match["y2"]
        month, day = match["m"] or match["m2"] or match["m3"], match["d"]
        return _found(match.end(), _day(year, month, day))
    match = _KOREAN_YEAR.match(text, start)
    return _found(match.end(), _day(match["y"], None, None)) if match else None


def _read_dotted(text: str, start: int) -> DateFound | None:
    match = _DOTTED.match(text, start)
    if not match:
        return None
    parts = {name[0]: value for name, value in match.groupdict().items() if value and name != "sep"}
    day = _day(parts["y"], parts["m"], parts.get("d"))
    sure = len(parts["y"]) == 4 and "d" in parts
    return _found(match.end(), day, also_number=not sure or bool(match["y4"]))


def _read_slashed(text: str, start: int) -> DateFound | None:
    match = _SLASHED.match(text, start)
    if not match:
        return None
    readings = (_day(match["y"], match["a"], match["b"]), _day(match["y"], match["b"], match["a"]))
    days = tuple(dict.fromkeys(day for day in readings if day))
    return DateFound(match.end(), days, also_number=not match["y"]) if days else None


def _read_worded(match: re.Match[str] | None) -> DateFound | None:
    if not match:
        return None
    parts = {name[0]: value for name, value in match.groupdict().items() if value}
    return _found(match.end(), _day(parts.get("y"), str(_month(parts["m"])), parts.get("d")))


def _found(end: int, day: Day | None, also_number: bool = False) -> DateFound | None:
    return DateFound(end, (day,), also_number) if day else None


def _day(year: str | None, month: str | None, day: str | None) -> Day | None:
    parts = (_full_year(year) if year else None, int(month) if month else None, int(day) if day else None)
    # A day that no calendar has (2월 30일) is read, too: as a day it can be compared with those of the evidence.
    if not 1 <= (parts[1] or 1) <= _LAST_MONTH or not 1 <= (parts[2] or 1) <= _LAST_DAY or 0 in parts:
        return None
    return parts


def _full_year(year: str) -> int:
    value = int(year.lstrip("'"))
    if len(year.lstrip("'")) > 2:
        return value
    return value + (2000 if value < CENTURY_TURNS else 1900)


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1
