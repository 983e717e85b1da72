"""Where `services.answer.parts` cuts a question, and where it does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.answer.parts import MOST_PARTS, cut

VALVE = "압축공기 배관 안전밸브의"
CUT: dict[str, list[tuple[str, str]]] = {
    # Korean, nouns side by side
    "압축공기 배관 안전밸브의 작동 압력과 제조사 이름은 무엇인가요?": [("작동 압력", VALVE), ("제조사 이름", VALVE)],
    "안전밸브의 작동 압력 및 제조사를 알려 주세요": [("작동 압력", "안전밸브의"), ("제조사", "안전밸브의")],
    "안전밸브의 작동 압력하고 제조사는 무엇인가요?": [("작동 압력", "안전밸브의"), ("제조사", "안전밸브의")],
    "안전밸브의 제조사와 가격은?": [("제조사", "안전밸브의"), ("가격", "안전밸브의")],
    "안전밸브의 무게 그리고 높이는 얼마입니까?": [("무게", "안전밸브의"), ("높이", "안전밸브의")],
    "안전밸브의 작동 압력, 제조사와 가격은 얼마인가요?": [
        ("작동 압력", "안전밸브의"), ("제조사", "안전밸브의"), ("가격", "안전밸브의"),
    ],
    "안전밸브의 교체 주기와 펌프의 윤활 주기는 얼마인가요?": [("안전밸브의 교체 주기", ""), ("펌프의 윤활 주기", "")],
    "매출액과 영업이익은 얼마인가요?": [("매출액", ""), ("영업이익", "")],
    "안전밸브 교체 주기 and the grease interval of P-7?": [
        ("안전밸브 교체 주기", ""), ("grease interval of P-7", "P-7"),
    ],
    # Korean, clauses
    "교체 주기는 몇 년이며 가격은?": [("교체 주기는 몇 년이며", ""), ("가격은", "")],
    "안전밸브의 교체 주기는 몇 년이며 가격은 얼마인가요?": [
        ("안전밸브의 교체 주기는 몇 년이며", "안전밸브의"), ("가격은 얼마인가요", "안전밸브의"),
    ],
    "안전밸브는 언제 점검하고 누가 기록하나요?": [
        ("안전밸브는 언제 점검하고", "안전밸브"), ("누가 기록하나요", "안전밸브"),
    ],
    "연차 휴가는 며칠이며 병가는 며칠인가요?": [("연차 휴가는 며칠이며", ""), ("병가는 며칠인가요", "")],
    "교체 주기가 몇 년인지, 가격이 얼마인지 알려 주세요": [
        ("교체 주기가 몇 년인지", ""), ("가격이 얼마인지 알려 주세요", ""),
    ],
    # Korean, sentences
    "안전밸브의 교체 주기는 얼마인가요? 가격은요?": [
        ("안전밸브의 교체 주기는 얼마인가요", ""), ("가격은요", "안전밸브의"),
    ],
    "안전밸브의 압력은 얼마인가요 그리고 제조사는 어디인가요?": [
        ("안전밸브의 압력은 얼마인가요", ""), ("제조사는 어디인가요", "안전밸브의"),
    ],
    # English, nouns side by side
    "What are the set pressure and the manufacturer of the safety valve?": [
        ("the set pressure", "the safety valve"), ("the manufacturer", "the safety valve"),
    ],
    "What is the opening time as well as the fee of the museum?": [
        ("the opening time", "the museum"), ("the fee", "the museum"),
    ],
    "What are the pressure, the maker and the price of the valve?": [
        ("the pressure", "the valve"), ("the maker", "the valve"), ("the price", "the valve"),
    ],
    "What is the capital of France and the population of Germany?": [
        ("the capital of France", "France"), ("the population of Germany", "Germany"),
    ],
    "What is the set pressure of the valve and its manufacturer?": [
        ("the set pressure of the valve", "the valve"), ("its manufacturer", "the valve"),
    ],
    "What are the valve's set pressure and manufacturer?": [
        ("set pressure", "the valve's"), ("manufacturer", "the valve's"),
    ],
    "What are the opening hours and the fee?": [("the opening hours", ""), ("the fee", "")],
    "Tell me the set pressure and the maker of the valve.": [
        ("the set pressure", "the valve"), ("the maker", "the valve"),
    ],
    "the inspection date of the valve and the grease interval of the pump": [
        ("the inspection date of the valve", "the valve"), ("the grease interval of the pump", "the pump"),
    ],
    # English, clauses and sentences
    "What is the set pressure of the valve and who makes it?": [
        ("What is the set pressure of the valve", ""), ("who makes it", "the valve"),
    ],
    "When is the valve inspected, and how long are the records kept?": [
        ("When is the valve inspected", ""), ("how long are the records kept", ""),
    ],
    "What is photosynthesis and why is it important?": [
        ("What is photosynthesis", ""), ("why is it important", "What is photosynthesis"),
    ],
    "How often is the valve replaced and is it tested?": [
        ("How often is the valve replaced", ""), ("is it tested", "How often is the valve replaced"),
    ],
    "Who invented the telephone? When did he die?": [
        ("Who invented the telephone", ""), ("When did he die", "Who invented the telephone"),
    ],
}  # fmt: skip

WHOLE = [
    # one thing
    "안전밸브의 작동 압력은 얼마인가요?",
    "What is the set pressure of the safety valve?",
    "안전밸브는 언제 교체하고 나서 점검하나요?",
    "언제부터 운영하고 있는 공장은 어디인가요?",
    "연구 성과 보고는 누가 하나요?",
    "점검 결과 보고서는 언제 내나요?",
    # comparisons
    "A와 B의 차이는 무엇인가요?",
    "안전밸브와 릴리프밸브의 차이는 무엇인가요?",
    "A와 B는 같은가?",
    "안전밸브와 배관의 관계는 무엇인가요?",
    "What is the difference between A and B?",
    "What was the final score of the game between the Panthers and the Seahawks?",
    "What are the similarities of the valve and the tap?",
    # names
    "Who made Tom and Jerry?",
    "Who wrote Pride and Prejudice?",
    "What is the Ministry of Land and Transport?",
    "What is the budget of the Ministry of Land and Transport?",
    "What are the terms and conditions of the loan?",
    "톰과 제리는 언제 방영되었나요?",
    "톰과 제리는 누구인가요?",
    "로미오와 줄리엣의 작가는 누구인가요?",
    "산업안전과 보건에 관한 규칙의 시행일은 언제인가요?",
    # one thing of two
    "P-7과 P-8의 윤활 주기는 얼마인가요?",
    "What is the capital of the North and the South?",
    "What is the most important problem in the United States and elsewhere?",
    "How many men and women work here?",
    "What year did Tesla and Edison meet?",
    "What did the French and the British sign?",
    "the men and the women of the army",
    # nothing of their own to ask for
    "When and where was Tesla born?",
    "언제 어디서 태어났나요?",
    "Which city is the capital and is the largest?",
    "The Rhine forms the border between Austria and what other country?",
    # yes or no, told, or with options
    "봉룡과 숙정은 부부인가?",
    "스프라이트는 레몬과 라임맛이 나나요?",
    "박완서는 지금도 꾸준히 소설과 산문을 쓰고 있나요?",
    "부동산 개발업자는 도시계획과 도시개발을 이끌어낸다.",
    "Which of the following is true? A pump and a valve. When the valve is shut. A pipe.",
    "다음 중 옳지 않은 것은 무엇입니까? 압력과 온도 무게와 높이",
]


@pytest.mark.parametrize(("question", "parts"), CUT.items())
def test_cut__gives_each_part_its_own_words_and_its_topic(question: str, parts: list[tuple[str, str]]) -> None:
    assert [(part.own, part.topic) for part in cut(question)] == parts


@pytest.mark.parametrize("question", WHOLE)
def test_cut__leaves_a_question_whole(question: str) -> None:
    assert cut(question) == ()


def test_cut__asks_each_part_with_what_it_shares() -> None:
    pressure, maker = cut("압축공기 배관 안전밸브의 작동 압력과 제조사 이름은 무엇인가요?")
    assert (pressure.text, maker.text) == (f"{VALVE} 작동 압력 무엇인가요", f"{VALVE} 제조사 이름 무엇인가요")
    pressure, maker = cut("What are the set pressure and the maker of the valve?")
    assert (pressure.text, maker.text) == ("What are the set pressure of the valve", "What are the maker of the valve")


WORDS = st.sampled_from(
    re.findall(r"\S+", "what who the valve of and its 밸브의 압력과 가격은 얼마이며 무엇인가요 및 ? . , 언제")
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=15).map(" ".join)))
def test_cut__gives_words_of_the_question_or_nothing(question: str) -> None:
    parts = cut(question)
    assert len(parts) == 0 or 2 <= len(parts) <= MOST_PARTS
    assert all(part.own in question and set(part.own.split()) <= set(part.text.split()) for part in parts)
