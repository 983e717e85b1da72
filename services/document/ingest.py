"""First step of a document: from a row of `inbox` to pages.

In: a path or content. Out: the writes that make, change, restore or merely confirm a document; `embed` follows where
there are new pages. Refuses what cannot be read, with the reader's code and a sentence for the user.
"""

import json
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from db.jobs import Job
from db.rows import DocumentKey, InboxRow
from services.document.filing import Labels, labels_of
from services.document.life import head_of, law_write
from services.document.recognisers import remedy
from services.document.source import FileSource, open_source
from services.formats.page import FormatError, Header, Heading, Line, Page
from services.kit.outcome import Completed, Failed, Outcome, Skipped, Write
from services.kit.stage import single
from services.tools import Tools


async def read_inbox(job: Job, tools: Tools) -> Outcome:
    """Read one file of the inbox."""
    row = await tools.db.one(InboxRow, "inbox_row", id=job.id)
    if row is None:
        return Skipped("file_missing", "The row was removed before it was read.")
    try:
        source = await open_source(row, tools)
    except FileNotFoundError:
        return Skipped("file_missing", f"The file was gone before it was read: {row.path}")
    except OSError as error:
        return Failed("unreadable", f"The file cannot be opened ({error.strerror}): check its rights. {row.path}")
    return await _file(row, source, tools)


run = single(read_inbox)


async def _file(row: InboxRow, source: FileSource, tools: Tools) -> Outcome:
    at_path = await _document_at(row, tools)
    same = await tools.db.one(DocumentKey, "document_of_content", sha256=source.sha256, user_id=row.user_id)
    labels = labels_of(row, tools.settings.ingest.rules, tools.settings.inbox_dir)
    if same is not None and not same.deleted:
        return _confirm(row, source, same, at_path, labels)
    if same is not None and same.deleted_by_person and row.watched:
        return _leave_deleted(row, source, same, at_path)
    target = same or _changed_in_place(at_path)
    document_id = target.id if target else await _number_for(row, tools)
    version = (target.pages_version if target else 0) + 1
    return await _read(row, source, tools, Reading(document_id, version, labels, at_path))


async def _document_at(row: InboxRow, tools: Tools) -> DocumentKey | None:
    if row.path is None:
        return None
    return await tools.db.one(DocumentKey, "document_at_path", path=row.path, user_id=row.user_id)


def _changed_in_place(at_path: DocumentKey | None) -> DocumentKey | None:
    """A changed file keeps its document, unless the former content still lies somewhere else."""
    return at_path if at_path is not None and at_path.other_places == 0 else None


async def _number_for(row: InboxRow, tools: Tools) -> int:
    return row.document_id or int(await tools.db.value("new_document_id"))


def _confirm(
    row: InboxRow, source: FileSource, same: DocumentKey, at_path: DocumentKey | None, labels: Labels
) -> Outcome:
    """The content is there already: note where else it lies. Deleted meanwhile, it is looked for again."""
    held = Write.once("hold_document", id=same.id)
    known = (_fill(same.id, labels), law_write(same.id, Path(source.filename).stem, source.filename, ""))
    return Completed((held, *known, *_ending(row, source, same.id), *_letting_go(at_path, same.id)))


def _leave_deleted(row: InboxRow, source: FileSource, same: DocumentKey, at_path: DocumentKey | None) -> Outcome:
    """What a person deleted does not come back because its file was touched, moved or copied: only when asked for."""
    held = Write.once("hold_deleted_document", id=same.id)
    message = f"This content was deleted by a person: `seodang document restore {same.id}` brings it back."
    writes = (held, *_ending(row, source, same.id), *_letting_go(at_path, same.id))
    return Skipped("deleted_by_person", message, writes)


def _letting_go(at_path: DocumentKey | None, document_id: int) -> tuple[Write, ...]:
    """What lay at the path before, and lies nowhere else, goes when another document's content lies there now."""
    if at_path is None or at_path.id == document_id or at_path.other_places > 0:
        return ()
    return (Write.once("let_go_document", id=at_path.id),)


def _fill(document_id: int, labels: Labels) -> Write:
    return Write.once(
        "fill_document_fields",
        id=document_id,
        material_type=labels.material_type,
        jurisdiction=labels.jurisdiction,
        published_date=labels.published_date,
        extract_meta=labels.extract_meta,
        series=labels.series,
    )


