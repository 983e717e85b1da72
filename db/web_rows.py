"""Rows that only the HTTP process reads (db/sql/web.sql)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DocumentJob:
    """The newest job of one stage of a document."""

    id: int
    stage: str
    status: str
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """A file that is no document yet; `document_id` is the number set aside for it, None for a watched file."""

    inbox_id: int
    document_id: int | None
    name: str
    status: str
    error_code: str | None
    error_message: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewRow:
    """The number of a row that a statement made."""

    id: int
