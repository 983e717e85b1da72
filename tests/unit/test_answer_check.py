"""What `services.answer.check` promises."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from services.answer.check import check, check_sense, claims, uncited_claims
from services.answer.question import Asked, read
from services.answer.result import Answer, Citation
from services.text.terms import query_terms

PAGE = "Oil was dear. The crisis began in 1973."
PAGES = {(7, 2): PAGE}
QUOTE = Citation(1, 7, 70, "Oil", 2, "The crisis began in 1973.", 14, len(PAGE))
GOOD = Answer("The crisis began in 1973. [1]", "full", "high", (QUOTE,))


def codes(answer: Answer, max_chars: int = 600) -> list[str]:
    return [finding.code for finding in check(answer, PAGES, max_chars)]


def test_check__finds_nothing_in_a_good_answer() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It began. [1][2]", ["marker_unknown"]),
        ("It began. [2]", ["no_citation", "marker_unknown", "citation_unused"]),
        ("It began.", ["no_citation", "citation_unused", "uncited_claim"]),
        ("It ended. It began. [1]", ["uncited_claim"]),
        ("It began. [1] It ended.", ["uncited_claim"]),
    ],
)
def test_check__follows_claims_to_markers(text: str, found: list[str]) -> None:
    assert codes(replace(GOOD, text=text)) == found


@pytest.mark.parametrize(
    ("citation", "found"),
    [
        (replace(QUOTE, quote="The crisis began in 1974."), ["quote_not_on_page"]),
        (replace(QUOTE, start=13), ["quote_not_on_page"]),
        (replace(QUOTE, start=-len(PAGE)), ["quote_not_on_page"]),
        (replace(QUOTE, quote="", start=3, end=3), ["quote_not_on_page"]),
        (replace(QUOTE, page=3), ["page_unknown"]),
    ],
)
def test_check__follows_quotes_to_pages(citation: Citation, found: list[str]) -> None:
    assert codes(replace(GOOD, citations=(citation,))) == found


def test_check__holds_the_limit() -> None:
    assert codes(GOOD, max_chars=len(GOOD.text)) == []
    assert codes(GOOD, max_chars=len(GOOD.text) - 1) == ["too_long"]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("One thing [1]. Another thing [2].", []),
        ("하나이다. [1] 둘이다.[2]", []),
        ("하나이다. 둘이다. [1]", ["하나이다."]),
        ("압력은 1.2 MPa [1]이고 기록은 3년 [2]이다.", []),
        ("- 하나 [1]\n- 둘", ["- 둘"]),
        ("[1]", []),
        ("", []),
    ],
)
def test_uncited_claims__takes_markers_before_and_behind_a_stop(text: str, claims: list[str]) -> None:
    assert uncited_claims(text) == claims


def test_claims__know_their_place_and_their_markers() -> None:
    text = "It began [1][2]. It ended.[3] Why? "
    told = claims(text)
    assert [(text[each.start : each.end], each.cites) for each in told] == [
        ("It began [1][2].", (1, 2)),
        ("It ended.[3]", (3,)),
        ("Why?", ()),
    ]
    assert [each.text for each in told] == ["It began.", "It ended.", "Why?"]


def test_check__says_where_in_the_answer() -> None:
    text = "It ended. It began. [1][4]"
    places = {each.code: text[each.start : each.end] for each in check(replace(GOOD, text=text), PAGES, 600)}
    assert places == {"marker_unknown": "[4]", "uncited_claim": "It ended."}


def asked(question: str) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), 1.0))


KOREAN = "점검 지침\n안전밸브의 작동 압력은 1.2 MPa이다. 점검 기록은 3년간 보관한다."
ENGLISH = "Valves\nThe safety valve opens at 1.2 MPa. In 2019 Acme replaced it. Records are kept for 3 years."


@pytest.mark.parametrize(
    ("question", "text", "passage", "found"),
    [
        ("작동 압력은 얼마입니까?", "안전밸브의 작동 압력은 1.2 MPa입니다 [1].", KOREAN, []),
        (
            "작동 압력은 얼마입니까?",
            "The safety valve opens at a pressure of 1.2 MPa [1].",
            KOREAN,
            ["language_mismatch"],
        ),
        (
            "How is it opened?",
            "안전밸브는 압력이 오르면 저절로 열리도록 되어 있어야 하는 것입니다 [1].",
            KOREAN,
            ["language_mismatch"],
        ),
        ("작동 압력은 얼마입니까?", "作動圧力は1.2 MPaです [1].", KOREAN, ["language_mismatch"]),
        ("작동 압력은 얼마입니까?", "工作压力为1.2兆帕 [1]。", KOREAN, ["language_mismatch"]),
        ("작동 압력은 얼마입니까?", "Давление составляет 1.2 MPa [1].", KOREAN, ["language_mismatch"]),
        ("How is it opened?", "Le robinet est ouvert dans ce cas [1].", ENGLISH, ["language_mismatch", "low_overlap"]),
        ("How is it opened?", "1.2 MPa에서 열립니다 [1].", ENGLISH, ["language_mismatch"]),
        ("作動圧力は何ですか", "作動圧力は1.2 MPaです [1].", KOREAN, []),
        ("그 회사의 이름은?", "東京商會 [1].", "회사 이름: 東京商會, 1920년", []),
        ("What does 안전밸브 mean here?", "It is a valve that opens by itself under pressure [1].", KOREAN, []),
        ("제품 이름은?", "SafetyValve 3000 [1].", KOREAN, []),
        ("작동 압력은 얼마입니까?", "안전밸브는 1.2 MPa에서 열립니다 [1].", ENGLISH, []),
        ("When did Acme replace the valve?", "In 2019 [1].", ENGLISH, []),
        ("When did Globex replace the valve?", "In 2019 [1].", ENGLISH, ["intent_misalignment"]),
        (
            "2024년의 작동 압력은 얼마입니까?",
            "안전밸브의 작동 압력은 1.2 MPa입니다 [1].",
            KOREAN,
            ["intent_misalignment"],
        ),
        ("점검할 것 3가지는?", "작동 압력과 점검 기록입니다 [1].", KOREAN, []),
        ("식당의 점심 메뉴와 가격은?", "안전밸브의 작동 압력은 1.2 MPa입니다 [1].", KOREAN, ["generic_misalignment"]),
        (
            "How long are records kept?",
            "Records are kept for 3 years [1]. Bananas ripen quickly beside apples and pears [1].",
            ENGLISH,
            ["low_overlap"],
        ),
    ],
)
def test_check_sense__language_intent_and_overlap(question: str, text: str, passage: str, found: list[str]) -> None:
    passages: Mapping[int, str] = {1: passage}
    findings = check_sense(replace(GOOD, text=text), asked(question), passages)
    assert [each.code for each in findings] == found
