"""Running headers, footers and page numbers are left out of a page's text.

A row at the top or bottom of a page is one when neighbouring pages have the same at the same height, their page numbers
counting with the pages. Its first appearance stays, so that what it says is still found; so does whatever is written as
large as a heading, or stands in the body of a page nearby. Pages wait for the `REACH` pages behind them, and no longer.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol, TypeVar

from services.formats.pdf_rows import Row

REACH = 5  # pages looked at on either side
_DEEPEST = 2  # rows from the edge: a header of two lines, or a footer's note above a page number
_MIN_PAGES = 3  # with the same row, this one counted
_SHARE = 0.6  # of the neighbours, or of those that lie on the same side of an opened book
_SAME_HEIGHT = 3.0  # points
_LARGE = 1.15  # times the median row of the page: a heading
_KEPT_IN_MIND = 500  # rows that appeared before
_NUMBER = re.compile(r"\d+")
_MAX_DIGITS = 9


class HasRows(Protocol):
    """A page that may lose rows."""

    rows: list[Row]


PageT = TypeVar("PageT", bound=HasRows)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A row at the edge of a page; `depth` 0 is the outermost."""

    row: Row
    at_top: bool
    depth: int
    middle: float
    masked: str
    numbers: tuple[int, ...]


@dataclass(slots=True)
class _Seen:
    """A page with what matters of it here."""

    number: int
    edges: list[_Edge]
    body: set[str]


@dataclass(slots=True)
class _Memory:
    """The rows that were taken for furniture once: their later appearances are left out."""

    known: list[_Edge] = field(default_factory=list)

    def knows(self, edge: _Edge) -> bool:
        if any(_is_alike(edge, other) for other in self.known):
            return True
        self.known = [*self.known[-_KEPT_IN_MIND:], edge]
        return False


def without_furniture(pages: Iterable[PageT]) -> Iterator[PageT]:
    """Yield the pages in order, each without the rows that its neighbours have too."""
    window: deque[tuple[PageT, _Seen]] = deque()
    memory, waiting = _Memory(), 0
    for number, page in enumerate(pages):
        window.append((page, _seen(number, page.rows)))
        waiting += 1
        if waiting > REACH:
            yield _stripped(window, len(window) - waiting, memory)
            waiting -= 1
        if len(window) > 2 * REACH + 1:
            window.popleft()
    for place in range(len(window) - waiting, len(window)):
        yield _stripped(window, place, memory)


def _seen(number: int, rows: Sequence[Row]) -> _Seen:
    written = sorted((row for row in rows if not row.blank), key=lambda row: row.middle, reverse=True)
    if not written:
        return _Seen(number, [], set())
    large = _LARGE * median(row.height for row in written)
    edges = []
    for at_top, ordered in ((True, written), (False, written[::-1])):
        for depth, row in enumerate(ordered[:_DEEPEST]):
            if row.height > large:
                break
            edges.append(_edge(row, at_top, depth))
    outer = {id(edge.row) for edge in edges}
    return _Seen(number, edges, {_squeezed(row.text) for row in written if id(row) not in outer})


def _edge(row: Row, at_top: bool, depth: int) -> _Edge:
    text = _squeezed(row.text)
    numbers = tuple(int(found[-_MAX_DIGITS:]) for found in _NUMBER.findall(text))
    return _Edge(row, at_top, depth, row.middle, _NUMBER.sub("#", text), numbers)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _is_alike(one: _Edge, other: _Edge) -> bool:
    if one.at_top != other.at_top or one.masked != other.masked:
        return False
    return abs(one.middle - other.middle) <= _SAME_HEIGHT


def _counts_along(one: _Edge, other: _Edge, pages: int) -> bool:
    """Say whether the numbers of two rows are the same, or differ by the pages between them, as page numbers do.

    Only the outermost row may count: below it, "1. Scope", "2. Terms" are the text's own.
    """
    moved = [b - a for a, b in zip(one.numbers, other.numbers, strict=True)]
    return all(step == 0 or (step == pages and one.depth == other.depth == 0) for step in moved)


def _stripped(window: Sequence[tuple[PageT, _Seen]], place: int, memory: _Memory) -> PageT:
    page, seen = window[place]
    others = [other for at, (_, other) in enumerate(window) if at != place and abs(other.number - seen.number) <= REACH]
    gone: set[int] = set()
    for at_top in (True, False):
        for edge in (edge for edge in seen.edges if edge.at_top is at_top):
            if not _is_furniture(edge, seen, others):
                break  # what lies further in is not at the edge
            if memory.knows(edge):
                gone.add(id(edge.row))
    kept = [row for row in page.rows if id(row) not in gone]
    if any(not row.blank for row in kept):
        page.rows = kept
    return page


def _is_furniture(edge: _Edge, seen: _Seen, others: Sequence[_Seen]) -> bool:
    text = _squeezed(edge.row.text)
    if text in seen.body or any(text in other.body for other in others):
        return False
    with_it = {
        other.number
        for other in others
        for each in other.edges
        if _is_alike(edge, each) and _counts_along(edge, each, other.number - seen.number)
    }
    facing = {other.number for other in others if (other.number - seen.number) % 2 == 0}
    everywhere = len(with_it) >= _SHARE * len(others)
    every_second = bool(facing) and len(with_it & facing) >= _SHARE * len(facing)
    return len(with_it) + 1 >= _MIN_PAGES and (everywhere or every_second)
