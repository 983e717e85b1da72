"""Documents and search over HTTP: real requests, a real Postgres, rows written as the daemons would."""

import hashlib
import os
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from db.pool import Database
from services.kit.settings import MIB, Settings, WebSettings
from services.web.files import disposition
from services.web.pages import mark
from tests.corridors.http_fixtures import api, client_of, row_of, serving

__all__ = ["api"]
pytestmark = pytest.mark.anyio

TEXT = "머리말\n안전밸브는 1.2 MPa에서 열린다. <b>&\n끝"
PDF = b"%PDF-1.4 not really"


async def stored(pool: Database, content: bytes = PDF, **fields: object) -> int:
    """Write a document that search serves, with one page."""
    sha256 = hashlib.sha256(content).hexdigest()
    values = {"title": "점검 지침", "filename": "점검 \"지침\".pdf", "media_type": "application/pdf",
              "sha256": sha256, "size_bytes": len(content), "page_count": 2, "pages_version": 1, "corpus_version": 1,
              **fields}  # fmt: skip
    names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    row = await row_of(pool, f"INSERT INTO documents ({names}) VALUES ({places}) RETURNING id", *values.values())
    insert_page = "INSERT INTO document_pages (document_id, version, number, label, text) VALUES ($1, 1, $2, $3, $4)"
    for number, text in ((1, TEXT), (2, "")):
        await row_of(pool, insert_page, row["id"], number, str(number), text)
    return int(row["id"])


async def uploaded(client: httpx.AsyncClient, content: bytes, name: str = "a.md", **data: str) -> httpx.Response:
    return await client.post("/api/documents", files={"file": (name, content)}, data=data)


async def test_upload__is_a_row_of_the_inbox(api: httpx.AsyncClient, pool: Database) -> None:
    labels = {"collection": "law", "material_type": "law", "jurisdiction": "KR"}
    response = await uploaded(api, "내용".encode(), "폴더/회의 록.md", **labels)
    assert response.status_code == 202
    ticket = response.json()
    row = await row_of(pool, "SELECT * FROM inbox WHERE id = $1", ticket["inbox_id"])
    assert (row["filename"], row["content"], row["collection"]) == ("회의 록.md", "내용".encode(), "law")
    assert (row["material_type"], row["jurisdiction"], row["document_id"]) == ("law", "KR", ticket["document_id"])
    expected = (await api.get(ticket["url"])).json()
    assert (expected["status"], expected["title"]) == ("pending", "회의 록.md")


async def test_upload__same_content_gives_the_same_ticket(api: httpx.AsyncClient, pool: Database) -> None:
    tickets: list[dict[str, Any]] = []

    async def one() -> None:
        tickets.append((await uploaded(api, b"same")).json())

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one)
    assert len({ticket["inbox_id"] for ticket in tickets}) == 1
    assert (await row_of(pool, "SELECT count(*) FROM inbox"))["count"] == 1


async def test_upload__of_a_known_content_answers_its_document(api: httpx.AsyncClient, pool: Database) -> None:
    document_id = await stored(pool, b"known")
    response = await uploaded(api, b"known")
    assert response.status_code == 200
    assert response.json() == {
        "inbox_id": None, "document_id": document_id, "url": f"/api/documents/{document_id}", "status": "completed",
    }  # fmt: skip


async def test_upload__several_files_give_a_list(api: httpx.AsyncClient) -> None:
    files = [("file", ("a.md", b"a")), ("file", ("b.md", b"b"))]
    response = await api.post("/api/documents", files=files)
    assert response.status_code == 202
    assert len(response.json()) == 2


