"""From pools to the few passages that a model is shown, and that an explanation cites.

In: both pools of a question. Out: at most five documents' and three questions' passages, each cut to the window that
says most of what is asked, word for word, with its place. A served reranker orders the pools; without one, or where it
fails or is late, they stay as the words order them (S26).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.rerank import ServedReranker
from services.study.pools import Passage, Pools, Query
from services.text.chunks import Span
from services.text.sentences import sentences
from services.text.terms import term_id, terms

DOCUMENTS, QUESTIONS = 5, 3
"""DOC_TOPK and Q_TOPK (S25)."""
RERANK_CHARS = 800
"""Text of a passage that a reranker is shown (S25)."""
DOCUMENT_CHARS, QUESTION_CHARS = 400, 300
"""Longest snippets (S25)."""
NOTHING = "(없음)"
"""What the prompt shows where there is no evidence of a kind (S29)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that is shown and cited.

    Attributes:
        snippet: word for word; of a chunk `page_text[start:end] == snippet`. `page`, `start` and `end` are None for a
            summary and for a question.
    """

    passage: Passage
    snippet: str
    start: int | None
    end: int | None

    @property
    def line(self) -> str:
        """Write it as the prompt shows it (S29): one line, which no text in it can leave."""
        title, body = _flat(self.passage.title), _flat(self.snippet)
        shown = f"자료: {title}" if self.passage.source_type == "document" else title
        return f"- [{shown}] {body}"

    def cited(self) -> dict[str, object]:
        """Give what is stored with the explanation and returned to its reader (S30)."""
        is_document = self.passage.source_type == "document"
        return {
            "source_type": self.passage.source_type,
            "source_id": self.passage.source_id,
            "title": self.passage.title,
            "snippet": self.snippet,
            "document_id": self.passage.source_id if is_document else None,
            "page": self.passage.page,
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown, best first."""

    documents: tuple[Evidence, ...]
    questions: tuple[Evidence, ...]

    def cited(self) -> list[dict[str, object]]:
        """Give all of it as citations, documents first."""
        return [each.cited() for each in (*self.documents, *self.questions)]


async def choose(pools: Pools, models: ModelClient | None, call: Call) -> Chosen:
    """Choose the evidence of both pools.

    Args:
        call: whose class, label and limit the reranker's calls have.
    """
    documents = diverse(await reranked(pools.query, pools.documents, models, call), DOCUMENTS)
    questions = (await reranked(pools.query, pools.questions, models, call))[:QUESTIONS]
    return Chosen(
        tuple(evidence_of(each, pools.query, DOCUMENT_CHARS) for each in documents),
        tuple(evidence_of(each, pools.query, QUESTION_CHARS) for each in questions),
    )


async def reranked(
    query: Query, passages: Sequence[Passage], models: ModelClient | None, call: Call
) -> Sequence[Passage]:
    """Put passages into a served reranker's order; as they were where none is set, or it fails or is late (S26).

    The door to the models has logged a failure by then.
    """
    if models is None or models.endpoint(Role.RERANK) is None or len(passages) < 2:
        return passages
    reranker = ServedReranker(models.door(call), models.calls)
    try:
        scores = await reranker.scores(query.text, [each.text[:RERANK_CHARS] for each in passages])
    except ModelError:
        return passages
    places = sorted(range(len(passages)), key=lambda place: -scores[place])
    return [passages[place] for place in places]


def diverse(passages: Sequence[Passage], most: int) -> list[Passage]:
    """Choose the best passage of each source; only where there are fewer sources than that, their further ones (Z08).

    Returns:
        at most `most`, the best of each source first, each kind in the order given.
    """
    first: dict[int, Passage] = {}
    further: list[Passage] = []
    for each in passages:
        if each.source_id in first:
            further.append(each)
        else:
            first[each.source_id] = each
    return [*first.values(), *further][:most]


def evidence_of(passage: Passage, query: Query, max_chars: int) -> Evidence:
    """Cut a passage to the window of at most `max_chars` characters that says most of what is asked."""
    span = best_window(passage.text, query, max_chars)
    snippet = passage.text[span.start : span.end]
    if passage.page is None or passage.start is None:
        return Evidence(passage, snippet, None, None)
    return Evidence(passage, snippet, passage.start + span.start, passage.start + span.end)


def best_window(text: str, query: Query, max_chars: int) -> Span:
    """Find the run of whole sentences that holds most of a query's weight; of equal ones the first.

    Returns:
        a span without white space at its ends; the beginning of the text where no sentence is short enough.
    """
    whole = _stripped(text, 0, len(text))
    if whole.end - whole.start <= max_chars:
        return whole
    best, most = None, -1.0
    for span, weight in _windows(text, query, max_chars):
        if weight > most:
            best, most = span, weight
    return best or _stripped(text, whole.start, whole.start + max_chars)


def _windows(text: str, query: Query, max_chars: int) -> Iterator[tuple[Span, float]]:
    known_sentences = _sentences(text, max_chars)
    spans = [span for span, _ in known_sentences]
    held = [ids & query.weights.keys() for _, ids in known_sentences]
    for first, span in enumerate(spans):
        known: set[int] = set()
        end = span.end
        for later, within in zip(spans[first:], held[first:], strict=True):
            if later.end - span.start > max_chars:
                break
            known |= within
            end = later.end
        yield Span(span.start, end), sum(query.weights[term] for term in known)


@lru_cache(maxsize=256)
def _sentences(text: str, max_chars: int) -> tuple[tuple[Span, frozenset[int]], ...]:
    """Find sentences and their terms; remembered, for the questions of one topic share their documents."""
    spans = [_shortest(text, span, max_chars) for span in sentences(text)]
    return tuple((span, frozenset(map(term_id, terms(text[span.start : span.end])))) for span in spans)


def _shortest(text: str, span: Span, max_chars: int) -> Span:
    """Cut a sentence that is too long at the end of a word."""
    if span.end - span.start <= max_chars:
        return span
    blank = text.rfind(" ", span.start, span.start + max_chars)
    return _stripped(text, span.start, blank if blank > span.start else span.start + max_chars)


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def block(evidence: Sequence[Evidence]) -> str:
    """Write evidence of one kind as the prompt shows it (S29)."""
    return "\n".join(each.line for each in evidence) or NOTHING


def _flat(text: str) -> str:
    return " ".join(text.split())
