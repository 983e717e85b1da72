"""Places of a question's terms in texts, as they stand there."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.highlight import MAX_SPANS, folded_with_places, mark, sought
from services.text.terms import terms


def marked(question: str, text: str) -> list[str]:
    return [text[start:end] for start, end in mark(sought(question), text).spans]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("안전밸브의 작동 압력은 얼마입니까?", "안전밸브는 압력이 높으면 작동한다", ["안전밸브", "압력", "작동"]),
        ("압력은?", "노력은 압력보다", ["압력"]),
        ("안전 밸브", "안전밸브", ["안전밸브"]),
        ("안전밸브", "안전 밸브", ["안전", "밸브"]),
        ("근로기준법 12조의2", "이 법 제12조의2에 따라", ["제12조의2"]),
        ("제12조", "제12조의2와 12", ["제12조의2", "12"]),
        ("1234", "모두 1,234 개", ["1,234"]),
        ("running fires", "The FIRE runs.", ["FIRE", "runs"]),
        ("résumé", "a resume", ["resume"]),
        ("fire", "a ﬁre", ["ﬁre"]),
        ("fire", "İİ fire", ["fire"]),
        ("fire", "smoke", []),
        ("", "smoke", []),
        ("fire", "", []),
    ],
)
def test_spans__are_the_words_that_were_asked_for(question: str, text: str, expected: list[str]) -> None:
    assert marked(question, text) == expected


def test_spans__lie_right_in_decomposed_text() -> None:
    text = unicodedata.normalize("NFD", "이 안전밸브는 café 옆에")
    assert [unicodedata.normalize("NFC", each) for each in marked("안전밸브 cafe", text)] == ["안전밸브", "café"]


def test_spans__are_in_order_apart_and_bounded() -> None:
    text = "밸브 valve 12조 " * 100
    found = mark(sought("밸브 valve 12조"), text).spans
    assert len(found) == MAX_SPANS
    assert all(first[1] <= second[0] for first, second in pairwise(found))


@pytest.mark.parametrize("text", ["plain", "안전", "ﬁx İ ½ 가" + "\u0301", "\ud83d\ude00😀", "\u1161\u0301", "a\x00b"])
def test_folded__knows_where_each_character_came_from(text: str) -> None:
    folded = folded_with_places(text)
    for at in range(len(folded.text)):
        start, end = folded.origin(at, at + 1)
        assert 0 <= start < end <= len(text)


_WORDS = (
    "제 12 조 의 2 제12조의2 안전밸브는 밸브 작동 물 lie lying dying running runs use using ability able résumé 3.5 "
    "1,234 03 a1b2 3rd valve’s ﬁre 한abc abc한국 İ"
)
WORDS = st.sampled_from(_WORDS.split())
GLUE = st.sampled_from([" ", " ", " ", "", "\n", "\u3000", ".", ", ", "-", "\t"])
TEXTS = st.lists(st.tuples(WORDS, GLUE), max_size=12).map(
    lambda found: "".join(part for each in found for part in each)
)


@given(TEXTS, TEXTS)
def test_mark__passes_over_nothing_that_has_a_term(question: str, text: str) -> None:
    wanted = sought(question)
    assert mark(wanted, text).terms == wanted.terms & set(terms(text))
