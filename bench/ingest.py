"""From file to searchable: how fast, and how much of the time is not the parser's and the embedder's.

    python -m bench.ingest [--files 100] [--repeat 3] [--json FILE] [--markdown FILE]

Three ways over the same files, alternating in one run on one server:
    by hand   the parser, the splitter and the weights in a loop, nothing stored: the physical limit of one process
    drained   ingest, embed and classify one after the other in one process, as `seodang queue drain` does it
    daemons   the three as real processes side by side, from the first INSERT to the last row that is searchable
`share outside` is the part of the drained time that the loop by hand does not need: queue, transactions, Postgres.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import describe
from bench.pg import connection, private_server
from bench.queue_report import aligned, markdown
from db.migrate import migrate
from services.document.embed import MARKDOWN
from services.formats.sandbox import Limits, Reader
from services.kit.log import set_up_logging
from services.kit.runner import Runner
from services.kit.settings import CHECKOUT, Settings
from services.stages import stage_named
from services.text.chunks import split
from services.text.terms import document_weights, sparsevec_text
from services.wiring import open_tools
from tests.fakes.pdf_writer import pdf

STAGES = ("ingest", "embed", "classify")
PARAGRAPH_CHARS = 20_000
"""Text of one file, cut from the Korean FAQ of samples/."""
LIMIT_S = 600.0
INSERT = "INSERT INTO inbox (path) SELECT path FROM unnest($1::text[]) AS path"
UNFINISHED = """
SELECT (SELECT count(*) FROM inbox WHERE completed_at IS NULL)
     + (SELECT count(*) FROM document_jobs WHERE completed_at IS NULL)
