"""Where a hit says what was asked for: the places of the question's terms in its text. Pure.

In: a question and texts. Out: places in each text as it stands, though terms are read from a folded form of it, in
which a place may have moved. It looks at what was searched by words; a hit of meaning alone may have no place.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from services.text.terms import CJK, fold, located_terms, query_terms

MAX_SPANS = 50
"""Places of one text: more than a screen shows."""

_ACCENTED = re.compile(rf"[^\W\d_\x00-\x7f{CJK}]")
"""A letter whose term may be written with another one: é is e."""
_ENDS_PIECE = re.compile(r"(?<![제의\d])\s|\s(?![\d조항호장절편관])")
"""A blank over which no token goes; within a reference to a law (제 12 조) one may."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The terms of a question; `first` are the bigrams with which its Korean words begin.

    `near` finds where a token may have one of the terms: most of a text is passed over unread. None where there is no
    term.
    """

    terms: frozenset[str]
    first: frozenset[str]
    near: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Marked:
    """What a text has of a question: places, in order, apart from one another, and the terms that are there."""

    spans: Sequence[tuple[int, int]]
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as its terms are read from: character n of `text` comes from `starts[n]` to `ends[n]` of the original."""

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Say where in the original a place of the folded text lies."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def sought(question: str) -> Sought:
    """Read a question once for all texts; words that only ask are not looked for (services/text/terms.py)."""
    terms = frozenset(query_terms(question))
    folded = fold(question)
    found = {term for term, start, _ in located_terms(folded) if _begins(folded, start)}
    heads = sorted({re.escape(head) for term in terms for head in _heads(term)})
    return Sought(terms, terms & found, re.compile("|".join(heads)) if heads else None)


def _heads(term: str) -> Iterator[str]:
    """Give how a token that has a term has it in it.

    A stem is what its word begins with, but for its last letter, and but for dying, lying, vying (Snowball's English
    stemmer, over 854,109 words and their forms). Of a number the first digit may be all that stands together.
    """
    if term[0].isdigit():
        yield term[0]
    elif term.isascii():
        yield term[: max(2, len(term) - 1)]
        if len(term) == 3 and term.endswith("ie"):
            yield term[0] + "y"
    else:
        yield term


def _begins(folded: str, start: int) -> bool:
    return start == 0 or not folded[start - 1].isalpha()


def mark(wanted: Sought, text: str) -> Marked:
    """Find the terms that are sought in a text; a span is `text[start:end]`, at most MAX_SPANS are given.

    Bigrams that lie side by side are one place, so that a Korean word is marked as a whole. One that stands alone
    counts where a word begins with it, in the text or in the question: 력은 of 압력은 is no reason to mark 노력은.
    """
    folded = folded_with_places(text)
    found = list(_located(wanted, folded.text))
    places = (folded.origin(start, end) for start, end in _joined(wanted, folded.text, found))
    return Marked([*islice(places, MAX_SPANS)], frozenset(term for term, _, _ in found))


_Located = tuple[str, int, int]


def _located(wanted: Sought, folded: str) -> Iterator[_Located]:
    for start, end in _pieces(wanted, folded):
        yield from (each for each in located_terms(folded, start, end) if each[0] in wanted.terms)


def _pieces(wanted: Sought, folded: str) -> Iterator[tuple[int, int]]:
    """Cut out of a text what stands between blanks and may have a term; the whole where accents hide it."""
    if wanted.near is None:
        return
    if _ACCENTED.search(folded):
        yield 0, len(folded)
        return
    read = 0
    for match in wanted.near.finditer(folded):
        start, end = match.span()
        if start < read:
            continue
        if "a" <= folded[start] <= "z" and start and "a" <= folded[start - 1] <= "z":  # within a word, not its head
            continue
        while start > read and not _ENDS_PIECE.match(folded, start - 1):
            start -= 1
        border = _ENDS_PIECE.search(folded, end)
        read = border.start() if border else len(folded)
        yield start, read


def _joined(wanted: Sought, folded: str, found: Iterable[_Located]) -> Iterator[tuple[int, int]]:
    start, end, sure = 0, 0, False
    for term, first, last in found:
        certain = last - first != 2 or term in wanted.first or _begins(folded, first)
        if end and first <= end:
            end, sure = max(end, last), True
            continue
        if end and sure:
            yield start, end
        start, end, sure = first, last, certain
    if end and sure:
        yield start, end


def folded_with_places(text: str) -> Folded:
    """Fold a text and remember where each character came from; most texts are folded character by character."""
    folded = fold(text)
    if len(folded) == len(text) and unicodedata.is_normalized("NFKC", text):
        return Folded(folded, None, None)
    starts: list[int] = []
    ends: list[int] = []
    pieces: list[str] = []
    for start, end in _clusters(text):
        piece = fold(text[start:end])
        pieces.append(piece)
        starts += [start] * len(piece)
        ends += [end] * len(piece)
    return Folded("".join(pieces), starts, ends)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text where no character changes with its neighbour: marks stay with their letter, jamo with theirs."""
    start = 0
    for at, char in enumerate(text):
        if at > start and not (unicodedata.combining(char) or "\u1160" <= char <= "\u11ff"):
            yield start, at
            start = at
    if text:
        yield start, len(text)
