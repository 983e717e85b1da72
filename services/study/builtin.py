"""Explain without a model: the sentences of the documents that support the stored choice best, word for word.

In: a question and the passages of its documents. Out: an extract, or None where the stored choice is not clearly the
best supported one: then the guard fails, as it would for a model. Words alone find the right choice of four in .3 of
real questions, so most questions end that way, and what is kept says `confidence: low`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.study.evidence import Evidence
from services.study.pools import Passage, Pools
from services.text.chunks import Span
from services.text.sentences import sentences
from services.text.terms import query_terms, term_id, terms

MODEL = "builtin:extractive"
VERSION = "extract-explanation-1"
"""Names these rules, where a prompt's version stands for a model's explanation."""
PASSAGES = 5
"""As many as a model is shown."""
CLEARLY = 1.1
"""The stored choice must be supported by so much more than the next. Over the two belebele sets, their passage known:
a choice stands out so clearly in .54 (ko) and .42 (en) of questions, and it is the right one in .38 and .35 of those;
1.4 brings .39 and .45, and leaves .12 and .13 of all questions explained where 1.1 leaves .21 and .15."""
HELD = 0.5
"""Share of a choice's own words, by weight, that its sentences must hold."""
BARE = 0.2
"""What a window counts that holds a choice's words and none of the question's."""
WINDOW_SENTENCES = 2
MOST_SNIPPET_CHARS = 1000
"""A longer run of one or two sentences is a table or a text without stops, and explains nothing."""

_NEGATED = re.compile(
    r"\b(?:not|n't|except|least likely|incorrect|false)\b|n['’]t\b"
    r"|않[은는]|아닌|없는|틀린|잘못|(?:옳|맞|적절하|해당하|알맞)지\s?않|제외",
    re.IGNORECASE,
)
_FIRST_SYLLABLE = re.compile("(?<![가-힣])[가-힣]")


@dataclass(frozen=True, slots=True)
class Extract:
    """An explanation and the one passage that it is copied from."""

    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Support:
    """How well a window of a passage supports a choice; `held` is the share of the choice's own words in it."""

    score: float
    held: float
    passage: Passage
    span: Span


def extract(text: str, choices: Sequence[str], correct: int, pools: Pools) -> Extract | None:
    """Copy the sentences that support the stored choice; None where another is supported as well.

    A question that asks for what is *not* so cannot be answered by what the documents say, and gets None.
    """
    if _NEGATED.search(text):
        return None
    weights = pools.query.weights
    windows = list(_windows(pools.documents[:PASSAGES]))
    supports = [_best(_ids(text), _ids(choice), windows, weights) for choice in choices]
    mine = supports[correct - 1]
    others = [each.score for place, each in enumerate(supports, start=1) if each is not None and place != correct]
    if mine is None or mine.held < HELD or mine.score < CLEARLY * max(others, default=0.0):
        return None
    return _extract(mine)


def _extract(found: _Support) -> Extract:
    passage, span = found.passage, found.span
    snippet = passage.text[span.start : span.end]
    start = (passage.start or 0) + span.start
    return Extract(snippet, Evidence(passage, snippet, start, start + len(snippet)))


def _windows(passages: Sequence[Passage]) -> Iterator[tuple[Passage, Span, frozenset[int], float]]:
    """Give runs of one and two sentences of chunks, with their terms and the passage's worth, 1 for the best."""
    best = max((each.score for each in passages), default=0.0) or 1.0
    for passage in passages:
        if passage.page is None:
            continue  # a summary is no text of the document, and may be a model's
        spans = sentences(passage.text)
        held = [_said(passage.text[span.start : span.end]) for span in spans]
        for first in range(len(spans)):
            for count in range(1, WINDOW_SENTENCES + 1):
                last = first + count - 1
                if last < len(spans) and spans[last].end - spans[first].start <= MOST_SNIPPET_CHARS:
                    span = Span(spans[first].start, spans[last].end)
                    yield passage, span, frozenset().union(*held[first : last + 1]), passage.score / best


def _said(sentence: str) -> frozenset[int]:
    """Give a sentence's terms; a single syllable at the beginning of a word too, for «4월» is said by «4월에»."""
    return frozenset(map(term_id, [*terms(sentence), *_FIRST_SYLLABLE.findall(sentence)]))


def _best(
    asked: frozenset[int],
    choice: frozenset[int],
    windows: Sequence[tuple[Passage, Span, frozenset[int], float]],
    weights: Mapping[int, float],
) -> _Support | None:
    """Find the window that supports a choice best, the shorter of two; None where none shares a word with it."""
    own = choice - asked or choice
    found: _Support | None = None
    for passage, span, held, worth in windows:
        share = _share(own, held, weights)
        score = (BARE + _share(asked, held, weights)) * share * worth
        if score > (found.score if found else 0.0):
            found = _Support(score, share, passage, span)
    return found


def _share(wanted: frozenset[int], held: frozenset[int], weights: Mapping[int, float]) -> float:
    whole = sum(weights.get(term, 0.0) for term in wanted)
    return sum(weights.get(term, 0.0) for term in wanted & held) / whole if whole else 0.0


def _ids(text: str) -> frozenset[int]:
    return frozenset(query_terms(text).values())
