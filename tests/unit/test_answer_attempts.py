"""What `services.answer.attempts` promises: what was called so far, in a few sums, however many attempts there were."""

from typing import Any

import pytest

from services.answer.attempts import CUT_OFF, spent, totals
from services.answer.trace import Trace

JUDGE = {"prompt_version": "judge-1", "gate_wait_ms": 1.5, "took_ms": 100.25, "tokens_in": 50, "tokens_out": 5}
WRITER = {"prompt_version": "synthesize-2", "gate_wait_ms": 2, "took_ms": 300, "tokens_in": 70, "tokens_out": 20}
ONE = {
    "attempts": 1, "calls": 2, "calls_failed": 1, "gate_wait_ms": 3.5, "model_ms": 400.25, "tokens_in": 120,
    "tokens_out": 25, "prompt_versions": ["judge-1", "synthesize-2"],
}  # fmt: skip
FAILED = {"steps": ["queued"], "calls": [JUDGE, {**WRITER, "error": "parse_fail"}]}


def trace_of(left: object) -> Trace:
    trace = Trace(lambda _event: None)
    trace.take_over(left)
    return trace


@pytest.mark.parametrize("left", [None, {}, {"steps": ["queued"], "calls": []}, [], "text", {"calls": {"took_ms": 1}}])
def test_spent__is_nothing_where_nobody_was_called(left: object) -> None:
    assert spent(left) is None
    assert "earlier" not in trace_of(left).facts


def test_spent__sums_the_calls_of_an_attempt_and_of_those_before() -> None:
    assert spent(FAILED) == ONE
    twice = spent(FAILED | {"earlier": spent(FAILED)})
    doubled = {name: value * 2 for name, value in ONE.items() if isinstance(value, int | float)}
    assert twice == doubled | {"prompt_versions": ONE["prompt_versions"]}
    assert spent({"steps": ["queued"], "earlier": ONE}) == ONE


def test_spent__stays_small_however_often_an_ask_is_put_off() -> None:
    left: dict[str, Any] = FAILED
    for _ in range(500):
        left = {**FAILED, "earlier": spent(left)}
    assert left["earlier"]["calls"] == 1000
    assert len(str(left["earlier"])) < 400


@pytest.mark.parametrize(
    "odd", [{"took_ms": "slow", "tokens_in": True}, {"tokens_out": None, "gate_wait_ms": [1]}, {"prompt_version": 7}]
)
def test_spent__what_is_no_number_counts_as_none(odd: dict[str, Any]) -> None:
    found = spent({"calls": [odd, 7, None], "earlier": {"calls": "two", "prompt_versions": [3]}})
    assert found is not None
    assert (found["calls"], found["prompt_versions"]) == (1, [])
    assert [found[name] for name in ("gate_wait_ms", "model_ms", "tokens_in", "tokens_out")] == [0, 0, 0, 0]


def test_trace__has_the_sums_of_all_attempts_and_the_calls_of_its_own() -> None:
    trace = trace_of(FAILED)
    assert (trace.facts["gate_wait_ms"], trace.facts["model_ms"]) == (3.5, 400.25)
    trace.called(dict(JUDGE))
    assert trace.facts["calls"] == [JUDGE]
    assert {name: trace.facts[name] for name in totals((), None)} == totals([JUDGE], ONE)
    assert totals([JUDGE], ONE) == {"gate_wait_ms": 5.0, "model_ms": 500.5, "tokens_in": 170, "tokens_out": 30}


def test_trace__does_not_take_over_what_an_earlier_attempt_found() -> None:
    trace = trace_of(FAILED | {"re_gate": "clean", "missing": ["x"], "error": "parse_fail"})
    assert set(trace.facts) == {"steps", "ms", "earlier", "gate_wait_ms", "model_ms", "tokens_in", "tokens_out"}
    assert not trace.failed_calls  # of this attempt, for which alone an answer is kept or not


def test_so_far__counts_a_call_that_begins_as_cut_off_unless_its_end_is_told() -> None:
    trace = trace_of(FAILED)
    trace.called(dict(JUDGE))
    left = trace.so_far({"step": "synthesis", "gate_wait_ms": 2.0})
    assert [call.get("error") for call in left["calls"]] == [None, CUT_OFF]
    trace.called(dict(WRITER))
    assert len(left["calls"]) == 2
    found = spent(left)
    assert found is not None
    assert (found["attempts"], found["calls"], found["calls_failed"], found["gate_wait_ms"]) == (2, 4, 2, 7.0)
