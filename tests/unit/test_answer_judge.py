"""What a model says of evidence and of an answer, and what of it is believed: pure parts of `judge` and `verify`."""

from typing import Any

import pytest

from services.answer.check import claims
from services.answer.judge import Judged, picks_of
from services.answer.spans import Pick
from services.answer.verify import Verified, is_worth_it, objections_of
from services.kit.answer_settings import AnswerSettings
from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json

ANSWER = "The valve opens at 9 MPa [1]. Records are kept [2]."


@pytest.mark.parametrize("verdict", ["sufficient", " Insufficient "])
def test_judged__has_two_verdicts(verdict: str) -> None:
    judged = read_json(f'{{"verdict": "{verdict}", "missing": null, "spans": "none", "more": 1}}', Judged)
    assert (judged.verdict, judged.missing, judged.spans) == (verdict.strip().lower(), [], [])


@pytest.mark.parametrize(
    "text", ['{"verdict": "partial"}', '{"spans": []}', '{"verdict": true}', '{"verdict": null}', ""]
)
def test_judged__without_a_verdict_is_none(text: str) -> None:
    with pytest.raises(ReplyMisshapen):
        read_json(text, Judged)


@pytest.mark.parametrize(
    ("relevance", "read"), [(0.7, 0.7), (1, 1.0), (7, 1.0), (-1, 0.0), ("high", 0.5), (None, 0.5), (True, 0.5)]
)
def test_picks_of__a_relevance_is_a_share(relevance: Any, read: float) -> None:
    assert picks_of([{"n": 1, "span": "a", "relevance": relevance}]) == [Pick(1, "a", read)]


@pytest.mark.parametrize(
    "given", [{"n": "1", "span": "a"}, {"n": True, "span": "a"}, {"n": 1}, {"n": 1, "span": 3}, {}]
)
def test_picks_of__passes_over_what_names_no_passage_or_no_words(given: dict[str, Any]) -> None:
    assert picks_of([given]) == []


@pytest.mark.parametrize(
    ("kind", "severity", "promote", "weight"),
    [
        ("direct_negation", None, False, "strong"),
        ("numeric_conflict", "critical", False, "medium"),
        ("numeric_conflict", "minor", False, "medium"),
        ("numeric_conflict", "critical", True, "strong"),
        ("numeric_conflict", "minor", True, "medium"),
        ("intent_core_mismatch", "critical", True, "medium"),
        ("unsupported_claim", None, True, "medium"),
        ("nuance", None, True, "weak"),
    ],
)
def test_objections__have_the_weight_of_their_kind(kind: str, severity: str | None, promote: bool, weight: str) -> None:
    given = [{"claim": 1, "type": kind, "severity": severity}]
    (only,) = objections_of(given, claims(ANSWER), promote)
    assert (only.kind, only.weight) == (kind, weight)
    assert ANSWER[only.start : only.end] == "The valve opens at 9 MPa [1]."


@pytest.mark.parametrize(
    "given",
    [
        {"claim": 3, "type": "nuance"},
        {"claim": 0, "type": "nuance"},
        {"claim": "1", "type": "nuance"},
        {"claim": True, "type": "nuance"},
        {"claim": 1, "type": "style"},
        {"claim": 1},
        {"type": "nuance"},
    ],
)
def test_objections__to_no_claim_or_of_no_kind_are_passed_over(given: dict[str, Any]) -> None:
    assert objections_of([given], claims(ANSWER), True) == []


def test_verified__needs_its_list() -> None:
    assert read_json('{"objections": [1, {"claim": 1}]}', Verified).objections == [{"claim": 1}]
    for text in ('{"objections": null}', '{"findings": []}'):
        with pytest.raises(ReplyMisshapen):
            read_json(text, Verified)


@pytest.mark.parametrize(
    ("strong", "relevance", "worth"), [(0, 0.2, True), (1, 1.0, True), (2, 1.0, False), (0, 0.19, False)]
)
def test_verifier__is_spared_what_is_refused_anyway_or_rests_on_nothing(
    strong: int, relevance: float, worth: bool
) -> None:
    assert is_worth_it(strong, relevance, AnswerSettings()) is worth


def test_verifier__is_spared_by_settings() -> None:
    eager = AnswerSettings(verifier_skip_strong=3, verifier_relevance_share=0)
    assert is_worth_it(2, 0.0, eager) is True
    assert is_worth_it(3, 1.0, eager) is False
