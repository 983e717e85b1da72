"""Check an answer against the pages it cites, before anybody sees it.

In: an answer, from the extractor or a model, and the text of the cited pages. Out: findings, strong or weak; what
becomes of them is services/answer/regate.py's. It checks the chain claim -> marker -> quote -> page, the language, and
whether the words are about the question; not what the words mean.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.answer.question import Asked
from services.answer.result import Answer, Citation
from services.text.foreign import foreign, question_is_in
from services.text.language import detect
from services.text.sentences import sentences
from services.text.terms import terms

PageKey = tuple[int, int]
"""Document id and page number."""

Code = Literal[
    "no_citation",
    "marker_unknown",
    "page_unknown",
    "quote_not_on_page",
    "too_long",
    "uncited_claim",
    "citation_unused",
    "language_mismatch",
    "intent_misalignment",
    "generic_misalignment",
    "low_overlap",
    "unfounded_claim",
]
Strength = Literal["strong", "weak"]

STRENGTH: Mapping[Code, Strength] = MappingProxyType(
    {
        "no_citation": "strong",
        "marker_unknown": "strong",
        "page_unknown": "strong",
        "quote_not_on_page": "strong",
        "too_long": "strong",
        "uncited_claim": "weak",
        "citation_unused": "weak",
        "language_mismatch": "strong",
        "intent_misalignment": "strong",
        "generic_misalignment": "weak",
        "low_overlap": "weak",
        "unfounded_claim": "strong",
    }
)
"""As in the original system (behaviours P01), and what it did not look at; numbers have their own (grounding.py)."""

UNTRACEABLE = frozenset({"no_citation", "page_unknown", "quote_not_on_page", "too_long"})
"""After one of these nothing can be shown: there is no true place to open."""

LANGUAGE_LETTERS = 25
"""A shorter answer may be a name alone, which has no language; of other scripts foreign.py tells it from fewer."""

OVERLAP_FROM, OVERLAP_TERMS = 0.2, 4
"""Share of a claim's terms in the passages it cites, from so many terms on. Loose: a claim in other words shares its
names and numbers at least."""

ABOUT_FROM = 0.15
"""Share of the question's idf weight in the answer and the passages it cites. Looser than what decide.py asks of the
evidence: a passage in other words may answer all the same."""

_MARKERS = re.compile(r"(?:\s*\[\d{1,3}\])+")
_NUMBER = re.compile(r"\[(\d{1,3})\]")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable code, and where (a marker, or the first words of a claim).

    `start` and `end` are its characters in the answer; both 0 where the answer as a whole is meant.
    """

    code: str
    where: str
    strength: Strength
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer with the markers on it: `answer[start:end]`; `cites` is empty where it has none."""

    start: int
    end: int
    text: str
    cites: tuple[int, ...]

    def meets(self, start: int, end: int) -> bool:
        """Say whether a place of the answer has characters of this claim."""
        return start < self.end and end > self.start


def found(code: Code, where: str, start: int = 0, end: int = 0) -> Finding:
    """Give a finding with the strength of its code."""
    return Finding(code, where, STRENGTH[code], start, end)


def check(answer: Answer, pages: Mapping[PageKey, str], max_chars: int) -> list[Finding]:
    """Find what does not lead from a claim to a page.

    Args:
        pages: text of every cited page.
        max_chars: longest answer, markers included.
    Returns:
        findings in the order markers, quotes, claims, length; none when all holds.
    """
    return [
        *_check_markers(answer),
        *(finding for citation in answer.citations for finding in _check_quote(citation, pages)),
        *(
            found("uncited_claim", each.text[:40], each.start, each.end)
            for each in claims(answer.text)
            if not each.cites
        ),
        *([found("too_long", str(len(answer.text)))] if len(answer.text) > max_chars else []),
    ]


def check_sense(answer: Answer, asked: Asked, passages: Mapping[int, str]) -> list[Finding]:
    """Find what a model wrote in another language, about something else, or in words that its source does not share.

    Args:
        passages: title and text of each cited passage, by the citation's number.
    """
    return [
        *_check_language(answer, asked, passages),
        *_check_intent(answer, asked, passages),
        *_check_overlap(answer, passages),
    ]


def claims(text: str) -> list[Claim]:
    """Cut an answer into its sentences; a marker belongs to the sentence it stands in, or behind."""
    bare = _MARKERS.sub(lambda marker: " " * len(marker.group()), text)
    spans = [span for span in sentences(bare) if _WORD.search(bare[span.start : span.end])]
    ends = [span.end for span in spans]
    cites: list[list[int]] = [[] for _ in spans]
    for marker in _NUMBER.finditer(text):
        before = [index for index, span in enumerate(spans) if span.start < marker.start()]
        if before:
            cites[before[-1]].append(int(marker[1]))
            ends[before[-1]] = max(ends[before[-1]], marker.end())
    return [
        Claim(span.start, end, unmarked(text[span.start : span.end]).strip(), tuple(dict.fromkeys(numbers)))
        for span, end, numbers in zip(spans, ends, cites, strict=True)
    ]


def uncited_claims(text: str) -> list[str]:
    """List the sentences of an answer that no marker follows, before or behind their stop."""
    return [each.text for each in claims(text) if not each.cites]


def unmarked(text: str) -> str:
    """Give an answer without its markers."""
    return _MARKERS.sub("", text)


def _check_markers(answer: Answer) -> Iterator[Finding]:
    used: dict[int, re.Match[str]] = {}
    for marker in _NUMBER.finditer(answer.text):
        used.setdefault(int(marker[1]), marker)
    known = {citation.n for citation in answer.citations}
    if not known.intersection(used):
        yield found("no_citation", "")
    yield from (found("marker_unknown", f"[{n}]", *at.span()) for n, at in used.items() if n not in known)
    yield from (found("citation_unused", f"[{n}]") for n in sorted(known.difference(used)))


def _check_quote(citation: Citation, pages: Mapping[PageKey, str]) -> Iterator[Finding]:
    page = pages.get((citation.document_id, citation.page))
    if page is None:
        yield found("page_unknown", f"[{citation.n}]")
    elif not _stands_on(page, citation):
        yield found("quote_not_on_page", f"[{citation.n}]")


def _stands_on(page: str, citation: Citation) -> bool:
    quoted = page[citation.start : citation.end] if citation.start >= 0 else ""
    return bool(quoted.strip()) and quoted == citation.quote


def _check_language(answer: Answer, asked: Asked, passages: Mapping[int, str]) -> Iterator[Finding]:
    bare = unmarked(answer.text)
    written: str | None = detect(bare)
    if sum(map(str.isalpha, bare)) < LANGUAGE_LETTERS or written not in {"ko", "en"} or written == asked.language:
        written = foreign(bare, [*passages.values(), asked.text], asked.language)
    if written and not question_is_in(asked.text, written):
        yield found("language_mismatch", written)


def _check_intent(answer: Answer, asked: Asked, passages: Mapping[int, str]) -> Iterator[Finding]:
    """Look for the question in the answer and what it cites; words of two languages cannot be compared."""
    told = [unmarked(answer.text), *passages.values()]
    held = {term for text in told for term in terms(text)}
    alike = _is_all_of(asked.language, told)
    important = {name for name in asked.names if (len(name) > 1 if name.isdigit() else alike)}  # «3 ways» names nothing
    if important and not important & held:
        yield found("intent_misalignment", " ".join(sorted(important))[:40])
    elif alike and asked.weights and asked.share(held) < ABOUT_FROM:
        yield found("generic_misalignment", asked.text[:40])


def _check_overlap(answer: Answer, passages: Mapping[int, str]) -> Iterator[Finding]:
    for claim in claims(answer.text):
        cited = [passages[n] for n in claim.cites if n in passages]
        words = set(terms(claim.text))
        if not cited or len(words) < OVERLAP_TERMS or not _is_all_of(detect(claim.text), cited):
            continue
        held = {term for text in cited for term in terms(text)}
        if len(words & held) < OVERLAP_FROM * len(words):
            yield found("low_overlap", claim.text[:40], claim.start, claim.end)


def _is_all_of(language: str, texts: Sequence[str]) -> bool:
    return all(detect(text) == language for text in texts)
