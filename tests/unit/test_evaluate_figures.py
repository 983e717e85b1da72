"""What is a hit, what the figures are, and what is different between two runs."""

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from db.eval_rows import EvalRun
from services.evaluate.figures import by_group, latency, quality
from services.evaluate.measure import AT_ONCE, Measured, measure
from services.evaluate.overlap import grams, is_hit, rank_of
from services.evaluate.result import changed, figures_of, latency_of, results_of
from services.evaluate.seen import Seen
from services.evaluate.sets import Question
from tests.fakes.evaluation_sets import ENGLISH, KOREAN

PASSAGE = ENGLISH["garden"]


def question(number: str, set_name: str = "a") -> Question:
    return Question(number, set_name, "en", f"What is {number}?", "answerable", ("x",), (), False, ())


def test_grams__fold_case_width_spaces_and_signs() -> None:
    assert grams("Ａb-C d!") == grams("abcd") == {"abcd"}
    assert grams("abcdef") == {"abcde", "bcdef"}
    assert grams(" - ") == frozenset()


@pytest.mark.parametrize(
    ("returned", "hit"),
    [
        (PASSAGE, True),
        (f"Something in front. {PASSAGE} And something behind.", True),
        (PASSAGE[: len(PASSAGE) // 2], True),
        (PASSAGE[:15], False),  # a piece that is too short to be told
        (ENGLISH["boiler"], False),
        ("x" * 2000 + PASSAGE, False),  # only the first 2,000 characters are looked at
        ("", False),
    ],
)
def test_hit__is_half_of_the_shorter_text(returned: str, hit: bool) -> None:
    assert is_hit(returned, PASSAGE) is hit


def test_hit__of_a_short_passage_needs_no_more_than_it_has() -> None:
    assert is_hit("forty watts", "forty watts")
    assert not is_hit("forty watts", "")


def test_rank__is_that_of_the_first_text_that_shows_one_of_the_passages() -> None:
    assert rank_of([KOREAN["lift"], KOREAN["pump"], PASSAGE], [PASSAGE, KOREAN["pump"]]) == 2
    assert rank_of([KOREAN["lift"]], [PASSAGE]) is None
    assert rank_of([], [PASSAGE]) is None


def test_quality__is_that_of_the_textbook() -> None:
    assert quality([1, 2, 6, None]) == {
        "n": 4,
        "R@1": 0.25,
        "R@5": 0.5,
        "R@10": 0.75,
        "MRR@10": round((1 + 1 / 2 + 1 / 6) / 4, 4),
        "nDCG@10": round((1 + 0.63093 + 0.35621) / 4, 4),
    }
    assert quality([11]) == {"n": 1, "R@1": 0, "R@5": 0, "R@10": 0, "MRR@10": 0, "nDCG@10": 0}


def test_latency__is_median_and_95th_percentile() -> None:
    assert latency([float(ms) for ms in range(100, 0, -1)]) == {"n": 100, "p50_ms": 50.5, "p95_ms": 96.0}
    assert latency([3.0]) == {"n": 1, "p50_ms": 3.0, "p95_ms": 3.0}


def test_groups__come_in_a_fixed_order() -> None:
    found = by_group({question("q", "b"): 1, question("r", "a"): None}, quality)
    assert list(found) == ["all", "set:a", "set:b", "language:en", "tag:answerable"]
    assert (found["all"]["R@1"], found["set:a"]["R@1"], found["set:b"]["R@1"]) == (0.5, 0.0, 1.0)


@pytest.mark.anyio
async def test_measure__times_some_one_at_a_time_and_asks_the_others_side_by_side() -> None:
    gold = {question(str(number)): [PASSAGE] for number in range(40)}
    in_flight, most, asked = 0, {True: 0, False: 0}, []

    async def look(query: str, watch: bool) -> Seen:
        nonlocal in_flight
        in_flight += 1
        most[watch] = max(most[watch], in_flight)
        asked.append((query, watch))
        await anyio.lowlevel.checkpoint()
        in_flight -= 1
        return Seen({"fused": ["nothing", PASSAGE]}, {"fused": 1.5})

    told: list[int] = []
    measured = await measure(gold, look, told.append, timed=10)
    assert most == {True: 1, False: AT_ONCE}
    assert list(measured.ranks) == list(gold)
    assert set(measured.took_ms) < set(gold)
    assert (len(measured.took_ms), told[-1]) == (10, 40)
    timed = {each.query for each in measured.took_ms}
    assert [query for query, watch in asked if query in timed and not watch] == []
    assert len([query for query, _ in asked if query in timed]) == 10  # nobody heard them before they were timed


def run(number: int, ranks: dict[str, int | None], took_ms: float) -> EvalRun:
    measured = Measured(
        {question(name): {"fused": rank, "lexical": rank} for name, rank in ranks.items()},
        {question(name): {"fused": took_ms} for name in ranks},
    )
    found: tuple[Any, ...] = (figures_of(measured), latency_of(measured), results_of(measured))
    return EvalRun(number, datetime(2026, 1, 1, tzinfo=UTC), *found)


def test_changed__gives_deltas_and_the_questions_that_were_lost_and_won() -> None:
    change = changed(run(1, {"p": 1, "q": 3, "r": None, "s": 2}, 2.0), run(2, {"p": 1, "q": None, "r": 1, "s": 2}, 3.5))
    assert (change.run, change.lost, change.won) == (1, ["a/q"], ["a/r"])
    assert change.deltas["fused"]["all"]["R@1"] == 0.25
    assert change.deltas["lexical"]["all"]["R@5"] == 0.0
    assert change.latency_deltas["fused"]["set:a"] == {"p50_ms": 1.5, "p95_ms": 1.5}


def test_results__tell_a_miss_from_a_leg_that_had_no_part() -> None:
    ranks = {question("p"): {"fused": 1, "vectors": None, "lexical": 1}, question("q"): {"fused": 2, "lexical": 2}}
    measured = Measured({**ranks})
    assert results_of(measured) == {
        "legs": ["fused", "lexical", "vectors"],
        "ranks": {"a": {"p": [1, 1, 0], "q": [2, 2, None]}},
    }
    assert figures_of(measured)["vectors"]["all"]["n"] == 1
