"""Rows in PDFium's order -> rows in reading order, where a page has two columns of running text.

PDFium follows the order in which a program drew the page. Most programs draw column after column; some draw line after
line across both, and then a row holds a line of each, or rows of the two take turns. Only such a page is changed, and
only when a gutter is plain to see and both sides are filled as running text is: tables and forms have gutters too, and
must be read across.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from unicodedata import bidirectional

from services.formats.pdf_rows import Row, row_of

RIGHTWARDS = (1, 0)
_RIGHT_TO_LEFT = frozenset({"R", "AL"})  # Hebrew and Arabic are read leftwards on a page that stands upright
_MIN_ROWS = 5  # of a column; fewer say nothing
_MIN_LETTERS = 12  # of a column's median line: cells of tables have fewer (8 in the widest of the sample tables)
_GAP_HEIGHTS = 0.8  # a gap between letters that is as wide, in heights of the row, is no space between words
_GUTTER_HEIGHTS = 0.6
_MIDDLE = (0.3, 0.7)  # of the width of the page's text, where the gutter is looked for
_SPANNING_SHARE = 0.3  # of all pieces: headings, tables and pictures' captions may cross the gutter
_FILLED, _FILLED_SHARE = 0.6, 0.6  # so many lines of running text are so wide, measured by their column


def in_reading_order(rows: Sequence[Row]) -> list[Row]:
    """Give the rows as a person reads them; a page without clear columns stays as it is."""
    written = [row for row in rows if not row.blank]
    if len(written) < _MIN_ROWS:
        return list(rows)
    if _goes_backwards(written):
        return list(reversed(rows))
    if any(_way(row) != RIGHTWARDS for row in written):
        return list(rows)
    pieces = [piece for row in written for piece in _pieces(row)]
    gutter = _gutter(pieces)
    if gutter is None:
        return list(rows)
    halves = [half for row in written for half in _cut(row, gutter)]
    return _down_the_columns(halves, gutter) if _is_interleaved(halves, gutter) else list(rows)


def _goes_backwards(rows: Sequence[Row]) -> bool:
    """Say whether each row stands before the one that it follows, as PDFium gives some pages that lie on their side."""
    ways = [_way(row) for row in rows]
    if len(set(ways)) != 1 or any(bidirectional(char) in _RIGHT_TO_LEFT for row in rows for char in row.text[:1]):
        return False
    across, up = ways[0]
    steps = [(b.boxes[0][0] - a.boxes[0][0], b.boxes[0][1] - a.boxes[0][1]) for a, b in pairwise(rows)]
    return all(step_x * up - step_y * across < 0 for step_x, step_y in steps)


def _way(row: Row) -> tuple[int, int]:
    """Give the direction a row is read in: right (1, 0), up (0, 1), left (-1, 0), down (0, -1)."""
    first, last = row.boxes[0], row.boxes[len(row.text.rstrip()) - 1]
    across, up = last[0] + last[2] - first[0] - first[2], last[1] + last[3] - first[1] - first[3]
    if abs(across) >= abs(up):
        return (1 if across >= 0 else -1), 0
    return 0, (1 if up > 0 else -1)


def _pieces(row: Row) -> list[Row]:
    """Cut a row at its wide gaps; a space that the program wrote is no gap, one that PDFium adds has no width."""
    wide = _GAP_HEIGHTS * row.height
    drawn = [place for place, box in enumerate(row.boxes) if box[2] > box[0]]
    cuts = [later for former, later in pairwise(drawn) if row.boxes[later][0] - row.boxes[former][2] > wide]
    if not cuts:
        return [row]
    parts = [_piece(row, begin, end) for begin, end in pairwise([0, *cuts, len(row.text)])]
    return [part for part in parts if not part.blank]


def _piece(row: Row, begin: int, end: int) -> Row:
    """Give a part of a row as a row, without the spaces at its end."""
    text = row.text[begin:end].rstrip()
    return row_of(text, row.boxes[begin : begin + len(text)], row.runs_on and end >= len(row.text.rstrip()))


def _gutter(pieces: Sequence[Row]) -> float | None:
    """Give the middle of the strip that parts two columns of running text, None where there is none."""
    left, right = min(piece.left for piece in pieces), max(piece.right for piece in pieces)
    lowest, highest = (left + share * (right - left) for share in _MIDDLE)
    height = median(piece.height for piece in pieces)
    strips = [(a, b) for a, b in _free_strips(pieces, lowest, highest) if b - a >= _GUTTER_HEIGHTS * height]
    for a, b in sorted(strips, key=lambda strip: strip[0] - strip[1]):
        middle = (a + b) / 2
        sides = [[p for p in pieces if p.right <= middle], [p for p in pieces if p.left >= middle]]
        spanning = len(pieces) - len(sides[0]) - len(sides[1])
        if spanning <= _SPANNING_SHARE * len(pieces) and all(map(_is_running_text, sides)):
            return middle
    return None


def _free_strips(pieces: Sequence[Row], lowest: float, highest: float) -> list[tuple[float, float]]:
    """Give the strips between two places of x that few pieces cross, in one walk over their edges."""
    edges = sorted([(piece.left, 1) for piece in pieces] + [(piece.right, -1) for piece in pieces])
    most, crossing, free_from = _SPANNING_SHARE * len(pieces), 0, lowest
    strips: list[tuple[float, float]] = []
    for x, step in edges:
        was_free = crossing <= most
        crossing += step
        if was_free and crossing > most:
            strips.append((free_from, min(x, highest)))
        elif not was_free and crossing <= most:
            free_from = max(x, lowest)
    strips.append((free_from, highest))
    return [(begin, end) for begin, end in strips if begin < end]


def _is_running_text(side: Sequence[Row]) -> bool:
    if len(side) < _MIN_ROWS:
        return False
    width = max(piece.right for piece in side) - min(piece.left for piece in side)
    filled = sum(piece.right - piece.left >= _FILLED * width for piece in side)
    letters = median(len("".join(piece.text.split())) for piece in side)
    return filled >= _FILLED_SHARE * len(side) and letters >= _MIN_LETTERS


def _side(piece: Row, gutter: float) -> int:
    """Give 0 left of the gutter, 1 right of it, -1 across it."""
    return 0 if piece.right <= gutter else 1 if piece.left >= gutter else -1


def _is_interleaved(rows: Sequence[Row], gutter: float) -> bool:
    """Say whether the order changes sides more often than a page that was drawn column after column would."""
    sides = [side for row in rows if (side := _side(row, gutter)) >= 0]
    back = sum((former, later) == (1, 0) for former, later in pairwise(sides))
    return back >= _MIN_ROWS - 1


def _cut(row: Row, gutter: float) -> list[Row]:
    """Cut a row at the gutter, where it stands on both sides of it."""
    end = len(row.text.rstrip())
    begin = len(row.text) - len(row.text.lstrip())
    for place in range(begin + 1, end):
        if row.boxes[place][0] >= gutter and not row.text[place].isspace():
            former = _piece(row, begin, place)
            return [former, _piece(row, place, end)] if former.right <= gutter else [_piece(row, begin, end)]
    return [_piece(row, begin, end)]


def _down_the_columns(rows: Sequence[Row], gutter: float) -> list[Row]:
    """Read from top to bottom to the next row that crosses the gutter: the left column, the right one, the row."""
    across = sorted((row for row in rows if _side(row, gutter) < 0), key=lambda row: -row.middle)
    ordered: list[Row] = []
    left_over = [row for row in rows if _side(row, gutter) >= 0]
    for crossing in [*across, None]:
        height = crossing.middle if crossing else float("-inf")
        above = [row for row in left_over if row.middle > height]
        left_over = [row for row in left_over if row.middle <= height]
        for side in (0, 1):
            within = [row for row in above if _side(row, gutter) == side]
            ordered += sorted(within, key=lambda row: (-round(row.middle), row.left))
        ordered += [crossing] if crossing else []
    return ordered
