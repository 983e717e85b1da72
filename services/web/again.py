"""An ask later on: whether what it cites still reads so, and the same question asked again.

In: the number of an ask. Out: what changed since it was answered; a new row for the same question, which is worked out
anew whatever was kept of an earlier answer. Refuses numbers that no ask has.
"""

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse

from db.ask_rows import ChangedCitation
from db.rows import AskRow
from services.web.context import Web, WebPort
from services.web.errors import not_found
from services.web.urls import ask_url
from services.web.wire import DocumentNumber


async def staleness(row: AskRow, web: Web) -> dict[str, Any]:
    """Say whether a document that an answer cites was deleted, restricted or changed where it is cited, and which."""
    if row.completed_at is None or not row.citations:
        return {"stale": False, "changed": []}
    changed = await web.db.many(ChangedCitation, "changed_since", ask_id=row.id)
    return {"stale": bool(changed), "changed": [asdict(each) for each in changed]}


async def ask_again(ask_id: DocumentNumber, web: WebPort) -> JSONResponse:
    """Ask a question again as a new row; the reply says where its answer will be."""
    new = await web.db.value("ask_again", id=ask_id)
    if new is None:
        raise not_found(f"ask {ask_id}")
    reply = {"id": new, "again_of": ask_id, "status": "pending", "url": ask_url(new)}
    return JSONResponse(reply, 202, {"Location": ask_url(new)})
