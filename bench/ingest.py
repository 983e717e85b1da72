"""From file to searchable: how fast beside the bare work, where the rest goes, and whether memory stays flat.

    python -m bench.ingest [--files 200] [--repeat 3] [--documents 10000] [--json FILE] [--markdown FILE]

Two ways over the same files, alternating in one run (bench/ingest_files.py makes them: an office's mix, then each of
its four largest kinds alone):
    by hand   parser, splitter and weights in one process of its own (bench/ingest_by_hand.py): the same calls as the
              product's, without a second process around the parser, without a queue, without a database
    daemons   ingest, embed and classify as the product runs them, one process each, from the INSERT of all paths to the
              last row that has ended; their Postgres is durable (fsync) and at its defaults
`ratio` is by hand / daemons in wall time, taken within a repetition; 0.7 is wanted of the mix. `processor` is what the
daemons, the parser's process and their sessions with Postgres take in processor time, over what the loop by hand takes:
it says what the corridor costs where cores are not idle.

Then --documents small files pass through one set of daemons, and their memory is read after each tenth part.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.ingest_daemons import INSERT, corridor, memory_mib, through, until_done
from bench.ingest_files import Sized, mix, of_kind, small, write, write_small
from bench.ingest_report import MIX, Memory, Sample, markdown_page, text_page
from bench.machine import describe
from bench.pg import Server, connection, private_server
from db.migrate import migrate
from services.kit.log import set_up_logging

KINDS_ALONE = ("pdf", "docx", "html", "hwpx")
ALONE_SHARE = 4
"""Of the mix's number of files, a fourth of each kind alone."""
LOOKS = 10


def by_hand(kind: str, repeat: int, paths: Sequence[str]) -> Sample:
    """Work through the files in a process of its own."""
    command = [sys.executable, "-m", "bench.ingest_by_hand"]
    done = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return Sample(
        kind, "by hand", repeat, len(paths), _mib(paths), told["chunks"], told["seconds"], told["cpu_s"], told["parts"]
    )


async def by_daemons(kind: str, repeat: int, paths: Sequence[str], server: Server) -> Sample:
    """Send the files through the corridor on a fresh database."""
    async with server.database() as dsn:
        migrate(dsn)
        seconds, parts, leaves = await through(dsn, paths)
    return Sample(kind, "daemons", repeat, len(paths), _mib(paths), leaves, seconds, sum(parts.values()), parts)


def _mib(paths: Sequence[str]) -> float:
    return sum(Path(path).stat().st_size for path in paths) / 2**20


async def measure_throughput(server: Server, folder: Path, files: int, repeat: int) -> list[Sample]:
    """Take both ways over the mix and over single kinds, again and again."""
    sets: dict[str, list[Sized]] = {MIX: mix(files)}
    sets |= {kind: of_kind(kind, max(1, files // ALONE_SHARE)) for kind in KINDS_ALONE}
    paths = {kind: write(folder / kind, wanted) for kind, wanted in sets.items()}
    samples = []
    for number in range(repeat):
        for kind, these in paths.items():
            for sample in (by_hand(kind, number, these), await by_daemons(kind, number, these, server)):
                samples.append(sample)
                print(sample, file=sys.stderr)
    return samples


async def measure_memory(server: Server, folder: Path, documents: int) -> list[Memory]:
    """Send many small files through one set of daemons, and look at their memory now and then."""
    paths = write_small(folder / "small", small(documents))
    looks = []
    async with server.database() as dsn:
        migrate(dsn)
        async with corridor(dsn) as running, connection(dsn) as conn:
            await conn.execute(INSERT, paths)
            for look in range(1, LOOKS + 1):
                await until_done(conn, documents * look // LOOKS)
                looks.append(Memory(documents * look // LOOKS, memory_mib(running)))
                print(looks[-1], file=sys.stderr)
    return looks


async def run_all(files: int, repeat: int, documents: int) -> tuple[str, list[Sample], list[Memory]]:
    """Measure everything; gives the machine's line with it."""
    with private_server() as server, tempfile.TemporaryDirectory() as folder:
        samples = await measure_throughput(server, Path(folder), files, repeat)
        looks = await measure_memory(server, Path(folder), documents) if documents else []
        return describe(await server.version()), samples, looks


def main() -> None:
    """Read the options, measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200, help="files of the mix")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--documents", type=int, default=10_000, help="small files for the memory; 0 for none")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    set_up_logging("warning", "json", "bench")
    machine, samples, looks = asyncio.run(run_all(options.files, options.repeat, options.documents))
    print(text_page(machine, samples, looks))
    if options.json:
        lines = [*map(asdict, samples), *map(asdict, looks)]
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if options.markdown:
        options.markdown.write_text(markdown_page(machine, samples, looks))


if __name__ == "__main__":
    main()
