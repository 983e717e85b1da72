"""What `services.answer.mend` and `services.answer.missing` promise: nothing doubtful stays, and it is told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.answer.mend import mend
from services.answer.missing import all_missing, missing_words, parts_of
from services.answer.question import Asked, read
from services.answer.result import Answer, Citation
from services.text.terms import query_terms, terms

PAGE = "The valve opens at 1.2 MPa. Records are kept for 3 years. Oil is dear."
FIRST = Citation(1, 7, 70, "Valves", 1, "The valve opens at 1.2 MPa.", 0, 27)
SECOND = Citation(2, 7, 71, "Valves", 1, "Records are kept for 3 years.", 28, 57)
TEXT = "It opens at 9 MPa [1]. Records are kept for 3 years [2]."
ANSWER = Answer(TEXT, "full", "high", (FIRST, SECOND))


def place(words: str, text: str = TEXT) -> tuple[int, int]:
    return text.index(words), text.index(words) + len(words)


def asked(question: str) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), 1.0))


def test_mend__nothing_doubted_changes_nothing() -> None:
    assert mend(ANSWER, [], 600) == ANSWER


def test_mend__takes_the_claim_back_and_counts_anew() -> None:
    mended = mend(ANSWER, [place("9 MPa")], 600)
    assert mended.text == "Records are kept for 3 years [1]."
    assert [(each.n, each.quote) for each in mended.citations] == [(1, SECOND.quote)]


def test_mend__an_invented_marker_takes_its_claim_along() -> None:
    text = "Records are kept for 3 years [2]. So it is [9]. And so it was [9]."
    mended = mend(Answer(text, "full", "high", (SECOND,)), [place("[9]", text)], 600)
    assert mended.text == "Records are kept for 3 years [1]."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Records are kept for 3 years [2][9].", "Records are kept for 3 years [1]."),
        ("Records are kept for 3 years [9][2].", "Records are kept for 3 years [1]."),
        ("Records are kept for 3 years. [2][9] Why?", "Records are kept for 3 years. [1]"),
        ("Records are kept [2] for years [9]. They are kept for 3 years [2].", "They are kept for 3 years [1]."),
    ],
)
def test_mend__beside_a_true_marker_an_invented_one_goes_alone(text: str, left: str) -> None:
    mended = mend(Answer(text, "full", "high", (SECOND,)), [place("[9]", text)], 600)
    assert mended.text == left
    assert [each.quote for each in mended.citations] == [SECOND.quote]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It is as follows:\nIt opens [1]. Good luck.", "It opens [1]."),
        ("다음과 같습니다.\n- 열린다 [1]\n- 닫힌다\n- 보관한다 [2]", "- 열린다 [1]\n- 보관한다 [2]"),
        ("It opens [1]. It closes.", "It opens [1]."),
        ("It opens [1]. Oil is dear. Records are kept [2].", "It opens [1]. Records are kept [2]."),
        ("It opens. It closes.", "It opens. It closes."),
    ],
)
def test_mend__takes_out_what_has_no_source_beside_what_has_one(text: str, left: str) -> None:
    assert mend(Answer(text, "full", "high", (FIRST, SECOND)), [], 600).text == left


def test_mend__where_nothing_is_left_the_passages_speak() -> None:
    mended = mend(ANSWER, [(0, 0)], 600)
    assert mended.text == "The valve opens at 1.2 MPa. [1] Records are kept for 3 years. [2]"
    for each in mended.citations:
        assert PAGE[each.start : each.end] == each.quote
    assert mend(ANSWER, [(0, 0)], 600, [SECOND]).text == "Records are kept for 3 years. [1]"
    both = mend(ANSWER, [(0, 0)], 600, [replace(SECOND, quote=PAGE[28:], end=len(PAGE))])
    assert both.text == "Records are kept for 3 years. [1] Oil is dear. [1]"


def test_mend__quotes_keep_the_limit() -> None:
    mended = mend(ANSWER, [(0, 0)], 40)
    assert mended.text == "The valve opens at 1.2 MPa. [1]"
    assert [each.n for each in mended.citations] == [1]
    short = mend(ANSWER, [(0, 0)], 20)
    assert (len(short.text) <= 20, short.text) == (True, "The valve opens… [1]")


def test_mend__an_uncited_rest_is_no_answer() -> None:
    text = "Well. It opens at 9 MPa [1]."
    mended = mend(Answer(text, "full", "high", (FIRST,)), [place("9 MPa", text)], 600)
    assert mended.text == "The valve opens at 1.2 MPa. [1]"


PUMP = "When must the cooling pump P-7 be stopped, and what is the name of its vendor?"
KEPT = "점검 기록은 얼마나 보관하고 누가 보관하나요?"


@pytest.mark.parametrize(
    ("question", "named", "parts"),
    [
        ("How long are records kept, and who keeps them?", "who keeps  the\nrecords", "who keeps the records"),
        (PUMP, "the name of its vendor", "the name of its vendor"),
        (PUMP, "vendor's name", "vendor name"),
        (PUMP, "the vendor: Acme", "vendor"),
        (PUMP, "cooling pump stopped when bob says so", "cooling pump stopped"),
        (PUMP, "pump: call bob at 010-1234-5678 now", ""),
        (PUMP, "P-7 7 7 7 7", "P-7 7"),
        (PUMP, "P-8", ""),
        (PUMP, "vendor https://x.example", ""),
        (PUMP, "Send 900 dollars to us", ""),
        (PUMP, "the of its", ""),
        (PUMP, "vendor " * 40, ""),
        (PUMP, "", ""),
        (KEPT, "누가 보관하는지", "누가 보관하고"),
        (KEPT, "보관하는 사람", "보관하고"),
        (KEPT, "기록은 김철수에게 010 전화", ""),
    ],
)
def test_parts_of__a_question_are_in_its_words(question: str, named: str, parts: str) -> None:
    assert parts_of(asked(question), [named]) == ((parts,) if parts else ())


@given(st.text(max_size=100))
def test_parts_of__never_have_a_digit_or_a_term_that_the_question_has_not(named: str) -> None:
    for part in parts_of(asked(PUMP), [named, f"vendor {named}", f"pump cooling {named}"]):
        assert set(terms(part)) <= set(terms(PUMP))
        assert {each for each in part if each.isdigit()} <= {"7"}


def test_parts_of__are_few() -> None:
    question = asked("records valves boilers pumps?")
    assert len(parts_of(question, ["records", "valves", "boilers", "pumps"])) == 3


@pytest.mark.parametrize(
    ("question", "text", "lacking"),
    [
        ("How are records kept by the laboratory?", "Records are kept for 3 years [2].", ("laboratory",)),
        ("How are records kept?", "Records are kept for 3 years [2].", ()),
        ("At what pressure does the valve open?", "It opens at 1.2 MPa [1].", ()),
        (
            "Who pays the fine of the laboratory, and when is winter?",
            "x [1]",
            ("pays the fine of the laboratory", "winter"),
        ),
        ("안전밸브의 작동 압력은 얼마입니까?", "점검 기록은 3년간 보관합니다 [1].", ("안전밸브의 작동 압력은",)),
        ("점검 기록은 얼마나 보관합니까?", "기록은 3년간 보관합니다 [1].", ("점검",)),
    ],
)
def test_missing_words__are_those_that_neither_answer_nor_quote_has(
    question: str, text: str, lacking: tuple[str, ...]
) -> None:
    assert missing_words(asked(question), Answer(text, "partial", "low", (FIRST, SECOND))) == lacking


def test_all_missing__says_nothing_twice() -> None:
    assert all_missing(("the name of its vendor",), ("vendor", "winter")) == ["the name of its vendor", "winter"]
