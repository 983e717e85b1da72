"""Long text without paper pages -> parts that a person can read at once and a citation can point at."""

import re
from collections.abc import Iterator

from services.formats.page import FormatError, Page

MAX_PART_CHARS = 20_000  # about ten printed pages: one screen of scrolling, a few dozen chunks
MAX_LABEL_CHARS = 80  # a heading in a list of pages
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.M)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_Heading = tuple[int, str]


def headings(text: str) -> list[_Heading]:
    """List the `#` headings of Markdown text as (offset, words), those inside code fences left out."""
    fences = [match.span() for match in _FENCE.finditer(text)]
    found: list[_Heading] = []
    for match in _HEADING.finditer(text):
        while fences and fences[0][1] <= match.start():
            fences.pop(0)
        if match[1] and not (fences and fences[0][0] <= match.start()):
            found.append((match.start(), match[1]))
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
    while start < len(text):
        end = _cut(text, start, names, max_chars)
        part = text[start:end].strip("\n")
        if part.strip():
            number += 1
            yield Page(number, names.get(start, "")[:MAX_LABEL_CHARS] or str(number), part)
        start = end


def _cut(text: str, start: int, names: dict[int, str], max_chars: int) -> int:
    limit = start + max_chars
    if limit >= len(text):
        return len(text)
    earliest = start + max_chars // 2
    heading = max((place for place in names if earliest <= place <= limit), default=None)
    if heading is not None:
        return heading
    blank = [match.end() for match in _BLANK_LINE.finditer(text, earliest, limit)]
    if blank:
        return blank[-1]
    place = max(text.rfind("\n", earliest, limit), -1)
    if place < 0:
        place = text.rfind(" ", earliest, limit)
    return place + 1 if place >= 0 else limit
