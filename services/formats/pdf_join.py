"""Rows of a page -> its text, and the places of its lines.

A row is a line of the text. Two kinds of rows are joined to the next: an English word that a hyphen breaks, and Korean
rows that break inside a word, in documents whose own lines tell that they do (pdf_wrap).
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from services.formats.page import Line
from services.formats.pdf_rows import Row
from services.formats.places import lines_of

_BROKEN = re.compile(r"([^\W\d_]{2,})[-\u00ad]$")
_REST = re.compile(r"([^\W\d_]{2,})")
_COMPOUND = re.compile(r"[^\W\d_]{2,}-[^\W\d_]{2,}")
_LATIN_END = "\u024f"  # the last of Latin Extended-B


@dataclass(frozen=True, slots=True)
class Joined:
    """A page's text; `starts` are the offsets of its rows in it."""

    text: str
    lines: tuple[Line, ...]
    starts: tuple[int, ...]


def joined(rows: Sequence[Row], inside_words: Container[int] = ()) -> Joined:
    """Write rows below one another.

    Args:
        inside_words: the numbers of rows that end within a Korean word.
    """
    compounds = {found[0].lower() for row in rows for found in _COMPOUND.finditer(row.text)}
    pieces: list[str] = []
    lines: list[Line] = []
    starts: list[int] = []
    offset = 0
    for place, row in enumerate(rows):
        following = rows[place + 1] if place + 1 < len(rows) else None
        text, end = (row.text, "") if place in inside_words else _ended(row, following, compounds)
        starts.append(offset)
        if not row.blank:
            lines += lines_of(offset, text, row.boxes[: len(text)])
        pieces.append(text + end)
        offset += len(text) + len(end)
    return Joined("".join(pieces), tuple(lines), tuple(starts))


def _ended(row: Row, following: Row | None, compounds: set[str]) -> tuple[str, str]:
    """Give what of a row is kept, and what stands between it and the next."""
    if following is None:
        return row.text, ""
    begun, rest = _BROKEN.search(row.text), _REST.match(following.text)
    if begun and rest and _is_latin(begun[1]) and _is_latin(rest[1]) and rest[1][0].islower():
        if f"{begun[1]}-{rest[1]}".lower() in compounds:  # written with its hyphen elsewhere on the page
            return row.text, ""
        return row.text[:-1], ""
    return row.text, "" if row.runs_on else "\n"


def _is_latin(word: str) -> bool:
    return max(word) <= _LATIN_END
