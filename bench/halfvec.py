"""What half precision costs: the first ten neighbours by halfvec against those by float32, in Postgres itself.

    python -m bench.halfvec [--rows 5000] [--queries 200] [--markdown FILE]

No embedding model can be fetched here, so the vectors are made: unit length, with what is known of real text
embeddings. They lie in a cone (a common mean: the cosine of two texts that have nothing in common is far above 0), in
clusters (topics), with variances that fall off as a power of their rank, so that few directions carry most of it. Eight
rows of each passage stand close together, as passages about one thing do: the first ten are then near ties, the hardest
case for rounding. A question is a row moved away from itself. Real vectors may do better or worse; none is worse
conditioned by far, since unit length bounds every value, and half precision keeps 11 bits of each.

    exact float32   vector(dim), all rows read: the truth
    exact halfvec   halfvec(dim), all rows read: what half precision itself loses
    index halfvec   the index that Seodang makes (HNSW, inner product, pgvector's defaults, ef_search 40)
    index float32   the same over vector(dim): what the index loses by itself

An index is built from dice, so its figures are means over several builds, with the lowest and the highest overlap.
"""

import argparse
import asyncio
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.machine import describe
from bench.pg import connection, private_server
from bench.queue_report import aligned, markdown

DIMS = (384, 1024)
WAYS = (("exact halfvec", "halfvec", 0), ("index halfvec", "halfvec", 5), ("index float32", "vector", 5))
"""Name, type, and how many indexes are built."""
TOP = 10
CLUSTERS = 200
TWINS = 8
SPECTRUM = 0.6
"""The deviation along direction k falls off as k ** -SPECTRUM."""
CONE, TOPIC, PASSAGE, TWIN, QUESTION = 1.0, 0.8, 0.6, 0.12, 0.45
"""Lengths of the parts of a vector: the common mean, its topic, its passage, its own words; a question's distance."""

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Found:
    """How one way fared: overlap with the truth (0 to 1) and the same for the first place by trial, time, size."""

    way: str
    dim: int
    overlaps: tuple[float, ...]
    firsts: tuple[float, ...]
    p50_ms: float
    mib: float


def unit(vector: Sequence[float], length: float = 1.0) -> Vector:
    """Scale a vector to a length."""
    norm = math.sqrt(sum(value * value for value in vector))
    return [value * length / norm for value in vector]


def summed(*vectors: Sequence[float]) -> Vector:
    """Add vectors up and give the sum unit length."""
    return unit([sum(values) for values in zip(*vectors, strict=True)])


def made(dim: int, rows: int, queries: int, seed: int = 7) -> tuple[list[Vector], list[Vector]]:
    """Make rows and questions."""
    chance = random.Random(seed)
    scale = [(1 + rank) ** -SPECTRUM for rank in range(dim)]

    def some(length: float) -> Vector:
        return unit([chance.gauss(0, deviation) for deviation in scale], length)

    mean, topics, found = some(CONE), [some(TOPIC) for _ in range(CLUSTERS)], list[Vector]()
    while len(found) < rows:
        topic, passage = topics[int(CLUSTERS * chance.random() ** 2)], some(PASSAGE)
        found += [summed(mean, topic, passage, some(TWIN)) for _ in range(TWINS)]
    asked = [summed(chance.choice(found), some(QUESTION)) for _ in range(queries)]
    return found[:rows], asked


def text_of(vector: Sequence[float]) -> str:
    """Write a vector as pgvector reads it."""
    return "[" + ",".join(f"{value:.8g}" for value in vector) + "]"


async def fill(conn: asyncpg.Connection, dim: int, rows: Sequence[Vector]) -> None:
    """Write the rows twice, once per type."""
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for kind in ("vector", "halfvec"):
        await conn.execute(f"CREATE TABLE as_{kind} (id integer, embedding {kind}({dim}))")
        statement = f"INSERT INTO as_{kind} VALUES ($1, $2::text::{kind})"
        await conn.executemany(statement, [(number, text_of(row)) for number, row in enumerate(rows)])
    await conn.execute("VACUUM ANALYZE")


