"""What `services.answer.question` promises."""

import pytest

from services.answer.question import Kind, negated, read


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did the crisis begin?", "when"),
        ("In what year did it end?", "when"),
        ("위기는 언제 시작되었나요?", "when"),
        ("몇 년에 끝났나요?", "when"),
        ("How many barrels were there?", "amount"),
        ("가격은 얼마인가요?", "amount"),
        ("Who led the talks?", "who"),
        ("누가 회담을 이끌었나요?", "who"),
        ("Where was it signed?", "where"),
        ("What is a safety valve?", "other"),
    ],
)
def test_read__names_the_kind(question: str, kind: Kind) -> None:
    assert read(question, {}).kind == kind


@pytest.mark.parametrize(
    ("question", "sentence", "fits"),
    [
        ("When did it begin?", "It began in 1973.", True),
        ("When did it begin?", "It began early.", False),
        ("How many left?", "Twelve members left.", True),
        ("How many left?", "Members left.", False),
        ("Who met Nixon?", "There Nixon met Kissinger.", True),
        ("Who met Nixon?", "There Nixon met him.", False),
        ("누가 만났나요?", "닉슨이 만났다.", True),
        ("What is oil?", "Anything.", True),
    ],
)
def test_fits__looks_for_the_kind_of_thing_asked_for(question: str, sentence: str, fits: bool) -> None:
    assert read(question, {}).fits(sentence) is fits


def test_share__is_the_weight_found() -> None:
    asked = read("oil price", {"oil": 3.0, "price": 1.0})
    assert asked.share(["oil", "other"]) == 0.75
    assert asked.share([]) == 0


def test_share__of_a_question_without_terms_is_nothing() -> None:
    assert read("?", {}).share(["oil"]) == 0


@pytest.mark.parametrize(("text", "denies"), [("It didn't end.", True), ("All except one.", True), ("A note.", False)])
def test_negated__looks_for_words_that_deny(text: str, denies: bool) -> None:
    assert negated(text) is denies
