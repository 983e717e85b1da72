"""Check an answer against the pages it cites, before anybody sees it.

In: an answer, from the extractor or a model, and the text of the cited pages. Out: findings; with a strong
one the answer becomes a refusal. It checks the chain claim -> marker -> quote -> page, not what the words
mean.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.answer.result import Answer, Citation, Refusal, refuse
from services.text.language import ReplyLanguage
from services.text.sentences import sentences

PageKey = tuple[int, int]
"""Document id and page number."""

Code = Literal[
    "no_citation",
    "marker_unknown",
    "page_unknown",
    "quote_not_on_page",
    "too_long",
    "claim_uncited",
    "citation_unused",
]
Strength = Literal["strong", "weak"]

STRENGTH: Mapping[Code, Strength] = {
    "no_citation": "strong",
    "marker_unknown": "strong",
    "page_unknown": "strong",
    "quote_not_on_page": "strong",
    "too_long": "strong",
    "claim_uncited": "weak",
    "citation_unused": "weak",
}
"""An uncited claim beside cited ones is weak, as in the original system (behaviours P01)."""

_MARKERS = re.compile(r"(?:\s*\[\d{1,3}\])+")
_NUMBER = re.compile(r"\[(\d{1,3})\]")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable code, and where (a marker, or the first words of a claim)."""

    code: Code
    where: str

    @property
    def strength(self) -> Strength:
        return STRENGTH[self.code]


def check(answer: Answer, pages: Mapping[PageKey, str], max_chars: int) -> list[Finding]:
    """Find what does not hold in an answer.

    Args:
        pages: text of every cited page.
        max_chars: longest answer, markers included.
    Returns:
        findings in the order markers, quotes, claims, length; none when all holds.
    """
    return [
        *_check_markers(answer),
        *(finding for citation in answer.citations for finding in _check_quote(citation, pages)),
        *(Finding("claim_uncited", claim[:40]) for claim in uncited_claims(answer.text)),
        *([Finding("too_long", str(len(answer.text)))] if len(answer.text) > max_chars else []),
    ]


def settle(answer: Answer, findings: Iterable[Finding], language: ReplyLanguage) -> Answer | Refusal:
    """Let an answer pass, or refuse in its place when a finding is strong."""
    if any(finding.strength == "strong" for finding in findings):
        return refuse("answer_ungrounded", language)
    return answer


def uncited_claims(text: str) -> list[str]:
    """List the sentences of an answer that no marker follows, before or behind their stop."""
    *cited, rest = _MARKERS.split(text)
    return [*(claim for part in cited for claim in _claims(part)[:-1]), *_claims(rest)]


def _claims(part: str) -> list[str]:
    found = (part[span.start : span.end] for span in sentences(part))
    return [claim for claim in found if _WORD.search(claim)]


def _check_markers(answer: Answer) -> Iterator[Finding]:
    used = dict.fromkeys(int(n) for n in _NUMBER.findall(answer.text))
    known = {citation.n for citation in answer.citations}
    if not known.intersection(used):
        yield Finding("no_citation", "")
    yield from (Finding("marker_unknown", f"[{n}]") for n in used if n not in known)
    yield from (Finding("citation_unused", f"[{n}]") for n in sorted(known.difference(used)))


def _check_quote(citation: Citation, pages: Mapping[PageKey, str]) -> Iterator[Finding]:
    page = pages.get((citation.document_id, citation.page))
    if page is None:
        yield Finding("page_unknown", f"[{citation.n}]")
    elif not _stands_on(page, citation):
        yield Finding("quote_not_on_page", f"[{citation.n}]")


def _stands_on(page: str, citation: Citation) -> bool:
    quoted = page[citation.start : citation.end] if citation.start >= 0 else ""
    return bool(quoted.strip()) and quoted == citation.quote
