"""Vectors for made chunks, without a model: what a serving embedder would have written, put together inside Postgres.

A vector is the sum of four parts at unit length, as bench/halfvec.py has it: a mean common to all, a topic of the
document, a passage, and the words. Parts are drawn from pools and added up by the server, which makes a million vectors
in a minute. A question's vector is a chunk's, moved away from it.
"""

import random
import time

import psycopg

from bench.halfvec import CONE, PASSAGE, QUESTION, SPECTRUM, TOPIC, summed, text_of, unit
from bench.search_rows import QUICK

DIM = 384
LABEL = "made"
POOLS = {"mean": (1, CONE), "topic": (400, TOPIC), "passage": (5003, PASSAGE), "words": (4001, PASSAGE / 2)}
"""How many parts there are of a kind, and their length; a passage and its words are 20 million different ones."""
ADD = """
INSERT INTO chunk_vectors (chunk_id, embedder, in_corpus, embedding)
SELECT c.id, e.id, c.in_corpus, l2_normalize(mean.part + topic.part + passage.part + words.part)
FROM chunks c
JOIN embedders e ON e.label = %s AND e.state = 'serving'
JOIN made_parts mean ON mean.kind = 'mean'
JOIN made_parts topic ON topic.kind = 'topic' AND topic.number = mod(hashint8(c.document_id) & 65535, 400)
JOIN made_parts passage ON passage.kind = 'passage' AND passage.number = mod(hashint8(c.id) & 1073741823, 5003)
JOIN made_parts words ON words.kind = 'words' AND words.number = mod(hashint8(-c.id) & 1073741823, 4001)
WHERE c.is_leaf AND NOT EXISTS (SELECT FROM chunk_vectors v WHERE v.chunk_id = c.id AND v.embedder = e.id)
"""
MEANS = """
SELECT count(save_document_vector(d.id, e.id)) FROM documents d, embedders e
WHERE e.state = 'serving' AND NOT EXISTS (SELECT FROM document_vectors v WHERE v.document_id = d.id)
"""
DONE = "UPDATE documents SET vectors_by = (SELECT id FROM embedders WHERE state = 'serving'), vectors_due = false"
NAMES = ("chunk_vectors_near_1", "document_vectors_near_1")


def add_vectors(dsn: str) -> dict[str, float]:
    """Give every leaf that has none a vector, and every document; gives the seconds in which each index was made."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in QUICK:
            conn.execute(statement)
        conn.execute("SELECT register_embedder(%s, %s)", (LABEL, DIM))
        definitions = [_without(conn, name) for name in NAMES]
        _make_parts(conn)
        conn.execute(ADD, (LABEL,))
        conn.execute("ANALYZE chunk_vectors")
        conn.execute(MEANS)
        conn.execute(DONE)
        return {name: _timed(conn, each) for name, each in zip(NAMES, definitions, strict=True)}


def _without(conn: psycopg.Connection, name: str) -> str:
    (definition,) = conn.execute("SELECT pg_get_indexdef(%s::regclass)", (name,)).fetchone() or ("",)
    conn.execute(f"DROP INDEX {name}")
    return str(definition)


def _timed(conn: psycopg.Connection, definition: str) -> float:
    started = time.perf_counter()
    conn.execute(definition)
    return time.perf_counter() - started


def _make_parts(conn: psycopg.Connection, seed: int = 7) -> None:
    """Draw the parts, once in a database."""
    conn.execute("CREATE TABLE IF NOT EXISTS made_parts (kind text, number integer, part halfvec)")
    if conn.execute("SELECT 1 FROM made_parts LIMIT 1").fetchone():
        return
    chance = random.Random(seed)
    scale = [(1 + rank) ** -SPECTRUM for rank in range(DIM)]
    with conn.cursor() as cursor, cursor.copy("COPY made_parts FROM STDIN") as copy:
        for kind, (count, length) in POOLS.items():
            for number in range(count):
                part = unit([chance.gauss(0, deviation) for deviation in scale], length)
                copy.write_row((kind, number, text_of(part)))
    conn.execute("ANALYZE made_parts")


def asked_vectors(dsn: str, count: int, seed: int = 11) -> list[list[float]]:
    """Make the vectors of questions: chunks from all over the corpus, moved away from themselves."""
    chance = random.Random(seed)
    scale = [(1 + rank) ** -SPECTRUM for rank in range(DIM)]
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT embedding::text FROM chunk_vectors WHERE mod(chunk_id, greatest(1, (SELECT max(chunk_id) FROM "
            "chunk_vectors) / %s)) < 64 ORDER BY hashint8(chunk_id) LIMIT %s",
            (50 * count, count),
        ).fetchall()
    stored = [[float(value) for value in text[1:-1].split(",")] for (text,) in found]
    return [summed(each, unit([chance.gauss(0, deviation) for deviation in scale], QUESTION)) for each in stored]
