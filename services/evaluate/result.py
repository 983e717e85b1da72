"""What a run found, as it is stored, and what is different from a former one: pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.eval_rows import EvalRun
from services.evaluate.figures import DIGITS, Figures, Value, by_group, latency, quality
from services.evaluate.heard import Heard
from services.evaluate.measure import Measured
from services.evaluate.seen import FUSED
from services.evaluate.sets import Question

LegFigures = dict[str, Figures]
"""By leg of search, or part of asking (services/evaluate/asked_figures.py)."""


def figures_of(measured: Measured) -> LegFigures:
    """Give recall, reciprocal rank and gain of each leg and group, over the questions in which the leg had a part."""
    return _by_leg(measured.ranks, quality)


def latency_of(measured: Measured) -> LegFigures:
    """Give the times of each leg and group, of the questions that were timed."""
    return _by_leg(measured.took_ms, latency)


def _by_leg(
    values: Mapping[Question, Mapping[str, Value]], weigh: Callable[[Sequence[Value]], dict[str, float]]
) -> LegFigures:
    return {
        leg: by_group({question: found[leg] for question, found in values.items() if leg in found}, weigh)
        for leg in _legs(values.values())
    }


def _legs(found: Iterable[Mapping[str, object]]) -> list[str]:
    """Name the legs, all of them together first, the others by name: two runs name them alike."""
    return [FUSED, *sorted({leg for each in found for leg in each} - {FUSED})]


def results_of(measured: Measured) -> dict[str, Any]:
    """Write the ranks of every question compactly.

    Returns:
        `legs`, and in `ranks` by set and question one number for each leg: the rank, 0 where the passage was not among
        the first ten, None where the leg had no part in the search.
    """
    legs = _legs(measured.ranks.values())
    ranks: dict[str, dict[str, list[int | None]]] = {}
    for question, found in measured.ranks.items():
        ranks.setdefault(question.set, {})[question.id] = [found[leg] or 0 if leg in found else None for leg in legs]
    return {"legs": legs, "ranks": ranks}


ENDING = ("as_wished", "ended", "score", "right", "cited_gold", "bad_numbers", "chars", "calls", "re_gate")
"""What is kept of every ask, in this order; each is a field of Heard."""


def asks_of(asks: Mapping[Question, Heard]) -> dict[str, Any]:
    """Write how every ask ended compactly: `columns`, and in `ended` by set and question one value for each."""
    ended: dict[str, dict[str, list[object]]] = {}
    for question, heard in asks.items():
        ended.setdefault(question.set, {})[question.id] = [getattr(heard, name) for name in ENDING]
    return {"columns": list(ENDING), "ended": ended}


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from a former run: figures of now minus then, and questions by «set/id».

    `lost` were found then in the first ten of all legs together and are not now; `won` the other way about. `asks_lost`
    ended as they should then and do not now: a right answer, or a refusal where nothing is known to answer; `asks_won`
    the other way about.
    """

    run: int
    deltas: LegFigures
    latency_deltas: LegFigures
    lost: list[str]
    won: list[str]
    asks_lost: list[str]
    asks_won: list[str]


def changed(then: EvalRun, now: EvalRun) -> Change:
    """Compare a run with a former one of the same sets and options."""
    found, found_then = set(_found(now.results)), set(_found(then.results))
    both = set(_asked(now.results)) & set(_asked(then.results))
    ended, ended_then = _ended_well(now.results), _ended_well(then.results)
    return Change(
        then.id,
        _deltas(now.figures, then.figures),
        _deltas(now.latency, then.latency),
        lost=sorted((found_then - found) & both),
        won=sorted((found - found_then) & both),
        asks_lost=sorted(each for each, well in ended.items() if not well and ended_then.get(each) is True),
        asks_won=sorted(each for each, well in ended.items() if well and ended_then.get(each) is False),
    )


def _deltas(now: LegFigures, then: LegFigures) -> LegFigures:
    return {
        leg: {
            group: {
                name: round(value - then[leg][group][name], DIGITS)
                for name, value in figures.items()
                if name != "n" and name in then[leg][group]
            }
            for group, figures in groups.items()
            if group in then[leg]
        }
        for leg, groups in now.items()
        if leg in then
    }


def _asked(results: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name}/{number}" for name, ranks in results["ranks"].items() for number in ranks)


def _ended_well(results: Mapping[str, Any]) -> dict[str, bool]:
    """Say of every ask whether it ended as it should; of a run that asked nothing, nothing."""
    asks = results.get("asks")
    at = asks["columns"].index("as_wished") if asks else 0
    sets = asks["ended"].items() if asks else ()
    return {f"{name}/{number}": bool(values[at]) for name, ended in sets for number, values in ended.items()}


def _found(results: Mapping[str, Any]) -> Iterator[str]:
    at = results["legs"].index(FUSED)
    for name, ranks in results["ranks"].items():
        yield from (f"{name}/{number}" for number, of_legs in ranks.items() if of_legs[at])
