"""Rows of the stage that reads pictures of pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentToRecognise:
    """A document whose file is looked for."""

    id: int
    filename: str
    sha256: str
    pages_version: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """A page's number, counted from 1."""

    number: int
