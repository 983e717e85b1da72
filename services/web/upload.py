"""Files over HTTP: a form in, rows of `inbox` out. The same content again answers what is there already.

A file is spooled to disk by the form's parser and read into memory once, for its INSERT, one at a time.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import anyio.to_thread
from fastapi import Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse

from db.locks import CONTENT
from db.pool import Session
from db.rows import DocumentKey, DocumentRow, InboxTicket
from services.kit.errors import RequestError
from services.kit.settings import MIB
from services.web.context import OWNER, Web, WebPort
from services.web.documents import status_of
from services.web.urls import document_url
from services.web.wire import Label, Shape, TicketOut, clean, shown

MAX_FILES = 1000
MAX_NAME_CHARS = 255

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "collection": {"type": "string", "default": "default"},
                        "material_type": {"type": "string"},
                        "jurisdiction": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""The form's description for OpenAPI; it is read by hand, so that its size is limited while it comes."""


class Labels(Shape):
    """What the uploader says about the files."""

    collection: Label = "default"
    material_type: Label | None = None
    jurisdiction: Label | None = None


async def upload(request: Request, web: WebPort) -> Response:
    """Take files in; each answers its place in the queue and the address that its document has, or will have."""
    async with request.form(max_files=MAX_FILES) as form:
        files, labels = _files(form), _labels(form)
        for file in files:
            _check_size(file, web)
        tickets = [await _take_in(file, labels, web) for file in files]
    status = 200 if all(ticket.inbox_id is None for ticket in tickets) else 202
    bodies = [ticket.model_dump() for ticket in tickets]
    return JSONResponse(bodies[0] if len(bodies) == 1 else bodies, status)


def _files(form: FormData) -> list[UploadFile]:
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
    if not files:
        raise RequestError(400, "no_file", "The form has no file.", "Send multipart/form-data with a field `file`.")
    return files


def _labels(form: FormData) -> Labels:
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str) and clean(value)}
    try:
        return Labels.model_validate(fields)
    except ValidationError as error:
        raise RequestError(400, "invalid_request", shown(error.errors())) from error


def _check_size(file: UploadFile, web: Web) -> None:
    most = web.settings.web.max_upload_mib
    if (file.size or 0) > most * MIB:
        raise RequestError(413, "too_large", f"A file may have {most} MiB.", "The setting is web.max_upload_mib.")
    if not file.size:
        raise RequestError(400, "empty", "The file is empty.")


async def _take_in(file: UploadFile, labels: Labels, web: Web) -> TicketOut:
    sha256 = await anyio.to_thread.run_sync(_sha256, file.file)
    async with web.taking_in, web.db.session() as session, session.transaction():
        await session.none("lock_content", lock=CONTENT, key=int(sha256[:8], 16) >> 1)
        return await _there(sha256, session) or await _insert(file, labels, session)


async def _insert(file: UploadFile, labels: Labels, session: Session) -> TicketOut:
    await file.seek(0)
    values = {"filename": _name(file.filename), "content": await file.read(), **labels.model_dump()}
    ticket = await session.one(InboxTicket, "insert_inbox_content", user_id=OWNER, **values)
    assert ticket is not None  # an INSERT … RETURNING gives its row, or raises
    return _ticket(ticket)


async def _there(sha256: str, session: Session) -> TicketOut | None:
    """Find the living document of that content, or an upload of it that is still on its way."""
    asked: Mapping[str, Any] = {"sha256": sha256, "user_id": OWNER}
    known = await session.one(DocumentKey, "document_of_content", **asked)
    row = await session.one(DocumentRow, "document", id=known.id) if known and not known.deleted else None
    if row is not None:
        return TicketOut(inbox_id=None, document_id=row.id, url=document_url(row.id), status=status_of(row, ()))
    active = await session.one(InboxTicket, "active_inbox_of_content", **asked)
    return _ticket(active) if active else None


def _ticket(row: InboxTicket) -> TicketOut:
    url = document_url(row.document_id)
    return TicketOut(inbox_id=row.inbox_id, document_id=row.document_id, url=url, status=row.status)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(MIB):
        digest.update(part)
    return digest.hexdigest()


def _name(given: str | None) -> str:
    """Give the last part of a file's name: browsers send folders along, some with backslashes."""
    return clean(PurePosixPath((given or "").replace("\\", "/")).name)[-MAX_NAME_CHARS:] or "document"
