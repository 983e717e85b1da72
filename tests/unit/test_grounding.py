"""What `services.answer.grounding` promises: the table, places, and passages that contradict one another."""

from pathlib import Path

import pytest

from services.answer.check import Strength
from services.answer.grounding import STRENGTH, check_numbers, numeric_conflicts
from tests.fakes.grounding_cases import GroundingCase, grounding_cases

CASES = list(grounding_cases())
PASSAGES = ["사무소의 정원은 100명이다.", "사무소의 정원은 120명이다."]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.topic}: {case.answer}")
def test_check_numbers__finds_what_the_table_says(case: GroundingCase) -> None:
    found = check_numbers(case.answer, case.evidence, case.question)
    assert tuple(finding.code for finding in found) == case.expected


def test_table__has_cases_of_every_code_and_none_twice() -> None:
    assert {code for case in CASES for code in case.expected} == set(STRENGTH)
    assert len(CASES) >= 400
    assert len({(case.answer, case.evidence, case.question) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        ("정원은 [1][2] 31명이다 [3].", ["31명"]),
        ("５０ ㎏f/㎠이다.[1]", ["５０ ㎏f/㎠"]),
        ("약 99명, 영하 7도, 제9조", ["99명", "7도", "제9조"]),
        ("값은 -7.5℃ 이하이다.", ["-7.5℃"]),
        ("① 31명 ② 32명", ["31명", "32명"]),
        ("10~99명이다.", ["10~99명"]),
        ("단위\u200b는 41㎏이다.", ["41㎏"]),
        ("31명".encode().decode() + "가 왔다", ["31명"]),
    ],
)
def test_check_numbers__says_where_in_the_answer_as_it_came(answer: str, where: list[str]) -> None:
    found = check_numbers(answer, ["정원은 30명이다."])
    assert [finding.where for finding in found] == where
    assert [answer[finding.start : finding.end] for finding in found] == where


def test_check_numbers__places_findings_in_decomposed_text() -> None:
    answer = "\u110c\u1165\u11bc\u110b\u116f\u11ab은 31\u1106\u1167\u11bc이다"
    (finding,) = check_numbers(answer, ["정원은 30명이다."])
    assert answer[finding.start : finding.end] == finding.where == "31\u1106\u1167\u11bc"


def test_check_numbers__without_evidence_flags_every_identifying_number() -> None:
    found = check_numbers("2024년에 30명이 3가지를 말했다.", [])
    assert [finding.where for finding in found] == ["2024년", "30명"]


@pytest.mark.parametrize("answer", ["", " ", "없음", "[1]", "①②③", "…", "+-~%", "제조", "1" * 40, "9" * 5000])
def test_check_numbers__takes_any_text(answer: str) -> None:
    assert all(finding.where in answer for finding in check_numbers(answer, [answer, ""], answer))


def test_strengths__are_those_of_the_other_checks() -> None:
    assert set(STRENGTH.values()) == set(Strength.__args__)
    assert {code for code, strength in STRENGTH.items() if strength == "strong"} == {
        "fabricated_number",
        "bound_reversed",
    }


def test_codes__are_explained_in_the_documents() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert {code: strength for code, strength in STRENGTH.items() if f"| `{code}` | {strength} |" in page} == STRENGTH


def test_bare_duplicate__of_a_cleared_number_is_passed_over_and_others_are_not() -> None:
    passages = ["참가자는 1,234명이다."]
    assert check_numbers("1,234명이다. 1234이다.", passages) == []
    assert [finding.code for finding in check_numbers("1234이다.", passages)] == ["unit_missing"]


def test_clearing_in_one_unit__clears_no_other() -> None:
    found = check_numbers("100명이 100원을 냈다.", ["100명이 왔다."])
    assert [(finding.code, finding.where) for finding in found] == [("fabricated_number", "100원")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        PASSAGES,
        ("The main tank holds 100 litres of water.", "The main tank holds 120 litres of water."),
        ("시험 압력은 1.5 MPa로 한다.", "시험 압력은 2 MPa로 한다."),
    ],
)
def test_numeric_conflicts__tell_two_numbers_of_one_thing(first: str, second: str) -> None:
    (found,) = numeric_conflicts([first, "다른 이야기이다.", second])
    assert (found.code, found.strength, found.first, found.second) == ("evidence_conflict", "weak", 0, 2)
    mine, theirs = found.where.split(" / ")
    assert mine in first
    assert theirs in second


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("사무소의 정원은 100명이다.", "사무소의 정원은 100명이다."),
        ("사무소의 정원은 100명 이상이다.", "사무소의 정원은 120명이다."),
        ("사무소의 정원은 100명이다.", "사무소의 정원은 120명 미만이다."),
        ("The tank holds at least 100 litres.", "The tank holds 120 litres."),
        ("시험 압력은 1.5 MPa로 한다.", "시험 압력은 1,500 kPa로 한다."),
        ("2023년 회사 매출은 100억 원이다.", "2024년 회사 매출은 120억 원이다."),
        ("사무소의 정원은 100명이다.", "사무소의 직원은 오늘 120명 왔다."),
        ("사무소의 정원은 100명이다.", "사무소의 정원은 120원이다."),
        ("도시 인구는 1,234,567명이다.", "도시 인구는 약 123만 명이다."),
        ("사무소의 정원은 100명이다.", "사무소의 정원은 120명이었으나 이제 100명이다."),
    ],
)
def test_numeric_conflicts__leave_alone_what_may_both_be_true(first: str, second: str) -> None:
    assert numeric_conflicts([first, second]) == []


def test_numeric_conflicts__need_two_passages() -> None:
    assert numeric_conflicts([]) == []
    assert numeric_conflicts([" ".join(PASSAGES)]) == []
