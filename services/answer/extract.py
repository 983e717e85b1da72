"""Answer without a model: copy the sentences that say most of what was asked.

In: a question that the evidence was found to cover. Out: one to three sentences, word for word, each with its
own marker and citation; of a question of several parts one for each that can be answered. It refuses when no sentence
shares a word with the question.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.answer.evidence import Evidence
from services.answer.question import Asked
from services.answer.result import Answer, Citation, Completeness, Confidence, Refusal, refuse
from services.text.chunks import Span, split
from services.text.sentences import sentences
from services.text.terms import terms

MAX_ANSWER_CHARS = 600
"""Longest answer (behaviours A07)."""

MAX_SENTENCES = 3
MAX_SENTENCE_CHARS = 400
"""A longer sentence (a table, a text without stops) is cut at its best borders, so that one fits an
answer."""

PASSAGE_WEIGHT = 0.5
FIT_WEIGHT = 0.2
LENGTH_COST = 0.0002
FREE_CHARS = 80
NEXT_SENTENCE_FROM = 0.85
FURTHER_CHARS = 400
"""How sentences are ranked: share of the question's idf + PASSAGE_WEIGHT * passage score / best passage score
+ FIT_WEIGHT when it holds the kind of thing asked for - LENGTH_COST a character over FREE_CHARS. A further
sentence must reach NEXT_SENTENCE_FROM of the best one's rank and keep the answer under FURTHER_CHARS. Found
on 1,000 answerable squad2-en questions (the one best sentence by share alone: a gold string in .67 of the
answers, 193 characters); over all 5,025 a gold string is in .78 of the answers, 234 characters on average.
"""

FULL_FROM = 0.6
HIGH_FROM = 0.75
MEDIUM_FROM = 0.5
"""Share of the question's idf weight in the copied sentences from which an answer is full, or its confidence
high or medium. On squad2-en, of the answers that decide.py lets through, .85 of the full and .66 of the partial
ones hold a gold string; .88, .75 and .60 of those with high, medium and low confidence."""

_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_HEADING = re.compile(r"#{1,6}\s")
_LEANS_BACK = re.compile(
    r"(?:He|She|It|They|This|These|Those|His|Her|Its|Their|Such)\b"
    r"|(?:그는|그녀는|그의|그녀의|이는|이것은|그것은|이들은|그들은|이러한|이런|이로|이에|이를|이후|그러나|따라서|또한|하지만)\s"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might be copied: `evidence.text[span.start:span.end]`, the `position`-th of its
    passage."""

    evidence: Evidence
    position: int
    span: Span
    share: float
    rank: float

    @property
    def text(self) -> str:
        return self.evidence.text[self.span.start : self.span.end]


def extract(
    asked: Asked, evidence: Sequence[Evidence], max_chars: int = MAX_ANSWER_CHARS, parts: Sequence[Asked] = ()
) -> Answer | Refusal:
    """Answer with the best sentences of the evidence.

    Args:
        evidence: best first.
        max_chars: longest answer, markers included.
        parts: of a question of several those that can be answered, each asked alone.
    Returns:
        sentences of one passage stand together in the order of the page; markers count from 1, one a
        sentence.
    """
    found = candidates(asked, evidence)
    chosen = _with_context(_choose(found, max_chars), found, max_chars)
    chosen = _in_order(_for_parts(parts, evidence, chosen, max_chars) if parts else chosen)
    if not chosen:
        return refuse("evidence_weak", asked.language)
    held = {term for each in chosen for term in terms(f"{each.evidence.title} {each.text}")}
    share = _of_parts(asked, parts).share(held)
    text = " ".join(_marked(each, n) for n, each in enumerate(chosen, start=1))
    citations = tuple(_citation(each, n) for n, each in enumerate(chosen, start=1))
    return Answer(text, _completeness(share), _confidence(share), citations)


def candidates(asked: Asked, evidence: Sequence[Evidence]) -> list[Candidate]:
    """Rank every sentence of the evidence except headings, in order of the evidence."""
    best = max((each.score for each in evidence), default=0.0)
    return [
        _candidate(asked, each, position, span, each.score / best if best > 0 else 0.0)
        for each in evidence
        for position, span in enumerate(quotable_spans(each.text))
    ]


