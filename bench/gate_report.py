"""Figures, ratios and promises of a gate run, as rows of text.

A figure is taken over the values of all repetitions. A ratio is taken within each repetition, where its two sides ran
seconds apart, between the two medians, and the median over the repetitions is shown: on a busy machine that moves less
than the quotient of two figures, from which it may therefore differ.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

OURS = "seodang"
BARE = "bare"
REDIS = "redis"

Row = tuple[str, ...]
Figure = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Sample:
    """The values of one metric in one repetition, as they stand in the JSON lines."""

    repeat: int
    system: str
    metric: str
    values: list[float]


@dataclass(frozen=True)
class Line:
    """One line of the table: a metric, and what is made of its values."""

    label: str
    unit: str
    metric: str
    figure: Figure


@dataclass(frozen=True)
class Promise:
    """One bound, what this run measured, and whether it keeps it."""

    label: str
    relation: str
    bound: float
    measured: float

    @property
    def kept(self) -> bool:
        """Whether the measured value is within the bound."""
        match self.relation:
            case "<=":
                return self.measured <= self.bound
            case "<":
                return self.measured < self.bound
            case _:
                return self.measured >= self.bound


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of them (above 0, at most 1) do not exceed: nearest rank."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def p50(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """Return the value that 99 of 100 do not exceed; with fewer values, the greatest."""
    return percentile(values, 0.99)


LINES = (
    Line("round trip (SELECT 1), p50", "ms", "trip", p50),
    Line("enter + leave alone, p50", "ms", "pair", p50),
    Line("enter + leave alone, p99", "ms", "pair", p99),
    Line("hand-over, 2 processes, p50", "ms", "hand_over_2", p50),
    Line("hand-over, 2 processes, p99", "ms", "hand_over_2", p99),
    Line("hand-over, 4 processes, p50", "ms", "hand_over_4", p50),
    Line("hand-over, 4 processes, p99", "ms", "hand_over_4", p99),
    Line("after a killed holder, p50", "ms", "killed", p50),
    Line("after a killed holder, max", "ms", "killed", max),
    Line("urgent wait beyond the call in flight, p50", "ms", "foreground", p50),
    Line("urgent wait beyond the call in flight, p99", "ms", "foreground", p99),
    Line("calls that slipped in before it, mean", "calls", "slipped", statistics.fmean),
    Line("busy share of a 50 ms server", "part", "busy_50", p50),
    Line("busy share of a 5 ms server", "part", "busy_5", p50),
    Line("gap between calls, 50 ms server, p50", "ms", "gap_50", p50),
    Line("gap between calls, 50 ms server, p99", "ms", "gap_50", p99),
    Line("CPU of 50 waiters, 50 ms server", "cores", "cpu_50", p50),
    Line("CPU of 50 waiters, 5 ms server", "cores", "cpu_5", p50),
    Line("connections, crowd in 4 processes", "count", "connections_crowd", max),
    Line("connections, 1 process, 1 class", "count", "connections_one_class", max),
    Line("connections, 1 process, 2 classes", "count", "connections_two_classes", max),
    Line("enter + leave, 1 process", "1/s", "throughput_1", p50),
    Line("enter + leave, 2 processes", "1/s", "throughput_2", p50),
    Line("enter + leave, 4 processes", "1/s", "throughput_4", p50),
    Line("enter + leave, 8 processes", "1/s", "throughput_8", p50),
    Line("cancellations swallowed", "count", "deaf", math.fsum),
    Line("two inside at once", "count", "overlaps", math.fsum),
)
RATIOS = ("pair", "hand_over_2", "hand_over_4", "gap_50", "killed", "throughput_1", "throughput_8")


class Results:
    """All values of a run, asked for by system and metric."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(dict)
        for sample in samples:
            if sample.values:
                self._values[sample.system, sample.metric][sample.repeat] = sample.values

    def figure(self, system: str, metric: str, figure: Figure) -> float | None:
        """Return the figure over all repetitions, or None where the system was not measured."""
        repeats = self._values.get((system, metric))
        return figure([value for values in repeats.values() for value in values]) if repeats else None

    def medians(self, system: str, metric: str) -> dict[int, float]:
        """Return the median of each repetition."""
        repeats = self._values.get((system, metric), {})
        return {repeat: statistics.median(values) for repeat, values in repeats.items()}

    def ratio(self, metric: str, system: str, other: str) -> float | None:
        """Return the median over the repetitions of one median over another, or None."""
        above, below = self.medians(system, metric), self.medians(other, metric)
        ratios = [above[repeat] / below[repeat] for repeat in above.keys() & below.keys()]
        return statistics.median(ratios) if ratios else None

    def trips_above_bare(self) -> float | None:
        """Return what our enter + leave costs more than the bare lock's, in round trips of the same process."""
        ours, bare, trip = (self.medians(*key) for key in ((OURS, "pair"), (BARE, "pair"), (OURS, "trip")))
        trips = [(ours[repeat] - bare[repeat]) / trip[repeat] for repeat in ours.keys() & bare.keys()]
        return statistics.median(trips) if trips else None