async def ask(
    conn: asyncpg.Connection, kind: str, dim: int, queries: Sequence[Vector]
) -> tuple[list[list[int]], float]:
    """Give the first ten of each question, and the median time in milliseconds."""
    statement = f"SELECT id FROM as_{kind} ORDER BY embedding <#> $1::text::{kind}({dim}) LIMIT {TOP}"
    prepared = await conn.prepare(statement)
    answers, times = [], []
    for query in queries:
        text = text_of(query)
        started = time.perf_counter()
        answers.append([row["id"] for row in await prepared.fetch(text)])
        times.append((time.perf_counter() - started) * 1000)
    return answers, sorted(times)[len(times) // 2]


async def measure(conn: asyncpg.Connection, dim: int, rows: int, queries: int) -> list[Found]:
    """Take the four ways over one set of vectors."""
    stored, asked = made(dim, rows, queries)
    await fill(conn, dim, stored)
    truth, truth_ms = await ask(conn, "vector", dim, asked)
    found = [Found("exact float32", dim, (1,), (1,), truth_ms, await _mib(conn, "as_vector"))]
    for way, kind, indexes in WAYS:
        trials = [await try_once(conn, kind, dim, asked, truth, indexes > 0) for _ in range(max(indexes, 1))]
        mib = await _mib(conn, f"near_{kind}" if indexes else f"as_{kind}")
        overlaps, firsts, times = zip(*trials, strict=True)
        found.append(Found(way, dim, overlaps, firsts, statistics.median(times), mib))
        print(found[-1], file=sys.stderr)
    return found


async def try_once(
    conn: asyncpg.Connection, kind: str, dim: int, asked: Sequence[Vector], truth: Sequence[list[int]], index: bool
) -> tuple[float, float, float]:
    """Compare one way with the truth, over an index of its own where it has one: overlap, same first, milliseconds."""
    if index:
        await conn.execute(f"DROP INDEX IF EXISTS near_{kind}")
        await conn.execute(f"CREATE INDEX near_{kind} ON as_{kind} USING hnsw (embedding {kind}_ip_ops)")
    answers, p50_ms = await ask(conn, kind, dim, asked)
    pairs = list(zip(answers, truth, strict=True))
    overlap = sum(len(set(given) & set(wanted)) for given, wanted in pairs) / (TOP * len(pairs))
    return overlap, sum(given[0] == wanted[0] for given, wanted in pairs) / len(pairs), p50_ms


async def _mib(conn: asyncpg.Connection, relation: str) -> float:
    return float(await conn.fetchval("SELECT pg_total_relation_size($1::text::regclass)", relation)) / 2**20


async def run(rows: int, queries: int) -> tuple[str, list[Found]]:
    """Measure both lengths of vectors."""
    found: list[Found] = []
    with private_server() as server:
        for dim in DIMS:
            async with server.database() as dsn, connection(dsn) as conn:
                found += await measure(conn, dim, rows, queries)
        return describe(await server.version()), found


def table(found: Sequence[Found]) -> list[tuple[str, ...]]:
    """Give the rows of the table, the first one the heading."""
    head = ("way", "dim", "overlap of ten", "lowest", "highest", "same first", "p50 ms", "MiB")
    return [head] + [
        (
            each.way,
            str(each.dim),
            f"{statistics.mean(each.overlaps):.4f}",
            f"{min(each.overlaps):.4f}",
            f"{max(each.overlaps):.4f}",
            f"{statistics.mean(each.firsts):.3f}",
            f"{each.p50_ms:.1f}",
            f"{each.mib:.1f}",
        )
        for each in found
    ]


def main() -> None:
    """Read the options, measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    machine, found = asyncio.run(run(options.rows, options.queries))
    rows = table(found)
    print(f"{machine}\n\n{aligned(rows)}")
    if options.markdown:
        facts = (
            f"{machine}. Load of the machine before the run: {load:.1f}.\n\n"
            f"{options.rows} rows, {options.queries} questions; made vectors, no model's."
        )
        title = "# Half precision\n\nMade by `python -m bench.halfvec`; its docstring says how the vectors are made."
        options.markdown.write_text(f"{title}\n\n{facts}\n\n{markdown(rows)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