def _ending(row: InboxRow, source: FileSource, document_id: int) -> list[Write]:
    writes = [Write.once("tell_inbox_document", id=row.id, document_id=document_id)]
    if row.path is None:
        return [*writes, Write.once("keep_content", id=row.id)]
    place = {"path": row.path, "size_bytes": source.size_bytes, "modified_ns": source.modified_ns}
    return [*writes, Write.once("point_path", document_id=document_id, filename=source.filename, **place)]


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a file: the document's number, the version of its pages, what its place says about it.

    `at_path` is the document that lay at the path before.
    """

    document_id: int
    version: int
    labels: Labels
    at_path: DocumentKey | None


async def _read(row: InboxRow, source: FileSource, tools: Tools, reading: Reading) -> Outcome:
    header, pages = Header("", ""), []
    try:
        async with aclosing(tools.reader.stream(source.content, source.filename)) as items:
            async for item in items:
                if isinstance(item, Header):
                    header = item
                else:
                    pages.append(_page_values(item, reading))
    except FormatError as error:
        return Failed(error.code, str(error))
    unread = [page for page in pages if page["origin"] == "unread"]
    only_pictures = bool(unread) and not any(page["text"] for page in pages)
    recognisable = bool(unread) and tools.recogniser is not None and drawable(header.media_type)
    if only_pictures and not recognisable:
        return _only_pictures(header.media_type, str(unread[0]["note"]), remedy(tools.settings.ocr))
    document = _document_values(row, source, reading, header, len(pages))
    return Completed(
        (
            *_before_changing(reading),
            Write.once("save_document", **document),
            Write("insert_page", tuple(pages)),
            Write.once("save_extracted_text", id=reading.document_id, version=reading.version),
            law_write(reading.document_id, str(document["title"]), source.filename, head_of(pages)),
            *_ending(row, source, reading.document_id),
            *_letting_go(reading.at_path, reading.document_id),
            *((Write.once("enqueue_document_job", subject=reading.document_id, stage="ocr"),) if recognisable else ()),
        ),
        # Of pictures alone there is nothing to embed before they are read; `ocr` hands the document on.
        subject=None if only_pictures else reading.document_id,
    )


def drawable(media_type: str) -> bool:
    """Say whether pages of such a file can be drawn, and so recognised from the drawing."""
    return media_type == "application/pdf" or media_type.startswith("image/")


def _before_changing(reading: Reading) -> tuple[Write, ...]:
    """Ask for the embedding of a known document before its row is locked: whoever embeds takes its job's row first."""
    return (Write.once("request_embedding", document_id=reading.document_id),) if reading.version > 1 else ()


def _only_pictures(media_type: str, note: str, helps: str) -> Failed:
    """Refuse what nobody here can read, with what would help; the row can be retried once that is done."""
    todo = f"{helps} and retry."
    if media_type.startswith("image/"):
        return Failed("unsupported_format", f"This is a picture; to have its text recognised, {todo}")
    if drawable(media_type):
        return Failed("empty", f"The PDF has no text, it is probably a scan and needs OCR: {todo}")
    return Failed("empty", note or "The file holds no text; if it holds pictures of it, print it to PDF and add that.")


def _page_values(page: Page, reading: Reading) -> dict[str, object]:
    return {
        "document_id": reading.document_id,
        "version": reading.version,
        "number": page.number,
        "label": page.label,
        "text": page.text,
        "lines": lines_json(page.lines) if page.lines else None,
        "origin": page.origin,
        "note": page.note,
        "headings": headings_json(page.headings) if page.headings else None,
    }


def lines_json(lines: tuple[Line, ...]) -> str:
    """Write the places of a page's lines in the form of document_pages.lines."""
    values = [{"s": line.start, "e": line.end, "y0": line.y0, "y1": line.y1, "x": line.x} for line in lines]
    return json.dumps(values, separators=(",", ":"))


def headings_json(headings: tuple[Heading, ...]) -> str:
    """Write the sections that begin on a page in the form of document_pages.headings."""
    return json.dumps([asdict(heading) for heading in headings], ensure_ascii=False, separators=(",", ":"))


def _document_values(
    row: InboxRow, source: FileSource, reading: Reading, header: Header, page_count: int
) -> dict[str, object]:
    labels = reading.labels
    return {
        "id": reading.document_id,
        "user_id": row.user_id,
        "collection": labels.collection,
        "title": header.title or Path(source.filename).stem,
        "filename": source.filename,
        "media_type": header.media_type,
        "sha256": source.sha256,
        "size_bytes": source.size_bytes,
        "page_count": page_count,
        "pages_version": reading.version,
        "material_type": labels.material_type,
        "jurisdiction": labels.jurisdiction,
        "published_date": labels.published_date,
        "extract_meta": labels.extract_meta,
        "series": labels.series,
    }
