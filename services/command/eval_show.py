"""How an evaluation is printed."""

from collections.abc import Sequence

from rich.markup import escape

from db.eval_rows import ListedRun
from services.command.eval_ask_show import cell, show_asks
from services.command.show import duration, out, table
from services.evaluate.asked_figures import is_ask
from services.evaluate.result import Change, LegFigures
from services.evaluate.seen import FUSED
from services.evaluate.tags import EVERYTHING

MEASURES = ("R@1", "R@5", "R@10", "MRR@10", "nDCG@10")
TIMES = ("p50_ms", "p95_ms")
SHOWN = 20
"""Questions that changed are named up to here; `--json` names all."""


def show_run(run: int, figures: LegFigures, latency: LegFigures, change: Change | None) -> None:
    """Print the figures of all legs together by group, those of each leg, how asks ended, and what changed."""
    asked, timed = figures[FUSED][EVERYTHING]["n"], latency[FUSED].get(EVERYTHING, {}).get("n", 0)
    title = f"Run {run}: {asked} questions searched for, {timed} of them timed, one at a time"
    rows = [_row(group, FUSED, group, figures, latency, change) for group in figures[FUSED]]
    table(title, ("questions", "n", *MEASURES, "p50 ms", "p95 ms"), rows)
    legs = [_row(leg, leg, EVERYTHING, figures, latency, change) for leg in figures if not is_ask(leg)]
    table("Legs, all questions", ("leg", "n", *MEASURES, "p50 ms", "p95 ms"), legs)
    show_asks(figures, latency, change)
    if change is None:
        out.print("There is no former run of these sets with these options to compare with.")
        return
    out.print(f"In parentheses: the difference from run {change.run}.", highlight=False)
    _show_questions("no longer found", change.lost)
    _show_questions("found now", change.won)
    if not change.lost and not change.won:
        out.print("No question was lost or won.")
    _show_questions("no longer end as they should", change.asks_lost)
    _show_questions("end as they should now", change.asks_won)


def _row(
    name: str, leg: str, group: str, figures: LegFigures, latency: LegFigures, change: Change | None
) -> list[object]:
    found, took = figures[leg][group], latency.get(leg, {}).get(group, {})
    deltas = change.deltas.get(leg, {}).get(group, {}) if change else {}
    slower = change.latency_deltas.get(leg, {}).get(group, {}) if change else {}
    measures = [cell(f"{found[measure]:.4f}", deltas.get(measure), "+.4f") for measure in MEASURES]
    times = [cell(f"{took[each]:.1f}", slower.get(each), "+.1f") if took else "" for each in TIMES]
    return [name, found["n"], *measures, *times]


def _show_questions(what: str, questions: Sequence[str]) -> None:
    if questions:
        more = f" and {len(questions) - SHOWN} more (--json names them)" if len(questions) > SHOWN else ""
        out.print(f"{len(questions)} {what}: {escape(', '.join(questions[:SHOWN]))}{more}", highlight=False)


def show_runs(rows: Sequence[ListedRun]) -> None:
    """Print former runs."""
    cells = [
        (
            row.id,
            f"{row.started_at:%Y-%m-%d %H:%M}",
            duration(row.took_s),
            ", ".join(row.asked),
            *((row.figures or {}).get(name) for name in ("n", *MEASURES)),
            *((row.latency or {}).get(name) for name in TIMES),
            ", ".join(name for name in ("analyze", "rerank") if row.options.get(name)),
            row.chunker,
        )
        for row in rows
    ]
    columns = ("run", "started", "took", "sets", "n", *MEASURES, "p50 ms", "p95 ms", "with", "chunker")
    table("", columns, cells)
    if not rows:
        out.print("There are none yet: seodang eval run DIR.")
