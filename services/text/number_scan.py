"""Find the numbers of a legible text, one after the other, each with all its readings.

In: a text that `legible` gave. Out: for each number a list of quantities of one place; what stands around (about, at
most, from … to) is not looked at yet. A run of digits is read from what stands before it: letters make a code of it,
제 an article, $ money. Words are found by `number_worded`.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from services.text.legible import MARK_CLOSES, MARK_OPENS
from services.text.moments import read_clock
from services.text.number_digits import article_readings, digit_readings, money_readings
from services.text.number_worded import Candidate, Readings, worded_numbers
from services.text.numerals import ONE, Numeral
from services.text.quantity import amount, coded, counted
from services.text.units import BY_NAME, SIGNS

_CURRENCY = r"(?:(?<![A-Za-z])(?:US|AU|CA|HK|NT|NZ|A|C|S))?\$|[€£¥₩]|(?<![A-Za-z])(?:USD|KRW|EUR|JPY|GBP|CNY|RMB)"
_MONEY_BEFORE = re.compile(rf"(?:{_CURRENCY})\s?\Z")
_MONEY_ENDS = frozenset("$€£¥₩DRWYPB")
_KEYWORDS = {
    "조": "article articles art arts section sections",
    "항": "paragraph paragraphs para paras clause clauses",
    "호": "subparagraph subparagraphs",
    "장": "chapter chapters",
    "절": "section sections",
    "편": "part parts",
}
_KEYWORD_UNITS: dict[str, tuple[str, ...]] = {"§": ("조",)}
for _unit, _words in _KEYWORDS.items():
    for _word in _words.split():
        _KEYWORD_UNITS[_word] = (*_KEYWORD_UNITS.get(_word, ()), _unit)
_KEYWORD_BEFORE = re.compile(r"(?<![A-Za-z])([A-Za-z]{3,13})\.?\s\Z|(§)\s?\Z")
_LETTERS_BEFORE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,40}-?\Z")
_CODE = re.compile(r"[A-Za-z]{1,40}-?\d[A-Za-z0-9]{0,60}(?:[-./_][A-Za-z0-9]{1,40}){0,12}")
_HALF_DAY_BEFORE = re.compile(r"(?:오전|오후|새벽|아침|저녁|밤|낮)\s?\Z")
_HALF_DAY_ENDS = frozenset("전후벽침녁밤낮")
_NUMBER_BEFORE = re.compile(r"(?:\bNos?\.\s?|№\s?|#)\Z")
_MARK_BEFORE = re.compile(r"(?:\A|\n)[ \t>*#•·-]{0,6}\(?\Z")
_MARK_AFTER = re.compile(r"[.)](?=\s)")
_MARK_DIGITS = 3
_URL = re.compile(r"(?:https?://|www\.)[^\s가-힣]{1,2000}")
_RUN = re.compile(r"\d+")
_QUARTER = re.compile(r"[Qq][1-4]")
_CURRENCY_WORD = re.compile(r"(?:USD|KRW|EUR|JPY|GBP|CNY|RMB)(?=\d)")
_PREFIXES = """
mid pre post early late non sub over under age ages aged since until circa type by
"""
_PREFIX_WORDS = frozenset(_PREFIXES.split())


def scan(text: str) -> Iterator[Readings]:
    """Give the numbers of a text in order, not overlapping, each with at least one reading."""
    place = 0
    for start, read in sorted(_candidates(text), key=lambda each: each[0]):
        if start < place:
            continue
        found = read()
        if found:
            place = found[0].end
            yield found


def _candidates(text: str) -> Iterator[Candidate]:
    yield from worded_numbers(text)
    if "://" in text or "www." in text:
        for match in _URL.finditer(text):
            yield match.start(), partial(_url, match)
    for run in _RUN.finditer(text):
        yield run.start(), partial(_run, text, run)


def _run(text: str, run: re.Match[str]) -> Readings:
    """Read a run of digits by what stands before it."""
    start, before = run.start(), text[run.start() - 1 : run.start()] if run.start() else ""
    if before == MARK_OPENS and text[run.end() : run.end() + 1] == MARK_CLOSES:
        return [counted(start - 1, run.end() + 1, "mark", int(run[0]))]
    if text[run.end() : run.end() + 1] in (".", ")") and (mark := _mark(text, run)):
        return mark
    if not before or before in "(,~":
        return digit_readings(text, start)
    if before.isspace():
        return _spaced(text, start) or digit_readings(text, start)
    return _glued(text, start, before) or digit_readings(text, start)


def _glued(text: str, start: int, before: str) -> Readings | None:
    """Read digits right behind a letter or sign."""
    if before == "제":
        return article_readings(text, start - 1, start)
    if before in _MONEY_ENDS and (found := _money(text, start)):
        return found
    if (before.isascii() and before.isalpha()) or before == "-":
        return _code(text, start)
    if before in _HALF_DAY_ENDS:
        return _clock(text, start)
    if before == "." and not text[start - 2 : start - 1].isalnum():
        return digit_readings(text, start - 1)
    if before == "'":
        return digit_readings(text, start - 1)
    if before == "§":
        return _keyword(text, start)
    return _number(text, start) if before in ".#№" else None


def _spaced(text: str, start: int) -> Readings | None:
    """Read digits behind a space, by the word before it."""
    before = text[start - 2 : start - 1]
    if before == "제" and not "가" <= text[start - 3 : start - 2] <= "힣":
        return article_readings(text, start - 2, start)
    if before in _HALF_DAY_ENDS:
        return _clock(text, start)
    if before in _MONEY_ENDS and (found := _money(text, start)):
        return found
    if before in (".", "№") and (found := _number(text, start)):
        return found
    return _keyword(text, start) if before == "§" or before == "." or (before.isascii() and before.isalpha()) else None


def _mark(text: str, run: re.Match[str]) -> Readings | None:
    if len(run[0]) > _MARK_DIGITS or not _MARK_AFTER.match(text, run.end()):
        return None
    before = _MARK_BEFORE.search(text, max(0, run.start() - 9), run.start())
    # At the beginning of the slice, not of the text, \A says nothing.
    if not before or (before.start() > 0 and text[before.start()] != "\n"):
        return None
    return [counted(run.start(), run.end() + 1, "mark", int(run[0]))]


def _url(match: re.Match[str]) -> Readings:
    address = match[0].rstrip(".,;:!?)]}'\"")
    return [coded(match.start(), match.start() + len(address), address)] if _RUN.search(address) else []


def _money(text: str, start: int) -> Readings | None:
    sign = _MONEY_BEFORE.search(text, max(0, start - 5), start)
    return money_readings(text, sign.start(), start, sign[0].strip()) if sign else None


def _code(text: str, start: int) -> Readings | None:
    """Read letters with digits: FP112, COVID-19; behind a hyphen the digits alone count, too (top-10)."""
    letters = _LETTERS_BEFORE.search(text, max(0, start - 42), start)
    match = _CODE.match(text, letters.start()) if letters else None
    if not letters or not match or match.end() <= start:
        return None
    written, head = match[0], letters[0].rstrip("-")
    if written in SIGNS:
        return [coded(match.start(), match.end(), "")]
    if _CURRENCY_WORD.match(written):
        return money_readings(text, match.start(), start, head)
    if letters[0].endswith("-") and head.lower() in _PREFIX_WORDS:
        return None
    found = [coded(match.start(), match.end(), written)]
    if _QUARTER.fullmatch(written):
        found.append(amount(start - 1, start + 1, Numeral(start + 1, Decimal(written[1]), ONE, 1), BY_NAME["quarter"]))
    if letters[0].endswith("-") and head.islower() and len(head) > 2:
        found += digit_readings(text, start)
    end = max(each.end for each in found)
    return [each.placed(match.start(), end) for each in found]


def _clock(text: str, start: int) -> Readings | None:
    half = _HALF_DAY_BEFORE.search(text, max(0, start - 3), start)
    found = read_clock(text, half.start()) if half else None
    return [counted(half.start(), found.end, "clock", each) for each in found.minutes] if half and found else None


def _number(text: str, start: int) -> Readings | None:
    """Read "No. 3": a number, and the third."""
    if not _NUMBER_BEFORE.search(text, max(0, start - 5), start):
        return None
    found = digit_readings(text, start)
    bare = next((each.low for each in found if each.kind == "amount"), None)
    if bare is None or bare != int(bare):
        return found
    return [*found, counted(found[0].start, found[0].end, "ordinal", int(bare))]


def _keyword(text: str, start: int) -> Readings | None:
    """Read "Article 12" and "§ 5" as 제12조 and 제5조, and as bare numbers."""
    match = _KEYWORD_BEFORE.search(text, max(0, start - 16), start)
    units = _KEYWORD_UNITS.get((match[1] or match[2]).lower()) if match else None
    run = _RUN.match(text, start)
    if not units or not run:
        return None
    found = digit_readings(text, start)
    end = found[0].end
    if end != run.end():
        return found
    return [*(counted(start, end, "article", int(run[0]), unit) for unit in units), *found]
