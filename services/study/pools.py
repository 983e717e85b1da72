"""Where the evidence for an explanation may come from: the documents of the topic, and its other questions.

In: a question. Out: passages of two pools, best first by the words they share with it. Nothing else is looked at: no
other topic, no other user, nothing deleted, nothing restricted (S21–S23). The two are read one after the other, on one
connection (S31).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from db.pool import Session
from db.study_rows import EvidenceDocument, EvidenceQuestion, QuestionToExplain
from services.search.lexical import choosing_terms, document_frequencies, weigh
from services.text.terms import document_weights, query_terms, sparsevec_text

HEAD_CHUNKS = 4
"""First chunks of each document (S21)."""
MOST_PASSAGES = 60
"""Passages of one pool that are ordered (S25: MAX_RERANK_INPUT)."""
MOST_QUESTIONS = 30
"""Newest other questions of the topic (S22)."""
MOST_SUMMARIES = 12
"""Of so many documents, the best ones, the summary is looked at, too: more would not come among five."""
CANDIDATE_ROWS = 5000
"""The rarest words of a question choose passages of its topic's documents, until about so many of all have them."""
TITLE_CHARS = 40
"""Of another question so much is its title (S25)."""


@dataclass(frozen=True, slots=True)
class Query:
    """What evidence is looked for with: `text` as a reranker gets it, `weights` by term as BM25 does."""

    text: str
    weights: Mapping[int, float]
    choosing: Sequence[int]

    def score(self, text: str, title: str = "") -> float:
        """Score a text that is in no index, as BM25 would."""
        found = _weights_of(text, title)
        return sum(weight * found.get(term, 0.0) for term, weight in self.weights.items())


@lru_cache(maxsize=256)
def _weights_of(text: str, title: str) -> Mapping[int, float]:
    """Remember what was weighed: the questions of one topic come one after the other, and share their neighbours."""
    return document_weights(text, title)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may become evidence.

    Attributes:
        score: BM25; 0 where it shares no word with the question.
        page: of a chunk: `page_text[start:start + len(text)] == text`; None for a summary and a question.
    """

    source_type: Literal["document", "question"]
    source_id: int
    title: str
    text: str
    score: float
    page: int | None = None
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Pools:
    """Both pools of a question, each best first."""

    query: Query
    documents: tuple[Passage, ...]
    questions: tuple[Passage, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to explain with (S10)."""
        return not self.documents and not self.questions


async def read_pools(db: Session, question: QuestionToExplain) -> Pools:
    """Gather what an explanation may rest on."""
    query = await _query(db, question)
    documents = await _documents(db, question, query)
    asked = {"topic_id": question.topic_id, "user_id": question.user_id, "without_id": question.id}
    rows = await db.many(EvidenceQuestion, "evidence_questions", **asked, most=MOST_QUESTIONS)
    others = [_other(row, query) for row in rows if row.id != question.id]
    return Pools(query, tuple(documents), tuple(_best_first(others)))


async def _query(db: Session, question: QuestionToExplain) -> Query:
    text = " | ".join([question.text, *question.choices])  # S24
    ids = list(query_terms(text).values())
    docs = await document_frequencies(db, ids)
    return Query(text, weigh(text, ids, docs), choosing_terms(ids, docs, CANDIDATE_ROWS) if ids else [])


async def _documents(db: Session, question: QuestionToExplain, query: Query) -> list[Passage]:
    rows = await db.many(
        EvidenceDocument,
        "evidence_documents",
        topic_id=question.topic_id,
        user_id=question.user_id,
        query=sparsevec_text(query.weights),
        terms=list(query.choosing),
        heads=HEAD_CHUNKS,
        most=MOST_PASSAGES,
    )
    summarised = {row.id: row for row in rows if (row.ai_summary or "").strip()}
    summaries = [_summary(row, query) for row in list(summarised.values())[:MOST_SUMMARIES]]
    return _best_first([*(_chunk(row) for row in rows if row.text is not None), *summaries])[:MOST_PASSAGES]


def _best_first(passages: Sequence[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda each: -each.score)


def title_of(document: EvidenceDocument) -> str:
    """Name a document, also one without a title (S28)."""
    return document.title.strip() or f"문서 #{document.id}"


def _chunk(row: EvidenceDocument) -> Passage:
    return Passage("document", row.id, title_of(row), row.text or "", row.score, page=row.page, start=row.start)


def _summary(document: EvidenceDocument, query: Query) -> Passage:
    text = document.ai_summary or ""
    return Passage("document", document.id, title_of(document), text, query.score(text, document.title))


def _other(row: EvidenceQuestion, query: Query) -> Passage:
    text = "\n".join(part.strip() for part in (row.text, row.explanation, row.ai_explanation) if part)
    head = " ".join(row.text.split())[:TITLE_CHARS]
    return Passage("question", row.id, f"Q{row.id}: {head}", text, query.score(text))
