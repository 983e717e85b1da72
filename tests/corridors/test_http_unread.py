"""Pages that are pictures over HTTP: a document says which of its pages nobody has read, and a page how it was read."""

import httpx
import pytest

from db.pool import Database
from tests.corridors.http_fixtures import api, row_of
from tests.corridors.test_http_documents import stored

__all__ = ["api"]
pytestmark = pytest.mark.anyio

CHANGE = "UPDATE document_pages SET origin = $2, note = $3 WHERE document_id = $1 AND number = 2"


async def test_document__lists_the_pages_that_nobody_has_read(api: httpx.AsyncClient, pool: Database) -> None:
    document_id = await stored(pool, unread_pages=[2])
    shown = (await api.get(f"/api/documents/{document_id}")).json()
    assert (shown["reading"], shown["unread_pages"]) == ("partial", [2])
    (listed,) = (await api.get("/api/documents")).json()["documents"]
    assert (listed["reading"], listed["unread_pages"]) == ("partial", [2])


@pytest.mark.parametrize(
    ("origin", "korean", "english"),
    [("ocr", "글자를 인식해 읽은 쪽", "by text recognition"), ("unread", "아직 읽지 못했습니다", "has not been read")],
)
async def test_page__says_how_it_was_read(
    api: httpx.AsyncClient, pool: Database, origin: str, korean: str, english: str
) -> None:
    document_id = await stored(pool)
    await row_of(pool, CHANGE, document_id, origin, "A <note>.")
    url = f"/api/documents/{document_id}/pages/2"
    page = (await api.get(url)).json()
    assert (page["origin"], page["note"]) == (origin, "A <note>.")
    for language, words in (("ko", korean), ("en", english)):
        shown = await api.get(url, headers={"Accept": "text/html", "Accept-Language": language})
        assert words in shown.text
        assert "A &lt;note&gt;." in shown.text


async def test_page__with_text_of_its_own_says_nothing_of_it(api: httpx.AsyncClient, pool: Database) -> None:
    url = f"/api/documents/{await stored(pool)}/pages/1"
    assert (await api.get(url)).json()["origin"] == "text"
    shown = await api.get(url, headers={"Accept": "text/html", "Accept-Language": "en"})
    assert 'role="note"' not in shown.text
