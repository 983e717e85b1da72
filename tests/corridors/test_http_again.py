"""An ask later on, over HTTP: whether what it cites still reads so, and the same question asked again."""

from typing import Any

import anyio
import httpx
import pytest

from db.pool import Database
from tests.corridors.http_fixtures import Synthesis, api, row_of, synthesis

__all__ = ["api", "synthesis"]
pytestmark = pytest.mark.anyio

TEXT = "점검 지침. 안전밸브는 1.2 MPa에서 열린다. 기록은 3년간 보관한다."
QUOTE = "안전밸브는 1.2 MPa에서 열린다."
ANSWER = "1.2 MPa에서 열립니다 [1]."


async def cited(pool: Database, title: str = "점검 지침", quote: str = QUOTE) -> dict[str, Any]:
    """Make a document of one page, and give a citation of it."""
    insert = """
        INSERT INTO documents (title, filename, media_type, sha256, size_bytes, pages_version, corpus_version)
        VALUES ($1, 'a.md', 'text/markdown', encode(sha256(convert_to($1, 'UTF8')), 'hex'), 1, 1, 1) RETURNING id"""
    document_id = (await row_of(pool, insert, title))["id"]
    page = "INSERT INTO document_pages (document_id, version, number, label, text) VALUES ($1, 1, 2, '2', $2)"
    await row_of(pool, page, document_id, TEXT)
    start = TEXT.index(quote)
    span = {"page": 2, "quote": quote, "start": start, "end": start + len(quote), "text": TEXT}
    url = f"/api/documents/{document_id}/pages/2"
    return {"n": 1, "document_id": document_id, "chunk_id": 9, "title": title, "url": url, **span}


async def answered(api: httpx.AsyncClient, synthesis: Synthesis) -> str:
    """Have a question answered; gives the address of its ask."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(synthesis.answer_next, ANSWER)
        done = await api.post("/api/search/ask", json={"question": "언제 열리나요?", "filters": {"year": 2024}})
    return f"/api/asks/{done.json()['id']}"


CHANGES = {
    "deleted": "SELECT delete_document($1)",
    "restricted": 'SELECT set_document_fields($1, \'{"license": {"restricted": true}}\')',
    "changed": "UPDATE document_pages SET text = replace(text, '1.2', '1.4') WHERE document_id = $1",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_ask__is_stale_where_a_cited_document_changed(
    api: httpx.AsyncClient, synthesis: Synthesis, what: str
) -> None:
    first, other = await cited(synthesis.pool), await cited(synthesis.pool, "다른 지침", "기록은 3년간 보관한다.")
    synthesis.citations = [first, {**other, "n": 2}, {**first, "n": 3}]
    url = await answered(api, synthesis)
    fresh = (await api.get(url)).json()
    assert (fresh["answer"], fresh["stale"], fresh["changed"]) == (ANSWER, False, [])
    await row_of(synthesis.pool, CHANGES[what], first["document_id"])
    told = (await api.get(url)).json()
    assert told["stale"] is True
    assert told["changed"] == [{"document_id": first["document_id"], "title": "점검 지침", "what": what}]
    assert (told["answer"], len(told["citations"])) == (ANSWER, 3)


async def test_ask__that_is_not_answered_or_cites_nothing_is_not_stale(
    api: httpx.AsyncClient, synthesis: Synthesis
) -> None:
    row = await row_of(synthesis.pool, "INSERT INTO asks (question) VALUES ('질문') RETURNING id")
    pending = (await api.get(f"/api/asks/{row['id']}")).json()
    assert (pending["status"], pending["stale"], pending["changed"]) == ("pending", False, [])


async def test_again__is_a_new_row_for_a_person_that_leaves_the_old_one_alone(
    api: httpx.AsyncClient, synthesis: Synthesis
) -> None:
    url = await answered(api, synthesis)
    again = await api.post(f"{url}/again")
    assert (again.status_code, again.headers["location"]) == (202, again.json()["url"])
    new = again.json()["id"]
    assert again.json() == {"id": new, "again_of": 1, "status": "pending", "url": f"/api/asks/{new}"}
    row = await row_of(synthesis.pool, "SELECT question, priority, filters, payload FROM asks WHERE id = $1", new)
    assert tuple(row) == ("언제 열리나요?", "foreground", {"year": 2024}, {"again_of": 1})
    await synthesis.answer_next("새 답 [1].")
    assert (await api.get(f"/api/asks/{new}")).json()["answer"] == "새 답 [1]."
    assert (await api.get(url)).json()["answer"] == ANSWER


async def test_again__of_a_number_that_no_ask_has_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.post("/api/asks/999/again")).status_code == 404
