"""Where the characters of a line stand -> the `Line`s that a viewer marks."""

import re
from collections.abc import Sequence

from services.formats.page import Line

Box = tuple[float, float, float, float]
"""Least x and y, greatest x and y, in points of the page's own space."""

_WORD = re.compile(r"\S+")


def lines_of(offset: int, text: str, boxes: Sequence[Box]) -> list[Line]:
    """Place a line of text that begins at `offset` of its page.

    A line that runs from left to right is one `Line`. Any other (turned pages, Arabic) gives one per word, whose first
    character has the word's whole width: what `Line` can say of a run that goes up, down or back.

    Args:
        text: with something in it besides spaces.
        boxes: one for each character; those of spaces may have no width.
    """
    if runs_forward(text, boxes):
        x = [box[0] for box in boxes] + [boxes[-1][2]]
        return [_line(offset, boxes, x)]
    lines = []
    for word in _WORD.finditer(text):
        within = boxes[word.start() : word.end()]
        right = max(box[2] for box in within)
        x = [min(box[0] for box in within)] + [right] * len(within)
        lines.append(_line(offset + word.start(), within, x))
    return lines


def runs_forward(text: str, boxes: Sequence[Box]) -> bool:
    """Say whether a line runs from left to right, by the middles of its first and last letter."""
    begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
    first, last = boxes[begin], boxes[end - 1]
    across = (last[0] + last[2] - first[0] - first[2]) / 2
    along = abs(last[1] + last[3] - first[1] - first[3]) / 2
    return end - begin == 1 or across >= along


def _line(start: int, boxes: Sequence[Box], x: Sequence[float]) -> Line:
    _, bottoms, _, tops = zip(*boxes, strict=True)
    y0, y1 = round(min(bottoms), 1), round(max(tops), 1)
    return Line(start, start + len(boxes), y0, y1, tuple([round(edge, 1) for edge in x]))
