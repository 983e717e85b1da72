"""What the gate benchmark makes of time stamps, and how it judges."""

import pytest

from bench.contenders.gate_holds import (
    ForegroundWait,
    Hold,
    busy_share,
    foreground_waits,
    gaps_ms,
    overlaps,
    per_second,
)
from bench.gate_report import Promise, Results, Sample, p99, percentile, promises, verdict

MS = 1_000_000


def held(asked: int, inside: int, left: int) -> Hold:
    return Hold(asked * MS, inside * MS, left * MS)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentile__is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_p99__of_a_few_values_is_the_greatest() -> None:
    assert p99([3.0, 9.0, 1.0]) == 9.0


def test_overlaps__counts_who_came_before_another_left() -> None:
    turns = [held(0, 10, 20), held(0, 20, 30), held(0, 29, 31), held(0, 30, 40), held(5, 0, 0)]
    assert overlaps(turns) == 2


def test_overlaps__sees_a_hold_that_outlasts_the_next_one() -> None:
    assert overlaps([held(0, 10, 50), held(0, 20, 30), held(0, 40, 60)]) == 2


def test_busy_share__counts_only_what_lies_in_the_window() -> None:
    turns = [held(0, 1, 15), held(0, 16, 18), held(0, 19, 40), held(0, 0, 0)]
    assert busy_share(turns, 10 * MS, 20 * MS) == pytest.approx(0.8)


def test_per_second__counts_the_leaves_in_the_window() -> None:
    assert per_second([held(0, 1, 2), held(2, 3, 1500)], 0, 1000 * MS) == 1.0


def test_gaps__are_from_leave_to_the_next_inside() -> None:
    turns = [held(0, 30, 40), held(0, 1, 10), held(0, 12, 25), held(0, 0, 0), held(0, 43, 90)]
    assert gaps_ms(turns, 11 * MS, 42 * MS) == [2.0, 5.0]


def test_foreground_wait__counts_from_the_end_of_the_call_in_flight() -> None:
    calls = [held(0, 1, 50), held(0, 60, 110)]
    assert foreground_waits([held(20, 52, 55)], calls, 200 * MS) == [ForegroundWait(2.0, 0)]


def test_foreground_wait__counts_a_call_that_slipped_in() -> None:
    calls = [held(0, 1, 50), held(0, 51, 101)]
    assert foreground_waits([held(20, 103, 105)], calls, 200 * MS) == [ForegroundWait(53.0, 1)]


def test_foreground_wait__takes_the_call_to_which_the_slot_was_on_its_way() -> None:
    calls = [held(0, 1, 50), held(0, 51, 101)]
    assert foreground_waits([Hold(50 * MS + 1, 102 * MS, 105 * MS)], calls, 200 * MS) == [ForegroundWait(1.0, 0)]


def test_foreground_wait__is_all_of_it_when_the_slot_was_free() -> None:
    assert foreground_waits([held(20, 23, 25)], [held(0, 1, 10)], 200 * MS) == [ForegroundWait(3.0, 0)]


def test_foreground_wait__of_who_was_not_served_lasts_to_the_end() -> None:
    calls = [held(0, 1, 50), held(0, 51, 101)]
    assert foreground_waits([held(20, 0, 0)], calls, 90 * MS) == [ForegroundWait(40.0, 1)]


@pytest.mark.parametrize(
    ("relation", "measured", "kept"),
    [("<=", 3.0, True), ("<", 3.0, False), (">=", 3.0, True), (">=", 2.9, False), ("<=", 3.1, False)],
)
def test_promise__is_kept_within_its_bound(relation: str, measured: float, kept: bool) -> None:
    assert Promise("a bound", relation, 3, measured).kept is kept


def test_ratio__is_taken_within_each_repetition() -> None:
    samples = [Sample(0, "a", "m", [1.0, 2.0, 9.0]), Sample(0, "b", "m", [1.0]), Sample(1, "a", "m", [40.0])]
    samples += [Sample(1, "b", "m", [10.0]), Sample(2, "a", "m", [7.0])]
    assert Results(samples).ratio("m", "a", "b") == 3.0


def test_promises__judge_only_what_was_measured() -> None:
    samples = [Sample(0, "seodang", "busy_50", [0.9]), Sample(0, "seodang", "overlaps", [0.0, 0.0])]
    promised = promises(Results(samples))
    assert [promise.kept for promise in promised] == [False, True]
    assert verdict(promised) == "This run keeps 1 of 2 promises; it misses: busy share of a 50 ms server."


def test_promises__compare_pairs_in_round_trips() -> None:
    samples = [Sample(0, "seodang", "pair", [0.5]), Sample(0, "bare", "pair", [0.2])]
    samples.append(Sample(0, "seodang", "trip", [0.1]))
    assert Results(samples).trips_above_bare() == pytest.approx(3.0)
