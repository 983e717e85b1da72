"""Rows of the question bank (db/sql/study*.sql)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic: `scheduler` is 'steps' or 'fsrs'."""

    id: int
    user_id: int
    name: str
    description: str
    scheduler: str


@dataclass(frozen=True, slots=True)
class ListedTopic:
    """A topic as a list shows it; `questions` and `documents` are counts of what is not deleted."""

    id: int
    name: str
    description: str
    scheduler: str
    note_status: str
    created_at: datetime
    questions: int
    documents: int


@dataclass(frozen=True, slots=True)
class DocumentToTie:
    """A document that may be tied to a topic."""

    id: int
    title: str
    collection: str


@dataclass(frozen=True, slots=True)
class TiedDocument:
    """A document whose tie to a topic was made or undone."""

    id: int


@dataclass(frozen=True, slots=True)
class QuestionText:
    """A question as a person wrote it: two to five choices without a gap, `correct_choice` counted from 1."""

    id: int
    source_key: str
    text: str
    choice_1: str
    choice_2: str
    choice_3: str | None
    choice_4: str | None
    choice_5: str | None
    correct_choice: int
    explanation: str | None
    exam_name: str | None
    exam_round: int | None
    exam_number: int | None
    tags: list[str]


@dataclass(frozen=True, slots=True)
class QuestionToExplain:
    """A question as a job about it finds it; `payload` is the job's, `deleted` also where its topic is.

    `revision` counts the changes of what was asked: a result is written for this one only.
    """

    job_id: int
    payload: dict[str, Any] | None
    id: int
    user_id: int
    topic_id: int
    revision: int
    text: str
    choices: list[str]
    correct_choice: int
    status: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class EvidenceDocument:
    """A document that may be quoted to a model, with one of its chunks; a document has a row for each, or one without.

    `score` is the chunk's BM25 for a question, 0 without a word in common; `start` is its place in its page.
    """

    id: int
    title: str
    ai_summary: str | None
    page: int | None
    start: int | None
    text: str | None
    score: float


@dataclass(frozen=True, slots=True)
class EvidenceQuestion:
    """Another question of a topic; `ai_explanation` only where that is ready."""

    id: int
    text: str
    explanation: str | None
    ai_explanation: str | None
