"""From a chunk that was found to its section, and from a document to its outline, over HTTP."""

from typing import Any

import httpx
import psycopg
import pytest

from services.kit.runner import Runner
from services.kit.settings import QueueSettings
from services.search.context import MAX_CHARS, Passage, around
from services.stages import stage_named
from services.tools import Tools
from tests.corridors.http_fixtures import api

__all__ = ["api"]
pytestmark = pytest.mark.anyio

RULES = f"""# 점검 규칙

제1장 총칙

제1조(목적) 이 규칙은 안전을 목적으로 한다.

제2장 점검

제2조(주기) 점검은 매년 한다. {"문장을 채운다. " * 200}

제3조(기록) 기록은 3년간 보관한다. {"문장을 채운다. " * 200}

안전밸브의 작동 압력은 1.2 MPa이다. {"문장을 채운다. " * 20}

## 제3장 벌칙

벌칙은 없다.
"""


async def into_corpus(db: psycopg.Connection, tools: Tools, dsn: str, name: str, text: str) -> int:
    """Read a file and make its chunks, as the daemons do; gives the document's number."""
    made = db.execute("INSERT INTO inbox (filename, content) VALUES (%s, %s) RETURNING id", (name, text.encode()))
    (inbox,) = made.fetchone() or ()
    for stage in ("ingest", "embed"):
        await Runner(dsn, stage_named(stage), tools, QueueSettings(), until_empty=True).run()
    db.execute("SELECT fold_term_stats()")
    (document,) = db.execute("SELECT document_id FROM inbox WHERE id = %s", [inbox]).fetchone() or ()
    return int(document)


@pytest.fixture
async def document(db: psycopg.Connection, tools: Tools, dsn: str) -> int:
    return await into_corpus(db, tools, dsn, "규칙.md", RULES)


async def chunk_about(api: httpx.AsyncClient, words: str) -> int:
    return int((await api.get("/api/search", params={"q": words})).json()["hits"][0]["chunk_id"])


async def context(api: httpx.AsyncClient, chunk: int, **params: Any) -> dict[str, Any]:
    reply = await api.get(f"/api/chunks/{chunk}/context", params=params)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_outline__lists_sections_with_their_pages(api: httpx.AsyncClient, document: int) -> None:
    shown = (await api.get(f"/api/documents/{document}/outline")).json()
    assert (shown["document_id"], shown["title"]) == (document, "점검 규칙")
    assert [(section["level"], section["title"]) for section in shown["sections"]] == [
        (1, "점검 규칙"),
        (2, "제1장 총칙"),
        (3, "제1조(목적)"),
        (2, "제2장 점검"),
        (3, "제2조(주기)"),
        (3, "제3조(기록)"),
        (2, "제3장 벌칙"),
    ]
    last = shown["sections"][-1]
    assert (last["path"], last["page"], last["end_page"]) == ("점검 규칙 > 제3장 벌칙", 1, 1)
    assert (await api.get(last["url"])).status_code == 200
    assert "벌칙은 없다" in (await context(api, last["chunk_id"]))["passages"][0]["text"]


async def test_context__is_the_section_with_its_path(api: httpx.AsyncClient, document: int) -> None:
    found = await context(api, await chunk_about(api, "안전밸브 작동 압력"))
    assert (found["document_id"], found["path"]) == (document, "점검 규칙 > 제2장 점검 > 제3조(기록)")
    (passage,) = found["passages"]
    assert found["whole"]
    assert passage["text"].startswith("제3조(기록) 기록은 3년간 보관한다.")
    assert "안전밸브의 작동 압력은 1.2 MPa이다." in passage["text"]
    page = (await api.get(f"/api/documents/{document}/pages/1", params={"view": "json"})).json()
    assert page["text"][passage["start"] : passage["end"]] == passage["text"]
    assert passage["url"].startswith(f"/api/documents/{document}/pages/1?start=")


async def test_context__is_cut_around_the_chunk(api: httpx.AsyncClient, document: int) -> None:
    del document
    chunk = await chunk_about(api, "안전밸브 작동 압력")
    found = await context(api, chunk, max_chars=700)
    (passage,) = found["passages"]
    assert not found["whole"]
    assert "1.2 MPa" in passage["text"]
    assert "3년간" not in passage["text"]
    assert 500 < len(passage["text"]) <= 700
    for wrong in (0, 10 * MAX_CHARS + 1):
        assert (await api.get(f"/api/chunks/{chunk}/context", params={"max_chars": wrong})).status_code == 400


async def test_context__of_a_document_without_sections_is_what_stands_around(
    api: httpx.AsyncClient, db: psycopg.Connection, tools: Tools, dsn: str
) -> None:
    text = "첫 문단이다.\n\n" + "단어가 있다. " * 300 + "\n\n안전밸브는 여기에 있다. " + "끝을 채운다. " * 20
    document = await into_corpus(db, tools, dsn, "a.txt", text)
    found = await context(api, await chunk_about(api, "안전밸브"))
    assert (found["path"], found["whole"]) == ("", True)
    assert found["passages"][0]["text"].startswith("첫 문단이다.")
    assert (await api.get(f"/api/documents/{document}/outline")).json()["sections"] == []


async def test_context__of_a_chunk_of_before_is_its_page(
    api: httpx.AsyncClient, db: psycopg.Connection, document: int
) -> None:
    db.execute("UPDATE chunks SET parent_id = NULL, node_type = 'chunk' WHERE is_leaf")
    db.execute("DELETE FROM chunks WHERE node_type <> 'chunk'")
    found = await context(api, await chunk_about(api, "벌칙은 없다"))
    assert (found["document_id"], found["path"], found["whole"]) == (document, "", True)
    assert found["passages"][0]["text"].startswith("# 점검 규칙")


async def test_context__of_what_is_not_there_is_not_found(
    api: httpx.AsyncClient, db: psycopg.Connection, document: int
) -> None:
    chunk = await chunk_about(api, "안전밸브 작동 압력")
    for path in ("/api/chunks/99999999/context", "/api/documents/99999999/outline"):
        assert (await api.get(path)).status_code == 404
    db.execute("SELECT delete_document(%s)", [document])
    for path in (f"/api/chunks/{chunk}/context", f"/api/documents/{document}/outline"):
        assert (await api.get(path)).status_code == 404


def parts(*texts: str) -> list[Passage]:
    return [Passage(page, 10, 10 + len(text), text) for page, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("page", "start", "end", "most", "expected"),
    [
        (2, 14, 16, 100, ["aaaaaa", "bbbbbbbb", "cccc"]),
        (2, 14, 16, 6, ["bbbbbb"]),
        (2, 14, 16, 12, ["a", "bbbbbbbb", "ccc"]),
        (3, 12, 14, 10, ["bbbbbb", "cccc"]),
        (1, 10, 12, 10, ["aaaaaa", "bbbb"]),
        (2, 10, 18, 4, ["bbbb"]),
        (9, 0, 0, 4, ["cccc"]),
    ],
)
async def test_window__takes_as_much_before_as_after(
    page: int, start: int, end: int, most: int, expected: list[str]
) -> None:
    found = around(parts("aaaaaa", "bbbbbbbb", "cccc"), page, start, end, most)
    assert [passage.text for passage in found] == expected


async def test_window__ends_at_blanks() -> None:
    text = "하나 둘째 셋째 넷째 다섯"
    (found,) = around([Passage(1, 0, len(text), text)], 1, 6, 8, 7)
    assert (found.text, text[found.start : found.end]) == ("셋째 넷째", "셋째 넷째")
