"""The job queue against the bare SQL loop, PgQueuer and Procrastinate, alternating in one run on one server.

    python -m bench.queue [--rows 20000] [--backlog 1000000] [--repeat 3] [--samples 200]
                          [--systems seodang,bare,pgqueuer,procrastinate]
                          [--json bench/results/queue.jsonl] [--markdown bench/results/queue.md]

What is measured, and from when to when, stands in `bench.queue_measures`; how each system is set up, in its
module under `bench.contenders`. On a small shared machine the figures halve and double: read the ratios.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import machine, queue_report
from bench.contenders.contract import Contender, UnknownContender, load
from bench.pg import private_server
from bench.queue_measures import MEASURES, SHORT_ROWS, Bench, Measure
from bench.queue_report import Results, Row, Sample

SYSTEMS = "seodang,bare,pgqueuer,procrastinate"


@dataclass(frozen=True)
class Run:
    """What explains the figures of a run: the first of the JSON lines."""

    machine: str
    versions: dict[str, str]
    rows: int
    backlog: int
    repeat: int
    samples: int


def main() -> None:
    """Run the benchmark, print its tables, and write the files that were asked for."""
    options = _parse()
    try:
        contenders = [load(name) for name in options.systems.split(",")]
    except UnknownContender as unknown:
        sys.exit(f"no contender {unknown}: there is no bench/contenders/{unknown}.py; see --systems")
    with private_server() as server:
        bench = Bench(server, options.rows, options.backlog, options.samples)
        run, samples = asyncio.run(_measure(bench, contenders, options.repeat))
    tables = _tables(Results(samples), [contender.name for contender in contenders], run.backlog)
    print(run.machine, *(queue_report.aligned(table) for table in tables), sep="\n\n")
    if options.json:
        _write(options.json, _json_lines(run, samples))
    if options.markdown:
        _write(options.markdown, _page(run, tables))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.queue")
    parser.add_argument("--rows", type=int, default=20_000, help="jobs to drain (a slow peer takes a fifth)")
    parser.add_argument("--backlog", type=int, default=1_000_000, help="rows of the long table; 0: leave out")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, alternating the systems")
    parser.add_argument("--samples", type=int, default=200, help="pickups to time in each repetition")
    parser.add_argument("--systems", default=SYSTEMS, help="names of modules in bench/contenders")
    parser.add_argument("--json", type=Path, help="write every value as JSON lines")
    parser.add_argument("--markdown", type=Path, help="write the tables as Markdown")
    options = parser.parse_args()
    if options.backlog and options.backlog < SHORT_ROWS:
        parser.error(f"--backlog is 0 or at least {SHORT_ROWS}")
    return options


async def _measure(bench: Bench, contenders: Sequence[Contender], repeat: int) -> tuple[Run, list[Sample]]:
    samples: list[Sample] = []
    for number, measure, contender in _plan(contenders, repeat):
        start = time.monotonic()
        values = await measure(contender, bench)
        samples += [Sample(number, contender.name, metric, value) for metric, value in values.items()]
        _tell(number, contender, values, time.monotonic() - start)
    run = Run(
        machine=machine.describe(await bench.server.version()),
        versions={contender.name: contender.version for contender in contenders},
        rows=bench.rows,
        backlog=bench.backlog,
        repeat=repeat,
        samples=bench.samples,
    )
    return run, samples


def _plan(contenders: Sequence[Contender], repeat: int) -> Iterator[tuple[int, Measure, Contender]]:
    """Yield the order of the run: systems take turns in each measure, each repetition another begins."""
    for number in range(repeat):
        first = number % len(contenders)
        for measure in MEASURES:
            for contender in (*contenders[first:], *contenders[:first]):
                yield number, measure, contender


def _tell(number: int, contender: Contender, values: dict[str, float], took_s: float) -> None:
    figures = " ".join(f"{metric}={value:,.2f}" for metric, value in values.items())
    if figures:
        print(f"[{number + 1}] {contender.name}: {figures} ({took_s:.1f} s)", file=sys.stderr, flush=True)


def _tables(results: Results, systems: Sequence[str], backlog: int) -> list[list[Row]]:
    tables = [
        queue_report.median_rows(results, systems, backlog),
        queue_report.ratio_rows(results, systems, backlog),
        queue_report.flatness_rows(results, systems),
        queue_report.acceptance_rows(results),
    ]
    return [table for table in tables if len(table) > 1]


def _json_lines(run: Run, samples: Sequence[Sample]) -> str:
    lines = (asdict(run), *map(asdict, samples))
    return "\n".join(map(json.dumps, lines))


def _page(run: Run, tables: Sequence[Sequence[Row]]) -> str:
    facts = (
        f"{run.machine}; durable commits (fsync on), Unix socket, one server for all.",
        f"{', '.join(run.versions.values())}.",
        f"Medians of {run.repeat} alternating repetitions, {run.rows:,} rows, {run.samples} pickups each. "
        "Compare the ratios, not the absolute figures.",
        "Rows per claim in the drains: seodang 1,000, bare 100, PgQueuer 1,000; Procrastinate has no batches.",
    )
    made_by = "Made by `python -m bench.queue`; what each line means stands in `bench/queue_measures.py`."
    return "\n\n".join(("# The job queue", made_by, "\n".join(facts), *map(queue_report.markdown, tables)))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
