"""What tesseract printed -> text and the places of its lines: pure.

In: its TSV (words with boxes in pixels) and its plain text, one after the other on one stream. The text is the better
reading, since it knows which pieces of a Korean word belong together; the words know where each stands. Both hold the
same characters in the same order; where they do not, the words are the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.formats.page import Line
from services.formats.picture import Picture
from services.formats.places import Box, lines_of
from services.text.normalise import align, normalise

_ROW = re.compile(r"(?:level|\d+)(?:\t[^\t]*){11}")
_LINE, _WORD = "4", "5"  # levels of the TSV
_LineKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    line: _LineKey
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a character stands, in pixels."""

    left: float
    right: float
    top: float
    bottom: float


def read_output(output: str, picture: Picture) -> tuple[str, tuple[Line, ...]]:
    """Give the normalised text of a page, "" when nothing was made out, and where its lines stand on it."""
    rows = [line for line in output.splitlines() if _ROW.fullmatch(line)]
    plain = [line.strip() for line in output.replace("\f", "\n").splitlines() if not _ROW.fullmatch(line)]
    words = list(_words(rows))
    if _letters("".join(plain)) != _letters("".join(word.text for word in words)):
        plain = _joined(words)
    return _placed(plain, [place for word in words for place in _spread(word)], picture)


def _words(rows: Sequence[str]) -> Iterator[_Word]:
    box: tuple[float, float] = (0, 0)
    for row in rows:
        level, *key, left, top, width, height, _, text = row.split("\t")
        if level == _LINE:  # a word's own height is that of its marks; the line's is what a person would mark
            box = (float(top), float(top) + float(height))
        if level == _WORD and text.strip():
            yield _Word(text.strip(), tuple(key[:4]), float(left), float(left) + float(width), *box)


def _letters(text: str) -> str:
    return "".join(text.split())


def _joined(words: Sequence[_Word]) -> list[str]:
    lines: dict[_LineKey, list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    return [" ".join(texts) for texts in lines.values()]


def _spread(word: _Word) -> Iterator[_Place]:
    """Share a word's width out among its letters."""
    letters = _letters(word.text)
    each = (word.right - word.left) / len(letters)
    for place in range(len(letters)):
        left = word.left + place * each
        yield _Place(left, left + each, word.top, word.bottom)


def _placed(plain: Sequence[str], places: Sequence[_Place], picture: Picture) -> tuple[str, tuple[Line, ...]]:
    texts: list[str] = []
    lines: list[Line] = []
    offset, letter = 0, 0
    for raw in _without_edges(plain):
        text, origins = align(raw)
        within = places[letter : letter + len(_letters(raw))]
        letter += len(within)
        if text.strip():
            boxes = _boxes(raw, within, picture)
            lines += lines_of(offset, text, [boxes[origin] for origin in origins])
        texts.append(text)
        offset += len(text) + 1
    joined = "\n".join(texts)
    return (joined, tuple(lines)) if normalise(joined) == joined else (normalise(joined), ())


def _without_edges(plain: Sequence[str]) -> list[str]:
    """Leave out blank lines before, after, and of several in a row all but one."""
    kept = [line for place, line in enumerate(plain) if line or (place and plain[place - 1])]
    while kept and not kept[-1]:
        kept.pop()
    return kept[1:] if kept and not kept[0] else kept


def _boxes(raw: str, places: Sequence[_Place], picture: Picture) -> list[Box]:
    """Give the box of each character on the page; a space stands without width behind the letter before it."""
    boxes: list[Box] = []
    waiting = iter(places)
    reached = -1.0
    for char in raw:
        if char.isspace():
            boxes.append((boxes[-1][2], boxes[-1][1], boxes[-1][2], boxes[-1][3]))
            continue
        at = next(waiting)
        reached = max(reached, at.left)  # boxes of words overlap now and then; edges of a line never fall
        boxes.append(picture.box(reached, at.top, max(at.right, reached), at.bottom))
    return boxes
