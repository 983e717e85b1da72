"""Find the sentences of a Korean or English text by rule.

In: a passage or page. Out: spans, in order; what lies between them is white space. A table row, a heading and
an item of a list are sentences too. Where the rules are in doubt (an unknown abbreviation before a capital)
they cut.
"""

import re
from collections.abc import Iterator

from services.text.chunks import Span

WRAPPED_LINE_CHARS = 30
"""A shorter line is not taken for one that was broken at the right margin: its end is the end of a
sentence."""

_CLOSING = r"[\"'”’)\]」』》〉]"
_STOP = re.compile(rf"(?P<mark>[.!?。！？…]+)(?P<closing>(?:\[\d{{1,3}}\]|{_CLOSING})*)(?=(?P<next>\s*\S?))")
_NEWLINE = re.compile(r"\n\s*")
_DATE = re.compile(r"\d{4}\s?\.\s?\d{1,2}\s?\.(?:\s?\d{1,2}\s?\.)?")
_ITEM_START = re.compile(
    r"(?:[-*+•·‣▪○●◦※□■▶→|#>]"
    r"|\d{1,3}[.)]\s|\(\d{1,3}\)|[a-zA-Z][.)]\s|[가-하][.)]\s|[①-⑳]|[ivxIVX]{1,4}[.)]\s|제\s?\d+\s?[조장절편항])"
)
_ITEM_NUMBER = re.compile(r"(?:^|\n)[ \t]*(?:[#>*-]+[ \t]*)?(?:\(?\d{1,3}|[a-zA-Z]|[가-하]|[ivxIVX]{1,4})\Z")
_INITIAL = re.compile(r"(?:^|[^\w])(?:[A-Za-z]\.)*[A-Z]\Z|(?:^|[^\w])[A-Za-z]\.[A-Za-z]\Z")
_LAST_WORD = re.compile(r"[A-Za-z]+\Z")
_KOREAN_END = re.compile(r"[다요까죠네음함임됨오라]\Z")
_TITLE_WORDS = "mr mrs ms dr prof rev hon st gen col capt lt sgt maj adm gov sen rep pres messrs mt ft vs cf"
_TITLES = frozenset(_TITLE_WORDS.split())
_NUMBERED_WORDS = """
no nos fig figs eq eqs vol vols ed ch sec art para pp p approx est jan feb mar apr jun jul aug sep sept
oct nov dec
"""
_BEFORE_NUMBERS = frozenset(_NUMBERED_WORDS.split())


def sentences(text: str) -> list[Span]:
    """Cut a text into sentences at stops, blank lines and line ends that are no mere line breaks.

    Returns:
        spans in order, not overlapping, without white space at their ends; every other character is in one.
    """
    spans: list[Span] = []
    start = 0
    for end in [*sorted(set(_borders(text))), len(text)]:
        piece = text[start:end]
        if piece.strip():
            spans.append(Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
        start = end
    return spans


def _borders(text: str) -> Iterator[int]:
    inside_dates = {index for match in _DATE.finditer(text) for index in range(match.start() + 1, match.end() + 1)}
    for match in _STOP.finditer(text):
        if match.end("mark") not in inside_dates and _ends_sentence(text, match):
            yield match.end()
    for match in _NEWLINE.finditer(text):
        if _ends_line(text, match):
            yield match.start()


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    following = match["next"]
    if following and not following[0].isspace():
        return _runs_on(text, match)
    first = following.strip()
    if first.islower():  # also after «"Really?" she said» and «Yahoo! is»; Hangul has no lower case
        return False
    before = text[max(0, match.start() - 24) : match.start()]
    return match["mark"] != "." or not (_is_abbreviation(before, first) or _ITEM_NUMBER.search(before))


def _runs_on(text: str, match: re.Match[str]) -> bool:
    # Korean is often written without the space («했다.그리고»); a quote's stop («"간다."라고») ends nothing.
    before = text[max(0, match.start() - 1) : match.start()]
    return not match["closing"] and bool(_KOREAN_END.search(before)) and "가" <= match["next"] <= "힣"


def _is_abbreviation(before: str, following: str) -> bool:
    found = _LAST_WORD.search(before)
    word = found.group().lower() if found else ""
    return bool(_INITIAL.search(before)) or word in _TITLES or (word in _BEFORE_NUMBERS and following.isdigit())


def _ends_line(text: str, match: re.Match[str]) -> bool:
    if match.group().count("\n") > 1:
        return True
    line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
    following = text[match.end() : match.end() + 12]
    wrapped = len(line) >= WRAPPED_LINE_CHARS and not line.startswith(("#", "|")) and not line.endswith((":", "|"))
    return not wrapped or bool(_ITEM_START.match(following))
