"""From a chunk to what stands around it: the section it lies in, as a reader or a model wants it beside the passage.

In: a chunk's number. Out: the section's headings, and its text around the chunk, page by page, at places that can be
cited. The text is read from the pages: nothing is stored twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from db.pool import Database
from db.rows import PageText
from db.vector_rows import ChunkInSection

MAX_CHARS = 6000
"""Text around a chunk: five leaves of the longest kind, three to four printed pages."""
PAGES_AROUND = 10
"""Pages that are read before and after the chunk's; a section of more is cut there, too."""
BORDER_CHARS = 100
"""A cut within a text goes to the next blank, when one is as near as that."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a page: its text from `start` to `end`."""

    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """A chunk's section: `path` is "" outside of any; `whole` says that nothing of it is left out."""

    chunk_id: int
    document_id: int
    title: str
    path: str
    passages: tuple[Passage, ...]
    whole: bool


async def context_of(db: Database, chunk_id: int, user_id: int, max_chars: int = MAX_CHARS) -> Context | None:
    """Give the section around a chunk, of a section the section itself, at most `max_chars` characters.

    Returns:
        None where the user has no such chunk in a living document. A chunk that is in no section has its document
        around it; one of before there were sections its page.
    """
    found = await db.one(ChunkInSection, "chunk_in_section", chunk_id=chunk_id, user_id=user_id)
    if found is None:
        return None
    first = max(found.section_page, found.page_number - PAGES_AROUND)
    last = min(found.section_end_page, found.page_number + PAGES_AROUND)
    asked = {"document_id": found.document_id, "version": found.version, "first": first, "last": last}
    section = _section(found, await db.many(PageText, "pages_between", **asked))
    passages = around(section, found.page_number, found.start_char, found.end_char, max_chars)
    read_all = (first, last) == (found.section_page, found.section_end_page)
    whole = read_all and _chars(passages) == _chars(section)
    return Context(found.chunk_id, found.document_id, found.title, found.path, tuple(passages), whole)


def _chars(passages: Sequence[Passage]) -> int:
    return sum(passage.end - passage.start for passage in passages)


def _section(found: ChunkInSection, pages: Sequence[PageText]) -> list[Passage]:
    """Cut the pages at the section's borders; a chunk that begins before its heading is in it all the same."""
    section = []
    for page in pages:
        start, end = 0, len(page.text)
        if page.number == found.section_page:
            start = found.section_start
        if page.number == found.section_end_page and found.section_end is not None:
            end = found.section_end
        if page.number == found.page_number:
            start, end = min(start, found.start_char), max(end, found.end_char)
        section.append(Passage(page.number, start, end, page.text[start:end]))
    return section


def around(section: Sequence[Passage], page: int, start: int, end: int, max_chars: int) -> list[Passage]:
    """Cut a section down to what stands nearest to a place in it, as much before as after where both have so much.

    Args:
        section: its parts, in reading order.
        page, start, end: the place, which is kept to `max_chars` characters itself.
    """
    before = sum(each.end - each.start for each in section if each.page < page)
    before += sum(start - each.start for each in section if each.page == page)
    length = min(end - start, max_chars)
    room, after = max_chars - length, _chars(section) - before - length
    taken_before = min(before, max(room // 2, room - after))
    first = before - taken_before
    return _cut(section, first, first + taken_before + length + min(after, room - taken_before))


def _cut(section: Sequence[Passage], first: int, last: int) -> list[Passage]:
    """Give the characters `first` to `last` of a section, counted over its parts."""
    parts, base = [], 0
    for each in section:
        length = each.end - each.start
        start, end = max(first - base, 0), min(last - base, length)
        base += length
        if start < end:
            start, end = _at_blanks(each.text, start, end)
            parts.append(Passage(each.page, each.start + start, each.start + end, each.text[start:end]))
    return parts


def _at_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    """Move borders that lie in the text to the nearest blank inwards."""
    if start > 0:
        blank = next((at for at in range(start, min(start + BORDER_CHARS, end)) if text[at - 1].isspace()), start)
        start = blank
    if end < len(text):
        end = next((at for at in range(end, max(end - BORDER_CHARS, start), -1) if text[at].isspace()), end)
    return start, end
