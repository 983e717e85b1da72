"""How the asks of an evaluation are printed: one table for each kind of question, and one for the refusals of all."""

from collections.abc import Iterable, Mapping, Sequence

from services.command.show import out, table
from services.evaluate.asked_figures import ASK, is_ask, part_of
from services.evaluate.figures import Figures
from services.evaluate.result import Change, LegFigures
from services.evaluate.sets import ANSWERABLE
from services.evaluate.tags import EVERYTHING

CALLS = ("calls", "tokens_in", "tokens_out")
"""Not shown where no model was called."""
COST = ("answer_chars", *CALLS)
"""Means; the other figures are shares."""
ANSWERS = ("refused", "right", "right_of_answered", "in_cited", "cited_gold", "bad_numbers", *COST)
REFUSALS = ("refused", "bad_numbers", *COST)
TIMES = ("p50_ms", "p95_ms")
COUNTED = ("refused: ", "re_gate: ", "by: ")
"""Figures whose names end in what was counted."""


def show_asks(figures: LegFigures, latency: LegFigures, change: Change | None) -> None:
    """Print how asks ended, by kind and group; nothing where nothing was asked."""
    if ASK not in figures:
        return
    deltas = change.deltas if change else {}
    for part in (part for part in figures if is_ask(part) and part != ASK):
        _show_kind(part, figures[part], latency.get(part, {}), change)
    refusing = figures[ASK]
    names = [name for name in refusing[EVERYTHING] if name != "n"]
    rows = [
        _row(group, refusing[group], names, deltas.get(ASK, {}).get(group, {}))
        for group in _told_apart(refusing, figures)
    ]
    table("Refusals of all kinds (AUROC and refused_at_10 by the rules' score)", ("questions", "n", *names), rows)


def cell(said: str, delta: float | None, form: str) -> str:
    """Write a figure, and behind it what it is more than before."""
    return said if not delta else f"{said} ({delta:{form}})"


def _show_kind(part: str, of_kind: Figures, took: Figures, change: Change | None) -> None:
    deltas = change.deltas.get(part, {}) if change else {}
    slower = change.latency_deltas.get(part, {}) if change else {}
    wanted = ANSWERS if part == part_of(ANSWERABLE) else REFUSALS
    everything = of_kind[EVERYTHING]
    names = [name for name in wanted if name in everything and (name not in CALLS or everything["calls"])]
    rows = [
        [
            *_row(group, of_kind[group], names, deltas.get(group, {})),
            *_times(took.get(group, {}), slower.get(group, {})),
        ]
        for group in _told_apart(of_kind, [part])
    ]
    kind = part.partition(":")[2]
    table(f"Asked, {kind}", ("questions", "n", *names, "p50 ms", "p95 ms"), rows)
    for prefix in COUNTED:
        _show_counted(f"{kind}, {prefix}", prefix, everything)
    if everything["failed"]:
        out.print(f"{everything['failed']:.1%} of the {kind} asks failed and are in no other figure.", highlight=False)


def _told_apart(groups: Iterable[str], parts: Iterable[str]) -> list[str]:
    """Leave out the groups of one kind, where a table or a line is of one kind anyhow."""
    kinds = {f"tag:{part.partition(':')[2]}" for part in parts}
    return [group for group in groups if group not in kinds]


def _show_counted(title: str, prefix: str, found: Mapping[str, float]) -> None:
    counted = {name.removeprefix(prefix): share for name, share in found.items() if name.startswith(prefix)}
    if counted:
        said = ", ".join(f"{name} {share:.4f}" for name, share in counted.items())
        out.print(f"{title}{said}", highlight=False)


def _row(group: str, found: Mapping[str, float], names: Sequence[str], deltas: Mapping[str, float]) -> list[object]:
    return [group, found["n"], *(_figure(name, found.get(name), deltas.get(name)) for name in names)]


def _figure(name: str, value: float | None, delta: float | None) -> str:
    if value is None:
        return ""
    digits = 1 if name in COST else 4
    return cell(f"{value:.{digits}f}", delta, f"+.{digits}f")


def _times(took: Mapping[str, float], slower: Mapping[str, float]) -> list[str]:
    return [cell(f"{took[each]:.1f}", slower.get(each), "+.1f") if took else "" for each in TIMES]
