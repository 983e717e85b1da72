"""`seodang ask --debug`: what an ask did, for a person to read; on standard error, so that the answer stays alone.

In: the public form of an ask with its trace, whatever of it there is. Out: tables of steps, calls, hits and findings,
and the decision in a line each. Refuses nothing: what a trace does not say is left out.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from services.command.show import PIPE_WIDTH, table

DECISION = ("verdict", "coverage", "answerability", "re_gate", "partial_basis", "stood_in_for", "error")
CALL = ("step", "role", "model", "prompt_version", "gate_wait_ms", "took_ms", "tokens_in", "tokens_out", "error")
WHERE_CHARS = 60
Facts = Mapping[str, Any]

err = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def show_trace(result: Facts) -> None:
    """Print what was done for an ask, how long it took, and how it was decided."""
    facts: Facts = result.get("trace") or {}
    err.print(f"[bold]ask {result['id']}[/bold]  {_all(result, facts)}", highlight=False)
    if facts.get("cached"):
        err.print(f"served from what was answered for ask {facts.get('cached_from')}: no model was called")
    if isinstance(earlier := facts.get("earlier"), Mapping):
        err.print(f"the sums also have {earlier.get('calls')} calls of {earlier.get('attempts')} earlier attempts")
    _table("steps", ("step", "ms"), steps(facts))
    _table("calls", CALL, [[call.get(name) for name in CALL] for call in _list(facts, "calls")])
    _table("hits", ("rank", "chunk", "score", "legs"), hits(facts))
    _table("findings", ("code", "strength", "where"), findings(facts))
    for name, value in decision(result, facts):
        err.print(f"{name}: {value}", highlight=False, markup=False)


def _all(result: Facts, facts: Facts) -> str:
    parts = [str(result.get("status"))]
    if result.get("took_ms") is not None:
        parts.append(f"{result['took_ms']} ms in all")
    parts += [
        f"{facts[name]:.0f} ms {said}" for name, said in SHARES.items() if isinstance(facts.get(name), int | float)
    ]
    return ", ".join(parts)


SHARES = {"gate_wait_ms": "waiting for the model", "model_ms": "in the model"}


def steps(facts: Facts) -> list[tuple[str, object]]:
    """Give each step in the order in which it began, with its time where it was measured; then what else was."""
    taken: Facts = facts.get("ms") or {}
    begun = list(dict.fromkeys(facts.get("steps") or ()))
    return [(step, taken.get(step)) for step in [*begun, *(step for step in taken if step not in begun)]]


def hits(facts: Facts) -> list[tuple[object, ...]]:
    """Give the passages that were found, best first, with what each leg had to do with it."""
    rows = enumerate(_list(facts, "hits"), start=1)
    return [
        (rank, hit.get("chunk_id"), hit.get("score"), _pairs(hit.get("ranks") or hit.get("legs"))) for rank, hit in rows
    ]


def _pairs(given: object) -> str:
    if not isinstance(given, Mapping):
        return ""
    return ", ".join(f"{name} {_number(value)}" for name, value in given.items())


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def findings(facts: Facts) -> list[tuple[object, ...]]:
    """Give what the checks found and what the verifier objected to, the place cut short."""
    return [
        (
            each.get("code") or each.get("kind"),
            each.get("strength") or each.get("weight"),
            str(each.get("where") or "")[:WHERE_CHARS],
        )
        for each in [*_list(facts, "findings"), *_list(facts, "objections")]
    ]


def decision(result: Facts, facts: Facts) -> Iterable[tuple[str, object]]:
    """Give what was decided, and on what grounds."""
    yield from ((name, facts[name]) for name in DECISION if facts.get(name) is not None)
    if missing := _list(facts, "missing"):
        yield "missing", "; ".join(map(str, missing))
    reason = f", {result['refuse_reason']}" if result.get("refused") else ""
    yield "decision", f"{result.get('completeness')}{reason}, confidence {result.get('confidence')}"


def _list(facts: Facts, name: str) -> Sequence[Any]:
    value = facts.get(name)
    return value if isinstance(value, list) else ()


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table(title, columns, [["" if cell is None else escape(str(cell)) for cell in row] for row in rows], err)
