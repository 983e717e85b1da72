"""What of each passage counts for an answer: spans that a model copied, held against the passages, and mended by rule.

In: the numbered passages, and what a model copied of them word for word, with its relevance; or nothing, where no model
was asked. Out: excerpts, each a true part of its passage: too short ones widened, lacking ones found by the question's
words, few ones supplemented. Pure; every length and number is a setting (`answer.spans`). Refuses what a model says it
copied and did not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from services.answer.evidence import Evidence
from services.answer.extract import quotable_spans
from services.answer.question import Asked
from services.kit.span_settings import SpanSettings
from services.text.sentences import sentences
from services.text.terms import terms

Source = Literal["llm", "supplement", "rule_fallback"]
"""Whose choice an excerpt is: the model's; a rule's beside the model's few; a rule's where the model's is of no use."""


@dataclass(frozen=True, slots=True)
class Pick:
    """What a model says it copied from passage `n`; `relevance` 0..1."""

    n: int
    span: str
    relevance: float


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a passage: `evidence.text[start:end]`; `relevance` 0..1, of a rule's the question's share in it."""

    evidence: Evidence
    start: int
    end: int
    relevance: float
    source: Source

    @property
    def text(self) -> str:
        return self.evidence.text[self.start : self.end]

    def shown(self, around_chars: int) -> Evidence:
        """Give what a writer is shown of the passage: the model's span with the sentences around it, so far.

        A passage that a rule chose is shown whole: the rule knows words only, and may have missed the sentence.
        """
        if self.source != "llm":
            return self.evidence
        start, end = _around(self.evidence.text, self.start, self.end, around_chars)
        return replace(self.evidence, text=self.evidence.text[start:end], page_start=self.evidence.page_start + start)


def choose(asked: Asked, evidence: Sequence[Evidence], picks: Iterable[Pick], settings: SpanSettings) -> list[Excerpt]:
    """Make excerpts of what a model picked, in the order of the evidence.

    Args:
        picks: may name passages that are not there, twice, or with words that they do not have. None at all: the
            rules choose alone.
    Returns:
        at least one excerpt where there is evidence, at most one a passage.
    """
    known = {each.n: each for each in evidence}
    best: dict[int, Excerpt] = {}
    for pick in picks:
        if pick.n in known and pick.relevance > 0:
            found = _picked(asked, known[pick.n], pick, settings)
            if pick.n not in best or found.relevance > best[pick.n].relevance:
                best[pick.n] = found
    source: Source = "supplement" if best else "rule_fallback"
    rest = [_by_rule(asked, each, source, settings) for each in evidence if each.n not in best]
    if best and len(best) < settings.enough <= len(evidence):
        rest = sorted(rest, key=lambda each: -each.relevance)[: settings.enough - len(best)]
    elif best:
        rest = []
    return sorted([*best.values(), *rest], key=lambda each: each.evidence.n)


def _picked(asked: Asked, evidence: Evidence, pick: Pick, settings: SpanSettings) -> Excerpt:
    place = located(evidence.text, pick.span, settings.most_chars)
    if place is None:
        return replace(_by_rule(asked, evidence, "rule_fallback", settings), relevance=pick.relevance)
    start, end = place
    end = min(end, start + settings.most_chars)
    if end - start < settings.short_chars:
        start, end = widened(evidence.text, start, end, settings.widened_chars)
    return Excerpt(evidence, start, end, pick.relevance, "llm")


def located(passage: str, span: str, most_chars: int) -> tuple[int, int] | None:
    """Find a span in a passage, whatever the white space in either; None where it is not copied word for word.

    Args:
        most_chars: a longer one, without its blanks, is not looked for where blanks stand within words.
    Returns:
        offsets in the passage as it stands, of the first place.
    """
    words = span.split()
    if not words:
        return None
    found = re.search(r"\s+".join(map(re.escape, words)), passage) or _unspaced(passage, words, most_chars)
    return found.span() if found else None


def _unspaced(passage: str, words: Sequence[str], most_chars: int) -> re.Match[str] | None:
    # Korean from a PDF may be broken within words, and a model joins them again.
    letters = "".join(words)
    if len(letters) > most_chars:
        return None
    return re.search(r"\s*".join(map(re.escape, letters)), passage)


def widened(text: str, start: int, end: int, chars: int) -> tuple[int, int]:
    """Widen a place on both sides alike to so many characters, as far as the text goes."""
    lack = max(0, chars - (end - start))
    start = max(0, start - lack // 2)
    end = min(len(text), max(end, start + chars))
    return max(0, min(start, end - chars)), end


def _by_rule(asked: Asked, evidence: Evidence, source: Source, settings: SpanSettings) -> Excerpt:
    """Take the window around the sentence that holds most of the question."""
    text = evidence.text
    spans = list(quotable_spans(text))
    if not spans:
        return Excerpt(evidence, 0, min(len(text), settings.window_chars), 0.0, source)
    shares = [asked.share(terms(text[span.start : span.end])) for span in spans]
    at = spans[shares.index(max(shares))]
    start, end = widened(text, at.start, min(at.end, at.start + settings.most_chars), settings.window_chars)
    return Excerpt(evidence, start, end, round(asked.share(terms(f"{evidence.title}\n{text}")), 4), source)


def _around(text: str, start: int, end: int, chars: int) -> tuple[int, int]:
    spans = sentences(text)
    reach_from, reach_to = max(0, start - chars), min(len(text), end + chars)
    return (
        min([start, *(span.start for span in spans if span.end > reach_from)]),
        max([end, *(span.end for span in spans if span.start < reach_to)]),
    )
