"""Which version of which law a text is, as its title, its file's name and its first lines say.

In: a title, a file name, the head of a text. Out: the name that all versions share, the day from which this one holds,
its number of promulgation; each None where nothing clear is said. Pure and the same without any model.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

HEAD_CHARS = 3000
"""A law says from when it holds in its title block; further down stand the dates of other laws and of old changes."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_NUMERIC = r"\d{4}\s?(?:년|[.\-/])\s?\d{1,2}\s?(?:월|[.\-/])\s?\d{1,2}(?!\d)|(?<!\d)(?:19|20)\d{6}(?!\d)"
_WORDED = rf"{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH},?\s\d{{4}}"
_DAY = rf"(?P<day>{_NUMERIC}|{_WORDED})"
_TAKES_EFFECT = (
    r"(?:\beffective(?:\s+date)?(?:\s+(?:as\s+of|from|on))?|\b(?:in|into)\s+force(?:\s+(?:as\s+of|from|on|since))?)"
)
_LABELLED = (
    re.compile(rf"시행\s?(?:일자|일)?[\s*|:：<(\[]{{0,8}}{_DAY}"),
    re.compile(rf"{_TAKES_EFFECT}[\s*|:：(\[]{{1,8}}{_DAY}", re.IGNORECASE),
    re.compile(rf"{_DAY}\s?일?\s?\.?\s?(?:부터|자로|자)?\s?시행(?![령규])"),
)
_IN_NAME = re.compile(rf"(?<!\d)(?P<day>{_NUMERIC}|\d{{4}}[ _]\d{{2}}[ _]\d{{2}})(?!\d)")
_ISSUE = re.compile(r"(?:^|[\s_\-(])(?P<year>(?:19|20)\d{2})[_.\-](?P<month>\d{1,2})(?=$|[\s_)])")
_YEAR = re.compile(r"(?:^|[\s_\-(])(?P<year>(?:19|20)\d{2})(?:년판|년|판)?\)?\s*$")
_YEARS = re.compile(r"(?<![^\s\-])(?:19|20)\d{2}(?:년판|년|판)?(?![^\s\-])")

_KIND = r"(?:헌법|법률|조약|[가-힣]*(?:령|규칙|고시|훈령|예규|조례|공고|지침))"
_NUMBER = re.compile(rf"(?P<kind>{_KIND})[\s()]*제?\s?(?P<number>\d+(?:-\d+)*)\s?호")
_NUMBER_EN = re.compile(
    r"\b(?:Act|Law|Decree|Ordinance|Directive|Notice|Regulation)\s(?:\(E[UC]\)\s)?No\.?\s?\d+(?:[-/]\d+)*"
    r"|\bPub(?:lic|\.)\s?L(?:aw|\.)\s?\d+-\d+"
)

_ENDING = re.compile(r"(?<=.)\.[^.]+$")
_CHANGE = r"(?:(?:일부|전부|타법)?개정판?|제정|폐지제정)"
_MARK = re.compile(
    rf"(?<![가-힣])(?:제\s?\d+\s?차\s?)?{_CHANGE}(?![가-힣])|(?<![가-힣])(?:개정\s?)?제?\s?\d+\s?판(?![가-힣])"
    r"|\b(?:v|ver|rev)\.?\s?\d+(?:\.\d+)*\b|\b(?:version|revision)\s\d+(?:\.\d+)*\b|\b\d+(?:st|nd|rd|th)\sed(?:ition)?\b\.?"
    r"|\b(?:as\s)?amended\b",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[<【〔（][^()\[\]<>【】〔〕（）]*[)\]>】〕）]")
_SAYS_VERSION = re.compile(rf"시행|제\s?[\d\-]+\s?호|{_NUMERIC}|{_WORDED}|(?<!\d)(?:19|20)\d{{2}}(?!\d)", re.IGNORECASE)
_KIND_ALONE = re.compile(rf"{_KIND}")
_EDGES = " -–—,.·:;"


@dataclass(frozen=True, slots=True)
class LawVersion:
    """One version of a law; None where it is not said."""

    series: str | None
    effective_date: date | None
    number: str | None


def law_version(title: str, filename: str, head: str) -> LawVersion:
    """Read which version of which law a document is.

    A day that is said to be that of effect goes first, in the title, then in the file's name, then in the text; a bare
    day, or year, counts in the file's name only, where a year alone stands for its first day.
    """
    name = _ENDING.sub("", filename)
    places = (title, name, head[:HEAD_CHARS])
    return LawVersion(series_name(title) or series_name(name), _effective(places) or _named_day(name), _number(places))


def series_name(title: str) -> str | None:
    """Give what all versions of a law are called: a title without dates, numbers, and marks of versions."""
    text = _BRACKETS.sub(lambda found: " " if _tells_version(found[0]) else found[0], title)
    for pattern in (_NUMBER, _ISSUE, *_LABELLED, _IN_NAME):
        text = pattern.sub(" ", text)
    text = text.replace("_", " ")  # to a pattern with \b it would be a letter
    for pattern in (_NUMBER_EN, _YEARS, _MARK):
        text = pattern.sub(" ", text)
    return " ".join(text.split()).strip(_EDGES) or None


def _tells_version(group: str) -> bool:
    inner = group[1:-1].strip()
    marked = _SAYS_VERSION.search(inner) or _MARK.search(inner) or _NUMBER_EN.search(inner)
    return bool(marked or _KIND_ALONE.fullmatch(inner))


def _effective(places: Sequence[str]) -> date | None:
    return next((day for text in places for day in _labelled_days(text)), None)


def _labelled_days(text: str) -> Iterator[date]:
    for pattern in _LABELLED:
        for found in pattern.finditer(text):
            if (day := _day(found["day"])) is not None:
                yield day


def _named_day(name: str) -> date | None:
    days = [day for found in _IN_NAME.finditer(name) if (day := _day(found["day"])) is not None]
    if days:
        return days[-1]  # what stands last is what tells one version's file from the next
    if found := _ISSUE.search(name):
        return _date(int(found["year"]), int(found["month"]), 1) or date(int(found["year"]), 1, 1)
    found = _YEAR.search(name)
    return date(int(found["year"]), 1, 1) if found else None


def _day(text: str) -> date | None:
    """Read a day in any of the forms of _DAY; None for one that no calendar has."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if month := re.search(_MONTH, text, re.IGNORECASE):
        day, year = numbers
        return _date(year, _MONTHS.index(month[0][:3].lower()) + 1, day)
    if len(numbers) == 1:
        return _date(numbers[0] // 10_000, numbers[0] // 100 % 100, numbers[0] % 100)
    return _date(*numbers)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(places: Sequence[str]) -> str | None:
    for text in places:
        if found := _NUMBER.search(text):
            return f"{found['kind']} 제{found['number']}호"
        if found := _NUMBER_EN.search(text):
            return found[0]
    return None
