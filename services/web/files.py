"""The original file of a document, byte for byte: from the database where it was uploaded, else from where it lies."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.to_thread
from fastapi import Response
from starlette.responses import FileResponse, StreamingResponse

from db.rows import DocumentRow, KnownFile
from services.kit.errors import RequestError
from services.kit.settings import MIB
from services.web.context import Web, WebPort
from services.web.documents import living
from services.web.wire import DocumentNumber

SLICE_BYTES = 4 * MIB
PDF = "application/pdf"
SHOWN = frozenset({PDF, "text/plain", "text/markdown"})
"""Kinds that a browser may show; all others are downloads, so that nobody's HTML or SVG runs under our name."""


async def read_file(document_id: DocumentNumber, web: WebPort) -> Response:
    """Send a document's original."""
    row = await living(document_id, web)
    headers = _headers(row)
    size = await web.db.value("stored_size", sha256=row.sha256)
    if size is not None:
        headers["Content-Length"] = str(size)
        return StreamingResponse(_slices(row.sha256, size, web), headers=headers, media_type=_media_type(row))
    path = await _unchanged_path(row, web)
    return FileResponse(path, headers=headers, media_type=_media_type(row))


async def _slices(sha256: str, size: int, web: Web) -> AsyncGenerator[bytes, None]:
    for first in range(1, size + 1, SLICE_BYTES):
        yield await web.db.value("stored_slice", sha256=sha256, first=first, length=SLICE_BYTES)


async def _unchanged_path(row: DocumentRow, web: Web) -> Path:
    """Find a place where the file still is as it was read.

    Raises:
        RequestError: it has changed or gone everywhere.
    """
    for known in await web.db.many(KnownFile, "document_paths", document_id=row.id):
        if await anyio.to_thread.run_sync(_unchanged, known):
            return Path(known.path)
    message = "The file has moved or changed since it was read; its text is here all the same."
    raise RequestError(410, "file_gone", message, "Put it back, or add it again.")


def _unchanged(known: KnownFile) -> bool:
    try:
        status = os.stat(known.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (known.size_bytes, known.modified_ns)


def _headers(row: DocumentRow) -> dict[str, str]:
    headers = {"Content-Disposition": disposition(row.media_type in SHOWN, row.filename), "Cache-Control": "private"}
    # Chromium's PDF viewer does not start in a sandbox; a PDF's own scripts never run in our origin.
    return headers if row.media_type == PDF else {**headers, "Content-Security-Policy": "sandbox; default-src 'none'"}


def _media_type(row: DocumentRow) -> str:
    """Name the kind; text of unknown encoding is left to the browser, and Markdown is shown as the text it is."""
    return "text/plain" if row.media_type == "text/markdown" else row.media_type


def disposition(shown: bool, filename: str) -> str:
    """Write Content-Disposition with the name in both forms of RFC 6266: plain ASCII, and UTF-8 per RFC 5987."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in filename)
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"
