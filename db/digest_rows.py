"""Rows of the daily digest."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A digest to be made: of what came in after `since` until `slot`, and after `reach` where nothing told of it.

    `age_s` is the time since the slot by the database's clock.
    """

    id: int
    user_id: int
    slot: datetime
    since: datetime
    reach: datetime
    age_s: float


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document that came in."""

    id: int
    restricted: bool


@dataclass(frozen=True, slots=True)
class DigestDocument:
    """What a digest may say of a document; `head` begins the page numbered `page`."""

    id: int
    title: str
    collection: str
    material_type: str | None
    language: str | None
    published_date: date | None
    created_at: datetime
    summary: str | None
    page: int
    head: str


@dataclass(frozen=True, slots=True)
class MadeDigest:
    """A digest as `seodang digest` lists it; `document_id` is the document that it became or will become."""

    id: int
    slot: datetime
    since: datetime | None
    status: str
    documents: int | None
    restricted: int | None
    document_id: int | None
    model: str | None
    error_code: str | None
    error_message: str | None
    run_at: datetime | None
