"""What `services.text.summary` promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.summary import SENTENCE_CHARS, key_points, one_sentence, shortened

NOTES = """# Meeting notes

| item | who |
|---|---|
| printer | Anna |

We agreed to back up the document server every night at 2:30. However, the old disk stays in use until May.
The backup of the document server is kept for seven years. Is that enough?

Copyright 2024 the office. All rights reserved.
"""
RULES = """안전밸브 점검 지침
시행일: 2024. 3. 5.

목 차 ........ 1

제1조(목적) 이 지침은 보일러실 안전밸브의 점검 주기와 방법을 정함을 목적으로 한다.
제2조(점검) 안전밸브의 점검은 매년 4월에 하며 작동 압력은 1.2 MPa로 한다.
제3조(기록) 점검 기록은 점검한 날부터 3년간 보관하여야 한다.
"""
TEXTS = st.text(alphabet=st.one_of(st.sampled_from("다요. !?\n#|가나A1,…-"), st.characters()), max_size=400)


def test_one_sentence__is_what_a_text_is_about() -> None:
    assert one_sentence(NOTES) == "We agreed to back up the document server every night at 2:30."
    assert one_sentence(RULES) == "이 지침은 보일러실 안전밸브의 점검 주기와 방법을 정함을 목적으로 한다."


@pytest.mark.parametrize(
    "text", ["", " \n\f", "# Only a heading\n", "| a | b |\n|---|---|\n| 1 | 2 |\n", "words", "1 2 3 4 5 6 7 8 9"]
)
def test_one_sentence__there_is_none_where_nothing_is_said(text: str) -> None:
    assert one_sentence(text) is None


def test_one_sentence__a_long_one_ends_at_a_word_with_an_ellipsis() -> None:
    found = one_sentence("The pump of the second boiler " + "and of the third one " * 30 + "is checked.")
    assert found is not None
    assert len(found) <= SENTENCE_CHARS
    assert found.endswith("…")
    assert found[:-1].split()[-1] in {"of", "the", "third", "one", "and"}


def test_one_sentence__the_licence_in_front_is_not_what_a_book_is_about() -> None:
    licence = "Permission is granted to copy this manual and all copies of this manual."
    text = f"{licence} The manual explains how the pump is started."
    assert one_sentence(text) == "The manual explains how the pump is started."


@given(TEXTS)
def test_one_sentence__keeps_its_length_and_its_line(text: str) -> None:
    found = one_sentence(text)
    assert found is None or (0 < len(found) <= SENTENCE_CHARS and "\n" not in found)


def test_key_points__are_five_different_ones_in_the_order_of_the_text() -> None:
    facts = [f"The valve number {n} of building {name} opens at {n} bar." for n, name in enumerate("ABCDEFGH", 2)]
    text = " ".join(
        [facts[0], *facts, "A dog barks loudly in the yard of the neighbours.", "Paper is ordered on Mondays."]
    )
    points = key_points(text, 5, 20, 60)
    assert points == sorted(points, key=text.index)
    assert len(set(points)) == len(points) <= 5


@given(TEXTS, st.integers(min_value=1, max_value=30), st.integers(min_value=30, max_value=80))
def test_key_points__keep_their_lengths(text: str, min_chars: int, max_chars: int) -> None:
    for point in key_points(text, 5, min_chars, max_chars):
        assert min_chars <= len(point) <= max_chars


@given(st.text(max_size=200), st.integers(min_value=2, max_value=60))
def test_shortened__is_never_longer(text: str, max_chars: int) -> None:
    cut = shortened(text, max_chars)
    assert len(cut) <= max_chars
    assert cut == " ".join(text.split()) or cut.endswith("…")


def test_shortened__cuts_at_a_word_or_within_one_that_is_all_there_is() -> None:
    assert shortened("one two three four", 12) == "one two…"
    assert shortened("onetwothreefour", 8) == "onetwot…"
    assert shortened("a " + "b" * 100, 60, 30) == "a " + "b" * 57 + "…"
