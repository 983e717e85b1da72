"""What `services.answer.check` promises."""

from dataclasses import replace

import pytest

from services.answer.check import Finding, check, settle, uncited_claims
from services.answer.result import Answer, Citation, Refusal

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
        ("It began.", ["no_citation", "citation_unused", "claim_uncited"]),
        ("It ended. It began. [1]", ["claim_uncited"]),
        ("It began. [1] It ended.", ["claim_uncited"]),
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
        ("", []),
    ],
)
def test_uncited_claims__takes_markers_before_and_behind_a_stop(text: str, claims: list[str]) -> None:
    assert uncited_claims(text) == claims


def test_settle__turns_a_strong_finding_into_a_refusal() -> None:
    refusal = settle(GOOD, [Finding("quote_not_on_page", "[1]")], "ko")
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "answer_ungrounded"


def test_settle__lets_weak_findings_pass() -> None:
    assert settle(GOOD, [Finding("claim_uncited", "It ended.")], "en") is GOOD
