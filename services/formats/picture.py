"""A page as a picture, and what was made out on it: the words between the reader, who draws, and whoever recognises."""

from dataclasses import dataclass
from math import hypot

from services.formats.page import Line

Matrix = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f as PDF writes them: (x, y) becomes (a x + c y + e, b x + d y + f)."""

MAX_PIXELS = 40_000_000
"""A larger page is drawn at a lower resolution: A3 at 500 dpi, or A0 at 160; in grey that is 40 MB."""
MAX_EDGE_PIXELS = 30_000
"""Neither tesseract nor leptonica takes an edge of 32,768 pixels."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a person sees it (after /Rotate), in grey.

    `to_page` leads from pixels (from the top left corner, right and down) to the page's own space, the one that
    `Line` counts in: PDF points, before /Rotate; for a picture file one point is one pixel of the file.
    """

    png: bytes
    width: int
    height: int
    to_page: Matrix

    @property
    def points_per_pixel(self) -> float:
        """Give the size of a pixel on the page."""
        return hypot(self.to_page[0], self.to_page[1])

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """Give where a rectangle of pixels lies on the page, as its least x and y, then its greatest."""
        a, b, c, d, e, f = self.to_page
        corners = [(x, y) for x in (left, right) for y in (top, bottom)]
        xs = [a * x + c * y + e for x, y in corners]
        ys = [b * x + d * y + f for x, y in corners]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was made out on a picture: normalised text, "" where there is none, and where its lines stand.

    `note` is the sentence that a reader of the page is told; `lines` is empty where nobody knows the places.
    """

    text: str
    lines: tuple[Line, ...]
    note: str


class Unrecognised(Exception):
    """This picture could not be made out; the message says why, in words that fit behind "could not be recognised"."""
