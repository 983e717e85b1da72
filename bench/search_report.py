"""The tables of bench/search: legs beside their bare queries, HTTP against its goals, recall, sizes."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.queue_report import aligned, markdown
from bench.search_http import Served
from bench.search_legs import Leg, Recall

WANTED_RATIO = 1.5
GOALS_MS = ((5_000, 10, 25), (100_000, 20, 50), (1_000_000, 40, 100))
"""Up to so many chunks: p50 and p95 that are wanted of one client over HTTP."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """What a number of chunks takes: MiB of a table, an index or a process, and the seconds an index took."""

    chunks: int
    what: str
    mib: float
    seconds: float | None = None


@dataclass(slots=True)
class Measured:
    """All figures of a run."""

    legs: list[Leg] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which `share` of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def leg_rows(legs: Sequence[Leg]) -> list[Row]:
    """Give a line for each leg; `of` are ours / bare, `each` is the median of it within a question.

    What works on a leg's rows (the second look), and a leg together with it, have no bare query to be held against.
    """
    rows: list[Row] = [("chunks", "leg", "bare p50", "p95", "ours p50", "p95", "of p50", "of p95", "each", "kept")]
    for leg in legs:
        ours = [percentile(leg.ours_ms, share) for share in (0.5, 0.95)]
        if not leg.bare_ms:
            rows.append((f"{leg.chunks:,}", leg.leg, "", "", *(f"{value:.2f}" for value in ours), "", "", "", ""))
            continue
        bare = [percentile(leg.bare_ms, share) for share in (0.5, 0.95)]
        ratios = [of_ours / of_bare for of_ours, of_bare in zip(ours, bare, strict=True)]
        each = statistics.median(ours / bare for ours, bare in zip(leg.ours_ms, leg.bare_ms, strict=True))
        kept = "yes" if ratios[0] <= WANTED_RATIO else "NO"
        rows.append((f"{leg.chunks:,}", leg.leg, *(f"{value:.2f}" for value in (*bare, *ours, *ratios, each)), kept))
    return rows


def http_rows(served: Sequence[Served]) -> list[Row]:
    """Give a line for each number of clients; what is wanted is wanted of one."""
    rows: list[Row] = [("chunks", "clients", "p50", "p95", "searches/s", "wanted p50", "p95", "kept")]
    for each in served:
        p50, p95 = (percentile(each.ms, share) for share in (0.5, 0.95))
        _, goal_50, goal_95 = next(goal for goal in GOALS_MS if each.chunks <= goal[0] or goal is GOALS_MS[-1])
        alone = each.clients == 1
        goals = (str(goal_50), str(goal_95), "yes" if p50 <= goal_50 and p95 <= goal_95 else "NO")
        rate = f"{len(each.ms) / each.seconds:.0f}"
        found = (f"{each.chunks:,}", str(each.clients), f"{p50:.1f}", f"{p95:.1f}", rate)
        rows.append((*found, *(goals if alone else ("", "", ""))))
    return rows


def recall_rows(recalls: Sequence[Recall]) -> list[Row]:
    """Give a line for each comparison."""
    head: Row = ("chunks", "first ten", "questions", "mean", "lowest")
    body = [(f"{r.chunks:,}", r.what, str(r.questions), f"{r.mean:.4f}", f"{r.lowest:.1f}") for r in recalls]
    return [head, *body]


def size_rows(sizes: Sequence[Size]) -> list[Row]:
    """Give a line for each table, index and process."""
    head: Row = ("chunks", "what", "MiB", "made in s")
    made = ["" if each.seconds is None else f"{each.seconds:.1f}" for each in sizes]
    return [head, *((f"{s.chunks:,}", s.what, f"{s.mib:.1f}", took) for s, took in zip(sizes, made, strict=True))]


def tables(found: Measured) -> list[tuple[str, list[Row]]]:
    """Give the tables with their headings, without those that were not measured."""
    every = [
        (
            f"Legs, ms; at most {WANTED_RATIO} times the bare query is wanted of what ends with the rows",
            leg_rows(found.legs),
        ),
        ("GET /api/search, ms", http_rows(found.served)),
        ("Recall", recall_rows(found.recalls)),
        ("Sizes", size_rows(found.sizes)),
    ]
    return [(heading, rows) for heading, rows in every if len(rows) > 1]


def text_page(head: str, found: Measured) -> str:
    """Give everything for a terminal."""
    return "\n\n".join([head, *(f"{heading}\n{aligned(rows)}" for heading, rows in tables(found))])


def markdown_page(head: str, found: Measured) -> str:
    """Give everything as the page of bench/results."""
    title = "# Search\n\nMade by `python -m bench.search`; its docstring says what is measured."
    parts = [f"## {heading}\n\n{markdown(rows)}" for heading, rows in tables(found)]
    return "\n\n".join([title, head, *parts]) + "\n"
