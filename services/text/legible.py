"""Give a text the one form in which its numbers are read, with the way back to where they stood.

In: any text. Out: full-width and squared characters as plain ones (㎏f is kgf, ℃ is °C, ½ is 1/2), one space, hyphen
and tilde, citation markers gone, circled numbers marked as such; and for each character the place it came from.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.text.normalise import align

MARK_OPENS, MARK_CLOSES = "\ue0fe", "\ue0ff"
"""What a circled number stands between: private use, so that no other text looks like it."""

_MARKER = r"[\[［]\d{1,3}(?:\s?[,\-–~]\s?\d{1,3}){0,9}[\]］]"
_SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_SUPER_TO_PLAIN = str.maketrans(_SUPER, "0123456789+-")
_SPECIAL = re.compile(rf"{_MARKER}|[{_SUPER}]{{1,9}}|[^\S\n]{{2,}}|[^\x00-\x7f\uac00-\ud7a3]")
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e")
_SAME = {
    **dict.fromkeys("‐‑‒–−﹣－", "-"),
    **dict.fromkeys("∼〜～˜⁓", "~"),
    **dict.fromkeys("′’‘", "'"),
    **dict.fromkeys("≦⩽", "≤"),
    **dict.fromkeys("≧⩾", "≥"),
    **dict.fromkeys("△▵", "△"),
    "∕": "/",
    "⁄": "/",
    "₩": "₩",
    "º": "°",
}
_CIRCLED = (
    (0x2460, 1, 20),
    (0x3251, 21, 15),
    (0x32B1, 36, 15),
    (0x2474, 1, 20),
    (0x2488, 1, 20),
    (0x2776, 1, 10),
    (0x2780, 1, 10),
    (0x278A, 1, 10),
    (0x24EB, 11, 10),
    (0x24F5, 1, 10),
)
"""First code point, its number, how many follow (Unicode 15, Enclosed Alphanumerics, CJK and Dingbats)."""
_MARKS = {chr(code + step): number + step for code, number, count in _CIRCLED for step in range(count)}
_UNIT_BEFORE = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,3}\Z")


@dataclass(frozen=True, slots=True)
class Legible:
    """A text to be read, with the way back.

    From `cuts[i]` on, characters came one by one from `origins[i]` on; `composed` has where the characters of the
    composed text came from, where the text was not composed.
    """

    text: str
    cuts: Sequence[int] = ()
    origins: Sequence[int] = ()
    composed: Sequence[int] = ()

    @property
    def is_as_it_came(self) -> bool:
        return not self.cuts and not self.composed

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Give where in the text as it came a piece of this one stands; the piece has a character at least."""
        first, behind = self._origin(start), self._origin(end - 1) + 1
        # A syllable of three jamo reaches to where the next begins.
        return (self.composed[first], self.composed[behind]) if self.composed else (first, behind)

    def _origin(self, at: int) -> int:
        cut = bisect_right(self.cuts, at) - 1
        return at if cut < 0 else self.origins[cut] + at - self.cuts[cut]


def legible(text: str) -> Legible:
    """Give a text the form in which numbers are read; one that has it already comes back as it is."""
    if unicodedata.is_normalized("NFC", text):
        return _plain(text, ())
    composed, origins = align(text)
    return _plain(composed, (*origins, len(text)))


def _plain(text: str, composed: Sequence[int]) -> Legible:
    pieces: list[str] = []
    cuts: list[int] = []
    origins: list[int] = []
    done, length = 0, 0
    for match in _SPECIAL.finditer(text):
        start, end = match.span()
        shown = _shown(match[0], text, start, end)
        if shown == match[0]:
            continue
        pieces += (text[done:start], shown)
        length += start - done
        if len(shown) != end - start:
            # All but the last character of what is shown came from the first, the last one from the last.
            cuts += range(length, length + len(shown) + 1)
            origins += [start] * (len(shown) - 1) + [end - 1] * (len(shown) > 0) + [end]
        length += len(shown)
        done = end
    return Legible("".join((*pieces, text[done:])) if pieces else text, cuts, origins, composed)


def _shown(found: str, text: str, start: int, end: int) -> str:
    """Say how a piece is read, from what stands around it."""
    if found[0] in "[［" and len(found) > 1:
        # Without its marker "100[1]명" is 100명; two numbers a marker divides stay two.
        return " " if text[end : end + 1].isdigit() and text[start - 1 : start].isdigit() else ""
    if found.isspace():
        return " "
    if found[0] in _SUPER:
        return _raised(found, text[max(0, start - 4) : start])
    shown = _character(found)
    return " " + shown if shown[:1].isdigit() and "/" in shown and text[start - 1 : start].isdigit() else shown


def _raised(found: str, before: str) -> str:
    """Read a superscript: an exponent of a unit (m²) or of a number (10⁵); behind a word it is a footnote."""
    plain = found.translate(_SUPER_TO_PLAIN)
    if before[-1:].isdigit() or before[-1:] == ")":
        return "^" + plain
    return plain if _UNIT_BEFORE.search(before) else ""


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    if char in _MARKS:
        return f"{MARK_OPENS}{_MARKS[char]}{MARK_CLOSES}"
    if char in _INVISIBLE:
        return ""
    if char in _SAME:
        return _SAME[char]
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.digit(char))
    folded = unicodedata.normalize("NFKC", char)
    return "".join(_SAME.get(each, each) for each in folded)
