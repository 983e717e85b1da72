"""Sections over HTTP: what a document is made of, and what stands around a chunk that was found."""

from typing import Annotated

from fastapi import Query

from db.vector_rows import SectionRow
from services.search.context import MAX_CHARS, Passage, context_of
from services.web.context import OWNER, WebPort
from services.web.documents import living
from services.web.errors import not_found
from services.web.outline_wire import ContextOut, OutlineOut, PassageOut, SectionOut
from services.web.urls import document_url, page_url
from services.web.wire import DocumentNumber

ChunkNumber = DocumentNumber
"""Both are numbers of rows."""


async def read_outline(document_id: DocumentNumber, web: WebPort) -> OutlineOut:
    """List the sections of a document, in reading order."""
    row = await living(document_id, web)
    sections = await web.db.many(SectionRow, "outline_of_document", document_id=row.id)
    shown = [_shown(row.id, section) for section in sections]
    return OutlineOut(document_id=row.id, title=row.title, url=document_url(row.id), sections=shown)


def _shown(document_id: int, section: SectionRow) -> SectionOut:
    return SectionOut(
        chunk_id=section.chunk_id,
        level=section.level,
        title=section.title,
        path=section.path,
        page=section.page_number,
        end_page=section.end_page,
        url=page_url(document_id, section.page_number),
    )


async def read_context(
    chunk_id: ChunkNumber, web: WebPort, max_chars: Annotated[int, Query(ge=1, le=10 * MAX_CHARS)] = MAX_CHARS
) -> ContextOut:
    """Give the section around a chunk, as much as is asked for."""
    found = await context_of(web.db, chunk_id, OWNER, max_chars)
    if found is None:
        raise not_found(f"chunk {chunk_id}")
    return ContextOut(
        chunk_id=found.chunk_id,
        document_id=found.document_id,
        title=found.title,
        path=found.path,
        passages=[_opened(found.document_id, passage) for passage in found.passages],
        whole=found.whole,
    )


def _opened(document_id: int, passage: Passage) -> PassageOut:
    return PassageOut(
        page=passage.page,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        url=page_url(document_id, passage.page, passage.start, passage.end),
    )
