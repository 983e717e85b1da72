"""What becomes of a draft: the checks, the verifier, and the table that decides.

In: an answer as it was drafted, with what it rests on. Out: the answer, perhaps without some of its claims, or a
refusal. Everything found on the way is written into the trace; services/answer/regate.py has the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from db.rows import ServedPage
from services.answer.calls import Caller
from services.answer.check import UNTRACEABLE, Finding, PageKey, check, check_sense
from services.answer.confirmed import confirmed_items
from services.answer.evidence import Evidence
from services.answer.founded import check_founded, is_lead_in
from services.answer.grounding import check_numbers, numeric_conflicts
from services.answer.judge import Opinion
from services.answer.mend import Place, mend
from services.answer.missing import all_missing, missing_words
from services.answer.question import Asked
from services.answer.regate import Decision, Facts, settle
from services.answer.result import Answer, Citation, Refusal, refuse
from services.answer.synthesize import cite, cited_anew
from services.answer.trace import Trace
from services.answer.verify import Checked, is_worth_it, verify
from services.tools import Tools


@dataclass(frozen=True, slots=True)
class Basis:
    """What a draft rests on.

    Attributes:
        passages: whole, numbered as the draft was shown them; `shown` has as much of each as the writer saw.
        covered: what the rules say.
        relevance: of the best excerpt, 0..1.
        parts: of a question of several those that the built-in answerer can answer, each asked alone.
    """

    asked: Asked
    passages: Sequence[Evidence]
    shown: Sequence[Evidence]
    opinion: Opinion
    covered: bool
    relevance: float
    parts: Sequence[Asked] = ()

    @property
    def facts(self) -> Facts:
        """What is known before anything is written."""
        return Facts(verdict=self.opinion.verdict, covered=self.covered, missing=len(self.opinion.missing))


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What a review takes: `caller` is None where the built-in answerer wrote, whose words are the passages' own."""

    tools: Tools
    trace: Trace
    caller: Caller | None


async def review(draft: Answer | Refusal, basis: Basis, reviewer: Reviewer) -> Answer | Refusal:
    """Give what is shown in the place of a draft."""
    if isinstance(draft, Refusal):
        note(reviewer.trace, settle(replace(basis.facts, drafted="refusal")), basis.opinion.missing)
        return draft
    trace = reviewer.trace
    trace.begin("check")
    with trace.timed("check"):
        findings = await _findings(draft, basis, reviewer)
    trace.note(findings=[asdict(finding) for finding in findings])
    checked = await _verified(draft, basis, reviewer, findings)
    decision = settle(facts_of(draft, basis, findings, checked, thin=reviewer.caller is None))
    if decision.reason is not None:
        note(trace, decision, basis.opinion.missing)
        return refuse(decision.reason, basis.asked.language, basis.opinion.missing)
    return _given(draft, basis, reviewer, decision, findings, checked)


def note(trace: Trace, decision: Decision, missing: Sequence[str]) -> None:
    """Write a decision into the trace."""
    trace.note(re_gate=decision.name, tier=decision.tier, missing=list(missing))


def facts_of(draft: Answer, basis: Basis, findings: Sequence[Finding], checked: Checked, thin: bool) -> Facts:
    """Count what was found.

    Args:
        thin: whether the writer's own word on how much its draft answers is to be believed.
    """
    strong = {(each.code, each.where) for each in findings if each.strength == "strong"}
    weak = [each for each in findings if each.strength == "weak"]
    objections = checked.objections
    return replace(
        basis.facts,
        untraceable=sum(code in UNTRACEABLE for code, _ in strong),
        strong=sum(code not in UNTRACEABLE for code, _ in strong),
        uncited=sum(each.code == "uncited_claim" for each in weak),
        weak=sum(each.code != "uncited_claim" for each in weak) + sum(each.weight == "weak" for each in objections),
        denied=sum(each.weight == "strong" and each.kind == "direct_negation" for each in objections),
        numeric=sum(each.weight == "strong" and each.kind == "numeric_conflict" for each in objections),
        doubted=sum(each.weight == "medium" for each in objections),
        cut=draft.cut,
        thin=thin and draft.completeness == "partial",
        confidence=draft.confidence,
        unverified=checked.verified is False,
    )


