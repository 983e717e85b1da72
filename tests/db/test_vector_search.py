"""Nearest neighbours with the filters inside, over real vectors in a real index."""

import math
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db.pool import Database
from services.search.filters import Filters
from services.search.vector import best_chunks, search_chunk_vectors, search_document_vectors, sight

pytestmark = pytest.mark.anyio

DIM = 16
MANY = 10_000
RARE = 20


def unit(random: Random) -> list[float]:
    vector = [random.gauss(0, 1) for _ in range(DIM)]
    length = math.hypot(*vector)
    return [value / length for value in vector]


def text_of(vector: list[float]) -> str:
    return "[" + ",".join(f"{value:.6f}" for value in vector) + "]"


def documents(db: psycopg.Connection, count: int, **values: object) -> list[int]:
    """Make documents without pages; gives their numbers."""
    names = ["title", "filename", "media_type", "sha256", "size_bytes", "corpus_version", *values]
    marks = ", ".join(["%s"] * len(names))
    ids = []
    for _ in range(count):
        first = db.execute("SELECT count(*) FROM documents").fetchone()
        assert first is not None
        row = ["title", "f.txt", "text/plain", f"{first[0]:064x}", 1, 1, *values.values()]
        found = db.execute(f"INSERT INTO documents ({', '.join(names)}) VALUES ({marks}) RETURNING id", row).fetchone()
        assert found is not None
        ids.append(found[0])
    return ids


def chunks(db: psycopg.Connection, document: int, vectors: list[list[float]]) -> None:
    """Give a document chunks with these vectors of embedder 1, and its own vector."""
    with db.cursor() as cursor:
        made = [(document, place, f"text {document} {place}", text_of(vector)) for place, vector in enumerate(vectors)]
        cursor.executemany(
            "WITH c AS (INSERT INTO chunks (document_id, version, chunk_index, node_type, level, page_number, "
            "start_char, end_char, text, terms, lexical, is_leaf, in_corpus) "
            "VALUES (%s, 1, %s, 'leaf', 1, 1, 0, 1, %s, '{1}', '{1:1}/536870911', true, true) RETURNING id) "
            "INSERT INTO chunk_vectors SELECT id, 1, true, %s::halfvec FROM c",
            made,
        )
    db.execute("SELECT save_document_vector(%s, 1)", [document])


def owners(db: psycopg.Connection, chunk_ids: list[int]) -> list[int]:
    """Give the document of each chunk."""
    found = dict(db.execute("SELECT id, document_id FROM chunks WHERE id = ANY (%s)", [chunk_ids]).fetchall())
    return [found[chunk_id] for chunk_id in chunk_ids]


def embedder(db: psycopg.Connection) -> None:
    db.execute("SELECT register_embedder('m', %s)", [DIM])


