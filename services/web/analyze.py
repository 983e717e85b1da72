"""A person asks what a document says: its deep summary is made now, before what merely waits its turn.

In: a document's number. Out: the job and where to look, or with `?wait=true` the document with its summary. This
process makes none itself: it puts a row at the head of the line of the daemon `deep`, and hears when that has ended.
"""

from typing import Annotated

import anyio
from fastapi import Query
from starlette.responses import JSONResponse

from db.gate import Priority
from db.summary_rows import DeepJob
from services.kit.errors import RequestError
from services.model.errors import ModelUnavailable
from services.web.context import Web, WebPort
from services.web.documents import living, read_document
from services.web.urls import document_url
from services.web.wire import DocumentNumber, WorkOut

CHANNEL = "seodang_deep_events"
"""The daemon rings here when it has worked on a deep summary; see `tell_deep_ended` in db/sql/summaries.sql."""
STAGE = "deep"
LOOK_S = 2.0
"""The row is looked at this often without being told: a notification may be lost with its connection."""
FAILED = 502
"""As for an ask: this process did its part, the one behind it did not."""
WAITED = {"responses": {"200": {"description": "With `wait=true`: the document, with its summary and `analysis`."}}}
"""For OpenAPI."""


async def analyze_document(
    document_id: DocumentNumber, web: WebPort, wait: Annotated[bool, Query()] = False
) -> JSONResponse:
    """Have a document summarised in depth: one line, five points, what contradicts itself; `wait` waits for it."""
    row = await living(document_id, web)
    rings = web.deep_ended.rings
    values = {"urgency": int(Priority.FOREGROUND), "payload": {"asked_by": "person"}}
    job_id = int(await web.db.value("enqueue_deep", document_id=row.id, **values))
    job = await _waited(job_id, rings, web) if wait else None
    if job is None:
        work = WorkOut(document_id=row.id, stage=STAGE, jobs=1, url=document_url(row.id))
        return JSONResponse(work.model_dump(), 202, {"Location": work.url})
    _check(job)
    return JSONResponse((await read_document(row.id, web)).model_dump(mode="json"))


async def _waited(job_id: int, rings: int, web: Web) -> DeepJob | None:
    """Wait for a job's end, or until it is put off; None when that takes longer than a person is kept waiting."""
    with anyio.move_on_after(web.settings.answer.wait_s):
        while not web.hub.closed:
            job = await web.db.one(DeepJob, "deep_job", id=job_id)
            if job is None or job.status in ("completed", "failed", "skipped") or _is_put_off(job):
                return job
            await web.deep_ended.wait(rings, LOOK_S)
            rings = web.deep_ended.rings
    return None


def _is_put_off(job: DeepJob) -> bool:
    return job.status == "pending" and job.error_code == ModelUnavailable.job_code


def _check(job: DeepJob) -> None:
    """Let pass what has a summary.

    Raises:
        RequestError: there is none, or not yet.
    """
    message = job.error_message or "The document could not be summarised."
    if _is_put_off(job):
        raise RequestError(503, ModelUnavailable.job_code, message, "It is made when the model is back; look again.")
    if job.status == "skipped":
        raise RequestError(409, job.error_code or "skipped", message, "Add a document that has text.")
    if job.status == "failed":
        hint = "`seodang queue retry --stage deep` tries again."
        raise RequestError(FAILED, job.error_code or "unknown", message, hint)
