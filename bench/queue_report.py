"""Medians, ratios and acceptance of a queue run, as an aligned table and as Markdown.

A ratio is taken within each repetition, where its two sides ran minutes apart at most, and its median is shown:
on a busy machine that moves less than the quotient of two medians, from which it may therefore differ.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BARE = "bare"
OURS = "seodang"
PEERS = ("pgqueuer", "procrastinate")


@dataclass(frozen=True)
class Metric:
    """One line of the table; `label` may name the backlog."""

    key: str
    label: str
    unit: str
    higher_is_better: bool = True


DRAIN = Metric("drain_1", "drain, 1 process", "jobs/s")
PICKUP = Metric("pickup_p50", "pickup after commit, p50", "ms", higher_is_better=False)
METRICS = (
    Metric("enqueue_one", "enqueue, one per commit", "jobs/s"),
    Metric("enqueue_bulk", "enqueue, 1,000 per commit", "jobs/s"),
    DRAIN,
    Metric("drain_2", "drain, 2 processes", "jobs/s"),
    PICKUP,
    Metric("pickup_p95", "pickup after commit, p95", "ms", higher_is_better=False),
    Metric("drain_short", "drain at 10,000 pending", "jobs/s"),
    Metric("drain_backlog", "drain at {backlog:,} pending", "jobs/s"),
    Metric("history_drain", "drain after {backlog:,} finished", "jobs/s"),
    Metric("history_pickup_p50", "pickup after {backlog:,} finished, p50", "ms", higher_is_better=False),
    Metric("history_pickup_p95", "pickup after {backlog:,} finished, p95", "ms", higher_is_better=False),
)

# label, the figure on the long table, the figure on the short one
FLATNESS = (
    ("drain: long / short backlog", "drain_backlog", "drain_short"),
    ("drain: after history / without", "history_drain", "drain_short"),
    ("pickup p50: after history / without", "history_pickup_p50", "pickup_p50"),
)

Row = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """One value of one repetition, as it stands in the JSON lines."""

    repeat: int
    system: str
    metric: str
    value: float


class Results:
    """All values of a run, asked for by system and metric."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for sample in samples:
            self._values[sample.system, sample.metric][sample.repeat] = sample.value

    def median(self, system: str, key: str) -> float | None:
        """Return the median over the repetitions, or None where the system was not measured."""
        values = self._values.get((system, key))
        return statistics.median(values.values()) if values else None

    def ratio(self, system: str, key: str, other_system: str, other_key: str) -> float | None:
        """Return the median over the repetitions of one figure over another, or None."""
        above = self._values.get((system, key), {})
        below = self._values.get((other_system, other_key), {})
        ratios = [above[repeat] / below[repeat] for repeat in above.keys() & below.keys()]
        return statistics.median(ratios) if ratios else None

    def better_peer(self, metric: Metric) -> str | None:
        """Return the peer with the better median, or None if no peer was measured."""
        medians = {peer: value for peer in PEERS if (value := self.median(peer, metric.key)) is not None}
        if not medians:
            return None
        choose = max if metric.higher_is_better else min
        return choose(medians, key=lambda peer: medians[peer])


def median_rows(results: Results, systems: Sequence[str], backlog: int) -> list[Row]:
    """Return the medians, one line per metric, header first."""
    rows: list[Row] = [("median", "unit", *systems)]
    for metric in METRICS:
        values = [results.median(system, metric.key) for system in systems]
        label = metric.label.format(backlog=backlog)
        rows.append((label, metric.unit, *(_number(value, metric.unit) for value in values)))
    return _measured(rows)


def ratio_rows(results: Results, systems: Sequence[str], backlog: int) -> list[Row]:
    """Return each system over the bare loop and over the better peer, header first."""
    rows: list[Row] = [("ratio", "to", *systems)]
    for metric in METRICS:
        for reference in dict.fromkeys((BARE, results.better_peer(metric))):
            if reference is not None:
                ratios = [results.ratio(system, metric.key, reference, metric.key) for system in systems]
                rows.append((metric.label.format(backlog=backlog), reference, *map(_ratio, ratios)))
    return _measured(rows)


def flatness_rows(results: Results, systems: Sequence[str]) -> list[Row]:
    """Return what a long table and a long history leave of the figure without them, header first."""
    rows: list[Row] = [("flatness", "ratio", *systems)]
    for label, key, base in FLATNESS:
        ratios = [results.ratio(system, key, system, base) for system in systems]
        rows.append((label, "", *map(_ratio, ratios)))
    return _measured(rows)


def acceptance_rows(results: Results) -> list[Row]:
    """Return what the queue promises and whether this run keeps it, header first; only what was measured."""
    faster, sooner = results.better_peer(DRAIN) or "", results.better_peer(PICKUP) or ""
    promises = (
        ("drain / faster peer", ">=", 2.5, results.ratio(OURS, DRAIN.key, faster, DRAIN.key)),
        ("drain / bare", ">=", 0.8, results.ratio(OURS, DRAIN.key, BARE, DRAIN.key)),
        ("pickup p50 / sooner peer", "<", 1.0, results.ratio(OURS, PICKUP.key, sooner, PICKUP.key)),
        ("pickup p50 / bare", "<=", 1.5, results.ratio(OURS, PICKUP.key, BARE, PICKUP.key)),
        ("drain: short / long backlog", "<=", 1.3, results.ratio(OURS, "drain_short", OURS, "drain_backlog")),
        ("drain: without / after history", "<=", 1.3, results.ratio(OURS, "drain_short", OURS, "history_drain")),
        ("pickup p50: after / without", "<=", 1.3, results.ratio(OURS, "history_pickup_p50", OURS, PICKUP.key)),
    )
    rows: list[Row] = [("promise", "bound", "measured", "kept")]
    for label, relation, bound, ratio in promises:
        if ratio is not None:
            kept = "yes" if _holds(ratio, relation, bound) else "NO"
            rows.append((label, f"{relation} {bound}", _ratio(ratio), kept))
    return rows


def aligned(rows: Sequence[Row]) -> str:
    """Lay the rows out in columns: the first two left, the figures right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned_line(row, widths) for row in rows)


def markdown(rows: Sequence[Row]) -> str:
    """Lay the rows out as a Markdown table."""
    header, *body = rows
    rule = ("---", "---", *("---:" for _ in header[2:]))
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *body))


def _aligned_line(row: Row, widths: Sequence[int]) -> str:
    texts = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
    figures = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
    return "  ".join(texts + figures)


def _measured(rows: list[Row]) -> list[Row]:
    """Drop the lines in which no system has a figure."""
    header, *body = rows
    return [header, *(row for row in body if set(row[2:]) != {"-"})]


def _holds(ratio: float, relation: str, bound: float) -> bool:
    match relation:
        case ">=":
            return ratio >= bound
        case "<=":
            return ratio <= bound
        case _:
            return ratio < bound


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if unit == "ms" else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
