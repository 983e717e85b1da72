"""One frozen dataclass per row that leaves the database; fields are named as the columns of its query."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A file that waits to be read; its content is fetched apart. `watched`: the watcher offered it, and no person."""

    id: int
    path: str | None
    filename: str | None
    has_content: bool
    sha256: str | None
    collection: str
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    license: Json | None
    user_id: int
    document_id: int | None
    watched: bool = False


@dataclass(frozen=True, slots=True)
class InboxTicket:
    """An upload that was taken in, and the number its document will have."""

    inbox_id: int
    document_id: int
    status: str


@dataclass(frozen=True, slots=True)
class InboxState:
    """How the reading of a document's file stands."""

    inbox_id: int
    status: str
    name: str
    error_code: str | None
    error_message: str | None
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Which document a path or a content belongs to."""

    id: int
    sha256: str
    pages_version: int
    deleted: bool
    deleted_by_person: bool
    other_places: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """Size in bytes and modification time in nanoseconds by which a change of a file is seen."""

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class DocumentOfJob:
    """The document that a job is about."""

    job_id: int
    id: int
    title: str
    pages_version: int
    corpus_version: int
    media_type: str
    language: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's number, counted from 1, its text, and the sections that its format told: {"start", "level", "title"}."""

    number: int
    text: str
    headings: list[Json] | None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A living document as callers see it."""

    id: int
    user_id: int
    collection: str
    title: str
    filename: str
    media_type: str
    sha256: str
    size_bytes: int
    page_count: int
    pages_version: int
    corpus_version: int
    language: str | None
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    extract_meta: Json
    ai_summary: str | None
    created_at: datetime
    updated_at: datetime
    series: str | None
    effective_date: date | None
    version_status: str | None
    reading: str
    unread_pages: list[int]


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page as search serves it; `lines` are its places on the paper (services/formats/page.py), None without.

    `origin` says how its text came (text, ocr, unread), `note` what a reader should know of that.
    """

    number: int
    label: str
    text: str
    lines: list[Json] | None
    title: str
    page_count: int
    origin: str
    note: str


@dataclass(frozen=True, slots=True)
class LexicalHit:
    """A chunk found by the BM25 leg; `score` is the BM25 score, higher is better, comparable within one query only."""

    chunk_id: int
    title: str
    score: float
    word_order: bytes | None


@dataclass(frozen=True, slots=True)
class TermDocs:
    """How many chunks hold a term; term 0 stands for all chunks."""

    term: int
    docs: int


@dataclass(frozen=True, slots=True)
class ServedPage:
    """Text of a page in the corpus."""

    document_id: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """What was asked; `anew`: not to be served from what was answered before; `trace`: what an earlier attempt left."""

    id: int
    question: str
    user_id: int
    priority: str
    mode: str
    filters: Json
    anew: bool = False
    trace: Json | None = None


@dataclass(frozen=True, slots=True)
class AskRow:
    """An ask as its asker sees it."""

    id: int
    question: str
    user_id: int
    priority: str
    mode: str
    filters: Json
    status: str
    answer: str | None
    completeness: str | None
    refused: bool | None
    refuse_reason: str | None
    confidence: str | None
    citations: list[Json] | None
    trace: Json | None
    prompt_version: str | None
    model: str | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many rows of a stage are in a state, and since when the oldest."""

    stage: str
    status: str
    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A daemon that is alive."""

    id: int
    stage: str
    host: str
    pid: int
    started_at: datetime
    beat_age_s: float
    in_hand: int