def fill(db: psycopg.Connection, rare: dict[str, object]) -> dict[str, list[list[float]]]:
    """Make a corpus of MANY chunks in 100 documents, RARE of them under `rare`; gives the rare ones' vectors."""
    random = Random(7)
    embedder(db)
    for document in documents(db, 99):
        chunks(db, document, [unit(random) for _ in range((MANY - RARE) // 99)])
    (document,) = documents(db, 1, **rare)
    vectors = [unit(random) for _ in range(RARE)]
    chunks(db, document, vectors)
    db.execute("SELECT fold_term_stats()")
    db.execute("ANALYZE")
    return {"rare": vectors}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rare", "filters"),
    [
        ({"material_type": "law"}, Filters(material_types=("law",))),
        ({"jurisdiction": "KR"}, Filters(jurisdictions=("KR", "EU"))),
        ({"published_date": "1999-12-31"}, Filters(year=1999)),
        ({"collection": "a 'quoted' one"}, Filters(collections=("a 'quoted' one",))),
    ],
)
async def test_chunk_vectors__give_ten_of_twenty_that_fit_among_ten_thousand(
    rare: dict[str, object], filters: Filters, db: psycopg.Connection, pool: Database
) -> None:
    fill(db, rare)
    asked = unit(Random(3))
    found = await search_chunk_vectors(pool, sight(1, asked), filters, 10)
    best = db.execute(
        "SELECT c.id FROM chunks c JOIN chunk_vectors v ON v.chunk_id = c.id "
        "WHERE c.document_id = 100 ORDER BY v.embedding <#> %s::halfvec, c.id LIMIT 10",
        [text_of(asked)],
    ).fetchall()
    assert [hit.chunk_id for hit in found] == [number for (number,) in best]
    nearest = await search_document_vectors(pool, sight(1, asked), filters, 10)
    assert [each.document_id for each in nearest] == [100]
    best = await best_chunks(pool, sight(1, asked), nearest)
    assert [(each.chunk_id, each.score) for each in best] == [(found[0].chunk_id, nearest[0].score)]


@pytest.mark.slow
async def test_chunk_vectors__find_nearly_all_that_an_exact_search_finds(
    db: psycopg.Connection, pool: Database
) -> None:
    fill(db, {})
    shared = 0
    for seed in range(20):
        asked = unit(Random(100 + seed))
        found = await search_chunk_vectors(pool, sight(1, asked), Filters(), 50)
        scores = [hit.score for hit in found]
        assert scores == sorted(scores, reverse=True)
        exact = db.execute(
            "SELECT chunk_id FROM chunk_vectors ORDER BY embedding <#> %s::halfvec LIMIT 50", [text_of(asked)]
        ).fetchall()
        shared += len({hit.chunk_id for hit in found} & {number for (number,) in exact})
    assert shared > 20 * 50 * 0.9


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(inner for child in plan.get("Plans", []) for inner in nodes(child))]


@pytest.mark.slow
async def test_chunk_vectors__walk_the_index_of_their_embedder_when_many_fit(
    db: psycopg.Connection, pool: Database
) -> None:
    fill(db, {})

    def scans() -> int:
        db.execute("SELECT pg_stat_force_next_flush()")
        (found,) = db.execute(
            "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'chunk_vectors_near_1'"
        ).fetchone() or (0,)
        return int(found)

    async def asked(filters: Filters) -> None:
        async with pool.session() as session:
            await session.connection.fetch(
                "SELECT key FROM near_chunks(1, $1::text::halfvec, 10, $2)",
                text_of(unit(Random(1))),
                filters.values(),
            )
            await session.connection.execute("SELECT pg_stat_force_next_flush()")

    before = scans()
    await asked(Filters())
    assert scans() == before + 1
    await asked(Filters(user_id=2))
    assert scans() == before + 1


@pytest.mark.slow
async def test_walks__give_a_sole_owner_what_is_found_beside_others(db: psycopg.Connection, pool: Database) -> None:
    fill(db, {})
    questions = [sight(1, unit(Random(200 + seed))) for seed in range(5)]

    async def found() -> list[list[object]]:
        legs = (search_chunk_vectors, search_document_vectors)
        return [[*await leg(pool, seen, Filters(), 50)] for leg in legs for seen in questions]

    assert walks(db, Filters()) == [True, True]
    alone = await found()
    db.execute("INSERT INTO users (id, name) VALUES (2, 'other')")
    documents(db, 1, user_id=2)
    assert walks(db, Filters()) == [False, False]
    assert await found() == alone
    assert all(len(hits) == 50 for hits in alone)


def walks(db: psycopg.Connection, filters: Filters) -> list[bool]:
    """Say of both legs whether the index is walked with a plan that stands."""
    asked = "SELECT walk_of('chunks', 1, %s) IS NOT NULL, walk_of('documents', 1, %s) IS NOT NULL"
    return list(db.execute(asked, [Jsonb(filters.values())] * 2).fetchone() or ())


async def test_walks__are_left_where_filters_are_set_and_go_with_their_index(db: psycopg.Connection) -> None:
    embedder(db)
    assert walks(db, Filters()) == [True, True]
    assert walks(db, Filters(year=1999)) == [False, False]
    db.execute("UPDATE embedders SET state = 'retired'")
    for left in ([False, True], [False, False]):
        db.execute("SELECT clear_retired_embedder(10)")
        assert walks(db, Filters()) == left


async def test_walks__that_meet_too_few_are_followed_by_a_comparison(db: psycopg.Connection, pool: Database) -> None:
    embedder(db)
    few, gone = documents(db, 2)
    for document in (few, gone):
        chunks(db, document, [unit(Random(document + place)) for place in range(3)])
    db.execute("UPDATE documents SET deleted_at = now() WHERE id = %s", [gone])
    assert walks(db, Filters()) == [True, True]
    for most, wanted in ((2, 2), (3, 3), (50, 3)):
        found = await search_chunk_vectors(pool, sight(1, unit(Random(1))), Filters(), most)
        assert owners(db, [each.chunk_id for each in found]) == [few] * wanted
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


async def test_legs__of_vectors_keep_to_the_owner_and_to_what_is_alive(db: psycopg.Connection, pool: Database) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'other')")
    embedder(db)
    random = Random(1)
    mine, theirs, gone = *documents(db, 1), *documents(db, 1, user_id=2), *documents(db, 1)
    for document in (mine, theirs, gone):
        chunks(db, document, [unit(random) for _ in range(3)])
    db.execute("SELECT delete_document(%s)", [gone])
    seen = sight(1, unit(random))
    for user, own in ((1, mine), (2, theirs)):
        near = await search_chunk_vectors(pool, seen, Filters(user), 10)
        assert owners(db, [each.chunk_id for each in near]) == [own] * 3
        assert [each.document_id for each in await search_document_vectors(pool, seen, Filters(user), 10)] == [own]
    assert db.execute("SELECT count(*) FROM document_vectors").fetchone() == (2,)


async def test_document_vector__is_the_mean_of_few_and_none_of_many(db: psycopg.Connection, pool: Database) -> None:
    embedder(db)
    few, many = documents(db, 2)
    chunks(db, few, [[1.0] + [0.0] * 15, [0.0, 1.0] + [0.0] * 14])
    chunks(db, many, [unit(Random(n)) for n in range(257)])
    rows = db.execute("SELECT document_id, embedding::vector::real[] FROM document_vectors").fetchall()
    assert [number for number, _ in rows] == [few]
    assert rows[0][1][:3] == pytest.approx([0.7071, 0.7071, 0.0], abs=1e-3)


async def test_filters__that_no_leg_knows_are_refused(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="No leg knows all of these filters"):
        db.execute("""SELECT fits_clause('{"user_id": 1, "colour": "red"}')""")