def figure_rows(results: Results, systems: Sequence[str]) -> list[Row]:
    """Return the figures, one line each, header first; only lines in which somebody has one."""
    rows: list[Row] = [("figure", "unit", *systems)]
    for line in LINES:
        figures = [results.figure(system, line.metric, line.figure) for system in systems]
        if any(figure is not None for figure in figures):
            rows.append((line.label, line.unit, *(_number(figure, line.unit) for figure in figures)))
    return rows


def ratio_rows(results: Results, systems: Sequence[str]) -> list[Row]:
    """Return the medians over those of the bare lock, header first; empty without the bare lock."""
    labels = {line.metric: line.label for line in LINES if line.figure is p50}
    rows: list[Row] = [("ratio of medians", "to", *systems)]
    for metric in RATIOS:
        ratios = [results.ratio(metric, system, BARE) for system in systems]
        if any(ratio is not None for ratio in ratios):
            rows.append((labels[metric], BARE, *(_number(ratio, "ratio") for ratio in ratios)))
    return rows


def promises(results: Results) -> list[Promise]:
    """Return what the gate promises and what this run measured; only what was measured."""
    measured: tuple[tuple[str, str, float, float | None], ...] = (
        ("enter + leave: round trips above the bare lock", "<=", 3, results.trips_above_bare()),
        ("hand-over p50 / bare, 2 processes", "<=", 3, results.ratio("hand_over_2", OURS, BARE)),
        ("hand-over p50 / bare, 4 processes", "<=", 3, results.ratio("hand_over_4", OURS, BARE)),
        ("hand-over p99, 2 processes, ms", "<", 5, results.figure(OURS, "hand_over_2", p99)),
        ("hand-over p99, 4 processes, ms", "<", 5, results.figure(OURS, "hand_over_4", p99)),
        ("redis-py hand-over p50 / ours, 2 processes", ">=", 20, results.ratio("hand_over_2", REDIS, OURS)),
        ("after a killed holder, max, ms", "<=", 50, results.figure(OURS, "killed", max)),
        ("urgent wait beyond the call in flight, p99, ms", "<=", 5, results.figure(OURS, "foreground", p99)),
        ("busy share of a 50 ms server", ">=", 0.97, results.figure(OURS, "busy_50", p50)),
        ("connections for 500 waiters in 4 processes", "<=", 40, results.figure(OURS, "connections_crowd", max)),
        ("two inside at once", "<=", 0, results.figure(OURS, "overlaps", math.fsum)),
    )
    return [Promise(label, relation, bound, value) for label, relation, bound, value in measured if value is not None]


def promise_rows(promised: Sequence[Promise]) -> list[Row]:
    """Return the promises as rows, header first."""
    rows: list[Row] = [("promise", "bound", "measured", "kept")]
    for promise in promised:
        bound = f"{promise.relation} {promise.bound}"
        rows.append((promise.label, bound, _number(promise.measured, "ratio"), "yes" if promise.kept else "NO"))
    return rows


def verdict(promised: Sequence[Promise]) -> str:
    """Say in one sentence how many promises this run keeps, and which it misses."""
    missed = [promise.label for promise in promised if not promise.kept]
    sentence = f"This run keeps {len(promised) - len(missed)} of {len(promised)} promises"
    return f"{sentence}; it misses: {'; '.join(missed)}." if missed else f"{sentence}."


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    match unit:
        case "ms" | "ratio" | "calls" | "cores":
            return f"{value:,.2f}"
        case "part":
            return f"{value:.3f}"
        case _:
            return f"{value:,.0f}"
