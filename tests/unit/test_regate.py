"""What `services.answer.regate` promises: every row of the tables, their order, and the page that shows them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from services.answer.regate import (
    GATE,
    RE_GATE,
    Decision,
    Drafted,
    Facts,
    Found,
    Judgement,
    Name,
    gate,
    lower,
    settle,
    written_table,
)
from services.answer.result import Confidence

DOC = Path(__file__).resolve().parents[2] / "docs" / "refusal.md"

BEFORE = [
    (Facts(), None),
    (Facts(covered=False), None),
    (Facts(verdict="none"), None),
    (Facts(found="nothing"), "refuse(no_evidence)"),
    (Facts(found="restricted"), "refuse(restricted)"),
    (Facts(verdict="insufficient"), "refuse(insufficient)"),
    (Facts(verdict="insufficient", covered=False), "refuse(insufficient)"),
    (Facts(verdict="none", covered=False), "conservative_refuse(no_classifier)"),
]

BEHIND = [
    (Facts(), 7, "clean", "full", "high"),
    (Facts(confidence="medium"), 7, "clean", "full", "medium"),
    (Facts(verdict="none"), 7, "clean", "full", "high"),
    (Facts(unverified=True), 7, "clean(unverified)", "full", "medium"),
    (Facts(unverified=True, weak=1, confidence="low"), 7, "clean(unverified)", "full", "low"),
    (Facts(unverified=True, missing=1), 7, "partial(missing)", "partial", "medium"),
    (Facts(weak=1), 7, "clean(weak)", "full", "medium"),
    (Facts(weak=9, confidence="low"), 7, "clean(weak)", "full", "low"),
    (Facts(thin=True), 7, "partial(draft)", "partial", "high"),
    (Facts(missing=1), 7, "partial(missing)", "partial", "medium"),
    (Facts(missing=1, cut=True), 7, "partial(missing)", "partial", "medium"),
    (Facts(cut=True, unverified=True, weak=1), 7, "partial(cut)", "partial", "medium"),
    (Facts(uncited=1, weak=1), 7, "partial(uncited)", "partial", "medium"),
    (Facts(doubted=1), 6, "partial(verifier)", "partial", "medium"),
    (Facts(numeric=1), 6, "partial(verifier)", "partial", "low"),
    (Facts(denied=1), 6, "partial(verifier)", "partial", "low"),
    (Facts(denied=3, numeric=3, doubted=3, confidence="low"), 6, "partial(verifier)", "partial", "low"),
    (Facts(strong=1), 5, "partial(grounding)", "partial", "low"),
    (Facts(strong=1, doubted=1), 5, "partial(grounding)", "partial", "low"),
    (Facts(strong=1, numeric=1), 5, "partial(grounding)", "partial", "low"),
    (Facts(strong=1, verdict="none"), 5, "conservative_refuse(no_classifier)", "insufficient", "low"),
    (Facts(strong=1, numeric=1, confidence="low"), 4, "refuse(grounding+verifier_numeric)", "insufficient", "low"),
    (Facts(strong=1, denied=1), 3, "refuse(grounding+verifier)", "insufficient", "low"),
    (Facts(strong=2), 2, "refuse(2+strong)", "insufficient", "low"),
    (Facts(strong=2, denied=1, numeric=1, confidence="low"), 2, "refuse(2+strong)", "insufficient", "low"),
    (Facts(untraceable=1), 1, "refuse(untraceable)", "insufficient", "low"),
    (Facts(drafted="refusal"), 1, "refuse(no_answer)", "insufficient", "low"),
]


@pytest.mark.parametrize(("facts", "name"), BEFORE)
def test_gate__refuses_by_the_first_row_that_fits(facts: Facts, name: Name | None) -> None:
    decision = gate(facts)
    assert (decision and decision.name) == name
    if decision:
        assert (decision.tier, decision.refused, decision.completeness) == (0, True, "insufficient")


@pytest.mark.parametrize(("facts", "tier", "name", "completeness", "confidence"), BEHIND)
def test_settle__decides_by_the_first_row_that_fits(
    facts: Facts, tier: int, name: str, completeness: str, confidence: Confidence
) -> None:
    decision = settle(facts)
    assert (decision.tier, decision.name) == (tier, name)
    assert (decision.completeness, decision.confidence) == (completeness, confidence)
    assert decision.refused is (completeness == "insufficient")


def test_tables__have_a_case_above_for_every_row_and_every_name() -> None:
    named = {name for _, name in BEFORE if name} | {name for _, _, name, *_ in BEHIND}
    assert named == set(get_args(Name))
    decided_by = {next(row for row in RE_GATE if row.fits(facts)).name for facts, *_ in BEHIND}
    assert decided_by == {row.name for row in RE_GATE}
    assert [row.tier for row in RE_GATE] == sorted(row.tier for row in RE_GATE)
    assert {row.tier for row in RE_GATE} == set(range(1, 8))


def all_decisions() -> Iterator[tuple[Facts, Decision]]:
    """Every combination of facts as far as the tables tell them apart."""
    small = range(3)
    for verdict, confidence, strong, denied, numeric, rest in product(
        get_args(Judgement), get_args(Confidence), small, small[:2], small[:2], product((0, 1), repeat=5)
    ):
        doubted, uncited, missing, untraceable, weak = rest
        for thin, cut, drafted in product((False, True), (False, True), get_args(Drafted)):
            facts = Facts(
                "some", verdict, True, drafted, untraceable, strong, weak, uncited, denied, numeric, doubted, missing,
                thin, confidence, cut=cut,
            )  # fmt: skip
            yield facts, settle(facts)


def test_decision__is_never_full_and_refused_nor_surer_than_the_writer() -> None:
    for facts, decision in all_decisions():
        assert decision.refused is (decision.completeness == "insufficient"), facts
        assert lower(decision.confidence, facts.confidence) == decision.confidence, facts
    for found, verdict, covered in product(get_args(Found), get_args(Judgement), (True, False)):
        before = gate(Facts(found=found, verdict=verdict, covered=covered))
        assert before is None or before.refused


def test_decision__without_the_verifier_that_was_asked_is_never_sure() -> None:
    for facts, _ in all_decisions():
        if not facts.thin:  # the built-in answerer's own word, which no verifier is asked about
            assert settle(replace(facts, unverified=True)).confidence != "high", facts


def test_verifier__alone_never_refuses() -> None:
    for facts, decision in all_decisions():
        if not facts.strong and not facts.untraceable and facts.drafted == "answer":
            assert not decision.refused, facts


def test_document__has_both_tables_of_the_code() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert written_table(GATE) in text, written_table(GATE)
    assert written_table(RE_GATE) in text, written_table(RE_GATE)
