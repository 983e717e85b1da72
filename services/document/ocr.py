"""The step for pages that are pictures: text by recognition, a few pages at a time.

In: jobs about documents with unread pages. Out: per job the writes that give pages their text, or the reason why they
have none; then the job's own stage again while pages are left, else `embed`. A page that cannot be made out keeps
nobody from the others, and is not tried again by the same recogniser.
"""

from collections.abc import Sequence
from pathlib import Path

from db.jobs import Job
from db.ocr_rows import DocumentToRecognise, UnreadPage
from services.document.ingest import lines_json
from services.document.original import original
from services.document.recognisers import remedy
from services.formats.page import FormatError
from services.formats.picture import Recognised, Unrecognised
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.kit.stage import single
from services.model.errors import ModelUnavailable
from services.tools import Recogniser, Tools

GONE = "The file has moved or changed since it was read: put it back, or add it again, and its pictures can be read."


async def enqueue_unread(tools: Tools) -> None:
    """Enqueue the documents with pages that the present recogniser has not tried."""
    if tools.recogniser is not None:
        await tools.db.none("enqueue_unread", recogniser=tools.recogniser.label)


async def recognise_document(job: Job, tools: Tools) -> Outcome:
    """Recognise the next unread pages of a document."""
    document = await tools.db.one(DocumentToRecognise, "document_to_recognise", job_id=job.id)
    if document is None or document.deleted:
        return Skipped("document_deleted", "The document was deleted before its pictures were read.")
    found = (Write.once("request_embedding", document_id=document.id),)  # what earlier jobs of the chain have read
    if tools.recogniser is None:
        return Skipped("no_recogniser", f"Nobody recognises text here: {remedy(tools.settings.ocr)}.", found)
    most = tools.settings.ocr.pages_at_once
    asked = {"document_id": document.id, "version": document.pages_version, "most": most + 1}
    pages = await tools.db.many(UnreadPage, "pages_to_recognise", recogniser=tools.recogniser.label, **asked)
    if not pages:
        return Skipped("nothing_unread", "Every page has been read, or tried.")
    async with original(document.id, document.sha256, tools) as path:
        if path is None:
            return Skipped("file_missing", GONE, found)
        return await _recognise(document, path, [page.number for page in pages], tools, tools.recogniser)


run = single(recognise_document)


async def _recognise(
    document: DocumentToRecognise, path: Path, pages: Sequence[int], tools: Tools, recogniser: Recogniser
) -> Outcome:
    most = tools.settings.ocr.pages_at_once
    rows: list[dict[str, object]] = []
    for number in pages[:most]:
        try:
            values = await _page(document, path, number, tools, recogniser)
        except ModelUnavailable as error:
            kept = _writes(document, rows) if rows else ()
            return Retry(error.code, str(error), error.after_s, error.counted, kept)
        where = {"document_id": document.id, "version": document.pages_version, "number": number}
        rows.append({**where, **values, "recogniser": recogniser.label})
    if len(pages) > most:
        more = Write.once("enqueue_document_job", subject=document.id, stage="ocr")
        return Completed((*_writes(document, rows), more))
    return Completed((Write.once("request_embedding", document_id=document.id), *_writes(document, rows)))


async def _page(
    document: DocumentToRecognise, path: Path, number: int, tools: Tools, recogniser: Recogniser
) -> dict[str, object]:
    try:
        picture = await tools.reader.draw(path, document.filename, number, recogniser.dpi, recogniser.max_pixels)
        read = await recogniser.recognise(picture)
    except (FormatError, Unrecognised) as error:
        note = f"This page could not be recognised: {error}"
        return {"text": "", "lines": None, "origin": "unread", "note": note}
    return _values(read)


def _values(read: Recognised) -> dict[str, object]:
    lines = lines_json(read.lines) if read.lines else None
    return {"text": read.text, "lines": lines, "origin": "ocr", "note": read.note}


def _writes(document: DocumentToRecognise, rows: Sequence[dict[str, object]]) -> tuple[Write, ...]:
    return (
        Write.once("lock_document", id=document.id),
        Write("save_recognised_page", tuple(rows)),
        Write.once("save_extracted_text", id=document.id, version=document.pages_version),
    )
