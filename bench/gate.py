"""The priority gate against one bare pg_advisory_lock and redis-py's Lock, alternating in one run.

    python -m bench.gate [--repeat 3] [--quick] [--systems seodang,bare,redis,redis_tight]
                         [--measures pair,hand_over,killed,foreground,busy,connections,throughput]
                         [--json bench/results/gate.jsonl] [--markdown bench/results/gate.md]

What is measured, and from when to when, stands in `bench.gate_measures`; each lock is one module
`bench.contenders.gate_<name>`. Where there is no redis-server its two locks are left out. On a small shared machine the
figures halve and double: read the ratios.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import gate_report, machine, redis_server
from bench.contenders.contract import UnknownContender
from bench.contenders.gate_contract import Contender, load
from bench.contenders.gate_crew import gate_crew
from bench.gate_measures import FULL, MEASURES, QUICK, WORKERS, Bench, Measure, Sizes, Values
from bench.gate_report import Results, Row, Sample
from bench.pg import Server, private_server
from bench.queue_report import aligned, markdown

SYSTEMS = "seodang,bare,redis,redis_tight"
QUICK_SYSTEMS = "seodang,bare,redis"

Step = tuple[int, Measure, Contender]


@dataclass(frozen=True)
class Run:
    """What explains the figures of a run: the first of the JSON lines.

    Attributes:
        load: of the machine in the minute before, in processes that want a core.
    """

    machine: str
    load: float
    versions: list[str]
    repeat: int
    sizes: Sizes


def main() -> None:
    """Run the benchmark, print its tables, and write the files that were asked for."""
    options = _parse()
    systems = options.systems or (QUICK_SYSTEMS if options.quick else SYSTEMS)
    contenders = _contenders(systems.split(","))
    sizes, repeat = (QUICK, 1) if options.quick else (FULL, options.repeat)
    with private_server() as server, _redis(contenders) as redis:
        plan = list(_plan(contenders, options.measures.split(","), repeat))
        run, samples = asyncio.run(_measure(server, redis, plan, sizes))
    tables, verdict = _conclude(Results(samples), [contender.name for contender in contenders])
    print(run.machine, *map(aligned, tables), verdict, sep="\n\n")
    if options.json:
        _write(options.json, "\n".join(map(json.dumps, (asdict(run), *map(asdict, samples)))))
    if options.markdown:
        _write(options.markdown, "\n\n".join((*_introduction(run), verdict, *map(markdown, tables))))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gate")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, alternating the systems")
    parser.add_argument("--quick", action="store_true", help="one short repetition, without redis_tight")
    parser.add_argument("--systems", help=f"names of modules bench/contenders/gate_*.py; default {SYSTEMS}")
    parser.add_argument("--measures", default=",".join(MEASURES), help="what to measure; default all")
    parser.add_argument("--json", type=Path, help="write every value as JSON lines")
    parser.add_argument("--markdown", type=Path, help="write the tables as Markdown")
    options = parser.parse_args()
    unknown = set(options.measures.split(",")) - MEASURES.keys()
    if unknown:
        parser.error(f"--measures knows {', '.join(MEASURES)}; not {', '.join(sorted(unknown))}")
    return options


def _contenders(names: Sequence[str]) -> list[Contender]:
    """Load the contenders; leave those of Redis out, with a word, where it is missing."""
    found = []
    for name in names:
        try:
            contender = load(name)
            if not contender.on_postgres:
                redis_server.version()
        except UnknownContender as unknown:
            sys.exit(f"no contender {unknown}: there is no bench/contenders/gate_{unknown}.py; see --systems")
        except redis_server.RedisMissing as missing:
            print(f"{name} left out: {missing}", file=sys.stderr)
            continue
        found.append(contender)
    return found


@contextmanager
def _redis(contenders: Sequence[Contender]) -> Iterator[str]:
    """Start Redis if anybody needs it, and yield its URL."""
    needed = not all(contender.on_postgres for contender in contenders)
    with redis_server.redis_server() if needed else nullcontext("") as url:
        yield url


async def _measure(server: Server, redis: str, plan: Sequence[Step], sizes: Sizes) -> tuple[Run, list[Sample]]:
    samples: list[Sample] = []
    load = os.getloadavg()[0]
    contenders = {contender.name: contender for _, _, contender in plan}.values()
    async with AsyncExitStack() as stack:
        crew = await stack.enter_async_context(gate_crew(WORKERS))
        dsns = {}
        for contender in contenders:
            dsns[contender.name] = await stack.enter_async_context(server.database())
            await contender.prepare(dsns[contender.name])
        bench = Bench(crew, dsns, server.dsn(), redis, sizes)
        for number, measure, contender in plan:
            start = time.monotonic()
            values = await measure(contender, bench)
            samples += [Sample(number, contender.name, metric, _rounded(listed)) for metric, listed in values.items()]
            _tell(number, contender, values, time.monotonic() - start)
        versions = [contender.version for contender in contenders]
        if redis:
            versions.append(redis_server.version())
        described = machine.describe(await server.version())
    run = Run(described, round(load, 2), list(dict.fromkeys(versions)), plan[-1][0] + 1, sizes)
    return run, samples


def _rounded(values: Sequence[float]) -> list[float]:
    """Cut off what no clock here resolves, so that the JSON lines can be read."""
    return [round(value, 4) for value in values]


def _plan(contenders: Sequence[Contender], measures: Sequence[str], repeat: int) -> Iterator[Step]:
    """Yield the order of the run: systems take turns in each measure, each repetition another begins."""
    for number in range(repeat):
        first = number % len(contenders)
        for measure in measures:
            for contender in (*contenders[first:], *contenders[:first]):
                yield number, MEASURES[measure], contender


def _tell(number: int, contender: Contender, values: Values, took_s: float) -> None:
    figures = " ".join(f"{metric}={gate_report.p50(listed):,.2f}" for metric, listed in values.items() if listed)
    if figures:
        print(f"[{number + 1}] {contender.name}: {figures} ({took_s:.1f} s)", file=sys.stderr, flush=True)


def _conclude(results: Results, systems: Sequence[str]) -> tuple[list[list[Row]], str]:
    """Return the tables that have a line, and the verdict in a sentence."""
    promised = gate_report.promises(results)
    tables = (
        gate_report.figure_rows(results, systems),
        gate_report.ratio_rows(results, systems),
        gate_report.promise_rows(promised),
    )
    return [table for table in tables if len(table) > 1], gate_report.verdict(promised)


def _introduction(run: Run) -> tuple[str, ...]:
    facts = (
        f"{run.machine}; durable commits (fsync on), Unix sockets, one Postgres for all, one Redis (nothing on disk).",
        f"Load of the machine before the run: {run.load:.2f}.",
        f"{', '.join(run.versions)}.",
        f"{run.repeat} alternating repetitions. `bare` is one pg_advisory_lock, a session for each waiter; `redis` is "
        "redis-py's asyncio Lock as it comes (a look every 100 ms), `redis_tight` the same with a look every ms.",
        "Of the urgent waits without classes only the first seconds are seen: they are lower bounds. Connections: 500 "
        "waiters of three classes, 100 for the bare lock.",
    )
    made_by = "Made by `python -m bench.gate`; what each line means stands in `bench/gate_measures.py`."
    return ("# The gate", made_by, "\n".join(facts))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
