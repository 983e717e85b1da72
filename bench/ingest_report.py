"""The tables of bench/ingest: throughput beside the bare work, processor time by process, memory over documents."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.queue_report import aligned, markdown

MIX = "office mix"
WANTED_RATIO = 0.7
HAND, DAEMONS = "by hand", "daemons"

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One way over one set of files, once; `parts` are seconds of steps (by hand) or processor seconds (daemons)."""

    kind: str
    way: str
    repeat: int
    files: int
    mib: float
    chunks: int
    seconds: float
    cpu_s: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident sizes in MiB by process when so many documents had passed."""

    documents: int
    mib: dict[str, float]


def throughput(samples: Sequence[Sample]) -> list[Row]:
    """Give a line for each set of files, the heading first; medians over the repetitions."""
    rows: list[Row] = [("files", "MiB", "by hand, files/s", "daemons, files/s", "MB/s", "ratio", "processor")]
    for kind in dict.fromkeys(sample.kind for sample in samples):
        hand, ours = of(samples, kind, HAND), of(samples, kind, DAEMONS)
        speeds = [statistics.median(each.files / each.seconds for each in way) for way in (hand, ours)]
        rows.append(
            (
                f"{kind}, {ours[0].files}",
                f"{ours[0].mib:.0f}",
                *(f"{speed:.1f}" for speed in speeds),
                f"{ours[0].mib * 2**20 / 1e6 * speeds[1] / ours[0].files:.2f}",
                f"{_median_ratio(hand, ours):.2f}",
                f"{statistics.median(b.cpu_s / a.cpu_s for a, b in zip(hand, ours, strict=True)):.2f}",
            )
        )
    return rows


def of(samples: Iterable[Sample], kind: str, way: str) -> list[Sample]:
    """Give the samples of one way over one set, in the order of the repetitions."""
    return [sample for sample in samples if (sample.kind, sample.way) == (kind, way)]


def _median_ratio(hand: Sequence[Sample], ours: Sequence[Sample]) -> float:
    return statistics.median(a.seconds / b.seconds for a, b in zip(hand, ours, strict=True))


def parts(samples: Sequence[Sample]) -> list[Row]:
    """Give where the mix's time goes: seconds of the steps by hand, then processor seconds of the processes."""
    rows: list[Row] = [("way", "part", "s", "ms a file")]
    for way in (HAND, DAEMONS):
        found = of(samples, MIX, way)
        for name in found[0].parts:
            seconds = statistics.median(each.parts[name] for each in found)
            rows.append((way, name, f"{seconds:.2f}", f"{1000 * seconds / found[0].files:.1f}"))
    return rows


def memory(looks: Sequence[Memory]) -> list[Row]:
    """Give a line for each look at the daemons, and what they grew by after the first."""
    names = list(looks[0].mib)
    rows: list[Row] = [("documents", *(f"{name}, MiB" for name in names))]
    rows += [(f"{look.documents:,}", *(f"{look.mib[name]:.0f}" for name in names)) for look in looks]
    first, last = looks[0], looks[-1]
    return [*rows, ("growth", *(f"{last.mib[name] - first.mib[name]:+.0f}" for name in names))]


def verdict(samples: Sequence[Sample]) -> str:
    """Say whether the mix reaches what is wanted."""
    ratio = _median_ratio(of(samples, MIX, HAND), of(samples, MIX, DAEMONS))
    return f"The mix reaches {ratio:.2f} of the bare work; {WANTED_RATIO} is wanted."


def text_page(machine: str, samples: Sequence[Sample], looks: Sequence[Memory]) -> str:
    """Give everything for a terminal."""
    tables = [aligned(throughput(samples)), verdict(samples), aligned(parts(samples))]
    return "\n\n".join([machine, *tables, *([aligned(memory(looks))] if looks else [])])


def markdown_page(machine: str, samples: Sequence[Sample], looks: Sequence[Memory]) -> str:
    """Give everything as the page of bench/results."""
    repeats = len(of(samples, MIX, HAND))
    blocks = [
        "# From file to searchable",
        "Made by `python -m bench.ingest`; its docstring says what the ways and columns are.",
        f"{machine}. Medians of {repeats} repetitions.",
        markdown(throughput(samples)),
        verdict(samples),
        "## Where the time of the mix goes",
        "By hand: seconds of each step. Daemons: processor seconds of each process.",
        markdown(parts(samples)),
    ]
    if looks:
        blocks += [
            f"## Memory over {looks[-1].documents:,} documents",
            "Resident, while they pass through one set of daemons.",
            markdown(memory(looks)),
        ]
    return "\n\n".join(blocks) + "\n"
