"""What `services.text.terms` promises."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text import terms as module
from services.text.terms import (
    DIMENSIONS,
    K1,
    LENGTH_REFERENCE,
    B,
    document_weights,
    heaviest,
    idf,
    query_terms,
    query_weights,
    question_weights,
    sparsevec_text,
    term_id,
    terms,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Inspections were inspected", ["inspect", "inspect"]),
        ("초음파 검사", ["초음", "음파", "검사"]),
        ("달의 돌", ["달의", "돌"]),
        ("1,234.5원과 1,234원", ["1234.5", "원과", "1234", "원"]),
        ("2024.03.05. 또는 2024-03-05", ["2024", "3", "5", "또는", "2024", "3", "5"]),
        ("제12조의2 제 3 항", ["12", "12조", "12조의2", "3", "3항"]),
        ("12조에 따라", ["12", "12조", "에", "따라"]),
        ("KGS-AC111, NH3", ["kgs", "ac111", "nh3"]),
        ("100kg in the 1990s, the 20th", ["100", "kg", "1990", "20", "th"]),
        ("Tesla’s and O'Neill didn't", ["tesla", "o", "neill"]),
        ("Beyoncé", ["beyonc"]),
        ("ＫＧＳ　１２３", ["kgs", "123"]),
        ("漢字와 かな", ["漢字", "와", "かな"]),
        ("", []),
        ("—!?…", []),
    ],
)
def test_terms__follow_the_rules_of_each_script(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_terms__join_a_word_and_its_forms() -> None:
    assert terms("Beyoncé's connection") == terms("beyonce connected")


@given(st.text(max_size=300))
def test_terms__hold_neither_space_nor_capital(text: str) -> None:
    for term in terms(text):
        assert term
        assert not any(char.isspace() for char in term)


@given(st.text(min_size=1, max_size=20))
def test_term_id__stays_in_range(term: str) -> None:
    assert 1 <= term_id(term) <= DIMENSIONS


def test_term_id__is_the_same_in_every_process() -> None:
    # Stored vectors depend on these values: a change of the hash needs every passage written again.
    assert (term_id("oil"), term_id("검사")) == (299_998_988, 253_158_232)


def test_document_weights__are_the_document_side_of_bm25() -> None:
    weights = document_weights("oil oil price", "crisis")
    norm = K1 * (1 - B + B * 4 / LENGTH_REFERENCE)
    assert weights[term_id("oil")] == pytest.approx(2 * (K1 + 1) / (2 + norm))
    assert weights[term_id("crisi")] == pytest.approx((K1 + 1) / (1 + norm))


def test_document_weights__keep_the_heaviest_when_pgvector_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ELEMENTS", 2)
    weights = document_weights("oil oil price price shock", "")
    assert set(weights) == {term_id("oil"), term_id("price")}


def test_heaviest__leaves_a_small_vector_as_it_is() -> None:
    assert heaviest({1: 0.5, 2: 0.1}, 2) == {1: 0.5, 2: 0.1}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("안전밸브 압력은 얼마입니까?", ["안전", "전밸", "밸브", "압력", "력은"]),
        ("안전밸브 압력은 얼마인가요?", ["안전", "전밸", "밸브", "압력", "력은"]),
        ("안전밸브에 대해 알려 주세요", ["안전", "전밸", "밸브"]),
        ("왜구는 누구의 배를 탔나요?", ["왜구", "구는", "배를", "탔"]),
        ("Please tell me when the oil crisis began", ["tell", "oil", "crisi", "began"]),
        ("Tell me about the oil crisis.", ["oil", "crisi"]),
        ("무엇인가요?", ["무엇", "엇인", "인가", "가요"]),
    ],
)
def test_query_terms__leave_out_the_words_that_only_ask(question: str, expected: list[str]) -> None:
    assert list(query_terms(question)) == expected


def test_idf__falls_with_frequency_and_stays_positive() -> None:
    assert idf(1, 100) > idf(50, 100) > idf(100, 100) > 0
    assert idf(1, 100) == pytest.approx(math.log(1 + 99.5 / 1.5))


def test_idf__bears_a_frequency_newer_than_the_count() -> None:
    assert idf(12, 10) > 0


def test_query_weights__count_an_unknown_term_as_the_rarest() -> None:
    weights = query_weights([1, 2], {1: 5}, 10)
    assert weights == {1: idf(5, 10), 2: idf(0, 10)}


def test_question_weights__are_query_weights_by_term() -> None:
    df = {term_id("oil"): 3}
    by_id = query_weights(query_terms("oil price").values(), df, 10)
    assert question_weights("oil price", df, 10) == {term: by_id[term_id(term)] for term in ("oil", "price")}


def test_sparsevec_text__is_ascending_and_names_its_size() -> None:
    assert sparsevec_text({7: 1.2, 1: 0.5}) == f"{{1:0.5,7:1.2}}/{DIMENSIONS}"
    assert sparsevec_text({}) == f"{{}}/{DIMENSIONS}"
