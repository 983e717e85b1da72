"""How the parts of a question are judged by its evidence, and answered from it."""

from collections.abc import Sequence

import pytest

from services.answer.decide import Verdict, decide
from services.answer.evidence import Evidence
from services.answer.extract import extract
from services.answer.parts_held import ONE, Parts, judge_parts, told
from services.answer.question import Asked, read
from services.answer.result import Answer
from services.text.terms import query_terms

COVERED, LACKING = Verdict(True, 0.9, "covered"), Verdict(False, 0.1, "words_missing")
VALVE = "압축공기 배관 안전밸브의 작동 압력은 0.85 MPa이다. 안전밸브의 교체 주기는 5년이다."
PUMP = "The grease of the cooling pump P-7 is renewed every 3,000 hours. The pump is stopped at 85 degrees."
MAKER = "냉각 펌프의 제조사는 한빛기계이다."


def asked(question: str, weight: float = 5.0) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), weight))


def passages(*texts: str) -> list[Evidence]:
    return [Evidence(n, n, n, "", 1, 0, text, 20.0, False) for n, text in enumerate(texts, start=1)]


def judged(question: str, *texts: str, rules: Verdict = COVERED) -> tuple[Verdict, Parts]:
    return judge_parts(asked(question), passages(*texts), rules)


def owned(parts: Parts) -> list[list[str]]:
    return [[word.form for word in held.own] for held in parts.held]


@pytest.mark.parametrize("rules", [COVERED, LACKING])
def test_judge_parts__leaves_a_question_of_one_part_alone(rules: Verdict) -> None:
    assert judged("안전밸브의 작동 압력은 얼마인가요?", VALVE, rules=rules) == (rules, ONE)
    assert judged("What are the pressure and the maker of the valve?", rules=rules) == (rules, ONE)


@pytest.mark.parametrize(
    ("question", "texts", "held", "missing"),
    [
        ("압축공기 배관 안전밸브의 작동 압력과 제조사 이름은 무엇인가요?", [VALVE], 1, ("제조사 이름",)),
        ("안전밸브의 작동 압력과 교체 주기는 얼마인가요?", [VALVE], 2, ()),
        ("What are the grease and the price of the pump?", [PUMP], 1, ("the price",)),
        ("안전밸브의 제조사와 가격은?", [VALVE], 0, ("제조사", "가격")),
        ("안전밸브 교체 주기 and the grease of P-7?", [VALVE, PUMP], 2, ()),
        ("안전밸브 교체 주기 and the grease of P-7?", [VALVE], 1, ("grease of P-7",)),
    ],
)
def test_judge_parts__tells_what_is_there_from_what_is_not(
    question: str, texts: Sequence[str], held: int, missing: tuple[str, ...]
) -> None:
    verdict, parts = judged(question, *texts)
    assert (verdict.enough, len(parts.held), parts.missing) == (held > 0, held, missing)


def test_judge_parts__believes_no_maker_of_another_thing() -> None:
    _, parts = judged("압축공기 배관 안전밸브의 작동 압력과 제조사는 무엇인가요?", VALVE, MAKER)
    assert (owned(parts), parts.missing) == ([["작동", "압력"]], ("제조사",))


def test_judge_parts__leaves_together_what_stands_together() -> None:
    question = "What are the salt and pepper of the kitchen?"
    assert judged(question, "Salt and pepper of the kitchen are kept dry.") == (COVERED, ONE)
    assert judged(question, "The salt of the kitchen is kept dry.")[1].missing == ("pepper",)


def test_judge_parts__has_a_clause_judged_alone() -> None:
    question = "교체 주기는 몇 년이며 가격은?"
    whole = asked(question)
    evidence = passages("안전밸브의 교체 주기는 5년에서 7년으로 한다.")
    rules = decide(whole, evidence)
    verdict, parts = judge_parts(whole, evidence, rules)
    assert (rules.enough, verdict.enough, parts.missing) == (False, True, ("가격",))
    assert verdict.coverage > rules.coverage


def test_judge_parts__refuses_where_no_part_is_held() -> None:
    verdict, parts = judged("When was the boiler painted and who sells cameras?", VALVE)
    assert (verdict.enough, verdict.why) == (False, "words_missing")
    assert parts.missing == ("When was the boiler painted", "who sells cameras")


@pytest.mark.parametrize(
    ("own", "as_told"),
    [
        ("가격은", "가격"),
        ("교체 주기는 몇 년이며", "교체 주기는 몇 년"),
        ("가격은요?", "가격"),
        ("the price", "the price"),
    ],
)
def test_told__leaves_out_what_only_joins(own: str, as_told: str) -> None:
    assert told(own) == as_told


def answered(question: str, *texts: str, max_chars: int = 600) -> Answer:
    whole, evidence = asked(question), passages(*texts)
    _, parts = judge_parts(whole, evidence, COVERED)
    found = extract(whole, evidence, max_chars, [held.focused for held in parts.held])
    assert isinstance(found, Answer)
    return found


def test_extract__has_a_sentence_for_each_part() -> None:
    found = answered("안전밸브 교체 주기 and the grease of P-7?", VALVE, PUMP)
    assert [each.quote for each in found.citations] == [
        "안전밸브의 교체 주기는 5년이다.", "The grease of the cooling pump P-7 is renewed every 3,000 hours.",
    ]  # fmt: skip
    assert found.text.endswith("[2]")


def test_extract__answers_only_the_part_that_is_there() -> None:
    found = answered("What are the grease and the price of the pump?", "The pump is old. " + PUMP)
    assert [each.quote for each in found.citations] == [PUMP.split(". ")[0] + "."]


def test_extract__keeps_to_the_limit_with_parts() -> None:
    assert len(answered("안전밸브 교체 주기 and the grease of P-7?", VALVE, PUMP, max_chars=60).text) <= 60
