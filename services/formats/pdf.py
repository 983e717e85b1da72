"""PDF -> pages with the place of every character, through PDFium; a few pages in memory at a time.

The text stays as PDFium gives it, line by line, but for what a reader would not read so: columns that were drawn line
by line (pdf_columns), headers and footers that repeat (pdf_furniture), words broken at the end of a line (pdf_join,
pdf_wrap). A page without text that shows something is "unread" (pdf_ink). PDFium is not thread-safe: one document at a
time in one process.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2

from services.formats.page import FormatError, Header, Page
from services.formats.pdf_columns import in_reading_order
from services.formats.pdf_furniture import without_furniture
from services.formats.pdf_ink import missing
from services.formats.pdf_join import joined
from services.formats.pdf_open import open_document, refusal
from services.formats.pdf_outline import Mark, headings_of, marks_of
from services.formats.pdf_rows import Row, rows_of
from services.formats.pdf_wrap import Wrapping, broken_inside_words
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import normalise

_WORTHLESS_TITLE = re.compile(r"\(?(untitled|anonymous|unspecified|제목 ?없음)\)?|.*[/\\].*", re.I)
_PRODUCER = re.compile(r"^Microsoft \w+ - |\.(docx?|hwpx?|pptx?|xlsx?|pdf|tex|dvi|indd)$", re.I)


@dataclass(slots=True)
class _Draft:
    """A page whose rows are not joined yet; `missing` says why it has no usable text."""

    number: int
    label: str
    rows: list[Row]
    missing: str
    marks: list[Mark]


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the pages in order; one that is a picture has no text and the origin "unread".

    Raises:
        FormatError: "encrypted"; "corrupt", also for a page that does not load; "empty": every page is blank.
    """
    document = open_document(source)
    try:
        yield Header(Family.PDF, _title(document))
        wrapping = Wrapping()
        drafts = without_furniture(_drafts(document, wrapping))
        yield from _not_blank(_page(draft, wrapping) for draft in drafts)
    except pypdfium2.PdfiumError as error:
        raise refusal(error) from error
    finally:
        document.close()


def _title(document: Any) -> str:
    raw = " ".join(normalise(document.get_metadata_value("Title")).split())
    title = _PRODUCER.sub("", _PRODUCER.sub("", raw))
    return "" if _WORTHLESS_TITLE.fullmatch(title) else title


def _not_blank(pages: Iterator[Page]) -> Iterator[Page]:
    """Hold blank pages back until one is not, so that an empty file is refused before anything is given."""
    waiting: list[Page] = []
    found = False
    for page in pages:
        found = found or bool(page.text.strip()) or page.origin == "unread"
        waiting.append(page)
        if found:
            yield from waiting
            waiting.clear()
    if not found:
        raise FormatError("empty", "Nothing is written on any page of the PDF; check that it is the right file.")


def _drafts(document: Any, wrapping: Wrapping) -> Iterator[_Draft]:
    marks = marks_of(document)
    for index in range(len(document)):
        draft = _draft(document, index, marks.pop(index, []))
        wrapping.see(draft.rows)
        yield draft


def _draft(document: Any, index: int, marks: list[Mark]) -> _Draft:
    page = document[index]
    try:
        characters, rows = rows_of(page)
        why = missing(page, characters)
    finally:
        page.close()
    label = normalise(document.get_page_label(index)) or str(index + 1)
    return _Draft(index + 1, label, [] if why else in_reading_order(rows), why, marks)


def _page(draft: _Draft, wrapping: Wrapping) -> Page:
    if draft.missing:
        headings = headings_of(draft.marks, [], [0])
        return Page(draft.number, draft.label, "", (), "unread", draft.missing, headings)
    inside_words = broken_inside_words(draft.rows) if wrapping.inside_words else frozenset()
    whole = joined(draft.rows, inside_words)
    headings = headings_of(draft.marks, draft.rows, whole.starts)
    return Page(draft.number, draft.label, whole.text, whole.lines, headings=headings)
