"""A claim without a marker: which passage is taken for its source, and which claims stay without one."""

import pytest

from services.answer.attribute import attribute
from services.answer.evidence import Evidence
from services.answer.question import read
from services.text.terms import terms

OXYGEN = (
    "Oxygen is a chemical element with symbol O and atomic number 8. Diatomic oxygen gas constitutes 20.8% of the "
    "Earth's atmosphere."
)
FOUND = (
    "Oxygen was discovered independently by Carl Wilhelm Scheele, in Uppsala, in 1773 or earlier, and Joseph Priestley "
    "in Wiltshire, in 1774."
)
KEPT = "정기 점검은 매년 4월에 한다. 점검 기록은 점검한 날부터 3년간 보관하여야 하며 전자 문서로 갈음할 수 있다."
TEXTS = ("Oxygen", OXYGEN), ("Oxygen", FOUND), ("점검 규정", KEPT)
EVIDENCE = [
    Evidence(n, n, n, title, 1, 0, text, 1.0, restricted=False) for n, (title, text) in enumerate(TEXTS, start=1)
]


def traced(answer: str, question: str) -> str:
    return attribute(answer, EVIDENCE, read(question, dict.fromkeys(terms(question), 1.0)))


@pytest.mark.parametrize(
    ("question", "answer", "traced_to"),
    [
        ("What is the atomic number of oxygen?", "The atomic number of oxygen is 8.", [1]),
        ("Who discovered oxygen in Wiltshire?", "It was discovered by Joseph Priestley in 1774.", [2]),
        ("How much of the air is oxygen?", "Oxygen gas constitutes 20.8% of the atmosphere", [1]),
        ("점검 기록은 얼마나 보관하나요?", "점검 기록은 3년간 보관합니다.", [3]),
        (
            "점검은 언제 하고 기록은 얼마나 보관하나요?",
            "정기 점검은 매년 4월에 합니다. 기록은 3년간 보관합니다.",
            [3, 3],
        ),
    ],
)
def test_a_claim_in_the_words_of_a_passage__is_traced_to_it(question: str, answer: str, traced_to: list[int]) -> None:
    text = traced(answer, question)
    assert [int(part[0]) for part in text.split("[")[1:]] == traced_to
    assert text.replace(" [1]", "").replace(" [2]", "").replace(" [3]", "") == answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the atomic number of oxygen?", "The atomic number of oxygen is 9."),
        ("Who discovered oxygen in Wiltshire?", "It was discovered by Winston Churchill in Wiltshire."),
        ("Who discovered oxygen?", "He was the son of a blacksmith who had been killed by a fire."),
        ("What is the atomic number of oxygen?", "Oxygen has an atomic number."),
        ("How much of the air is oxygen?", "Oxygen gas constitutes 20.8 kg of the atmosphere."),
        ("점검 기록은 얼마나 보관하나요?", "점검 기록은 5년간 보관합니다."),
        ("점검 기록은 얼마나 보관하나요?", "김철수가 창고에 둡니다."),
        ("Is it so?", "Yes."),
        ("Who discovered oxygen in Wiltshire?", 'The answer to the question is: "Carl Wilhelm Scheele"'),
        ("When was oxygen formed?", "Oxygen formed in 1774."),
        ("Where is Priestley Hall?", "Priestley Hall is in Wiltshire."),
        ("산소는 언제 만들어졌나요?", "산소는 1774년에 만들어졌습니다."),
    ],
)
def test_a_claim_that_no_passage_says__stays_without_a_marker(question: str, answer: str) -> None:
    assert traced(answer, question) == answer


def test_a_claim_with_a_marker__keeps_it() -> None:
    assert traced("The atomic number is 8 [2].", "What is the atomic number?") == "The atomic number is 8 [2]."


def test_one_claim_of_two_without_a_marker__gets_its_own() -> None:
    answer = "It was discovered by Joseph Priestley in 1774. Its atomic number is 8 [1]."
    told = traced(answer, "Who discovered oxygen?")
    assert told == "It was discovered by Joseph Priestley in 1774 [2]. Its atomic number is 8 [1]."
