"""The bookmarks of a PDF -> where its sections begin on each page."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from services.formats.page import Heading
from services.formats.pdf_rows import Row
from services.text.normalise import normalise

MAX_MARKS = 20_000
"""A file may hold a circle of bookmarks, or a million; a law code of 2,000 pages has 4,000."""
MAX_LEVEL = 15
_ABOVE = 4.0  # points that a row may stand above the place a bookmark names: some name the baseline


@dataclass(frozen=True, slots=True)
class Mark:
    """A bookmark: `y` is the height on the page that it leads to, None for the page as a whole."""

    level: int
    title: str
    y: float | None


def marks_of(document: Any) -> dict[int, list[Mark]]:
    """Give the bookmarks by the index of their page, in the order of the outline; those without a page are left out."""
    found: dict[int, list[Mark]] = {}
    for count, item in enumerate(document.get_toc(max_depth=MAX_LEVEL)):
        if count == MAX_MARKS:
            break
        title = " ".join(normalise(item.get_title()).split())
        target = item.get_dest()
        page = target.get_index() if target is not None else None
        if title and page is not None and page >= 0:
            found.setdefault(page, []).append(Mark(item.level + 1, title, _height(target)))
    return found


def _height(target: Any) -> float | None:
    has_x, has_y, has_zoom = (ctypes.c_int() for _ in range(3))
    x, y, zoom = (ctypes.c_float() for _ in range(3))
    if not pdfium.FPDFDest_GetLocationInPage(target, has_x, has_y, has_zoom, x, y, zoom):
        return None
    return y.value if has_y.value else None


def headings_of(marks: Sequence[Mark], rows: Sequence[Row], starts: Sequence[int]) -> tuple[Heading, ...]:
    """Give the headings of a page in the order of its text.

    A bookmark begins at the row that says its title, else at the first one below the height it names, else at the
    page's beginning.

    Args:
        starts: the offsets of the rows in the page's text.
    """
    written = [(place, row.top, _squeezed(row.text)) for place, row in enumerate(rows) if not row.blank]
    placed = [Heading(starts[_place(mark, written)], mark.level, mark.title) for mark in marks]
    return tuple(sorted(placed, key=lambda heading: heading.start))


def _place(mark: Mark, written: Sequence[tuple[int, float, str]]) -> int:
    """Give the number of the row where a section begins; `written` holds number, top and words of each row."""
    first = written[0][0] if written else 0
    wanted = _squeezed(mark.title)
    titled = [(place, top) for place, top, words in written if _says(words, wanted)]
    if mark.y is None:
        return titled[0][0] if titled else first
    height = mark.y
    if titled:
        return min(titled, key=lambda each: abs(each[1] - height))[0]
    below = [(place, top) for place, top, _ in written if top <= height + _ABOVE]
    return max(below, key=lambda each: each[1], default=(first, 0.0))[0]


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _says(words: str, title: str) -> bool:
    """Say whether a row has a title in it from its beginning or to its end, or a good part of a long one."""
    begins = len(words) >= len(title) / 2 and title.startswith(words)
    return words.startswith(title) or words.endswith(title) or begins