def quotable_spans(text: str) -> Iterator[Span]:
    """Find what can be quoted from a passage: its sentences without headings, long ones cut at their borders."""
    for span in sentences(text):
        sentence = text[span.start : span.end]
        if _HEADING.match(sentence):
            continue
        if len(sentence) <= MAX_SENTENCE_CHARS:
            yield span
        else:
            for piece in split(sentence, min_chars=MAX_SENTENCE_CHARS, max_chars=MAX_SENTENCE_CHARS):
                yield Span(span.start + piece.start, span.start + piece.end)


def _candidate(asked: Asked, evidence: Evidence, position: int, span: Span, passage: float) -> Candidate:
    sentence = evidence.text[span.start : span.end]
    share = asked.share(terms(sentence))
    fit = FIT_WEIGHT if asked.kind != "other" and asked.fits(sentence) else 0.0
    rank = share + PASSAGE_WEIGHT * passage + fit - LENGTH_COST * max(0, len(sentence) - FREE_CHARS)
    return Candidate(evidence, position, span, share, rank)


def _choose(found: Sequence[Candidate], max_chars: int) -> list[Candidate]:
    ranked = sorted((each for each in found if each.share > 0), key=lambda each: -each.rank)
    ranked = [each for each in ranked if _length([each]) <= max_chars]
    chosen = ranked[:1]
    for each in ranked[1:MAX_SENTENCES]:
        fits = _length([*chosen, each]) <= min(max_chars, FURTHER_CHARS)
        if fits and each.rank >= NEXT_SENTENCE_FROM * chosen[0].rank:
            chosen.append(each)
    return chosen


def _with_context(chosen: list[Candidate], found: Sequence[Candidate], max_chars: int) -> list[Candidate]:
    # «He died in 1943.» alone says nothing; the sentence before it says who.
    if len(chosen) != 1 or not _LEANS_BACK.match(chosen[0].text):
        return chosen
    before = (each for each in found if _precedes(each, chosen[0]))
    return [*(each for each in before if _length([each, *chosen]) <= min(max_chars, FURTHER_CHARS)), *chosen]


def _for_parts(
    parts: Sequence[Asked], evidence: Sequence[Evidence], usual: list[Candidate], max_chars: int
) -> list[Candidate]:
    """Take the best sentence for each part; the usual ones where those answer several parts already."""
    best: list[Candidate] = []
    for part in parts:
        room = max_chars - _length(best) - bool(best)
        found = candidates(part, evidence)
        chosen = _choose(found, room)[:1]
        if len(parts) == 1:
            chosen = _with_context(chosen, found, max_chars)
        best += [each for each in chosen if _place(each) not in map(_place, best)]
    are_there = {*map(_place, best)} <= {*map(_place, usual)}
    return usual if len(parts) > 1 and are_there else best


def _of_parts(asked: Asked, parts: Sequence[Asked]) -> Asked:
    """Give a question without the words of what cannot be answered, and those that only ask."""
    weights = {term: weight for term, weight in asked.weights.items() if any(term in part.weights for part in parts)}
    return replace(asked, weights=weights) if parts else asked


def _place(each: Candidate) -> tuple[int, int]:
    return each.evidence.n, each.position


def _precedes(one: Candidate, other: Candidate) -> bool:
    return one.evidence.n == other.evidence.n and one.position == other.position - 1


def _in_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    passages = list(dict.fromkeys(each.evidence.n for each in chosen))
    return sorted(chosen, key=lambda each: (passages.index(each.evidence.n), each.position))


def _marked(each: Candidate, n: int) -> str:
    # A footnote mark that was copied along would read as a marker of ours.
    return f"{_MARKER.sub('', ' '.join(each.text.split()))} [{n}]"


def _length(chosen: Sequence[Candidate]) -> int:
    return sum(len(_marked(each, n)) for n, each in enumerate(chosen, start=1)) + len(chosen) - 1


def _citation(each: Candidate, n: int) -> Citation:
    place, start = each.evidence, each.evidence.page_start + each.span.start
    return Citation(
        n,
        place.document_id,
        place.chunk_id,
        place.title,
        place.page,
        each.text,
        start,
        start + len(each.text),
    )


def _completeness(share: float) -> Completeness:
    return "full" if share >= FULL_FROM else "partial"


def _confidence(share: float) -> Confidence:
    if share >= HIGH_FROM:
        return "high"
    return "medium" if share >= MEDIUM_FROM else "low"
