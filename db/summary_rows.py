"""Rows about what a document is and what it says in short (db/sql/summaries.sql)."""

from dataclasses import dataclass
from datetime import date

from db.rows import Json


@dataclass(frozen=True, slots=True)
class DocumentToSummarise:
    """The document that a job of `classify` or `deep` is about.

    Attributes:
        payload: of the job: `asked_by` says whether a person or the triage wanted it.
        text_version: names the text as it stands; what was made of another one is out of date.
        bytes: length of the text; 0 where there is none.
    """

    job_id: int
    payload: Json | None
    id: int
    title: str
    filename: str
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    ai_meta: Json
    text_version: str
    bytes: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a document's text."""

    text: str


@dataclass(frozen=True, slots=True)
class DeepPressure:
    """Within the window of back-pressure: documents classified, those escalated, deep summaries that wait."""

    classified: int
    escalated: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DeepJob:
    """A deep summary's row as the person who waits for it needs it."""

    id: int
    document_id: int
    stage: str
    status: str
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A document's summary and what is known of it."""

    ai_summary: str | None
    ai_meta: Json
