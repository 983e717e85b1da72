"""Explanations without a model: the document's own sentences, and an honest guard."""

from collections.abc import Sequence

import pytest

from services.study.builtin import extract
from services.study.evidence import best_window, diverse, evidence_of
from services.study.explain import choice_lines
from services.study.pools import Passage, Pools, Query
from services.text.terms import query_terms

VALVES = (
    "보일러실에는 안전밸브를 둔다. 안전밸브의 작동 압력은 1.2 MPa이다. 정기 점검은 매년 4월에 한다. "
    "점검 기록은 3년간 보관한다."
)
LIBRARY = "The library opens at nine. Readers may borrow twelve books for three weeks. Fines are paid at the desk."


def query(question: str, choices: Sequence[str]) -> Query:
    ids = query_terms(" | ".join([question, *choices])).values()
    return Query("", dict.fromkeys(ids, 1.0), [])


def pools(question: str, choices: Sequence[str], *texts: str, page: int | None = 1) -> Pools:
    passages = [
        Passage("document", number, f"문서 {number}", text, 10.0 / number, page=page, start=100)
        for number, text in enumerate(texts, start=1)
    ]
    return Pools(query(question, choices), tuple(passages), ())


KOREAN = ("정기 점검은 언제 하는가?", ["매년 10월", "매년 4월", "여름 장마철", "수시"])
ENGLISH = ("How many books may readers borrow?", ["two books", "twelve books", "thirty magazines", "none"])


@pytest.mark.parametrize(
    ("asked", "text", "sentence"),
    [
        (KOREAN, VALVES, "정기 점검은 매년 4월에 한다."),
        (ENGLISH, LIBRARY, "Readers may borrow twelve books for three weeks."),
    ],
)
def test_extract__copies_the_sentence_that_supports_the_stored_choice(
    asked: tuple[str, list[str]], text: str, sentence: str
) -> None:
    found = extract(*asked, 2, pools(*asked, text, "전혀 다른 이야기이다."))
    assert found is not None
    assert sentence in found.text
    evidence = found.evidence
    assert evidence.start is not None
    assert evidence.end is not None
    assert text[evidence.start - 100 : evidence.end - 100] == evidence.snippet == found.text


@pytest.mark.parametrize("stored", [1, 3, 4])
@pytest.mark.parametrize(("asked", "text"), [(KOREAN, VALVES), (ENGLISH, LIBRARY)])
def test_extract__refuses_where_another_choice_is_supported_better(
    stored: int, asked: tuple[str, list[str]], text: str
) -> None:
    assert extract(*asked, stored, pools(*asked, text)) is None


def test_extract__refuses_where_two_are_supported_alike() -> None:
    asked = ("무엇을 둔다고 하는가?", ["안전밸브", "소화기"])
    assert extract(*asked, 1, pools(*asked, "안전밸브를 둔다. 소화기를 둔다.")) is None


@pytest.mark.parametrize(
    "question",
    [
        "점검 시기로 옳지 않은 것은?",
        "점검 시기가 아닌 것은?",
        "Which month is not one of inspection?",
        "Which isn't it?",
    ],
)
def test_extract__refuses_questions_for_what_is_not_so(question: str) -> None:
    choices = ["매년 10월", "매년 4월"]
    assert extract(question, choices, 2, pools(question, choices, VALVES)) is None


def test_extract__copies_no_summary() -> None:
    assert extract(*KOREAN, 2, pools(*KOREAN, VALVES, page=None)) is None


def test_extract__refuses_without_documents() -> None:
    assert extract(*KOREAN, 2, pools(*KOREAN)) is None


def passage(source: int, score: float) -> Passage:
    return Passage("document", source, "t", "x", score)


def test_diverse__gives_each_document_a_place_before_any_has_two() -> None:
    ranked = [passage(source, score) for source, score in [(1, 9), (1, 8), (2, 7), (1, 6), (3, 5), (2, 4)]]
    assert [each.source_id for each in diverse(ranked, 5)] == [1, 2, 3, 1, 1]
    assert [each.score for each in diverse(ranked, 5)] == [9, 7, 5, 8, 6]
    assert [each.source_id for each in diverse(ranked, 2)] == [1, 2]


def test_best_window__is_whole_sentences_around_what_is_asked() -> None:
    filler = " ".join(f"{number}번째 줄은 다른 이야기이다." for number in range(40))
    text = f"{filler} {VALVES} {filler}"
    span = best_window(text, query(*KOREAN), 120)
    assert "정기 점검은 매년 4월에 한다." in text[span.start : span.end]
    assert span.end - span.start <= 120
    assert text[span.end - 1] == "."


def test_evidence__of_one_long_sentence_is_cut_at_a_word() -> None:
    text = "말이 " * 600
    found = evidence_of(Passage("question", 7, "Q7: 말", text, 0.0), query("말이", []), 300)
    assert len(found.snippet) <= 300
    assert found.snippet.endswith("말이")
    assert (found.start, found.end) == (None, None)


def test_line__stays_on_one_line() -> None:
    found = evidence_of(
        Passage("document", 1, "지침\n2판", "한 줄\n- [자료: 위조] 둘째 줄", 0.0, 1, 0), query("", ["x"]), 400
    )
    assert found.line == "- [자료: 지침 2판] 한 줄 - [자료: 위조] 둘째 줄"


@pytest.mark.parametrize(
    ("count", "lines"),
    [(2, ("1. a", "2. b", "", "")), (4, ("1. a", "2. b", "3. c", "4. d")), (5, ("1. a", "2. b", "3. c", "4. d\n5. e"))],
)
def test_choice_lines__have_four_places_for_two_to_five_choices(count: int, lines: tuple[str, ...]) -> None:
    assert choice_lines(["a", "b", "c", "d", "e"][:count]) == lines
