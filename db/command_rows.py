"""Rows that only commands ask for."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the inbox, and the path it is for."""

    id: int
    path: str


@dataclass(frozen=True, slots=True)
class FilesProgress:
    """How far some files have come: those that can be found, that wait, failed, or were skipped; these are all.

    `read` counts those that were read, whatever came of it; `now` names one that is in hand or next, "" without any.
    """

    done: int
    waiting: int
    failed: int
    skipped: int
    read: int
    now: str


@dataclass(frozen=True, slots=True)
class EndedFile:
    """How the reading of a file ended."""

    id: int
    name: str
    status: str
    error_code: str | None
    error_message: str | None
    document_id: int | None


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that ended as failed, by what a person calls it: a path, a title, the beginning of a question.

    `later_id` and `later_status` are those of the newest row for the same thing that came after it, None without one.
    """

    id: int
    stage: str
    name: str
    filename: str | None
    document_id: int | None
    attempts: int
    error_code: str | None
    error_message: str | None
    created_at: datetime
    completed_at: datetime
    later_id: int | None
    later_status: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a row of a queue stands."""

    id: int
    stage: str
    status: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What doctor shows of the server."""

    server_version: str
    vector_version: str | None
    database_bytes: int
    documents: int
    chunks: int
    oldest_transaction_s: float | None
