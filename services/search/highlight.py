"""Where a hit says what was asked for: the places of the question's terms in its text. Pure.

In: a question and texts. Out: places in each text as it stands, though terms are read from a folded form of it, in
which a place may have moved. It looks at what was searched by words; a hit of meaning alone may have no place.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from services.text.terms import fold, located_terms, query_terms

MAX_SPANS = 50
"""Places of one text: more than a screen shows."""


STEMMED_OTHERWISE = str.maketrans("y", "i")
"""A stem keeps the first two letters of its word, but for dying, lying and tying (Snowball's English stemmer)."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The terms of a question; `first` are the bigrams with which its Korean words begin, `heads` how its others do."""

    terms: frozenset[str]
    first: frozenset[str]
    heads: frozenset[str]

    def maybe(self, kind: str, token: str) -> bool:
        """Say whether a token may have a term that is sought: most of a text are told apart by two letters, unread."""
        if kind != "word":
            return (
                kind != "run" or len(token) < 2 or any(token[at : at + 2] in self.terms for at in range(len(token) - 1))
            )
        head = token[:2]
        return head in self.heads or not head.isascii() or head.translate(STEMMED_OTHERWISE) in self.heads


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
    return Sought(terms, terms & found, frozenset(term[:2] for term in terms))


def _begins(folded: str, start: int) -> bool:
    return start == 0 or not folded[start - 1].isalpha()


def spans(wanted: Sought, text: str) -> list[tuple[int, int]]:
    """Give the places where a text has terms that are sought, in order, apart from one another: `text[start:end]`.

    Bigrams that lie side by side are one place, so that a Korean word is marked as a whole. One that stands alone
    counts where a word begins with it, in the text or in the question: 력은 of 압력은 is no reason to mark 노력은.
    """
    folded = folded_with_places(text)
    found: list[tuple[int, int]] = []
    for start, end in _joined(wanted, folded.text):
        if len(found) == MAX_SPANS:
            break
        found.append(folded.origin(start, end))
    return found


def _joined(wanted: Sought, folded: str) -> Iterator[tuple[int, int]]:
    start, end, sure = 0, 0, False
    for term, first, last in located_terms(folded, wanted.maybe):
        if term not in wanted.terms:
            continue
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
