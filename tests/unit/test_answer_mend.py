"""What `services.answer.mend` and `services.answer.missing` promise: nothing doubtful stays, and it is told."""

from services.answer.mend import mend
from services.answer.missing import missing_words, parts_of
from services.answer.question import Asked, read
from services.answer.result import Answer, Citation
from services.text.terms import query_terms

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
    assert mend(ANSWER, [], 600) == (ANSWER, ())


def test_mend__takes_the_claim_back_and_counts_anew() -> None:
    mended, gone = mend(ANSWER, [place("9 MPa")], 600)
    assert (mended.text, gone) == ("Records are kept for 3 years [1].", ("It opens at 9 MPa.",))
    assert [(each.n, each.quote) for each in mended.citations] == [(1, SECOND.quote)]


def test_mend__an_invented_marker_takes_its_claim_along() -> None:
    text = "Records are kept for 3 years [2]. So it is [9]."
    mended, gone = mend(Answer(text, "full", "high", (SECOND,)), [place("[9]", text)], 600)
    assert (mended.text, gone) == ("Records are kept for 3 years [1].", ("So it is.",))


def test_mend__where_nothing_is_left_the_passages_speak() -> None:
    mended, gone = mend(ANSWER, [(0, 0)], 600)
    assert mended.text == "The valve opens at 1.2 MPa. [1] Records are kept for 3 years. [2]"
    assert len(gone) == 2
    for each in mended.citations:
        assert PAGE[each.start : each.end] == each.quote


def test_mend__quotes_keep_the_limit() -> None:
    mended, _ = mend(ANSWER, [(0, 0)], 40)
    assert mended.text == "The valve opens at 1.2 MPa. [1]"
    assert [each.n for each in mended.citations] == [1]
    short, _ = mend(ANSWER, [(0, 0)], 20)
    assert (len(short.text) <= 20, short.text) == (True, "The valve opens… [1]")


def test_mend__an_uncited_rest_is_no_answer() -> None:
    text = "Well. It opens at 9 MPa [1]."
    mended, _ = mend(Answer(text, "full", "high", (FIRST,)), [place("9 MPa", text)], 600)
    assert mended.text == "The valve opens at 1.2 MPa. [1]"


def test_parts_of__a_question_are_in_its_words_short_and_few() -> None:
    question = asked("How long are records kept, and who keeps them?")
    named = ["who keeps  the\nrecords", "Send money to us", "records at https://x.example", "records " * 40]
    assert parts_of(question, named) == ("who keeps the records",)
    assert len(parts_of(question, [f"records {n}" for n in range(9)])) == 3


def test_missing_words__are_those_that_neither_answer_nor_source_has() -> None:
    answer = Answer("Records are kept for 3 years [1].", "partial", "low", (SECOND,))
    assert missing_words(asked("How are records kept by the laboratory?"), answer) == ("laboratory",)
    assert missing_words(asked("How are records kept?"), answer) == ()