async def test_upload__over_the_limit_is_413(settings: Settings, pool: Database) -> None:
    small = settings.model_copy(update={"web": WebSettings(max_upload_mib=1)})

    async def endless() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"x" * (MIB // 8)
        yield b"\r\n--x--\r\n"

    async with serving(small) as address, client_of(address) as client:
        declared = await uploaded(client, b"x" * (3 * MIB))
        just_over = await uploaded(client, b"x" * (MIB + 1))
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        streamed = await client.post("/api/documents", content=endless(), headers=headers)
        fits = await uploaded(client, b"x" * MIB)
    for response in (declared, just_over, streamed):
        assert response.status_code == 413
        assert response.json()["error"]["code"]
    assert fits.status_code == 202
    assert (await row_of(pool, "SELECT count(*) FROM inbox"))["count"] == 1


async def test_upload__wrong_forms_are_the_callers_fault(api: httpx.AsyncClient) -> None:
    no_file = await api.post("/api/documents", data={"collection": "a"})
    empty = await uploaded(api, b"")
    unknown = await uploaded(api, b"x", colour="red")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    broken = await api.post("/api/documents", content=b"junk", headers=headers)
    for response in (no_file, empty, unknown, broken):
        assert response.status_code == 400
        assert response.json()["error"]["message"]


async def test_upload__names_that_postgres_would_refuse_are_cleaned(api: httpx.AsyncClient, pool: Database) -> None:
    form = (b'--b\r\nContent-Disposition: form-data; name="file"; filename="C:\\\\a\x01\xff.md"\r\n\r\nx\r\n'
            b'--b\r\nContent-Disposition: form-data; name="collection"\r\n\r\na\x00b\r\n--b--\r\n')  # fmt: skip
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await api.post("/api/documents", content=form, headers=headers)
    assert response.status_code == 202
    row = await row_of(pool, "SELECT filename, collection FROM inbox")
    assert (row["filename"].endswith(".md"), row["collection"]) == (True, "a b")


async def test_failed_file__shows_its_code_and_is_tried_again(api: httpx.AsyncClient, pool: Database) -> None:
    ticket = (await uploaded(api, b"locked", "locked.pdf")).json()
    fail = """UPDATE inbox SET status = 'failed', completed_at = now(), error_code = 'encrypted',
              error_message = 'Save a copy.' WHERE id = $1"""
    await row_of(pool, fail, ticket["inbox_id"])
    shown = (await api.get(ticket["url"])).json()
    assert (shown["status"], shown["error_code"], shown["error_message"]) == ("failed", "encrypted", "Save a copy.")
    assert [each["status"] for each in (await api.get("/api/documents")).json()["arriving"]] == ["failed"]
    again = await api.post(f"{ticket['url']}/retry")
    assert (again.status_code, again.json()["jobs"]) == (202, 1)
    assert (await api.get(ticket["url"])).json()["status"] == "pending"
    assert [each["status"] for each in (await api.get("/api/documents")).json()["arriving"]] == ["pending"]
    assert (await api.post(f"{ticket['url']}/retry")).status_code == 409


async def test_retry__enqueues_the_failed_stage_of_this_document_only(api: httpx.AsyncClient, pool: Database) -> None:
    mine, other = await stored(pool, b"1", corpus_version=0), await stored(pool, b"2")
    fail = """INSERT INTO document_jobs (document_id, stage, status, completed_at, error_code)
              VALUES ($1, 'embed', 'failed', now(), 'unknown')"""
    await row_of(pool, fail, mine)
    await row_of(pool, fail, other)
    assert (await api.get(f"/api/documents/{mine}")).json()["status"] == "failed"
    assert (await api.post(f"/api/documents/{mine}/retry")).json()["jobs"] == 1
    pending = await row_of(pool, "SELECT array_agg(document_id) AS ids FROM document_jobs WHERE status = 'pending'")
    assert pending["ids"] == [mine]


async def test_analyze__enqueues_once(api: httpx.AsyncClient, pool: Database) -> None:
    document_id = await stored(pool)
    for _ in range(2):
        assert (await api.post(f"/api/documents/{document_id}/analyze")).status_code == 202
    assert (await row_of(pool, "SELECT count(*) FROM document_jobs WHERE stage = 'deep'"))["count"] == 1


async def test_documents__newest_first_page_by_page(api: httpx.AsyncClient, pool: Database) -> None:
    numbers = [await stored(pool, str(n).encode()) for n in range(5)]
    first = (await api.get("/api/documents", params={"limit": 3})).json()
    second = (await api.get("/api/documents", params={"limit": 3, "before": first["next"]})).json()
    listed = [row["id"] for row in first["documents"] + second["documents"]]
    assert listed == numbers[::-1]
    assert second["next"] is None


async def test_documents__hide_news_until_asked_for(api: httpx.AsyncClient, pool: Database) -> None:
    news, plain = await stored(pool, b"n", material_type="news"), await stored(pool, b"p")
    assert [row["id"] for row in (await api.get("/api/documents")).json()["documents"]] == [plain]
    asked = (await api.get("/api/documents", params={"material_type": "news"})).json()
    assert [row["id"] for row in asked["documents"]] == [news]


async def test_delete__then_it_is_gone(api: httpx.AsyncClient, pool: Database) -> None:
    url = f"/api/documents/{await stored(pool)}"
    assert (await api.delete(url)).status_code == 204
    for path in (url, f"{url}/file", f"{url}/pages/1"):
        assert (await api.get(path)).status_code == 404
    assert (await api.delete(url)).status_code == 404


async def test_delete__of_a_file_still_to_be_read_is_refused(api: httpx.AsyncClient) -> None:
    url = (await uploaded(api, b"on its way")).json()["url"]
    assert (await api.delete(url)).status_code == 409


async def test_file__from_the_database_is_byte_for_byte(api: httpx.AsyncClient, pool: Database) -> None:
    content = os.urandom(9 * MIB)
    document_id = await stored(pool, content)
    await row_of(pool, "INSERT INTO stored_files VALUES ($1, $2)", hashlib.sha256(content).hexdigest(), content)
    response = await api.get(f"/api/documents/{document_id}/file")
    assert response.content == content
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "filename*=UTF-8''%EC%A0%90%EA%B2%80%20%22" in response.headers["content-disposition"]


async def test_file__from_its_path_only_while_unchanged(api: httpx.AsyncClient, pool: Database, tmp_path: Path) -> None:
    path = tmp_path / "그림.svg"
    path.write_text("<svg onload='alert(1)'/>")
    document_id = await stored(pool, path.read_bytes(), media_type="image/svg+xml")
    status = path.stat()
    await row_of(pool, "INSERT INTO document_files VALUES ($1, $2, $3, $4)", str(path), document_id, status.st_size,
                 status.st_mtime_ns)  # fmt: skip
    response = await api.get(f"/api/documents/{document_id}/file")
    assert response.text == "<svg onload='alert(1)'/>"
    assert response.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in response.headers["content-security-policy"]
    path.write_text("<svg onload='alert(2)'/>!")
    assert (await api.get(f"/api/documents/{document_id}/file")).status_code == 410


async def test_page__as_json_and_as_text_with_the_quote(api: httpx.AsyncClient, pool: Database) -> None:
    url = f"/api/documents/{await stored(pool)}/pages/1"
    assert (await api.get(url)).json()["text"] == TEXT
    start, end = TEXT.index("1.2"), TEXT.index("에서")
    headers = {"Accept": "text/html", "Accept-Language": "ko"}
    page = await api.get(url, params={"start": start, "end": end}, headers=headers)
    assert '<mark id="quote" tabindex="-1">1.2 MPa</mark>에서 열린다. &lt;b&gt;&amp;' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "<mark" not in (await api.get(url, params={"view": "html", "start": 3, "end": 99999})).text
    assert (await api.get(f"{url}000")).status_code == 404


async def test_search__gives_hits_facets_and_addresses(api: httpx.AsyncClient, pool: Database) -> None:
    await stored(pool)
    found = (await api.get("/api/search", params={"q": "안전밸브", "facets": "true", "debug": "true"})).json()
    assert found["hits"] == []  # nothing is embedded here: the corridor's own tests look at ranks
    assert found["facets"] == {"material_type": {}, "jurisdiction": {}, "version_status": {}}
    assert (await api.get("/api/search", params={"q": "안전밸브"})).json()["facets"] is None


LONG, LONGER = f"q={'a' * 5000}", f"q={'a' * 60_000}"
WRONG = ("", "q=", "q=%20", "q=%00", "q=a&limit=0", "q=a&limit=x", "q=a&year=abc", LONG, LONGER)
STRANGE = ("q=%ED%A0%80", "q=a%00b", "q=%FF%FE", "q='%22;--", "q=a&limit=999999", "q=%F0%9F%98%80")


async def test_search__wrong_queries_are_the_callers_fault(api: httpx.AsyncClient) -> None:
    for query in WRONG:
        response = await api.get(httpx.URL(f"/api/search?{query}"))
        assert response.status_code == 400, query
        assert response.json()["error"]["message"], query


async def test_search__strange_queries_are_answered(api: httpx.AsyncClient) -> None:
    for query in STRANGE:
        assert (await api.get(httpx.URL(f"/api/search?{query}"))).status_code == 200, query


def test_disposition__has_both_names() -> None:
    assert disposition(True, 'a"b.pdf') == "inline; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf"
    assert "\n" not in disposition(False, "a\nb")


def test_mark__a_place_outside_the_text_marks_nothing() -> None:
    assert mark("abc", 1, 2).quote == "b"
    for start, end in ((2, 1), (0, 4), (None, 1), (1, 1)):
        assert mark("abc", start, end).quote == ""
