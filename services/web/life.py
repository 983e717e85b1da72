"""The end of a document over HTTP: it is deleted, listed among the deleted, brought back, or removed for good."""

from collections.abc import Mapping

from fastapi import Response

from db.life_rows import DeletedDocument, Restored
from db.rows import InboxState
from services.kit.errors import RequestError
from services.web.context import OWNER, Web, WebPort
from services.web.errors import not_found
from services.web.urls import document_url
from services.web.wire import DocumentNumber, DocumentOut, DocumentsOut, TicketOut


async def deleted_documents(web: Web, limit: int, values: Mapping[str, object]) -> DocumentsOut:
    """List the documents that can be restored, newest first; `values` are filters as of `list_documents`."""
    rows = await web.db.many(DeletedDocument, "list_deleted_documents", user_id=OWNER, most=limit + 1, **values)
    more = rows[limit - 1].id if len(rows) > limit else None
    return DocumentsOut(documents=[_shown(row) for row in rows[:limit]], next=more, arriving=[])


def _shown(row: DeletedDocument) -> DocumentOut:
    return DocumentOut(
        id=row.id,
        status="deleted",
        title=row.title,
        filename=row.filename,
        url=document_url(row.id),
        created_at=row.created_at,
        collection=row.collection,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        page_count=row.page_count,
        material_type=row.material_type,
        jurisdiction=row.jurisdiction,
        published_date=row.published_date,
        license=row.extract_meta.get("license"),
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        deleted_why=row.deleted_why,
    )


async def delete_document(document_id: DocumentNumber, web: WebPort, purge: bool = False) -> Response:
    """Take a document out of list, search and answers; it can be restored. With `purge` it is removed for good."""
    if await web.db.value("purge_document" if purge else "delete_document", id=document_id):
        return Response(status_code=204)
    state = await web.db.one(InboxState, "inbox_of_document", document_id=document_id)
    if state is not None and state.status in ("pending", "processing"):
        raise RequestError(409, "still_reading", "The file is being read.", "Delete it when that has ended.")
    raise not_found(f"document {document_id}")


async def restore_document(document_id: DocumentNumber, web: WebPort) -> TicketOut:
    """Bring a deleted document back, under its number; it is found again when its chunks are made."""
    found = await web.db.one(Restored, "restore_document", id=document_id)
    if found is None:
        raise not_found(f"document {document_id}")
    url = document_url(found.document_id)
    if found.verdict == "content_elsewhere":
        message = f"The same content is document {found.document_id} now."
        raise RequestError(409, "content_elsewhere", message, f"Use that one: {url}")
    if found.verdict == "nothing_kept":
        raise RequestError(409, "nothing_kept", "Nothing of this document was kept.", "Add its file again.")
    status = "completed" if found.verdict == "alive" else "processing"
    return TicketOut(inbox_id=None, document_id=found.document_id, url=url, status=status)
