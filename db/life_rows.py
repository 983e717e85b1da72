"""Rows of documents that were deleted or restored, and of the versions of laws (db/sql/life.sql)."""

from dataclasses import dataclass
from datetime import date, datetime

from db.rows import Json


@dataclass(frozen=True, slots=True)
class DeletedDocument:
    """A document that can be restored or purged; `deleted_why` is user or file_gone, None when SQL did it by hand."""

    id: int
    title: str
    filename: str
    collection: str
    media_type: str
    size_bytes: int
    page_count: int
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    extract_meta: Json
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime
    deleted_why: str | None


@dataclass(frozen=True, slots=True)
class Restored:
    """How a restoration went: restored, alive, content_elsewhere (there is `document_id`), nothing_kept."""

    document_id: int
    verdict: str


@dataclass(frozen=True, slots=True)
class LawStatus:
    """Which version of its law a document is: current, superseded, future; None where its date is not known."""

    document_id: int
    version_status: str | None
