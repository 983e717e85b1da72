"""How good answers and refusals are, as committed tables: runs of `seodang eval run --json` laid side by side.

    seodang eval run DIR --ask-sample all --json > run.json
    python -m bench.answers "no model=run.json" ["NAME=FILE" ...] [--json FILE] [--markdown FILE]

A run's line is of one set that was asked, with the index that it stood in; a run of several sets has a line for each.
docs/evaluation.md says what the figures are. With a model they are those of its replies, and of so many questions only
as stand beside them. Times are not told: evaluations run on machines that do other things too.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.queue_report import Row, aligned, markdown
from services.evaluate.asked_figures import ASK, is_ask, part_of
from services.evaluate.sets import ANSWERABLE

SET = "set:"
ANSWERS = (
    "refused",
    "right",
    "in_cited",
    "cited_gold",
    "bad_numbers",
    "answer_chars",
    "calls",
    "tokens_in",
    "tokens_out",
)
ANSWER_HEAD = ("run", "set", "n", *ANSWERS)
REFUSAL_HEAD = ("run", "set", "kind", "n", "refused", "refused_at_10", "auroc")
MEANS = frozenset(("answer_chars", "calls", "tokens_in", "tokens_out"))
"""Figures that are no shares."""


def answered(name: str, figures: Mapping[str, Any]) -> Iterator[Row]:
    """Give a line for each set's answerable questions."""
    for group, found in _sets(figures, part_of(ANSWERABLE)):
        yield (name, group, str(found["n"]), *(_said(figure, found.get(figure)) for figure in ANSWERS))


def refused(name: str, figures: Mapping[str, Any]) -> Iterator[Row]:
    """Give a line for each set and kind of questions that nothing answers."""
    for part in (part for part in figures if is_ask(part) and part not in (ASK, part_of(ANSWERABLE))):
        kind = part.partition(":")[2]
        for group, found in _sets(figures, part):
            apart = figures[ASK].get(f"{SET}{group}", {})
            shares = (found.get("refused"), apart.get(f"refused_at_10: {kind}"), apart.get(f"auroc: {kind}"))
            yield (name, group, kind, str(found["n"]), *(_said("", share) for share in shares))


def _sets(figures: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    groups = figures.get(part, {})
    return ((name.removeprefix(SET), found) for name, found in groups.items() if name.startswith(SET))


def _said(figure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if figure in MEANS else f"{value:.3f}"


def table(head: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """Put a head over rows, and leave out the columns that no row has a figure in."""
    shown = [at for at in range(len(head)) if any(row[at] != "-" for row in rows)]
    return [tuple(row[at] for at in shown) for row in (tuple(head), *rows)]


def main() -> None:
    """Read the runs, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    runs = {name: json.loads(Path(path).read_text(encoding="utf-8")) for name, _, path in _named(options.runs)}
    told = [row for name, run in runs.items() for row in answered(name, run["figures"])]
    withheld = [row for name, run in runs.items() for row in refused(name, run["figures"])]
    tables = [table(ANSWER_HEAD, told), table(REFUSAL_HEAD, withheld)]
    print("\n\n".join(map(aligned, tables)))
    machine = describe("-").rpartition(", ")[0]
    if options.json:
        kept = [{"machine": machine}, *({"run": name, **_short(run)} for name, run in runs.items())]
        options.json.write_text("".join(f"{json.dumps(each)}\n" for each in kept), encoding="utf-8")
    if options.markdown:
        title = "# Answers and refusals\n\nMade by `python -m bench.answers`; its docstring says what is counted."
        body = "\n\n".join(map(markdown, tables))
        options.markdown.write_text(f"{title}\n\n{machine}.\n\n{body}\n", encoding="utf-8")


def _named(runs: Sequence[str]) -> list[tuple[str, str, str]]:
    return [run.rpartition("=") for run in runs]


def _short(run: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what was asked, of what, and the figures of the sets."""
    figures = {
        part: {group: found for group, found in groups.items() if group.startswith(SET)}
        for part, groups in run["figures"].items()
        if is_ask(part)
    }
    return {"sets": run["sets"], "options": run["options"], "models": run["models"], "figures": figures}


if __name__ == "__main__":
    main()
