"""The life of a document after its reading: its law's versions, and the end of what was deleted long ago.

In: documents that were read, the clock. Out: writes for the stages, and purges. Deleting and restoring are statements
of db/sql/life.sql, which any client may call.
"""

from collections.abc import Iterable, Mapping

from db.pool import Database
from db.rows import DocumentRow
from services.kit.log import Event, get_logger
from services.kit.outcome import Write
from services.text.law import HEAD_CHARS, law_version
from services.tools import Tools

log = get_logger()

PURGED_AT_ONCE = 20
"""The rest follows at the next look, `queue.look_s` later: a statement of the upkeep stays under a second."""


def head_of(pages: Iterable[Mapping[str, object]]) -> str:
    """Join the `text` of a document's first pages, as far as a law says there which version it is."""
    head = ""
    for page in pages:
        if len(head) >= HEAD_CHARS:
            break
        head += f"{page['text']}\n"
    return head[:HEAD_CHARS]


def law_values(title: str, filename: str, head: str) -> Mapping[str, object]:
    """Give the arguments of `note_law_version`, but for the document's number."""
    version = law_version(title, filename, head)
    return {"series": version.series, "effective_date": version.effective_date, "number": version.number}


def law_write(document_id: int, title: str, filename: str, head: str) -> Write:
    """Write down which version of which law a document is; nothing happens to what is no law, or is known."""
    return Write.once("note_law_version", id=document_id, **law_values(title, filename, head))


async def fill_law_version(document_id: int, db: Database) -> None:
    """Read which version of which law a document is that has just been called a law."""
    row = await db.one(DocumentRow, "document", id=document_id)
    if row is not None:
        head = await db.value("head_of_document", id=row.id, chars=HEAD_CHARS) or ""
        await db.none("note_law_version", id=row.id, **law_values(row.title, row.filename, head))


async def purge_expired(tools: Tools) -> None:
    """Purge documents that were deleted more than `documents.purge_after_days` ago; 0 days purges none."""
    days = tools.settings.documents.purge_after_days
    if not days:
        return
    purged = await tools.db.value("purge_expired", days=days, most=PURGED_AT_ONCE)
    if purged:
        log.info(Event.DOCUMENTS_PURGED, documents=purged)
