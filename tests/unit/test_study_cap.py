"""The cap of explanations (S17, Z10): at a boundary, with an ellipsis that counts, and only where something is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.study.cap import BOUNDARIES, BOUNDARY_CHARS, ELLIPSIS, MOST_CHARS, capped

KEPT = MOST_CHARS - len(ELLIPSIS)
PIECES = [
    "점검은 매년 한다.",
    "확인해요.",
    "valve ",
    "1.2 MPa. ",
    "한다 그리고 ",
    "\n",
    "\n\n",
    "가나다라마바사",
    "x" * 90,
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=400).map("".join) | st.text(min_size=900, max_size=2600)


def boundary_within(text: str) -> bool:
    """Whether some boundary lies where it is looked for."""
    return any(
        KEPT - BOUNDARY_CHARS <= at <= KEPT - stay
        for mark, stay in BOUNDARIES
        for at in range(len(text))
        if text.startswith(mark, at)
    )


@given(TEXTS)
def test_capped__is_never_too_long_and_says_by_its_ellipsis_that_it_was_cut(text: str) -> None:
    found = capped(text)
    if len(text) <= MOST_CHARS:
        assert found == text
        return
    assert len(found) <= MOST_CHARS
    assert found.endswith(ELLIPSIS)
    assert text.startswith(found[: -len(ELLIPSIS)])


@given(TEXTS)
def test_capped__cuts_no_word_where_a_boundary_is_near(text: str) -> None:
    if len(text) <= MOST_CHARS:
        return
    kept = len(capped(text)) - len(ELLIPSIS)
    if not boundary_within(text):
        assert kept == KEPT
        return
    before, behind = text[:kept], text[kept:]
    assert before.endswith((".", "다", "요")) or behind[0].isspace()


@pytest.mark.parametrize(
    ("tail", "end"),
    [
        ("첫 문단이다.\n\n둘째 문단이다.\n줄. 더한다.가", "첫 문단이다."),
        ("한 줄\n두 줄. 세 줄이다.네", "한 줄"),
        ("One sentence. Another 한다.셋", "One sentence."),
        ("하나다.둘이에요.셋이다 넷", "하나다."),
        ("하나요.둘이다 셋", "하나요."),
        ("그렇다 하나요 둘", "그렇다"),
        ("그래요 둘 셋", "그래요"),
        ("only words here", "only words"),
        ("가" * 20, "가" * 20),
    ],
)
def test_capped__tries_boundaries_in_their_order(tail: str, end: str) -> None:
    text = "가" * (KEPT - len(tail)) + tail + "나" * 300
    assert capped(text) == "가" * (KEPT - len(tail)) + end + ELLIPSIS


def test_capped__leaves_a_boundary_alone_that_is_too_far_from_the_end() -> None:
    text = "가" * (KEPT - BOUNDARY_CHARS - 3) + "다. " + "나" * 500
    assert capped(text) == text[:KEPT] + ELLIPSIS


def test_capped__keeps_a_text_of_just_the_length() -> None:
    assert capped("가" * MOST_CHARS) == "가" * MOST_CHARS
    assert len(capped("가" * (MOST_CHARS + 1))) == MOST_CHARS
