"""Merging ranked lists: one leg as it is, several by their share of the best score."""

from hypothesis import given
from hypothesis import strategies as st

from services.search.fuse import fuse
from services.search.hit import Fused, Ranked


def hit(chunk_id: int, score: float) -> Ranked:
    return Ranked(chunk_id, score)


def ranked(*pairs: tuple[int, float]) -> list[Ranked]:
    return [hit(chunk_id, score) for chunk_id, score in pairs]


def ids(hits: list[Fused]) -> list[int]:
    return [each.chunk_id for each in hits]


def test_fuse__of_one_leg_gives_its_order_and_its_scores() -> None:
    leg = ranked((3, 9.0), (1, 9.0), (2, 4.0))
    assert fuse({"lexical": leg}, {}, 10) == [Fused(each.chunk_id, each.score) for each in leg]
    assert ids(fuse({"lexical": leg}, {}, 2)) == [3, 1]
    assert fuse({"lexical": []}, {}, 2) == []


def test_fuse__of_no_leg_is_empty() -> None:
    assert fuse({}, {}, 10) == []


def test_fuse__adds_the_shares_of_each_legs_best() -> None:
    lexical, dense = ranked((1, 20.0), (2, 10.0)), ranked((2, 0.9), (3, 0.45))
    found = fuse({"lexical": lexical, "dense": dense}, {}, 10)
    assert [(each.chunk_id, each.score) for each in found] == [(2, 1.5), (1, 1.0), (3, 0.5)]


def test_fuse__weighs_the_legs() -> None:
    lexical, dense = ranked((1, 5.0)), ranked((2, 5.0))
    assert ids(fuse({"lexical": lexical, "dense": dense}, {"dense": 0.2}, 10)) == [1, 2]
    assert ids(fuse({"lexical": lexical, "dense": dense}, {"dense": 2.0}, 10)) == [2, 1]
    assert ids(fuse({"lexical": lexical, "dense": dense}, {"dense": 0.0}, 10)) == [1, 2]


def test_fuse__lets_an_empty_leg_change_nothing() -> None:
    leg = ranked((1, 4.0), (2, 2.0))
    assert ids(fuse({"lexical": leg, "dense": []}, {}, 10)) == [1, 2]


def test_fuse__breaks_a_tie_by_the_older_chunk() -> None:
    assert ids(fuse({"a": ranked((9, 1.0)), "b": ranked((4, 1.0))}, {}, 10)) == [4, 9]


LEG = st.dictionaries(st.integers(1, 30), st.floats(0.001, 100), max_size=12).map(
    lambda scores: [hit(chunk, score) for chunk, score in sorted(scores.items(), key=lambda pair: -pair[1])]
)


@given(legs=st.dictionaries(st.sampled_from("abc"), LEG, min_size=1), limit=st.integers(1, 40))
def test_fuse__gives_each_chunk_once_best_first_and_keeps_to_the_limit(
    legs: dict[str, list[Ranked]], limit: int
) -> None:
    found = fuse(legs, {}, limit)
    every = {each.chunk_id for leg in legs.values() for each in leg}
    assert len(ids(found)) == len(set(ids(found))) == min(limit, len(every))
    assert set(ids(found)) <= every
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)


def test_fuse__tells_what_each_leg_added() -> None:
    lexical, dense = ranked((1, 20.0), (2, 10.0)), ranked((2, 0.9), (3, 0.45))
    found = fuse({"lexical": lexical, "dense": dense}, {"lexical": 0.8, "dense": 0.2}, 10)
    assert {each.chunk_id: dict(each.legs) for each in found} == {
        1: {"lexical": 0.8},
        2: {"lexical": 0.4, "dense": 0.2},
        3: {"dense": 0.1},
    }
    assert all(each.score == sum(each.legs.values()) for each in found)
    assert fuse({"lexical": lexical}, {}, 1)[0].legs == {"lexical": 20.0}


def test_fuse__counts_a_vector_that_points_away_as_nothing() -> None:
    lexical, dense = ranked((1, 5.0)), ranked((2, -0.1), (1, -0.9))
    assert [(each.chunk_id, each.score) for each in fuse({"lexical": lexical, "dense": dense}, {}, 10)] == [
        (1, 1.0),
        (2, 0.0),
    ]


def test_fuse__by_rank_counts_places_and_not_scores() -> None:
    lexical, dense = ranked((1, 100.0), (2, 1.0)), ranked((2, 0.2), (3, 0.1))
    found = fuse({"lexical": lexical, "dense": dense}, {"dense": 0.5}, 10, by="rank", rank_k=60)
    assert [each.chunk_id for each in found] == [2, 1, 3]
    assert found[0].score == 1 / 62 + 0.5 / 61
