"""The shapes of requests and replies: the only pydantic of this package, and the source of the OpenAPI document."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.kit.problem import words_of

MAX_ID = 2**63 - 1
"""Largest bigint; a larger number is nobody's."""
MAX_PAGE = 2**31 - 1
MAX_LABEL_CHARS = 200

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Replace control characters by blanks (Postgres stores no NUL, and nobody types the others) and trim."""
    return _CONTROL.sub(" ", text.encode(errors="replace").decode()).strip()


def _filled(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


Text = Annotated[str, AfterValidator(clean)]
Question = Annotated[Text, AfterValidator(_filled)]
Label = Annotated[Text, Field(max_length=MAX_LABEL_CHARS)]
Labels = Label | list[Label]
DocumentNumber = Annotated[int, Field(ge=1, le=MAX_ID)]
PageNumber = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Year = Annotated[int, Field(ge=1, le=9999)]


class Shape(BaseModel):
    """Base of what callers send: unknown names are refused, so that a typing slip is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class CitationOut(BaseModel):
    """The place that a claim rests on: `quote` is the page's text from `start` to `end`."""

    model_config = ConfigDict(extra="allow")

    n: int
    document_id: int
    title: str
    page: int
    quote: str
    start: int
    end: int
    url: str


class ChangedOut(BaseModel):
    """A cited document that is not as it was: `what` is "deleted", "restricted" or "changed"."""

    document_id: int
    title: str
    what: str


class AskAgainOut(BaseModel):
    """A question that was asked again, as a new row."""

    id: int
    again_of: int
    status: str
    url: str


class ConfirmedOut(BaseModel):
    """A sentence of an answer, without its markers, and the numbers of the citations that it rests on."""

    text: str
    citations: list[int]


class AskOut(BaseModel):
    """An ask, finished or not; `stale` where a cited passage is not as it was when the question was answered.

    `missing` names the parts of the question that are not answered, in its own words; `confirmed_items` has the
    sentences that have a source and that nothing was found against; `verified` whether a model looked for
    contradictions, null where none was to.
    """

    model_config = ConfigDict(extra="allow")

    id: int
    question: str
    status: str
    answer: str | None
    completeness: str | None
    refused: bool | None
    refuse_reason: str | None
    confidence: str | None
    citations: list[CitationOut]
    model: str | None
    error_code: str | None
    gate_wait_ms: float
    took_ms: int | None
    missing: list[str] = []
    confirmed_items: list[ConfirmedOut] = []
    verified: bool | None = None
    stale: bool = False
    changed: list[ChangedOut] = []


class TicketOut(BaseModel):
    """What became of an upload; `inbox_id` is null when the document was there already."""

    inbox_id: int | None
    document_id: int
    url: str
    status: str


class DocumentOut(BaseModel):
    """A document, or a file that is to become one: `status` says how far it is on its way into search.

    `summary_by` is the label of the model that wrote `ai_summary`, or "rules"; `analysis` is its deep summary: `tldr`,
    `bullets`, `inconsistencies` with quotes, by which model and prompt. Both are null in a list. `reading` is "partial"
    while the pages in `unread_pages` are pictures that nobody has read, else "full".
    """

    id: int
    status: str
    title: str
    filename: str
    url: str
    created_at: datetime
    collection: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    page_count: int | None = None
    language: str | None = None
    material_type: str | None = None
    jurisdiction: str | None = None
    published_date: date | None = None
    license: dict[str, Any] | None = None
    ai_summary: str | None = None
    summary_by: str | None = None
    analysis: dict[str, Any] | None = None
    updated_at: datetime | None = None
    series: str | None = None
    effective_date: date | None = None
    version_status: str | None = None
    reading: str | None = None
    unread_pages: list[int] = []
    deleted_at: datetime | None = None
    deleted_why: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class ArrivingOut(BaseModel):
    """A file that is no document yet."""

    inbox_id: int
    document_id: int | None
    name: str
    status: str
    error_code: str | None
    error_message: str | None
    created_at: datetime


class DocumentsOut(BaseModel):
    """A page of documents, newest first; `next` is the value of `before` for the following one, null at the end."""

    documents: list[DocumentOut]
    next: int | None
    arriving: list[ArrivingOut]


class PageOut(BaseModel):
    """A page's text; `lines` are the places of its lines on the paper, null where there is no paper.

    `origin` is "text", "ocr" (recognised from a picture) or "unread" (a picture that has not been read); `note` says
    of the latter two what a reader should know.
    """

    document_id: int
    number: int
    label: str
    title: str
    page_count: int
    text: str
    lines: list[dict[str, Any]] | None
    origin: str
    note: str


class QueueOut(BaseModel):
    """How many rows of a stage wait or are worked on; `late` where the oldest has been there for `queue.late_s`."""

    stage: str
    status: str
    count: int
    oldest_seconds: float
    late: bool = False


class DaemonOut(BaseModel):
    """A daemon that is alive."""

    id: int
    stage: str
    host: str
    pid: int
    started_at: datetime
    beat_age_s: float
    in_hand: int


class WaitersOut(BaseModel):
    """How many wait at a gate, by class; those in the memory of processes included."""

    foreground: int = 0
    study: int = 0
    background: int = 0


class GateOut(BaseModel):
    """One model server: how many calls it takes at once, how many are in flight, who waits."""

    endpoint: str
    capacity: int
    inflight: int = 0
    waiters: WaitersOut = WaitersOut()


class StatusOut(BaseModel):
    """Queues, daemons, gate."""

    gate: list[GateOut]
    queues: list[QueueOut]
    daemons: list[DaemonOut]


class WorkOut(BaseModel):
    """Work that was enqueued."""

    document_id: int
    stage: str
    jobs: int
    url: str


class ErrorBody(BaseModel):
    """What went wrong, as a stable code, a sentence, and what to do."""

    code: str
    message: str
    hint: str


class ErrorOut(BaseModel):
    """Every error of this server."""

    error: ErrorBody


def shown(problems: Sequence[Any]) -> str:
    """Write a validation's problems as one sentence, without the values, which may be anything."""
    parts = []
    for problem in problems:
        place = ".".join(str(part) for part in problem["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place}: {words_of(problem)}" if place else words_of(problem))
    return "; ".join(parts).encode(errors="replace").decode()
