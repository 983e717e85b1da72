"""Filters inside every leg: nothing outside, nothing lost, nothing paid where none is set; two users are strangers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db.pool import Database, open_pool
from services.answer.evidence import number
from services.kit.settings import SearchSettings
from services.search.decorate import count_facets, decorate
from services.search.filters import Filters
from services.search.hit import Hit, Ranked, read_hits
from services.search.lexical import ALL_CHUNKS, document_frequencies
from services.search.retrieve import search
from services.search.vector import best_chunks, search_chunk_vectors, search_document_vectors, sight
from services.text.terms import emphasis, query_terms, query_weights, sparsevec_text
from tests.fakes.corpus import put_document, put_vectors

pytestmark = pytest.mark.anyio

QUESTION = "안전밸브 작동 압력"
TEXT = "안전밸브의 작동 압력은 1.2 MPa로 한다."
LAW = {"material_type": "law", "jurisdiction": "KR", "published_date": "2024-03-05", "collection": "법"}
NEWS = {"material_type": "news", "jurisdiction": "US", "published_date": "2023-12-31", "media_type": "image/png"}
BARE = {"created_at": "2022-06-01T00:00:00Z", "media_type": "application/pdf"}
OTHERS = {**LAW, "user_id": 2}
GONE = {**LAW, "deleted_at": "2024-01-01T00:00:00Z"}
RESTRICTED = {**LAW, "license": {"name": "own", "restricted": True}, "published_date": "2020-01-01"}
OPEN = {
    "license": {"name": "kogl", "restricted": False},
    "material_type": "digest",
    "created_at": "2021-06-01T00:00:00Z",
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "law": LAW, "news": NEWS, "bare": BARE, "others": OTHERS, "gone": GONE, "restricted": RESTRICTED, "open": OPEN,
}  # fmt: skip
MINE = {"law", "news", "bare", "restricted", "open"}
CASES = [
    (Filters(), MINE),
    (Filters(2), {"others"}),
    (Filters(3), set()),
    (Filters(material_types=("law",)), {"law", "restricted"}),
    (Filters(material_types=("law", "news")), {"law", "news", "restricted"}),
    (Filters(without_types=("digest", "law")), {"news", "bare"}),
    (Filters(jurisdictions=("US",)), {"news"}),
    (Filters(year=2024), {"law"}),
    (Filters(year=2022), {"bare"}),
    (Filters(collections=("법",)), {"law", "restricted"}),
    (Filters(kinds=("pdf", "picture")), {"news", "bare"}),
    (Filters(quotable=True), MINE - {"restricted"}),
    (Filters().for_evidence(), {"law", "news", "bare"}),
    (Filters(1, ("law",), ("KR",), 2024, ("법",), ("text",), ("digest",), True), {"law"}),
    (Filters(jurisdictions=("'; DROP TABLE documents; --", "{}", '","', "\\")), set()),
]


@dataclass(frozen=True)
class Corpus:
    """Documents by name, and what their vectors are compared with."""

    db: Database
    names: dict[int, str]
    embedder: int

    async def legs(self, filters: Filters, most: int) -> dict[str, list[Hit]]:
        """Ask each leg."""
        seen = sight(self.embedder, [1.0, 0.1, 0.0, 0.0])
        return {
            "lexical": await search(self.db, QUESTION, filters, most, SearchSettings()),
            "chunks": await self._read(await search_chunk_vectors(self.db, seen, filters, most), filters),
            "documents": await self._read(
                await best_chunks(self.db, seen, await search_document_vectors(self.db, seen, filters, most)), filters
            ),
        }

    async def _read(self, ranked: list[Ranked], filters: Filters) -> list[Hit]:
        hits = await read_hits(self.db, ranked, filters.user_id)
        assert len(hits) == len(ranked), "the leg itself keeps to the filters"
        return hits

    def found(self, hits: list[Hit]) -> set[str]:
        return {self.names[hit.document_id] for hit in hits}


@pytest.fixture
async def searching(dsn: str) -> AsyncIterator[Database]:
    """The pool of whoever searches."""
    async with open_pool(dsn, "tests", 4, searching=True) as database:
        yield database


@pytest.fixture
def corpus(db: psycopg.Connection, searching: Database) -> Corpus:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'second'), (3, 'third')")
    names = {put_document(db, [TEXT], name, **fields): name for name, fields in DOCUMENTS.items()}
    embedder = put_vectors(db, "e", {document: [1.0, 0.01 * document, 0.0, 0.0] for document in names})
    return Corpus(searching, names, embedder)


@pytest.mark.parametrize(("filters", "expected"), CASES)
async def test_filters__hold_alike_in_every_leg(corpus: Corpus, filters: Filters, expected: set[str]) -> None:
    legs = await corpus.legs(filters, 50)
    assert {leg: corpus.found(hits) for leg, hits in legs.items()} == dict.fromkeys(legs, expected)


async def test_licence__restricted_is_shown_as_such_and_never_becomes_evidence(corpus: Corpus) -> None:
    for hits in (await corpus.legs(Filters(), 50)).values():
        assert {corpus.names[hit.document_id] for hit in hits if hit.restricted} == {"restricted"}
        assert not {"restricted", "open"} & {corpus.names[each.document_id] for each in number(hits, 50)}


async def test_users__share_no_hit_facet_or_count(db: psycopg.Connection, searching: Database) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'second')")
    mine = [put_document(db, [TEXT, "다른 문장"], material_type="law", sha256="a" * 64) for _ in range(1)]
    theirs = [put_document(db, [TEXT, "다른 문장"], material_type="news", user_id=2, sha256="a" * 64)]
    put_vectors(db, "e", {document: [1.0, 0, 0, 0] for document in mine + theirs})
    for user, own, kind in ((1, mine, "law"), (2, theirs, "news")):
        corpus = Corpus(searching, {}, 1)
        for hits in (await corpus.legs(Filters(user), 50)).values():
            assert {hit.document_id for hit in hits} == set(own)
            facets = count_facets(await decorate(searching, QUESTION, hits))
            assert facets == {"material_type": {kind: len(hits)}, "jurisdiction": {}, "version_status": {}}


async def test_document__deleted_by_hand_is_in_no_leg_until_it_comes_back(
    corpus: Corpus, db: psycopg.Connection
) -> None:
    def known() -> object:
        db.execute("SELECT fold_term_stats()")
        return db.execute("SELECT docs FROM term_stats WHERE term = 0").fetchone()

    counted, before = known(), await corpus.legs(Filters(), 50)
    db.execute("UPDATE documents SET deleted_at = now() WHERE deleted_at IS NULL")
    assert [hits for hits in (await corpus.legs(Filters(), 50)).values() if hits] == []
    assert known() == (1,)  # of the one that was put there as deleted
    db.execute("UPDATE documents SET deleted_at = NULL WHERE title <> 'gone'")
    assert known() == counted
    assert await corpus.legs(Filters(), 50) == before


async def test_evidence__has_its_number_where_the_best_hits_may_not_be_quoted(
    db: psycopg.Connection, searching: Database
) -> None:
    closed = [put_document(db, [f"{QUESTION} {n}"], license={"restricted": True}) for n in range(15)]
    opened = [put_document(db, [f"{QUESTION} 그리고 여러 다른 말이 길게 이어지는 {n}"]) for n in range(12)]
    shown = await search(searching, QUESTION, Filters(), 10, SearchSettings())
    assert {hit.document_id for hit in shown} <= set(closed)
    quotable = await search(searching, QUESTION, Filters().for_evidence(), 10, SearchSettings())
    assert len(quotable) == 10
    assert {hit.document_id for hit in quotable} <= set(opened)


# -- what a filter costs -----------------------------------------------------------------------------------------------

PLAIN = """
    SELECT c.id, -(c.lexical <#> $1::text::sparsevec) AS score
    FROM corpus_chunks c JOIN documents d ON d.id = c.document_id
    WHERE c.terms && $2::integer[] AND d.user_id = 1 AND d.deleted_at IS NULL
    ORDER BY c.lexical <#> $1::text::sparsevec, c.id LIMIT $3"""
SOME = Filters(material_types=("manual",), year=2024, quotable=True)


def plan_of(db: psycopg.Connection, filters: Filters, narrowly: bool) -> str:
    """Plan the lexical leg for these filters, as near_words writes it."""
    asked = db.execute("SELECT words_query(fits_clause(%s), %s)", (Jsonb(filters.values()), narrowly)).fetchone() or (
        "",
    )
    text = (
        asked[0]
        .replace("$1", "'{1:1}/536870911'::sparsevec")
        .replace("$2", "'{1}'::integer[]")
        .replace("$3", "10")
        .replace("$4", "('{{1,2}}'::integer[])")
    )
    return "\n".join(str(row[0]) for row in db.execute(f"EXPLAIN {text}"))


@pytest.mark.parametrize("narrowly", [False, True])
async def test_filter__that_is_not_set_leaves_no_clause(db: psycopg.Connection, narrowly: bool) -> None:
    bare, full = plan_of(db, Filters(), narrowly), plan_of(db, SOME, narrowly)
    columns = ("material_type", "jurisdiction", "extract", "collection", "media_type", "extract_meta")
    assert "user_id" in bare
    assert [column for column in columns if column in bare.lower()] == []
    assert [column for column in columns if column in full.lower()] == ["material_type", "extract", "extract_meta"]
    assert "fits(" not in bare + full  # the body stands in place of the call


async def test_filter__that_is_not_set_changes_no_byte(corpus: Corpus) -> None:
    found = await search(corpus.db, QUESTION, Filters(), 50, SearchSettings())
    ids = list(query_terms(QUESTION).values())
    docs = await document_frequencies(corpus.db, ids)
    share = emphasis(QUESTION)
    weights = {i: weight * share[i] for i, weight in query_weights(ids, docs, docs[ALL_CHUNKS]).items()}
    async with corpus.db.session() as session:
        rows = await session.connection.fetch(PLAIN, sparsevec_text(weights), ids, 50)
    assert [(hit.chunk_id, hit.score) for hit in found] == [tuple(row) for row in rows]


@pytest.mark.slow
async def test_filter__that_twenty_of_many_chunks_pass_gives_ten_hits_each_time(
    db: psycopg.Connection, searching: Database
) -> None:
    """Of a statement that comes again and again a server makes one plan for all filters at the sixth time."""
    for place in range(20):
        put_document(db, [f"{QUESTION} 문장 {place} {n}" for n in range(500)], material_type="manual")
    for place in range(20):
        put_document(db, [f"{QUESTION} 드문 {place}"], material_type="law", jurisdiction="XX")
    db.execute("ANALYZE")
    for _ in range(8):
        hits = await search(searching, QUESTION, Filters(jurisdictions=("XX",)), 10, SearchSettings())
        assert len(hits) == 10
        assert {hit.jurisdiction for hit in hits} == {"XX"}
        assert len(await search(searching, QUESTION, Filters(), 10, SearchSettings())) == 10
