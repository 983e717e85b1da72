"""Long text without paper pages -> parts that a person can read at once and a citation can point at."""

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator

from services.formats.page import FormatError, Page

MAX_PART_CHARS = 20_000  # about ten printed pages: one screen of scrolling, a few dozen chunks
MAX_LABEL_CHARS = 80  # a heading in a list of pages
MAX_TITLE_CHARS = 300  # every passage is found by its document's title too: a book's longest has some 200
# Possessive (++, *+), and ends cut off by hand: a line of 2 million signs must not be read 2 million times.
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]++(.*+)$", re.M)
_FENCE = re.compile(r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}\1[`~]*+[ \t]*+$|\Z)", re.M | re.S)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_Heading = tuple[int, str]


def headings(text: str) -> list[_Heading]:
    """List the `#` headings of Markdown text as (offset, words), those inside code fences left out.

    Words end after MAX_TITLE_CHARS: what is longer is a paragraph behind a sign.
    """
    fences = deque(match.span() for match in _FENCE.finditer(text))
    found: list[_Heading] = []
    for match in _HEADING.finditer(text):
        while fences and fences[0][1] <= match.start():
            fences.popleft()
        words = match[1].rstrip(" \t").rstrip("#").rstrip(" \t")
        if words and not (fences and fences[0][0] <= match.start()):
            found.append((match.start(), words[:MAX_TITLE_CHARS]))
    return found


def split(text: str, marks: list[_Heading], max_chars: int = MAX_PART_CHARS) -> Iterator[Page]:
    """Cut normalised `text` into pages of at most `max_chars` characters; nothing but blank edges is lost.

    A cut falls before the last heading (`marks`, in order) of the window, else after its last blank line,
    line or space, but never in its first half; else where it must. A part is labelled by the heading it
    begins with, else by its number.

    Raises:
        FormatError: "empty" when there is nothing but white space.
    """
    if not text.strip():
        raise FormatError("empty", "The file holds no text; add it again when something is written in it.")
    start, number, names = 0, 0, dict(marks)
    places = [place for place, _ in marks]
    while start < len(text):
        end = _cut(text, start, places, max_chars)
        part = text[start:end].strip("\n")
        if part.strip():
            number += 1
            yield Page(number, names.get(start, "")[:MAX_LABEL_CHARS] or str(number), part)
        start = end


def _cut(text: str, start: int, places: list[int], max_chars: int) -> int:
    limit = start + max_chars
    if limit >= len(text):
        return len(text)
    earliest = start + max_chars // 2
    if bisect_left(places, earliest) < (after := bisect_right(places, limit)):
        return places[after - 1]
    blank = [match.end() for match in _BLANK_LINE.finditer(text, earliest, limit)]
    if blank:
        return blank[-1]
    place = max(text.rfind("\n", earliest, limit), -1)
    if place < 0:
        place = text.rfind(" ", earliest, limit)
    return place + 1 if place >= 0 else limit
