"""What becomes of a deep summary that a model wrote, and of a triage: pure parts."""

import json
from datetime import date
from typing import Any

import pytest

from db.summary_rows import DeepPressure
from services.document.classify import in_sample, too_many
from services.document.deep_reply import Deep, grounded, quoted, read_deep
from services.document.triage import Verdict
from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json

FIVE = [f"The valve number {n} opens at a pressure of {n} bar." for n in range(5)]
TEXT = """The pump of the first building is checked in April.
Paper for the printer is ordered by Anna on Mondays.
Nobody may enter the archive without a second person.
"""


def reply(**more: Any) -> str:
    return json.dumps({"tldr": "Valves and pumps", "bullets": FIVE, **more}, ensure_ascii=False)


def test_read_deep__takes_what_was_asked_for() -> None:
    deep = read_deep(reply(), [TEXT], last=False)
    assert (deep.tldr, deep.bullets, deep.inconsistencies) == ("Valves and pumps", FIVE, [])


def test_read_deep__cuts_what_is_too_long_at_a_word() -> None:
    deep = read_deep(
        reply(tldr="word " * 40, bullets=[f"{n} " + "long words " * 20 for n in range(5)]), [TEXT], last=False
    )
    assert len(deep.tldr) <= 60
    assert deep.tldr.endswith("word…")
    assert all(30 <= len(bullet) <= 60 and bullet.endswith("…") for bullet in deep.bullets)


@pytest.mark.parametrize(
    "bullets", [FIVE[:4], [*FIVE, "One more that is long enough to be a point."], [FIVE[0]] * 5, []]
)
@pytest.mark.parametrize("last", [False, True])
def test_read_deep__refuses_another_number_of_points(bullets: list[str], last: bool) -> None:
    with pytest.raises(ReplyMisshapen):
        read_deep(reply(bullets=bullets), [TEXT], last)


def test_read_deep__asks_again_for_points_that_are_too_short_then_takes_the_texts_own() -> None:
    short = reply(bullets=[*FIVE[:3], "Short.", "Too short."])
    with pytest.raises(ReplyMisshapen, match="2 points have fewer"):
        read_deep(short, [TEXT], last=False)
    deep = read_deep(short, [TEXT], last=True)
    assert deep.bullets[:3] == FIVE[:3]
    assert all(30 <= len(bullet) <= 60 for bullet in deep.bullets)
    assert all(bullet in TEXT for bullet in deep.bullets[3:])
    with pytest.raises(ReplyMisshapen):
        read_deep(short, ["Nothing here."], last=True)


@pytest.mark.parametrize("text", ['{"tldr": " "}', '{"bullets": 5}', "no JSON"])
def test_read_deep__refuses_what_is_no_summary(text: str) -> None:
    with pytest.raises(ReplyMisshapen):
        read_deep(text, [TEXT], last=True)


def test_grounded__an_inconsistency_quotes_the_text_and_has_a_known_kind() -> None:
    parts = ["점검은 매년\n4월에 한다.", "점검은 매년 10월에 한다."]
    good = {"kind": "source_conflict", "quote": "점검은 매년 4월에 한다", "note": "뒤와 다르다."}
    found: list[dict[str, Any]] = [
        good,
        good,
        {"kind": "typo", "quote": "점검은 매년 10월에"},
        {"kind": "missing_basis", "quote": "점검은 매달 한다"},
        {"kind": "version_drift", "quote": ""},
        {"kind": ["version_drift"], "quote": 5},
    ]
    assert grounded(found, parts) == (
        {"kind": "source_conflict", "quote": "점검은 매년\n4월에 한다", "note": "뒤와 다르다."},
    )


def test_quoted__does_not_cross_what_was_left_out() -> None:
    assert quoted("the end of the head the begin", ["the end of the head", "the beginning"]) is None
    assert quoted("the end of the (", ["a.b the end of the ("]) == "the end of the ("


def test_deep__is_not_upset_by_inconsistencies_that_are_none() -> None:
    assert Deep(tldr="t", bullets=FIVE, inconsistencies="none").inconsistencies == []  # type: ignore[arg-type]


def verdict(**given: Any) -> Verdict:
    return read_json(json.dumps({"summary": "S.", **given}), Verdict)


def test_verdict__what_it_does_not_know_is_none() -> None:
    found = verdict(kind="news", jurisdiction="Korea", published_date="soon", escalate=None, reasons="safety")
    assert (found.kind, found.jurisdiction, found.published_date, found.escalate) == (None, None, None, False)
    assert found.reasons == ["safety"]
    assert found.hard


def test_verdict__takes_what_it_knows() -> None:
    found = verdict(
        kind=" Law ", jurisdiction="kr", published_date="2024-03-05", escalate=True, reasons=["long", "x", "long"]
    )
    assert (found.kind, found.jurisdiction, found.published_date) == ("law", "KR", date(2024, 3, 5))
    assert (found.escalate, found.reasons, found.hard) == (True, ["long"], False)


def test_verdict__its_sentence_is_one_line_of_bounded_length() -> None:
    assert verdict(summary="two\nlines " * 60).summary.endswith("…")
    assert len(verdict(summary="word " * 100).summary) <= 160
    with pytest.raises(ReplyMisshapen):
        verdict(summary="  ")


@pytest.mark.parametrize(
    ("classified", "escalated", "waiting", "held"),
    [(0, 0, 0, False), (2, 2, 2, False), (4, 1, 1, False), (4, 2, 1, True), (100, 30, 0, False), (100, 31, 0, True),
     (100, 5, 5, True), (0, 0, 5, True)],
)  # fmt: skip
def test_back_pressure__holds_over_the_share_or_with_too_many_waiting(
    classified: int, escalated: int, waiting: int, held: bool
) -> None:
    assert too_many(DeepPressure(classified, escalated, waiting), share=0.3, waiting=5) is held


def test_sample__is_about_the_share_and_always_the_same() -> None:
    drawn = [number for number in range(1000) if in_sample(number, 0.25)]
    assert 200 < len(drawn) < 300
    assert drawn == [number for number in range(1000) if in_sample(number, 0.25)]
    assert all(in_sample(number, 1.0) for number in range(100))
    assert not any(in_sample(number, 0.0) for number in range(100))
