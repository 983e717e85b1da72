"""Keys, and the memory in front of the table: bounded, expiring, the least used first."""

import pytest

from services.search.cache import Author, LastUsed, fold, key_of

AUTHOR = Author("analyzer:m", "analyze-1")


class Clock:
    """Time as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  안전밸브는   몇 MPa?  ", "안전밸브는 몇 MPa"),
        ("안전밸브는\n몇 MPa", "안전밸브는 몇 MPa"),
        ("What is BM25?!", "What is BM25"),
        ("연차는 며칠입니까。", "연차는 며칠입니까"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("???", ""),
    ],
)
def test_fold__brings_questions_that_ask_the_same_to_one_form(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(folded) == folded


def test_key__is_sha256_and_differs_by_each_part() -> None:
    parts = {"kind": "analysis", "user_id": 1, "folded": "질문", "author": AUTHOR}
    others = {
        "kind": "rewrite",
        "user_id": 2,
        "folded": "물음",
        "author": Author("analyzer:n", "analyze-1"),
    }
    keys = {key_of(**parts | {name: value}) for name, value in others.items()}  # type: ignore[arg-type]
    keys.add(key_of(**parts))  # type: ignore[arg-type]
    keys.add(key_of("analysis", 1, "질문", Author("analyzer:m", "analyze-2")))
    assert len(keys) == 6
    assert all(len(key) == 64 for key in keys)


def test_key__takes_half_a_surrogate_pair() -> None:
    assert len(key_of("analysis", 1, "\ud800", AUTHOR)) == 64


def test_last_used__lets_a_value_go_at_its_time() -> None:
    clock = Clock()
    memory: LastUsed[int] = LastUsed(10, clock)
    memory.put("a", 1, lives_s=60)
    clock.now = 59.9
    assert memory.get("a") == 1
    clock.now = 60.0
    assert memory.get("a") is None
    assert len(memory) == 0


def test_last_used__drops_what_was_not_used_for_longest() -> None:
    memory: LastUsed[int] = LastUsed(500)
    for n in range(500):
        memory.put(str(n), n, 60)
    assert memory.get("0") == 0
    memory.put("500", 500, 60)
    assert len(memory) == 500
    assert memory.get("1") is None
    assert (memory.get("0"), memory.get("500")) == (0, 500)
