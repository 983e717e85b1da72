"""The envelope of an explanation (S13, S14, Z06), and the guard in front of the question bank (S15)."""

import json
from typing import Any

import pytest

from services.study.guard import PREVIEW_CHARS, Envelope, Unreadable, landed_elsewhere, read_envelope

CHOICES = ["매년 3월", "매년 4월", "매년 10월", "2년마다"]


def reply(**given: Any) -> str:
    return json.dumps({"answer_choice": 2, "explanation_md": "4월이다.", "confidence": "high", **given})


@pytest.mark.parametrize(
    "text",
    [
        reply(),
        f"```json\n{reply()}\n```",
        f"생각해 보면 {{이렇게}} 된다.\n{reply()}\n이상입니다.",
        reply()[:-1] + ",}",
    ],
)
def test_read_envelope__forgives_what_stands_around_the_object(text: str) -> None:
    assert read_envelope(text, 4) == Envelope(answer_choice=2, explanation_md="4월이다.", confidence="high")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2번이 맞습니다.", "not_dict"),
        ("[2]", "not_dict"),
        ("2", "not_dict"),
        ("null", "not_dict"),
        (f"[{reply()}]", "not_dict"),
        (reply()[:-10], "not_dict"),
        (reply(answer_choice=True), "invalid_answer_choice"),
        (reply(answer_choice="2"), "invalid_answer_choice"),
        (reply(answer_choice=2.0), "invalid_answer_choice"),
        (reply(answer_choice=None), "invalid_answer_choice"),
        (reply(answer_choice=0), "invalid_answer_choice"),
        (reply(answer_choice=5), "invalid_answer_choice"),
        (reply(answer_choice=[2]), "invalid_answer_choice"),
        ("{}", "invalid_answer_choice"),
        (reply(explanation_md=""), "empty_explanation_md"),
        (reply(explanation_md=" \n"), "empty_explanation_md"),
        (reply(explanation_md=None), "empty_explanation_md"),
        (reply(explanation_md=["4월"]), "empty_explanation_md"),
        (reply(explanation_md="\0"), "empty_explanation_md"),
    ],
)
def test_read_envelope__names_what_is_wrong(text: str, reason: str) -> None:
    assert read_envelope(text, 4) == Unreadable(reason, text.replace("\0", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize(("choices", "readable"), [(2, False), (4, False), (5, True)])
def test_read_envelope__knows_how_many_choices_there_are(choices: int, readable: bool) -> None:
    assert isinstance(read_envelope(reply(answer_choice=5), choices), Envelope) is readable


def test_read_envelope__keeps_the_beginning_of_what_it_cannot_read() -> None:
    found = read_envelope("\0\ud800" + "가" * 5000, 4)
    assert isinstance(found, Unreadable)
    assert found.preview == "?" + "가" * (PREVIEW_CHARS - 1)


@pytest.mark.parametrize(
    ("given", "kept"), [("high", "high"), ("HIGH", "low"), (0.9, "low"), (None, "low"), ([], "low")]
)
def test_confidence__does_not_block(given: object, kept: str) -> None:
    found = read_envelope(reply(confidence=given), 4)
    assert isinstance(found, Envelope)
    assert found.confidence == kept


@pytest.mark.parametrize(
    ("choice", "text", "passes"),
    [
        (2, "4월에 한다.", True),
        (3, "4월에 한다.", False),
        (2, "따라서 정답은 2번이다. 3번은 자료에 없다.", True),
        (2, "정답은 **3번**입니다.", False),
        (2, "정답: ③", False),
        (2, "정답은 ② 이다.", True),
        (2, "정답은 3번이 아니라 2번이다.", True),
        (2, "So the correct answer is choice 4.", False),
        (2, "The answer is option (2).", True),
        (2, "The answer is 3 years.", True),
    ],
)
def test_guard__lets_nothing_pass_that_lands_elsewhere(choice: int, text: str, passes: bool) -> None:
    envelope = Envelope(answer_choice=choice, explanation_md=text)
    assert (landed_elsewhere(envelope, 2, CHOICES) is None) is passes


def test_guard__takes_the_words_of_a_choice_for_what_they_are() -> None:
    envelope = Envelope(answer_choice=2, explanation_md="정답은 3번 반복이다.")
    assert landed_elsewhere(envelope, 2, ["2번 반복", "3번 반복"]) is None
