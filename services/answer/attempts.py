"""What earlier attempts of an ask took: sums, pure.

In: the trace that an earlier attempt left in the row of its ask, whatever of it there is: all of it where that attempt
ended by itself, as much as it had noted where its process died. Out: how often models were called so far, and what that
took, as a few sums, however many attempts there were. Refuses nothing: what is no number counts as none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

CUT_OFF = "cut_off"
"""The error of a call that was made by an attempt of which nobody said how it ended."""
SUMS = ("attempts", "calls", "calls_failed", "gate_wait_ms", "model_ms", "tokens_in", "tokens_out")
"""`attempts` are those that called a model; times in milliseconds."""


def spent(left: object) -> dict[str, Any] | None:
    """Sum up what was called until then, by the last attempt and by those before it; None where nothing was.

    Returns:
        the `SUMS`, and `prompt_versions`, each once.
    """
    trace = left if isinstance(left, Mapping) else {}
    calls = [each for each in _list(trace.get("calls")) if isinstance(each, Mapping)]
    before = trace.get("earlier")
    sums = _summed(before) if isinstance(before, Mapping) else dict.fromkeys(SUMS, 0)
    if not calls and not any(sums.values()):
        return None
    sums["attempts"] += bool(calls)
    sums["calls"] += len(calls)
    sums["calls_failed"] += sum(each.get("error") is not None for each in calls)
    sums["gate_wait_ms"] = round(sums["gate_wait_ms"] + _sum(calls, "gate_wait_ms"), 2)
    sums["model_ms"] = round(sums["model_ms"] + _sum(calls, "took_ms"), 2)
    sums["tokens_in"] += _sum(calls, "tokens_in")
    sums["tokens_out"] += _sum(calls, "tokens_out")
    versions = [*_list(before.get("prompt_versions") if isinstance(before, Mapping) else None)]
    versions += [each.get("prompt_version") for each in calls]
    return {**sums, "prompt_versions": list(dict.fromkeys(each for each in versions if isinstance(each, str)))}


def totals(calls: Iterable[Mapping[str, Any]], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Sum up waiting, time and tokens of an ask: of the calls of this attempt and of those before it."""
    made, before = list(calls), _summed(earlier or {})
    return {
        "gate_wait_ms": round(_sum(made, "gate_wait_ms") + before["gate_wait_ms"], 2),
        "model_ms": round(_sum(made, "took_ms") + before["model_ms"], 2),
        "tokens_in": _sum(made, "tokens_in") + before["tokens_in"],
        "tokens_out": _sum(made, "tokens_out") + before["tokens_out"],
    }


def _summed(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(given.get(name)) for name in SUMS}


def _sum(calls: Iterable[Mapping[str, Any]], name: str) -> Any:
    return sum(_number(each.get(name)) for each in calls)


def _number(given: object) -> Any:
    return given if isinstance(given, int | float) and not isinstance(given, bool) else 0


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []
