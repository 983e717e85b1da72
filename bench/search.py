"""Search as the corpus grows: each leg beside its bare index query, HTTP, recall, and what indexes and tables take.

    python -m bench.search [--texts FOLDER] [--sizes 5000,10000,100000] [--vectors-at 5000,10000,100000]
                           [--questions 300] [--no-http] [--json FILE] [--markdown FILE]

One database grows from size to size: chunks resampled from real text (bench/search_texts.py; `--texts` names a folder
of evaluation sets or of files), rows as the product writes them (bench/search_rows.py), vectors made without a model
(bench/search_vectors.py). At each size, after VACUUM (ANALYZE) and CHECKPOINT:

    legs     the product's way to a leg's rows against its bare index query, question by question; the second look at
             the rows of words apart from that (bench/search_legs.py)
    HTTP     GET /api/search of the real process, words alone, by 1 and by 8 clients (bench/search_http.py)
    recall   of the first ten: the index of vectors against all vectors, the lexical leg's choice of candidates against
             all that have any term of the question
    sizes    tables, indexes and how long they took to make, the API's memory after its searches

A million chunks are measured when they are asked for: they take a quarter of an hour and 12 GB, their vectors another.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

from bench import search_http as served
from bench.machine import describe
from bench.pg import Server, private_server, settle
from bench.search_legs import (
    CHUNKS,
    DOCUMENTS,
    WARM_UP,
    lexical_recall,
    measure_lexical,
    measure_vectors,
    vector_recall,
)
from bench.search_report import Measured, Size, markdown_page, text_page
from bench.search_rows import load, make_index, without_index
from bench.search_texts import Texts, read_texts
from bench.search_vectors import add_vectors, asked_vectors
from db.migrate import migrate
from db.server import configuration
from services.kit.log import set_up_logging

RECALL_QUESTIONS = 100
TABLES = ("chunks", "documents", "term_stats", "chunk_vectors", "document_vectors")
LEAVES = "SELECT count(*) FROM chunks WHERE is_leaf"


@dataclass(slots=True)
class Growing:
    """The database of a run, and what was found."""

    dsn: str
    folder: Path | None
    texts: Texts
    questions: int
    found: Measured = field(default_factory=Measured)
    next_document: int = 1

    def grow(self, chunks: int, with_vectors: bool) -> None:
        """Bring it to a size."""
        started = time.perf_counter()
        definition = without_index(self.dsn)
        missing = chunks - int(self._value(LEAVES))
        self.next_document = load(self.dsn, self.folder, self.next_document, missing)
        loaded_s = time.perf_counter() - started
        made_s = {"chunks_terms": make_index(self.dsn, definition)}
        if with_vectors:
            made_s |= add_vectors(self.dsn)
        asyncio.run(settle(self.dsn))
        sizes = [Size(chunks, f"table {name}", self._mib("pg_table_size", name)) for name in TABLES]
        sizes += [Size(chunks, f"index {name}", self._mib("pg_relation_size", name), made_s[name]) for name in made_s]
        self.found.sizes += [each for each in sizes if each.mib > 0.1]
        print(f"{chunks:,} chunks: rows in {loaded_s:.0f} s, indexes {made_s}", file=sys.stderr)

    def _value(self, statement: str, *values: object) -> float:
        with psycopg.connect(self.dsn) as conn:
            (value,) = conn.execute(statement, values).fetchone() or (0,)
            return float(value)

    def _mib(self, function: str, name: str) -> float:
        return self._value(f"SELECT {function}(%s::regclass)", name) / 2**20

    async def words(self, chunks: int) -> None:
        """Measure the leg of words and its recall."""
        asked = self.texts.asked(self.questions + WARM_UP, seed=chunks)
        for leg in await measure_lexical(self.dsn, chunks, asked):
            self._told(leg, self.found.legs)
        self._told(await lexical_recall(self.dsn, chunks, asked[:RECALL_QUESTIONS]), self.found.recalls)

    async def vectors(self, chunks: int) -> None:
        """Measure the legs of vectors and their recall."""
        vectors = asked_vectors(self.dsn, self.questions + WARM_UP)
        for name in (CHUNKS, DOCUMENTS):
            for leg in await measure_vectors(self.dsn, chunks, name, vectors):
                self._told(leg, self.found.legs)
        self._told(await vector_recall(self.dsn, chunks, vectors[:RECALL_QUESTIONS]), self.found.recalls)

    def http(self, chunks: int) -> None:
        """Measure over HTTP."""
        with served.api(self.dsn) as running:
            for clients in served.CLIENTS:
                asked = self.texts.asked(self.questions, seed=chunks + clients)
                self._told(served.measure(running, chunks, asked, clients), self.found.served)
            self.found.sizes.append(Size(chunks, "process api", running.memory_mib()))

    def _told(self, figure: object, into: list[object]) -> None:
        into.append(figure)


def run(server: Server, options: argparse.Namespace) -> Measured:
    """Measure at all sizes."""
    growing = Growing(server.dsn(), options.texts, read_texts(options.texts), options.questions)
    migrate(growing.dsn)
    for chunks in options.sizes:
        with_vectors = chunks in options.vectors_at
        growing.grow(chunks, with_vectors)
        asyncio.run(growing.words(chunks))
        if not options.no_http:
            growing.http(chunks)
        if with_vectors:
            asyncio.run(growing.vectors(chunks))
        print(text_page(f"so far, at {chunks:,}", growing.found), file=sys.stderr, flush=True)
    return growing.found


def numbers(given: str) -> list[int]:
    """Read `5000,10000`."""
    return sorted(int(each) for each in given.split(",") if each)


def main() -> None:
    """Read the options, measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="evaluation sets, or a folder of files; without it samples/")
    parser.add_argument("--sizes", type=numbers, default=[5_000, 10_000, 100_000])
    parser.add_argument("--vectors-at", type=numbers, default=[5_000, 10_000, 100_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--no-http", action="store_true", help="legs, recall and sizes alone")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    set_up_logging("warning", "json", "bench")
    load_before = os.getloadavg()[0]
    with private_server(configuration()) as server:
        machine = describe(asyncio.run(server.version()))
        found = run(server, options)
    head = f"{machine}. Load of the machine before the run: {load_before:.1f}. {options.questions} questions each."
    print(text_page(head, found))
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines(found)), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown_page(head, found), encoding="utf-8")


def lines(found: Measured) -> list[dict[str, object]]:
    """Give every figure as it stands in the JSON lines, with what it is."""
    groups: dict[str, Sequence[object]] = {
        "leg": found.legs,
        "http": found.served,
        "recall": found.recalls,
        "size": found.sizes,
    }
    return [{"figure": name, **asdict(each)} for name, group in groups.items() for each in group]  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
