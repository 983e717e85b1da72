"""Whether the lines of a Korean PDF break inside words: told by the document itself, or not at all.

Where lines break at any syllable and real spaces are kept, some full rows end with a space (the break fell between two
words) and most without (it fell inside one). Measured on rows that end and go on in Hangul: in made reports 14 to 20 %
end with a space; in a handbook of 151 pages set by TeX, which breaks at spaces and drops them, 0 of 737; where lines
break at spaces and keep them, nearly every full row does. Only the first kind is joined: joining the second lowered the
recall of words from 0.911 to 0.840.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.formats.pdf_rows import Row

_MIN_BREAKS, _MIN_SPACED = 8, 2
_LEAST_SHARE, _MOST_SHARE = 0.08, 0.6
_FULL_HEIGHTS = 1.3  # a full row ends within so many heights of the margin: a syllable did not fit
_PITCH_HEIGHTS = 2.2  # from one line's bottom to the next one's, at the most
_INDENT_HEIGHTS = 0.8  # the next row begins a paragraph when it stands in so far
_SAME_HEIGHT = 0.15
_MOST_ROWS = 500  # of a page of running text; a table of thousands of cells is not looked through pair by pair
_HANGUL_ENDS = re.compile("[가-힣] *$")
_HANGUL = re.compile("[가-힣]")


@dataclass(slots=True)
class Wrapping:
    """What was seen of a document's lines so far."""

    spaced: int = 0
    bare: int = 0

    def see(self, rows: Sequence[Row]) -> None:
        """Count the rows of a page that run on in Hangul."""
        for place in _running_on(rows):
            if rows[place].text.endswith(" "):
                self.spaced += 1
            else:
                self.bare += 1

    @property
    def inside_words(self) -> bool:
        """Say whether a full row that ends in Hangul without a space goes on in the same word."""
        breaks = self.spaced + self.bare
        if breaks < _MIN_BREAKS or self.spaced < _MIN_SPACED:
            return False
        return _LEAST_SHARE <= self.spaced / breaks <= _MOST_SHARE


def broken_inside_words(rows: Sequence[Row]) -> set[int]:
    """Give the numbers of the rows that end without a space in a word that the next one ends."""
    return {place for place in _running_on(rows) if not rows[place].text.endswith(" ")}


def _running_on(rows: Sequence[Row]) -> list[int]:
    """Give the numbers of the full rows that end in Hangul and go on in Hangul on the next line."""
    candidates = [
        place
        for place, (row, following) in enumerate(pairwise(rows))
        if _HANGUL_ENDS.search(row.text) and _HANGUL.match(following.text) and _is_next_line(row, following)
    ]
    if not candidates or len(rows) > _MOST_ROWS:
        return []
    written = [row for row in rows if not row.blank]
    return [place for place in candidates if _is_full(rows[place], written)]


def _is_next_line(row: Row, following: Row) -> bool:
    if abs(row.height - following.height) > _SAME_HEIGHT * row.height:
        return False
    down, indent = row.bottom - following.bottom, following.left - row.left
    return 0 < down <= _PITCH_HEIGHTS * row.height and indent < _INDENT_HEIGHTS * row.height


def _is_full(row: Row, written: Sequence[Row]) -> bool:
    margin = max(other.right for other in written if other.left < row.right and other.right > row.left)
    return row.right >= margin - _FULL_HEIGHTS * row.height
