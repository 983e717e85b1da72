"""What `seodang ask` says beside an answer: in the language of the question, and no more than there is."""

from typing import Any

import pytest

from services.answer.events import AskEvent, gate_event, status_event
from services.answer.result import refuse
from services.command.ask_show import remarks
from services.command.ask_told import step_of

KO, EN = "작동 압력과 점검 주기는?", "At what pressure, and how often?"


def result(question: str, **more: Any) -> dict[str, Any]:
    plain = {"answer": "1.2 MPa [1].", "completeness": "full", "refused": False, "confidence": "high", "missing": []}
    return {"question": question, **plain, **more}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (result(KO), []),
        (result(EN, confidence="medium"), []),
        (
            result(KO, completeness="partial", missing=["점검\n주기", "담당자"]),
            ["질문의 일부만 답했습니다.", "빠진 부분: 점검 주기; 담당자"],
        ),
        (
            result(EN, completeness="partial", missing=["how often"], confidence="low"),
            [
                "Not all of the question is answered.",
                "Missing: how often",
                "Confidence is low: check it against the sources.",
            ],
        ),
        (result(EN, completeness="partial"), ["Not all of the question is answered."]),
        (result(KO, confidence="low"), ["확신이 낮습니다. 원문에서 확인해 주세요."]),
    ],
)
def test_remarks__say_what_the_words_leave_open(given: dict[str, Any], said: list[str]) -> None:
    assert list(remarks(given)) == said


def test_remarks__of_a_refusal_repeat_nothing_and_leave_nothing_out() -> None:
    sentence = refuse("evidence_weak", "ko", ["점검 주기는?"]).sentence
    refusal = result(KO, refused=True, completeness="insufficient", confidence="low", answer=sentence)
    assert list(remarks({**refusal, "missing": ["점검 주기는?"]})) == []
    assert list(remarks({**refusal, "missing": ["점검 주기는?", "담당자"]})) == ["빠진 부분: 담당자"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (status_event("retrieve"), "Searching the documents …"),
        (status_event("a step of tomorrow"), "a step of tomorrow …"),
        (gate_event("answer", "holds", wait_ms=4.0), "Writing the answer …"),
        (
            gate_event("answer", "waits", waited_ms=12_000, ahead=3, before={"foreground": 2, "study": 1}),
            "Waiting for its turn at the model · 2 questions before it · 1 for study before it · waiting for 12 s",
        ),
        (gate_event("queued", "waits", waited_ms=0, ahead=0, before={}), "Waiting for its turn …"),
        (
            gate_event("queued", "waits", waited_ms=5000, before={}, serving=False),
            "Nobody is there to answer: start it with `seodang up`. · waiting for 5 s",
        ),
    ],
)
def test_step__says_what_goes_on_who_is_before_and_for_how_long(event: AskEvent, said: str) -> None:
    step = step_of(event)
    assert step is not None
    assert step.__rich__().plain == said


@pytest.mark.parametrize("name", ["token", "correction", "citation", "refusal", "error", "done"])
def test_step__is_begun_by_no_other_event(name: str) -> None:
    assert step_of(AskEvent(1, name, {"text": ""})) is None