async def _findings(draft: Answer, basis: Basis, reviewer: Reviewer) -> list[Finding]:
    texts = _cited_texts(draft, basis)
    max_chars = reviewer.tools.settings.answer.max_chars
    found = check(draft, await _pages(draft.citations, reviewer.tools), max_chars)
    if any(each.code == "no_citation" for each in found):
        return [each for each in found if each.code in ("no_citation", "marker_unknown")]
    findings = [each for each in found if not _announces(each, draft)]
    numbers = check_numbers(draft.text, list(texts.values()), basis.asked.text)
    findings += [Finding(each.code, each.where, each.strength, each.start, each.end) for each in numbers]
    if reviewer.caller is not None:
        findings += check_sense(draft, basis.asked, texts)
        findings += check_founded(draft, basis.asked, texts, findings)
        conflicts = numeric_conflicts(list(texts.values()))
        findings += [Finding(each.code, each.where, each.strength) for each in conflicts]
    return findings


def _announces(finding: Finding, draft: Answer) -> bool:
    return finding.code == "uncited_claim" and is_lead_in(draft.text[finding.start : finding.end])


def _cited_texts(draft: Answer, basis: Basis) -> dict[int, str]:
    return {n: f"{each.title}\n{each.text}" for n, each in _cited_passages(draft, basis).items()}


def _cited_passages(draft: Answer, basis: Basis) -> dict[int, Evidence]:
    """Give the whole passage behind each citation, by the citation's number."""
    whole = {each.chunk_id: each for each in basis.passages}
    return {each.n: whole[each.chunk_id] for each in draft.citations if each.chunk_id in whole}


async def _pages(citations: Sequence[Citation], tools: Tools) -> Mapping[PageKey, str]:
    keys = sorted({(citation.document_id, citation.page) for citation in citations})
    asked = {"document_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    pages = await tools.db.many(ServedPage, "page_texts", **asked)
    return {(page.document_id, page.number): page.text for page in pages}


async def _verified(draft: Answer, basis: Basis, reviewer: Reviewer, findings: Sequence[Finding]) -> Checked:
    """Have a model look for contradictions, where it matters and one is there to look."""
    settings, trace = reviewer.tools.settings.answer, reviewer.trace
    strong = sum(each.strength == "strong" for each in findings)
    untraceable = any(each.code in UNTRACEABLE for each in findings)
    worth_it = is_worth_it(strong, basis.relevance, settings)
    if reviewer.caller is None or not settings.verify or untraceable or not worth_it:
        return Checked()
    shown = {each.chunk_id: each for each in basis.shown}
    cited = [replace(shown[each.chunk_id], n=each.n) for each in draft.citations if each.chunk_id in shown]
    trace.begin("verify")
    with trace.timed("verify"):
        checked = await verify(draft, basis.asked, cited, reviewer.caller, settings)
    trace.note(verified=checked.verified, objections=[asdict(each) for each in checked.objections])
    return checked


def _given(
    draft: Answer,
    basis: Basis,
    reviewer: Reviewer,
    decision: Decision,
    findings: Sequence[Finding],
    checked: Checked,
) -> Answer:
    """Give the answer as it is decided: what does not hold is taken back, and what the question lacks then is told."""
    objections = checked.objections
    back: list[Place] = [(each.start, each.end) for each in findings if each.strength == "strong"]
    back += [(each.start, each.end) for each in objections if each.weight == "strong"]
    mended = draft if reviewer.caller is None and not back else _mended(draft, basis, reviewer, back, findings)
    missing: list[str] = []
    if decision.completeness == "partial":
        told = not draft.cut and mended.text == draft.text and basis.opinion.missing
        missing = all_missing(basis.opinion.missing, () if told else missing_words(basis.asked, mended))
    note(reviewer.trace, decision, missing)
    against = [(each.start, each.end) for each in findings] + [(each.start, each.end) for each in objections]
    reviewer.trace.note(confirmed_items=confirmed_items(draft, mended, against))
    return replace(mended, completeness=decision.completeness, confidence=decision.confidence)


def _mended(
    draft: Answer, basis: Basis, reviewer: Reviewer, back: Sequence[Place], findings: Sequence[Finding]
) -> Answer:
    """Take back what does not hold. An unfounded claim does not choose the words that are quoted in its place."""
    instead = None
    if any(each.code == "unfounded_claim" for each in findings):
        instead = [cite(n, passage, basis.asked.text) for n, passage in _cited_passages(draft, basis).items()]
    mended = mend(draft, back, reviewer.tools.settings.answer.max_chars, instead)
    return mended if mended.text == draft.text else cited_anew(mended, basis.passages)
