"""Hold what was written about a topic or a quiz against the passages and the figures that it may rest on: pure.

In: numbered passages, each a stretch of a page, and a text with markers [n]. Out: the sentences that hold, renumbered,
and for each number a quote that stands on its page. A sentence holds when its markers name passages that there are, and
its figures stand in those passages, or among the figures that are allowed without one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from services.text.figures import figures, figures_told
from services.text.sentences import sentences
from services.text.terms import terms

_MARKERS = re.compile(r"(?:\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\])+(?P<stop>[.!?。]?)")
_DIGITS = re.compile(r"\d+")
_STOP = re.compile(r"[.!?。]\Z")
_HEADING = re.compile(r"\A\s{0,3}(#{1,6})\s+(\S.*)\Z")
_LEAD = re.compile(r"\A\s*(?:[-*+•]|\d{1,2}[.)])\s+")
_WORD = re.compile(r"\w")
_MARKER_LIKE = re.compile(r"\[(\d[\d\s,]*)\]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered passage: the text of page `page` from its character `start` on."""

    n: int
    document_id: int
    chunk_id: int
    title: str
    page: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """The place that a sentence rests on: `quote` is the page's text from `start` to `end`."""

    n: int
    document_id: int
    chunk_id: int
    title: str
    page: int
    quote: str
    start: int
    end: int

    def as_json(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence without its markers, and the numbers of the passages that it names."""

    text: str
    cites: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its lead ("## ", "- ", or nothing) and its sentences; a heading has one, which cites nothing."""

    lead: str
    claims: tuple[Claim, ...]

    @property
    def is_heading(self) -> bool:
        return self.lead.startswith("#")


def plain(text: str) -> str:
    """Put a text on one line, where nothing in it can be taken for a marker."""
    return _MARKER_LIKE.sub(r"(\1)", " ".join(text.split()))


def read_lines(text: str) -> list[Line]:
    """Take a text apart into lines and sentences; empty lines are left out."""
    return [_line(line) for line in text.splitlines() if _WORD.search(line)]


def _line(text: str) -> Line:
    heading = _HEADING.match(text)
    if heading:
        return Line(heading[1] + " ", (Claim(plain(_MARKERS.sub("", heading[2]).rstrip("# ")), ()),))
    lead = _LEAD.match(text)
    return Line(" ".join(lead[0].split()) + " " if lead else "", tuple(_claims(text[lead.end() if lead else 0 :])))


def _claims(text: str) -> Iterator[Claim]:
    """Give the sentences of a line; markers belong to the sentence that they follow."""
    place = 0
    for found in _MARKERS.finditer(text):
        *before, last = _sentences(text[place : found.start()]) or [""]
        yield from (Claim(each, ()) for each in before)
        if last:
            cites = tuple(dict.fromkeys(int(n) for n in _DIGITS.findall(found[0])))
            yield Claim(last if _STOP.search(last) else last + found["stop"], cites)
        place = found.end()
    yield from (Claim(each, ()) for each in _sentences(text[place:]))


def _sentences(text: str) -> list[str]:
    found = (" ".join(text[span.start : span.end].split()) for span in sentences(text))
    return [each for each in found if _WORD.search(each)]


def faults(claim: Claim, passages: Mapping[int, Passage], allowed: Set[str] = frozenset()) -> list[str]:
    """Say what does not hold in a sentence: `marker_unknown [n]`, `figure_unknown 17`; nothing where all does.

    Args:
        allowed: figures that need no passage.
    """
    unknown = [f"marker_unknown [{n}]" for n in claim.cites if n not in passages]
    told = {figure for n in claim.cites if n in passages for figure in figures_told(_told(passages[n]))}
    return unknown + [f"figure_unknown {each}" for each in figures(claim.text) if each not in told | allowed]


def _told(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}"


def bound(lines: Sequence[Line], passages: Mapping[int, Passage], max_chars: int) -> tuple[str, tuple[Citation, ...]]:
    """Write lines down with new numbers, in the order in which passages are named, as far as whole sentences fit.

    Args:
        passages: all that the lines name.
    Returns:
        a text of `max_chars` characters at the most, and what its markers lead to. A heading that nothing follows is
        left out.
    """
    text = _Text(passages, max_chars)
    for line in lines:
        if line.is_heading:
            text.head(line)
        elif not text.add(line):
            break
    return text.written.strip(), text.citations()


@dataclass(slots=True)
class _Text:
    """A text that grows until it is full; `order` gives passages their new numbers, `named` what is said of them."""

    passages: Mapping[int, Passage]
    max_chars: int
    written: str = ""
    headings: list[Line] = field(default_factory=list)
    order: dict[int, int] = field(default_factory=dict)
    named: dict[int, list[str]] = field(default_factory=dict)

    def head(self, heading: Line) -> None:
        """Keep a heading until something follows it."""
        while self.headings and len(self.headings[-1].lead) >= len(heading.lead):
            self.headings.pop()
        self.headings.append(heading)

    def add(self, line: Line) -> bool:
        """Add the sentences of a line; False where not all of them fit."""
        above = "".join(f"\n\n{each.lead}{each.claims[0].text}" for each in self.headings)
        start = f"{above}\n\n{line.lead}" if above else f"\n{line.lead}"
        for claim in line.claims:
            numbers = dict(self.order)
            for n in claim.cites:
                numbers.setdefault(n, len(numbers) + 1)
            longer = self.written + start + _marked(claim.text, [numbers[n] for n in claim.cites])
            if len(longer.strip()) > self.max_chars:
                return False
            self.written, self.order, start = longer, numbers, " "
            self.headings.clear()
            for n in claim.cites:
                self.named.setdefault(n, []).append(claim.text)
        return True

    def citations(self) -> tuple[Citation, ...]:
        """Give what the markers lead to, in their order."""
        return tuple(citation(n, self.passages[of], " ".join(self.named[of])) for of, n in self.order.items())


def _marked(text: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return text
    stop = _STOP.search(text)
    end = stop.start() if stop else len(text)
    return f"{text[:end]} {''.join(f'[{n}]' for n in numbers)}{text[end:]}"


def citation(n: int, passage: Passage, claim: str) -> Citation:
    """Cite the sentence of a passage that shares most words with a claim; all of it where none shares a word."""
    wanted = set(terms(claim))
    spans = [(span.start, span.end) for span in sentences(passage.text)] or [(0, len(passage.text))]
    shared = [len(wanted.intersection(terms(passage.text[start:end]))) for start, end in spans]
    start, end = spans[shared.index(max(shared))] if any(shared) else (spans[0][0], spans[-1][1])
    at = passage.start + start
    return Citation(
        n, passage.document_id, passage.chunk_id, passage.title, passage.page, passage.text[start:end], at,
        at + end - start,
    )  # fmt: skip


def off_page(citations: Sequence[Citation], pages: Mapping[tuple[int, int], str]) -> list[str]:
    """Name the citations whose quote does not stand on its page, as «[n]»; `pages` by document and page number."""
    return [
        f"[{each.n}]"
        for each in citations
        if not each.quote.strip() or pages.get((each.document_id, each.page), "")[each.start : each.end] != each.quote
    ]
