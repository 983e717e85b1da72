"""Documents over HTTP: what there is, how far each is on its way into search, and the verbs on one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from db.rows import DocumentRow, InboxState
from db.summary_rows import SummaryRow
from db.web_rows import ArrivingFile, DocumentJob, NewRow
from services.document.life import fill_law_version
from services.kit.errors import RequestError
from services.web.context import OWNER, Web, WebPort
from services.web.document_wire import DocumentPatch
from services.web.errors import not_found
from services.web.life import deleted_documents
from services.web.urls import document_url
from services.web.wire import ArrivingOut, DocumentNumber, DocumentOut, DocumentsOut, Label, WorkOut

HIDDEN = ("news", "law_monitor", "note")
"""Kinds that a list leaves out until one is asked for."""
UNREAD = ("pending", "processing", "failed")
"""States of a file that is no document yet."""
LOOK_AMONG = 200
MOST_ARRIVING = 20


def status_of(row: DocumentRow, jobs: Sequence[DocumentJob]) -> str:
    """Say how far a document is: `completed` when search serves it, else what became of the stage before."""
    if row.corpus_version > 0:
        return "completed"
    return "failed" if _failure(jobs) else "processing"


def _failure(jobs: Sequence[DocumentJob]) -> DocumentJob | None:
    return next((job for job in jobs if job.status == "failed"), None)


def _shown(row: DocumentRow, jobs: Sequence[DocumentJob] = ()) -> DocumentOut:
    failure = _failure(jobs)
    return DocumentOut(
        id=row.id,
        status=status_of(row, jobs),
        title=row.title,
        filename=row.filename,
        url=document_url(row.id),
        created_at=row.created_at,
        collection=row.collection,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        page_count=row.page_count,
        language=row.language,
        material_type=row.material_type,
        jurisdiction=row.jurisdiction,
        published_date=row.published_date,
        license=row.extract_meta.get("license"),
        ai_summary=row.ai_summary,
        updated_at=row.updated_at,
        series=row.series,
        effective_date=row.effective_date,
        version_status=row.version_status,
        reading=row.reading,
        unread_pages=row.unread_pages,
        error_code=failure.error_code if failure else None,
        error_message=failure.error_message if failure else None,
    )


def _expected(document_id: int, state: InboxState) -> DocumentOut:
    """Show a file that is to become a document, under the number set aside for it."""
    name = state.name.rpartition("/")[2]
    return DocumentOut(
        id=document_id,
        status=state.status,
        title=name,
        filename=name,
        url=document_url(document_id),
        created_at=state.created_at,
        error_code=state.error_code,
        error_message=state.error_message,
    )


async def list_documents(
    web: WebPort,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[DocumentNumber | None, Query()] = None,
    material_type: Annotated[Label | None, Query()] = None,
    collection: Annotated[Label | None, Query()] = None,
    deleted: bool = False,
) -> DocumentsOut:
    """List documents, newest first; kinds that come in masses (news, law_monitor, note) only when asked for.

    With `deleted` those that can be restored, and no others.
    """
    values = {"material_type": material_type or None, "collection": collection or None, "before": before}
    if deleted:
        return await deleted_documents(web, limit, values)
    rows = await web.db.many(
        DocumentRow, "list_documents", user_id=OWNER, hidden=list(HIDDEN), most=limit + 1, **values
    )
    return DocumentsOut(
        documents=[_shown(row) for row in rows[:limit]],
        next=rows[limit - 1].id if len(rows) > limit else None,
        arriving=[] if before else await _arriving(web),
    )


async def _arriving(web: Web) -> list[ArrivingOut]:
    rows = await web.db.many(ArrivingFile, "arriving_files", user_id=OWNER, among=LOOK_AMONG, most=MOST_ARRIVING)
    return [
        ArrivingOut(
            inbox_id=row.inbox_id,
            document_id=row.document_id,
            name=row.name.rpartition("/")[2],
            status=row.status,
            error_code=row.error_code,
            error_message=row.error_message,
            created_at=row.created_at,
        )
        for row in rows
    ]


async def living(document_id: int, web: Web) -> DocumentRow:
    """Give a living document.

    Raises:
        RequestError: there is none.
    """
    row = await web.db.one(DocumentRow, "document", id=document_id)
    if row is None:
        raise not_found(f"document {document_id}")
    return row


async def read_document(document_id: DocumentNumber, web: WebPort) -> DocumentOut:
    """Give a document, or how the reading of its file stands."""
    row = await web.db.one(DocumentRow, "document", id=document_id)
    state = None if row else await web.db.one(InboxState, "inbox_of_document", document_id=document_id)
    if state is not None and state.status in UNREAD:
        return _expected(document_id, state)
    row = row or await living(document_id, web)  # a file may have become a document between the two looks
    shown = _shown(row, await web.db.many(DocumentJob, "jobs_of_document", document_id=document_id))
    summary = await web.db.one(SummaryRow, "summary_of_document", id=row.id)
    meta = summary.ai_meta if summary is not None else {}
    return shown.model_copy(update={"summary_by": meta.get("summary_by"), "analysis": meta.get("deep")})


async def patch_document(document_id: DocumentNumber, said: DocumentPatch, web: WebPort) -> DocumentOut:
    """Set fields of a document; what a person set is changed by no reading, no rule and no model."""
    number = await web.db.value("set_document_fields", id=document_id, fields=said.fields())
    if number is None:
        raise not_found(f"document {document_id}")
    if said.material_type == "law":
        await fill_law_version(number, web.db)
    return await read_document(number, web)


async def retry_document(document_id: DocumentNumber, web: WebPort) -> WorkOut:
    """Try again what failed: the reading of the file, or the stages after it."""
    state = await web.db.one(InboxState, "inbox_of_document", document_id=document_id)
    if state is not None and state.status in UNREAD:
        return await _retried(web, document_id, "ingest", "retry_inbox", ids=[state.inbox_id])
    await living(document_id, web)
    jobs = await web.db.many(DocumentJob, "jobs_of_document", document_id=document_id)
    failed = [job for job in jobs if job.status == "failed"]
    stages, ids = ",".join(job.stage for job in failed), [job.id for job in failed]
    return await _retried(web, document_id, stages, "retry_document_jobs", stage=None, ids=ids)


async def _retried(web: Web, document_id: int, stages: str, name: str, **values: object) -> WorkOut:
    """Run a statement that makes failed rows anew: it leaves out what is not failed, or is being tried already."""
    made = await web.db.many(NewRow, name, code=None, **values)
    if not made:
        raise RequestError(409, "nothing_failed", "Nothing of this document has failed, or it is being tried already.")
    return WorkOut(document_id=document_id, stage=stages, jobs=len(made), url=document_url(document_id))