"""
ALIVE = "SELECT count(*) FROM workers"
CHUNKS = "SELECT count(*) FROM corpus_chunks"


@dataclass(frozen=True, slots=True)
class Sample:
    """One way over the files of one kind."""

    kind: str
    way: str
    files: int
    mib: float
    chunks: int
    seconds: float


def write_files(folder: Path, kind: str, count: int) -> list[str]:
    """Write `count` files that differ, of about PARAGRAPH_CHARS characters each."""
    text = (CHECKOUT / "samples" / "debian-faq.ko.txt").read_text(encoding="utf-8")
    paths = []
    for number in range(count):
        start = (number * 997) % (len(text) - PARAGRAPH_CHARS)
        path = folder / f"{number}.{kind}"
        path.write_bytes(FORMS[kind](f"{number}\n\n{text[start : start + PARAGRAPH_CHARS]}"))
        paths.append(str(path))
    return paths


def _html(text: str) -> bytes:
    paragraphs = "".join(f"<p>{part}</p>" for part in text.replace("<", "&lt;").split("\n\n"))
    return f"<html><body>{paragraphs}</body></html>".encode()


def _pdf(text: str) -> bytes:
    lines = [line[:40] for line in text.splitlines() if line.strip()]
    return pdf([lines[first : first + 30] for first in range(0, len(lines), 30)])


FORMS: dict[str, Callable[[str], bytes]] = {"md": lambda text: text.encode(), "html": _html, "pdf": _pdf}


async def by_hand(paths: Sequence[str]) -> int:
    """Parse, split and weigh in a loop; gives the number of chunks."""
    chunks = 0
    async with Reader(Limits()) as reader:
        for path in paths:
            parsed = await reader.read(Path(path), Path(path).name)
            for page in parsed.pages:
                for span in split(page.text, markdown=parsed.media_type in MARKDOWN):
                    sparsevec_text(document_weights(page.text[span.start : span.end], parsed.title))
                    chunks += 1
    return chunks


async def drained(settings: Settings, dsn: str) -> None:
    """Run the three stages in this process until their queues are empty."""
    async with open_tools(settings, "bench") as tools:
        for name in STAGES:
            await Runner(dsn, stage_named(name), tools, settings.queue, until_empty=True).run()


@contextmanager
def daemons(dsn: str) -> Iterator[None]:
    """Run the three stages as real processes."""
    environment = {**os.environ, "SEODANG_DATABASE_URL": dsn, "SEODANG_LOG_LEVEL": "warning"}
    started = [subprocess.Popen([sys.executable, "-m", "services.daemon", name], env=environment) for name in STAGES]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


async def _until_done(dsn: str) -> None:
    end = time.monotonic() + LIMIT_S
    async with connection(dsn) as conn:
        while await conn.fetchval(UNFINISHED):
            if time.monotonic() > end:
                raise TimeoutError(f"not searchable after {LIMIT_S:.0f} s")
            await asyncio.sleep(0.02)


async def _until_alive(dsn: str) -> None:
    async with connection(dsn) as conn:
        while await conn.fetchval(ALIVE) < len(STAGES):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)


async def _insert(dsn: str, paths: Sequence[str]) -> None:
    async with connection(dsn) as conn:
        await conn.execute(INSERT, list(paths))


async def _chunks(dsn: str) -> int:
    async with connection(dsn) as conn:
        return int(await conn.fetchval(CHUNKS))


async def measure(way: str, kind: str, paths: Sequence[str], dsn: str) -> Sample:
    """Take one way over one set of files."""
    settings = Settings(database_url=dsn)  # type: ignore[arg-type]
    match way:
        case "by hand":
            started = time.perf_counter()
            chunks = await by_hand(paths)
        case "drained":
            await _insert(dsn, paths)
            started = time.perf_counter()
            await drained(settings, dsn)
            chunks = await _chunks(dsn)
        case _:
            with daemons(dsn):
                await _until_alive(dsn)
                started = time.perf_counter()
                await _insert(dsn, paths)
                await _until_done(dsn)
                chunks = await _chunks(dsn)
                seconds = time.perf_counter() - started
            return _sample(kind, way, paths, chunks, seconds)
    return _sample(kind, way, paths, chunks, time.perf_counter() - started)


def _sample(kind: str, way: str, paths: Sequence[str], chunks: int, seconds: float) -> Sample:
    mib = sum(Path(path).stat().st_size for path in paths) / 2**20
    return Sample(kind, way, len(paths), mib, chunks, seconds)


WAYS = ("by hand", "drained", "daemons")


async def run_all(files: int, repeat: int) -> tuple[str, list[Sample]]:
    """Measure every way over every kind, `repeat` times."""
    samples = []
    with private_server() as server, tempfile.TemporaryDirectory() as folder:
        for _ in range(repeat):
            for kind in FORMS:
                place = Path(folder) / kind
                place.mkdir(exist_ok=True)
                paths = write_files(place, kind, files)
                for way in WAYS:
                    async with server.database() as dsn:
                        migrate(dsn)
                        samples.append(await measure(way, kind, paths, dsn))
                        print(samples[-1], file=sys.stderr)
        return describe(await server.version()), samples


def table(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    """Give the medians as rows of text, the first one the heading."""
    rows = [("kind", "way", "files/s", "MB/s", "chunks/s", "of by hand", "share outside")]
    for kind in FORMS:
        seconds = {way: _median(samples, kind, way) for way in WAYS}
        first = {sample.way: sample for sample in samples if sample.kind == kind}
        rows += [_row(kind, way, first[way], seconds) for way in WAYS]
    return rows


def _row(kind: str, way: str, sample: Sample, seconds: dict[str, float]) -> tuple[str, ...]:
    took = seconds[way]
    outside = f"{1 - seconds['by hand'] / took:.2f}" if way == "drained" else ""
    return (
        kind,
        way,
        f"{sample.files / took:,.0f}",
        f"{sample.mib * 2**20 / 1e6 / took:.2f}",
        f"{sample.chunks / took:,.0f}",
        f"{seconds['by hand'] / took:.2f}",
        outside,
    )


def _median(samples: Sequence[Sample], kind: str, way: str) -> float:
    return statistics.median(s.seconds for s in samples if (s.kind, s.way) == (kind, way))


def main() -> None:
    """Read the options, measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="files of each kind")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    set_up_logging("warning", "json", "bench")
    machine, samples = asyncio.run(run_all(options.files, options.repeat))
    rows = table(samples)
    print(f"{machine}\n\n{aligned(rows)}")
    if options.json:
        options.json.write_text("".join(json.dumps(asdict(sample)) + "\n" for sample in samples))
    if options.markdown:
        facts = f"{machine}. Medians of {options.repeat} repetitions over {options.files} files of each kind."
        title = "# From file to searchable\n\nMade by `python -m bench.ingest`; its docstring says what the ways are."
        options.markdown.write_text(f"{title}\n\n{facts}\n\n{markdown(rows)}\n")


if __name__ == "__main__":
    main()
