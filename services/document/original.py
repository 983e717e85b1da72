"""The file that a document was read from, found again: as it was uploaded, or where it lies if it is still the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from db.rows import KnownFile
from services.document.source import sha256_of
from services.kit.settings import MIB
from services.tools import Tools

SLICE_BYTES = 4 * MIB


@asynccontextmanager
async def original(document_id: int, sha256: str, tools: Tools) -> AsyncIterator[Path | None]:
    """Give the path of a document's file for as long as the body runs, None when it has changed or gone everywhere.

    What the database holds is laid out in a temporary file: who draws page after page reads only what it needs.
    """
    size = await tools.db.value("stored_size", sha256=sha256)
    if size is None:
        yield await _unchanged(document_id, sha256, tools)
        return
    async with anyio.NamedTemporaryFile(prefix="seodang-") as file:
        for first in range(1, size + 1, SLICE_BYTES):
            await file.write(await tools.db.value("stored_slice", sha256=sha256, first=first, length=SLICE_BYTES))
        await file.flush()
        yield Path(str(file.name))


async def _unchanged(document_id: int, sha256: str, tools: Tools) -> Path | None:
    for known in await tools.db.many(KnownFile, "document_paths", document_id=document_id):
        path = Path(known.path)
        try:
            if await anyio.to_thread.run_sync(sha256_of, path) == sha256:
                return path
        except OSError:  # gone, or not ours to read: it may lie elsewhere
            continue
    return None
