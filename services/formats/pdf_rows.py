"""A loaded page of a PDF -> its rows as PDFium gives them, each character with its box.

A row is what stands on one line of the paper. PDFium sets no line end behind a word that a hyphen breaks; here the row
ends there all the same, since what follows stands on another line.
"""

import ctypes
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pypdfium2.raw as pdfium

from services.formats.places import Box
from services.text.normalise import align

# A prototype of our own, for two reasons: integers instead of structures, and the interpreter lock kept,
# halve the cost of a call (0.43 us a character, nearly all of it ctypes; the plain way takes 0.9 us).
_box = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(pdfium.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)
_FLOATS = 4  # of FS_RECTF: left, top, right, bottom
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-"})  # PDFium's marks for a hyphen at the end of a line
_ROW_END = re.compile(r"\r\n?|\n|(?<=[\x02\ufffe])")


@dataclass(frozen=True, slots=True)
class Row:
    """A run of text on one line of the paper; make it by `row_of`.

    Attributes:
        text: normalised; may be blank, and has then no extent.
        boxes: one for each character; what PDFium adds (spaces) has no width.
        left, bottom, right, top: the extent of what is written on it.
        runs_on: it ends with a hyphen, and PDFium takes the next row for the rest of the word.
    """

    text: str
    boxes: Sequence[Box]
    left: float
    bottom: float
    right: float
    top: float
    runs_on: bool = False

    @property
    def blank(self) -> bool:
        """Say whether nothing is written on it."""
        return not self.text.strip()

    @property
    def height(self) -> float:
        """Give the height of its letters, loosely: with what hangs and what stands out."""
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        """Give the height on the page at which it stands."""
        return (self.top + self.bottom) / 2


def row_of(text: str, boxes: Sequence[Box], runs_on: bool = False) -> Row:
    """Make a row of normalised text and a box for each of its characters."""
    begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if begin >= end:
        return Row(text, boxes, 0.0, 0.0, 0.0, 0.0)
    lefts, bottoms, rights, tops = zip(*boxes[begin:end], strict=True)
    return Row(text, boxes, min(lefts), min(bottoms), max(rights), max(tops), runs_on)


def rows_of(page: Any) -> tuple[str, list[Row]]:
    """Give the page's characters as PDFium has them, and its rows in PDFium's order."""
    text_page = page.get_textpage()
    try:
        characters = _characters(text_page)
        boxes = _boxes(text_page)
    finally:
        text_page.close()
    return characters, [_row(characters[begin:end], boxes[begin:end]) for begin, end in _spans(characters)]


def _characters(text_page: Any) -> str:
    """Give the page's text with exactly one code point per PDFium character, so that both count alike."""
    count = text_page.count_chars()
    text: str = text_page.get_text_range() if count else ""
    if len(text) != count or (count and pdfium.FPDFText_GetTextIndexFromCharIndex(text_page, count - 1) != count - 1):
        # PDFium left out or added some (no Unicode value, beyond the BMP): ask one by one.
        points = (pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count))
        text = "".join(chr(point) if point <= 0x10FFFF else "\ufffd" for point in points)
    return text


def _boxes(text_page: Any) -> list[Box]:
    count = text_page.count_chars()
    boxes = (ctypes.c_float * (_FLOATS * count))()
    first, size = ctypes.addressof(boxes), ctypes.sizeof(ctypes.c_float) * _FLOATS
    handle = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    places = range(first, first + size * count, size)
    deque(map(_box, repeat(handle), range(count), places), maxlen=0)  # a loop in C
    lefts, tops, rights, bottoms = (boxes[edge::_FLOATS] for edge in range(_FLOATS))
    return list(zip(lefts, bottoms, rights, tops, strict=True))


def _spans(characters: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _ROW_END.finditer(characters):
        yield begin, match.start()
        begin = match.end()
    yield begin, len(characters)


def _row(characters: str, boxes: Sequence[Box]) -> Row:
    plain = characters.translate(_HYPHENS)
    text, origins = align(plain)
    runs_on = plain != characters and text.endswith("-")
    if len(text) != len(plain):
        ends = [*origins[1:], len(plain)] if origins else []
        spans = zip(origins, ends, strict=True)
        boxes = [_around(boxes[begin : max(end, begin + 1)]) for begin, end in spans]
    return row_of(text, boxes, runs_on)


def _around(boxes: Sequence[Box]) -> Box:
    """Give the box of a syllable that was composed of letters with boxes of their own."""
    seen = [box for box in boxes if box[2] > box[0]] or boxes
    return min(b[0] for b in seen), min(b[1] for b in seen), max(b[2] for b in seen), max(b[3] for b in seen)
