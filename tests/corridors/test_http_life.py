"""The life of a document over HTTP: fields, deletion, restoration, purge; which version of a law a hit is."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from db.pool import Database, Session
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.retrieve import search
from services.search.versions import law_statuses
from services.text.terms import document_weights, sparsevec_text
from tests.corridors.http_fixtures import api, row_of
from tests.corridors.test_http_documents import stored, uploaded

__all__ = ["api"]
pytestmark = pytest.mark.anyio


async def searchable(pool: Database, text: str, **fields: object) -> int:
    """Write a document with one chunk that search finds."""
    number = await stored(pool, text.encode(), **fields)
    weights = document_weights(text, "")
    statement = """INSERT INTO chunks (document_id, chunk_index, text, end_char, is_leaf, terms, lexical)
                   VALUES ($1, 0, $2, length($2), true, $3, $4::text::sparsevec)"""
    await row_of(pool, statement, number, text, sorted(weights), sparsevec_text(weights))
    await row_of(pool, "SELECT fold_term_stats()")
    return number


# -- deletion ----------------------------------------------------------------------------------------------------------


async def test_deleted_document__is_found_nowhere_and_listed_among_the_deleted(
    api: httpx.AsyncClient, pool: Database
) -> None:
    number = await searchable(pool, "안전밸브 작동 압력", material_type="manual")
    other = await stored(pool, b"other")
    url = f"/api/documents/{number}"
    assert (await api.get("/api/search", params={"q": "안전밸브"})).json()["hits"]
    assert (await api.delete(url)).status_code == 204
    assert (await api.get("/api/search", params={"q": "안전밸브"})).json()["hits"] == []
    for path in (url, f"{url}/file", f"{url}/pages/1"):
        assert (await api.get(path)).status_code == 404
    for verb in ("analyze", "retry"):
        assert (await api.post(f"{url}/{verb}")).status_code == 404
    assert (await api.patch(url, json={"title": "x"})).status_code == 404
    assert [row["id"] for row in (await api.get("/api/documents")).json()["documents"]] == [other]
    (shown,) = (await api.get("/api/documents", params={"deleted": "true"})).json()["documents"]
    assert (shown["id"], shown["status"], shown["deleted_why"]) == (number, "deleted", "user")
    assert shown["deleted_at"]
    listed = await api.get("/api/documents", params={"deleted": "true", "material_type": "law"})
    assert listed.json()["documents"] == []


async def test_restore__brings_it_back_to_its_readers(api: httpx.AsyncClient, pool: Database) -> None:
    content = b"kept content"
    number = await stored(pool, content)
    await row_of(pool, "INSERT INTO stored_files VALUES ($1, $2)", hashlib.sha256(content).hexdigest(), content)
    url = f"/api/documents/{number}"
    await api.delete(url)
    restored = await api.post(f"{url}/restore")
    assert (restored.status_code, restored.json()["document_id"], restored.json()["url"]) == (202, number, url)
    assert (await api.get(f"{url}/file")).content == content
    assert (await api.get(f"{url}/pages/1")).status_code == 200
    assert (await api.get(url)).json()["status"] == "processing"  # until its chunks are made again
    assert (await api.get("/api/documents", params={"deleted": "true"})).json()["documents"] == []
    assert (await api.post(f"{url}/restore")).json()["status"] == "completed"


async def test_restore__of_a_content_that_is_another_document_now_is_409(
    api: httpx.AsyncClient, pool: Database
) -> None:
    former = await stored(pool, b"same")
    await api.delete(f"/api/documents/{former}")
    present = await stored(pool, b"same")
    refused = await api.post(f"/api/documents/{former}/restore")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "content_elsewhere")
    assert f"/api/documents/{present}" in refused.json()["error"]["hint"]
    assert (await api.post("/api/documents/404/restore")).status_code == 404


async def test_upload__of_a_deleted_content_is_taken_in_to_restore_it(api: httpx.AsyncClient, pool: Database) -> None:
    number = await stored(pool, b"same")
    await api.delete(f"/api/documents/{number}")
    assert (await uploaded(api, b"same")).status_code == 202


@pytest.mark.parametrize("deleted", [True, False])
async def test_purge__removes_it_for_good(deleted: bool, api: httpx.AsyncClient, pool: Database) -> None:
    url = f"/api/documents/{await stored(pool)}"
    if deleted:
        await api.delete(url)
    assert (await api.delete(url, params={"purge": "true"})).status_code == 204
    assert (await row_of(pool, "SELECT count(*) FROM document_pages"))["count"] == 0
    for response in (
        await api.get(url), await api.post(f"{url}/restore"), await api.delete(url, params={"purge": "true"}),
    ):  # fmt: skip
        assert response.status_code == 404
    assert (await api.get("/api/documents", params={"deleted": "true"})).json()["documents"] == []


# -- fields ------------------------------------------------------------------------------------------------------------


async def test_patch__sets_what_is_named_and_null_clears(api: httpx.AsyncClient, pool: Database) -> None:
    url = f"/api/documents/{await stored(pool, jurisdiction='KR')}"
    said: dict[str, Any] = {"title": "새 제목", "published_date": "2024-03-05", "license": {"name": "kogl"}}
    shown = (await api.patch(url, json=said)).json()
    assert {name: shown[name] for name in ("title", "published_date", "jurisdiction")} == {
        "title": "새 제목", "published_date": "2024-03-05", "jurisdiction": "KR",
    }  # fmt: skip
    assert shown["license"] == {"name": "kogl", "restricted": False}
    cleared = (await api.patch(url, json={"title": None, "license": None})).json()
    assert (cleared["title"], cleared["license"]) == ('점검 "지침"', None)
    assert cleared["published_date"] == "2024-03-05"


@pytest.mark.parametrize(
    "said",
    [
        {"sha256": "0"}, {"title": ""}, {"title": 7}, {"published_date": "yesterday"}, {"license": "kogl"},
        {"license": {"colour": "red"}}, {"collection": "x" * 300}, [],
    ],
)  # fmt: skip
async def test_patch__wrong_values_are_the_callers_fault(said: Any, api: httpx.AsyncClient, pool: Database) -> None:
    response = await api.patch(f"/api/documents/{await stored(pool)}", json=said)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


async def test_patch__to_law_reads_which_version_it_is(api: httpx.AsyncClient, pool: Database) -> None:
    text = "안전법\n[시행 2024. 1. 1.]"
    number = await stored(pool, extracted_text=text, title="안전법", filename="안전법.pdf")
    shown = (await api.patch(f"/api/documents/{number}", json={"material_type": "law"})).json()
    assert (shown["series"], shown["effective_date"]) == ("안전법", "2024-01-01")
    assert shown["version_status"] == "current"


# -- the versions of a law ---------------------------------------------------------------------------------------------


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """List the names of the statements that sessions are asked for."""
    asked: list[str] = []
    many = Session.many

    async def counted(self: Session, row: type, name: str, **values: object) -> Any:
        asked.append(name)
        return await many(self, row, name, **values)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "many", counted)
        yield asked


async def test_search__says_which_version_of_a_law_a_hit_is(api: httpx.AsyncClient, pool: Database) -> None:
    days = [date.today() + timedelta(days=days) for days in (-700, -300, 300)]  # noqa: DTZ011 - the database's day
    numbers = [
        await searchable(pool, f"안전밸브 점검 {day}", material_type="law", series="안전법", effective_date=day)
        for day in days
    ]
    undated = await searchable(pool, "안전밸브 점검 규정", material_type="law")
    manual = await searchable(pool, "안전밸브 점검 설명서", material_type="manual", series="안전법")
    hits = (await api.get("/api/search", params={"q": "안전밸브 점검"})).json()["hits"]
    found = {hit["document_id"]: hit["version_status"] for hit in hits}
    expected = ["superseded", "current", "future", None, None]
    assert found == dict(zip([*numbers, undated, manual], expected, strict=True))
    assert (await api.get(f"/api/documents/{numbers[0]}")).json()["version_status"] == "superseded"


async def test_law_statuses__ask_once_for_all_laws_and_not_at_all_without_one(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await searchable(pool, "안전밸브 설명서", material_type="manual")
    await searchable(pool, "안전밸브 메모")
    settings = SearchSettings()
    hits = await search(pool, "안전밸브", Filters(), 10, settings)
    assert len(hits) == 2
    with statements(monkeypatch) as asked:
        assert await law_statuses(pool, hits) == {}
    assert asked == []
    laws = [await searchable(pool, f"안전밸브 법 {n}", material_type="law") for n in range(3)]
    hits = await search(pool, "안전밸브", Filters(), 10, settings)
    with statements(monkeypatch) as asked:
        assert set(await law_statuses(pool, hits)) == set(laws)
    assert asked == ["law_statuses"]
