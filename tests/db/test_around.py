"""Terms are counted around a passage in its own document, and no further than the reach."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from db.pool import Database, open_pool
from services.answer import around as module
from services.answer.around import around
from services.answer.evidence import Evidence, number
from services.answer.question import Asked, read
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.retrieve import search
from services.text.terms import query_terms
from tests.fakes.corpus import put_document

pytestmark = pytest.mark.anyio

QUESTION = "Which crisis did Nixon fear?"


@pytest.fixture
async def searching(dsn: str) -> AsyncIterator[Database]:
    """The pool of whoever searches."""
    async with open_pool(dsn, "tests", 4, searching=True) as database:
        yield database


async def evidence_of(searching: Database, question: str) -> tuple[Asked, list[Evidence]]:
    hits = await search(searching, question, Filters().for_evidence(), 5, SearchSettings())
    return read(question, dict.fromkeys(query_terms(question), 5.0)), number(hits)


async def test_around__counts_in_the_passages_own_document(db: psycopg.Connection, searching: Database) -> None:
    put_document(db, ["Oil crisis of Nixon.", "Another crisis.", "Prices rose."], "Oil")
    put_document(db, ["Nixon was elected."], "Elections")
    asked, evidence = await evidence_of(searching, QUESTION)
    near = await around(searching, asked, evidence)
    counts = {(each.title, near[each.chunk_id].chunks) for each in evidence}
    assert counts == {("Oil", 3), ("Elections", 1)}
    first = near[evidence[0].chunk_id]
    assert (first.holding["crisi"], first.holding["nixon"], first.holding["fear"]) == (2, 1, 0)
    assert first.rarity("crisi") < first.rarity("nixon") < first.rarity("fear")


async def test_around__reads_no_further_than_its_reach(
    db: psycopg.Connection, searching: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REACH", 1)
    put_document(db, ["Nixon in a crisis.", "Prices.", "Nixon.", "Nixon."], "")
    asked, evidence = await evidence_of(searching, QUESTION)
    near = (await around(searching, asked, evidence))[evidence[0].chunk_id]
    assert (near.chunks, near.holding["nixon"]) == (2, 1)


async def test_around__bears_evidence_that_is_gone(searching: Database) -> None:
    asked = read(QUESTION, {"crisi": 5.0})
    assert await around(searching, asked, [Evidence(1, 987_654, 1, "", 1, 0, "x", 1.0, False)]) == {}
    assert await around(searching, asked, []) == {}
