"""What `services.answer.decide` promises."""

import pytest

from services.answer.decide import WEIGHING, Signals, Verdict, decide, measure
from services.answer.evidence import Evidence
from services.answer.question import Asked, read
from services.text.terms import query_terms

CRISIS = "The oil crisis began in October 1973. Prices rose quickly. Nobody was blamed."


def asked(question: str) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), 1.0))


def passage(text: str, title: str = "", n: int = 1) -> Evidence:
    return Evidence(n, n, n, title, 1, 0, text, 1.0, False)


def test_decide__refuses_without_evidence() -> None:
    assert decide(asked("When did the oil crisis begin?"), []) == Verdict(False, 0.0, "no_evidence")


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("When did oil prices in the crisis rise?", "covered"),
        ("Which mushrooms grow near rivers?", "words_missing"),
        ("How quickly did Prussian and Bavarian oil prices rise in 1901?", "name_missing"),
        ("Which oil crisis never began?", "negation_missing"),
    ],
)
def test_decide__says_why(question: str, why: str) -> None:
    verdict = decide(asked(question), [passage(CRISIS)])
    assert (verdict.why, verdict.enough) == (why, why == "covered")


def test_decide__judges_korean_by_its_own_threshold() -> None:
    text = passage("안전밸브는 설계 압력 이하에서 작동하여야 한다.")
    assert decide(asked("안전밸브의 작동 압력은 얼마인가요?"), [text]).enough
    assert not decide(asked("지하철 요금은 얼마인가요?"), [text]).enough


def test_decide__is_enough_from_the_threshold_on() -> None:
    question = read("oil price", {"oil": WEIGHING["en"].threshold, "price": 1 - WEIGHING["en"].threshold})
    assert decide(question, [passage("oil")]).enough


def test_measure__reads_the_title_too() -> None:
    assert measure(asked("oil crisis 1973"), [passage("It began in 1973.", title="Oil crisis")]).passage == 1


def test_measure__takes_the_passage_that_holds_most() -> None:
    evidence = [passage("Nothing here.", n=1), passage(CRISIS, n=2)]
    assert measure(asked("oil crisis began"), evidence) == Signals(1.0, 0.0, 0.0, 0.0)


def test_measure__bears_a_passage_of_nothing_but_a_heading() -> None:
    assert measure(asked("oil"), [passage("# Oil")]) == Signals(1.0, 0.0, 0.0, 0.0)
