"""Rows that only commands ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnfinishedFile:
    """A file that is not searchable yet."""

    id: int
    name: str
    status: str
    error_code: str | None
    error_message: str | None


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
class ServerFacts:
    """What doctor shows of the server."""

    server_version: str
    vector_version: str | None
    database_bytes: int
    documents: int
    chunks: int
    oldest_transaction_s: float | None
