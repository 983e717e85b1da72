"""Where a file's bytes are: at a path the daemon can read, or in the row itself."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from db.rows import InboxRow
from services.text.normalise import normalise
from services.tools import Tools


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file as the reader takes it, with the marks by which it is known again; `modified_ns` is 0 without a path."""

    content: Path | bytes
    filename: str
    sha256: str
    size_bytes: int
    modified_ns: int


async def open_source(row: InboxRow, tools: Tools) -> FileSource:
    """Find the bytes of a row.

    Raises:
        OSError: the path cannot be read.
    """
    if row.path is not None:
        path = Path(row.path)
        name = row.filename or path.name
        return await anyio.to_thread.run_sync(_at_path, path, shown_name(name))
    content: bytes = await tools.db.value("inbox_content", id=row.id)
    name = shown_name(row.filename or "document")
    return FileSource(content, name, row.sha256 or "", len(content), 0)


def shown_name(name: str) -> str:
    """Give a file name as people type it: composed Hangul (macOS hands it decomposed), no control characters."""
    safe = os.fsencode(name).decode("utf-8", errors="replace")
    return normalise(safe).replace("\n", " ").strip() or "document"


def _at_path(path: Path, name: str) -> FileSource:
    status = path.stat()
    return FileSource(path, name, sha256_of(path), status.st_size, status.st_mtime_ns)


def sha256_of(path: Path) -> str:
    """Give the hash of a file's content in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
