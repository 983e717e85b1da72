"""Wordings and their merge: which conditions must hold, how weights are shared, what a tie does."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.analyze import Analysis, Query
from services.search.filters import Filters
from services.search.hit import Fused
from services.search.rewrite import Rewording
from services.search.variants import Plan, Wording, merge, narrowed, plan_for, search_all

KO, EN = Query("ko", "안전밸브 작동 압력", 0.6), Query("en", "safety valve set pressure", 0.4)
BOTH = Analysis("ko", (KO, EN), (), 0.85)
QUESTION = "안전밸브는 몇 MPa에서 작동하나요?"


def ranked(*pairs: tuple[int, float]) -> list[Fused]:
    return [Fused(chunk_id, score) for chunk_id, score in pairs]


def shares(plan: Plan) -> list[tuple[str, float, bool]]:
    return [(wording.text, round(wording.weight, 6), wording.foreign) for wording in plan.wordings]


def test_plan__has_the_question_and_each_language() -> None:
    plan = plan_for(QUESTION, BOTH, 0.85, None)
    assert shares(plan) == [(QUESTION, 0.3, False), (KO.text, 0.3, False), (EN.text, 0.4, True)]
    assert (plan.match_reason, plan.notes) == ("ml_ko+en", ("multilingual langs=[ko, en]",))


def test_plan__searches_the_question_once_when_its_query_is_the_same() -> None:
    analysis = replace(BOTH, queries=(Query("ko", QUESTION, 0.6), EN))
    assert shares(plan_for(QUESTION, analysis, 0.85, None)) == [(QUESTION, 0.6, False), (EN.text, 0.4, True)]


def test_plan__of_a_mixed_question_has_no_foreign_language() -> None:
    plan = plan_for(QUESTION, replace(BOTH, language="mixed"), 0.85, None)
    assert shares(plan) == [(QUESTION, 0.333333, False), (KO.text, 0.4, False), (EN.text, 0.266667, False)]


@pytest.mark.parametrize(
    "analysis",
    [None, replace(BOTH, confidence=0.84), replace(BOTH, queries=(KO,)), replace(BOTH, queries=())],
    ids=["no cache hit", "not sure enough", "one language", "no query"],
)
def test_plan__is_the_question_alone_where_a_condition_is_missing(analysis: Analysis | None) -> None:
    assert plan_for(QUESTION, analysis, 0.85, None) == Plan((Wording(QUESTION, 1.0),), None, ())


@pytest.mark.parametrize(("confidence", "tier"), [(0.84, "tentative"), (0.85, "analyzed"), (1.0, "analyzed")])
def test_tier__is_analyzed_share_the_setting_on(confidence: float, tier: str) -> None:
    assert replace(BOTH, confidence=confidence).tier(0.85) == tier


def test_plan__gives_rewordings_half_the_weight() -> None:
    plan = plan_for(QUESTION, None, 0.85, Rewording(("a", "b")))
    assert shares(plan) == [(QUESTION, 0.5, False), ("a", 0.25, False), ("b", 0.25, False)]
    assert (plan.match_reason, plan.notes) == ("rewrite", ("rewrite n=2",))


def test_plan__says_when_a_rewriting_failed_and_searches_the_question() -> None:
    plan = plan_for(QUESTION, None, 0.85, Rewording(failed="llm_timeout"))
    assert plan == Plan((Wording(QUESTION, 1.0),), None, ("rewrite skipped=llm_timeout",))


@given(
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=2),
    language=st.sampled_from(["ko", "en", "mixed", "und"]),
    variants=st.integers(0, 4),
)
def test_plan__has_weights_that_sum_to_one(weights: list[float], language: str, variants: int) -> None:
    queries = tuple(
        replace(query, weight=weight / sum(weights)) for query, weight in zip((KO, EN), weights, strict=True)
    )
    plan = plan_for(
        QUESTION, Analysis(language, queries, (), 1.0), 0.85, Rewording(tuple(f"v{n}" for n in range(variants)))
    )
    assert math.isclose(sum(wording.weight for wording in plan.wordings), 1.0)
    assert all(wording.weight > 0 for wording in plan.wordings)


MERGES = {
    "one wording keeps its order": ([(1.0, [(3, 8.0), (1, 4.0)])], [(3, 1.0), (1, 0.5)]),
    "shares of each best are added by weight": (
        [(0.6, [(1, 20.0), (2, 10.0)]), (0.4, [(2, 0.9), (3, 0.45)])],
        [(2, 0.7), (1, 0.6), (3, 0.2)],
    ),
    "the heavier language goes first": ([(0.4, [(1, 5.0)]), (0.6, [(2, 5.0)])], [(2, 0.6), (1, 0.4)]),
    "a tie goes to the older chunk": ([(0.5, [(9, 1.0)]), (0.5, [(4, 7.0)])], [(4, 0.5), (9, 0.5)]),
    "an empty wording changes nothing": ([(0.6, [(1, 4.0), (2, 2.0)]), (0.4, [])], [(1, 0.6), (2, 0.3)]),
    "scores of nothing count nothing": ([(0.6, [(1, 0.0)]), (0.4, [(2, 3.0)])], [(2, 0.4), (1, 0.0)]),
    "nothing is nothing": ([], []),
}


@pytest.mark.parametrize("case", MERGES)
def test_merge__adds_scores_by_the_weight_of_the_language(case: str) -> None:
    given_lists, expected = MERGES[case]
    found = merge([(weight, ranked(*hits)) for weight, hits in given_lists], 10)
    assert [(each.chunk_id, round(each.score, 9)) for each in found] == expected


def test_merge__keeps_the_best_of_all_up_to_the_cap() -> None:
    lists = [(0.5, ranked(*((n, 100.0 - n) for n in range(start, start + 50)))) for start in (0, 25)]
    found = merge(lists, 60)
    assert len(found) == len({each.chunk_id for each in found}) == 60
    assert found == merge(lists, 1000)[:60]


FILTERS = Filters(user_id=1, year=2024)


@pytest.mark.parametrize(
    ("asked", "types", "left"),
    [
        ((), None, ()),
        (("law",), None, ("law",)),
        ((), ("news", "global"), ("news", "global")),
        (("law", "news"), ("news", "global"), ("news",)),
        (("law",), ("news",), None),
        ((), (), None),
    ],
)
def test_narrowed__leaves_no_type_that_was_not_asked_for(
    asked: tuple[str, ...], types: tuple[str, ...] | None, left: tuple[str, ...] | None
) -> None:
    found = narrowed(replace(FILTERS, material_types=asked), types)
    assert found == (None if left is None else replace(FILTERS, material_types=left))


pytestmark = pytest.mark.anyio


async def test_search_all__hands_the_same_filters_to_every_wording() -> None:
    plan = plan_for(QUESTION, BOTH, 0.85, Rewording(("a", "b")))
    asked: list[tuple[str, Filters]] = []

    async def one(text: str, filters: Filters) -> list[Fused]:
        asked.append((text, filters))
        return ranked((len(asked), 1.0))

    await search_all(plan, one, FILTERS, None, 60)
    assert sorted(asked, key=str) == sorted(
        ((text, FILTERS) for text in (QUESTION, KO.text, EN.text, "a", "b")), key=str
    )


async def test_search_all__narrows_other_languages_only() -> None:
    asked: dict[str, Filters] = {}

    async def one(text: str, filters: Filters) -> list[Fused]:
        asked[text] = filters
        return []

    await search_all(plan_for(QUESTION, BOTH, 0.85, None), one, FILTERS, ("news",), 60)
    assert asked == {QUESTION: FILTERS, KO.text: FILTERS, EN.text: replace(FILTERS, material_types=("news",))}


async def test_search_all__raises_the_error_itself() -> None:
    async def one(text: str, filters: Filters) -> list[Fused]:
        raise LookupError(text)

    with pytest.raises(LookupError):
        await search_all(plan_for(QUESTION, BOTH, 0.85, None), one, FILTERS, None, 60)
