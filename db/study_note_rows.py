"""Rows of notes and analyses (db/sql/study_notes.sql)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NoteToMake:
    """A topic whose note is to be made; `sources` is the hash of what it will be made of."""

    id: int
    name: str
    description: str
    deleted: bool
    sources: str


@dataclass(frozen=True, slots=True)
class StudySource:
    """A document that may be quoted: the head of its summary, and its first headings as paths."""

    document_id: int
    title: str
    summary: str | None
    headings: list[str]


@dataclass(frozen=True, slots=True)
class StudyPassage:
    """A leaf of a document: the text of a page from its character `start` on; `chunk_index` is its place."""

    chunk_id: int
    document_id: int
    title: str
    page: int
    start: int
    text: str
    chunk_index: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A question that is not known, with the text of its right choice; `missed` counts the answers that were not."""

    id: int
    text: str
    answer: str
    missed: int


@dataclass(frozen=True, slots=True)
class QuizFacts:
    """What became of a quiz, counted; `sources` is the hash of what its analysis will be made of."""

    id: int
    sources: str
    questions: int
    answered: int
    right_answers: int
    wrong_answers: int
    unsure_answers: int
    unknown_answers: int
    took_s: float


@dataclass(frozen=True, slots=True)
class QuizGroup:
    """The answers of a quiz for one `kind` ('topic', 'exam', 'tag') and name; wrong ones with those not known."""

    kind: str
    name: str
    answered: int
    right_answers: int
    wrong_answers: int
    unsure_answers: int


@dataclass(frozen=True, slots=True)
class QuizChange:
    """An answer of a quiz, the answer before it, and how the question stands now."""

    study_question_id: int
    before: str | None
    after: str
    state: str | None


@dataclass(frozen=True, slots=True)
class NoteState:
    """How a topic's note stands; `text` is None where there is none, or it may no longer be shown (`withheld`)."""

    name: str
    status: str
    text: str | None
    citations: list[dict[str, Any]] | None
    stale: bool
    withheld: bool
    model: str | None
    prompt_version: str | None
    generated_at: datetime | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """How a quiz' analysis stands, likewise; `quiz_status` is 'open' or 'finished'."""

    quiz_status: str
    status: str
    text: str | None
    citations: list[dict[str, Any]] | None
    stale: bool
    withheld: bool
    model: str | None
    prompt_version: str | None
    generated_at: datetime | None
    error_code: str | None
    error_message: str | None
