"""Search over HTTP and from the shell: filters, what is told of hits, and whatever else somebody may send."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import anyio
import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.kit.settings import Settings
from tests.corridors.http_fixtures import api
from tests.fakes.corpus import put_document, put_section
from tests.fakes.hostile_queries import hostile_queries

__all__ = ["api"]
pytestmark = pytest.mark.anyio

TEXT = "안전밸브의 작동 압력은 1.2 MPa로 한다."
LAW = {"material_type": "law", "jurisdiction": "KR", "published_date": "2024-03-05", "collection": "법"}
QUESTION = {"q": "안전밸브 작동 압력 1.2"}


@pytest.fixture
def documents(db: psycopg.Connection) -> dict[str, int]:
    """Documents of two users, by title."""
    db.execute("INSERT INTO users (id, name) VALUES (2, 'second')")
    put = {
        "법": put_document(db, [TEXT], "법", **LAW, effective_date="2024-01-01", series="가스법"),
        "책": put_document(db, [TEXT], "책", material_type="book", license={"restricted": True}),
        "그림": put_document(db, [TEXT], "그림", media_type="image/png"),
        "남": put_document(db, [TEXT], "남", **LAW, user_id=2),
    }
    put_section(db, put["법"], "제2장")
    return put


async def found(api: httpx.AsyncClient, **params: Any) -> list[str]:
    response = await api.get("/api/search", params={**QUESTION, **params})
    assert response.status_code == 200, response.text
    return sorted(hit["title"] for hit in response.json()["hits"])


async def test_search__keeps_to_its_filters(api: httpx.AsyncClient, documents: dict[str, int]) -> None:
    assert documents
    assert await found(api) == ["그림", "법", "책"]
    assert await found(api, material_type=["law", "book"]) == ["법", "책"]
    assert await found(api, jurisdiction="KR") == ["법"]
    assert await found(api, collection="법") == ["법"]
    assert await found(api, year=2024, material_type="law") == ["법"]
    assert await found(api, kind="picture") == ["그림"]
    assert await found(api, quotable=True) == ["그림", "법"]
    assert await found(api, year=1999) == []


async def test_search__tells_of_each_hit(api: httpx.AsyncClient, documents: dict[str, int]) -> None:
    assert documents
    hits = (await api.get("/api/search", params=QUESTION)).json()["hits"]
    told = {hit["title"]: hit for hit in hits}
    assert {title: hit["restricted"] for title, hit in told.items()} == {"법": False, "책": True, "그림": False}
    law = told["법"]
    assert (law["version_status"], law["section"]) == ("current", "제2장")
    assert [law["text"][start:end] for start, end in law["highlights"]] == ["안전밸브", "작동", "압력", "1.2"]
    assert law["match_reason"].endswith("number 1.2")
    page = await api.get(law["url"].partition("#")[0], headers={"Accept": "text/html"})
    assert f'<mark id="quote" tabindex="-1">{TEXT}</mark>' in page.text


async def test_facets__change_nothing_else(api: httpx.AsyncClient, documents: dict[str, int]) -> None:
    assert documents
    without, with_facets = [
        (await api.get("/api/search", params={**QUESTION, "facets": facets})).json() for facets in ("false", "true")
    ]
    assert without["facets"] is None
    assert with_facets["facets"] == {
        "material_type": {"law": 1, "book": 1}, "jurisdiction": {"KR": 1}, "version_status": {"current": 1},
    }  # fmt: skip
    assert without | {"facets": 0} == with_facets | {"facets": 0}


@pytest.mark.parametrize("query", ["kind=film", f"collection={'x' * 300}", "&".join(["kind=pdf"] * 101), "quotable=x"])
async def test_filter__that_does_not_fit_is_the_callers_fault(api: httpx.AsyncClient, query: str) -> None:
    response = await api.get(httpx.URL(f"/api/search?q=a&{query}"))
    assert response.status_code == 400
    assert response.json()["error"]["message"]


# -- what nobody asks in earnest ---------------------------------------------------------------------------------------


async def status_of(base: httpx.URL, query: str) -> int:
    """Send a request line of any length and read the status; a server that has enough may close before its end."""
    line = f"GET /api/search?q={quote_from_bytes(query.encode(errors='surrogatepass'))} HTTP/1.1\r\n"
    request = f"{line}Host: {urlsplit(str(base)).netloc}\r\nConnection: close\r\n\r\n".encode()
    async with await anyio.connect_tcp(base.host, base.port or 80) as stream, anyio.create_task_group() as tasks:

        async def send() -> None:
            try:
                await stream.send(request)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

        tasks.start_soon(send)
        with anyio.fail_after(30):
            head = await stream.receive()
        tasks.cancel_scope.cancel()
    return int(head.split()[1])


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_hostile_queries__are_answered_or_refused(api: httpx.AsyncClient, documents: dict[str, int]) -> None:
    assert documents
    statuses = [await status_of(api.base_url, query) for query in hostile_queries(1000)]
    assert set(statuses) <= {200, 400, 414}
    assert statuses.count(200) > 700
    assert await found(api) == ["그림", "법", "책"]


@pytest.fixture
def shell(settings: Settings, documents: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The command line on the test's database."""
    assert documents
    assert settings.database_url is not None
    monkeypatch.setenv("SEODANG_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SEODANG_HOME", str(settings.home))
    return CliRunner()


def test_shell__searches_with_filters(shell: CliRunner) -> None:
    done = shell.invoke(app, ["search", QUESTION["q"], "--kind", "picture", "--json"])
    assert (done.exit_code, '"그림"' in done.stdout, '"법"' in done.stdout) == (0, True, False)
    wrong = shell.invoke(app, ["search", QUESTION["q"], "--kind", "film"])
    assert (type(wrong.exception).__name__, str(wrong.exception)[:11]) == ("RequestError", "kind takes ")


REFUSED = [("RequestError", "A question may have 4000 chara"), ("RequestError", "The question is empty.")]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hostile_queries__in_the_shell_are_answered_or_refused(shell: CliRunner) -> None:
    for query in hostile_queries(250):
        done = shell.invoke(app, ["search", "--json", "--", query])
        said = type(done.exception).__name__, str(done.exception)[:30]
        assert done.exit_code == 0 or said in REFUSED, repr(query[:80])
