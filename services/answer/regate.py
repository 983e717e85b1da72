"""The whole decision of an ask as two tables: whether an answer is drafted at all, and what becomes of the draft.

In: facts, counted before: what was found, what the classifier said, what the checks and the verifier found. Out: a
decision with a name that stays the same for ever, since it is counted by it. Pure; docs/refusal.md shows the tables,
and a test holds them together. No row refuses and calls the answer full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.answer.result import Completeness, Confidence, Reason

Name = Literal[
    "refuse(no_evidence)",
    "refuse(restricted)",
    "refuse(insufficient)",
    "conservative_refuse(no_classifier)",
    "refuse(no_answer)",
    "refuse(untraceable)",
    "refuse(2+strong)",
    "refuse(grounding+verifier)",
    "refuse(grounding+verifier_numeric)",
    "partial(grounding)",
    "partial(verifier)",
    "partial(uncited)",
    "partial(missing)",
    "partial(cut)",
    "partial(draft)",
    "clean(unverified)",
    "clean(weak)",
    "clean",
]
"""Every value that `re_gate` ever has; new ones may be added, none renamed."""

Found = Literal["some", "nothing", "restricted"]
Judgement = Literal["sufficient", "insufficient", "none"]
Drafted = Literal["answer", "refusal"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an ask when it is decided.

    Attributes:
        found: evidence that may be quoted; only such that may not; nothing.
        verdict: of the classifier; "none" where none is set, or its call failed.
        covered: what the rules without a model say of the evidence.
        drafted: what the writer made of it; before it wrote, "answer" stands for the hope.
        untraceable: findings after which nothing can be shown: no citation, a quote that is not on its page, too long.
        strong: other strong findings of the checks (a number that no cited passage has, another matter, …).
        weak: weak findings of the checks and the verifier, without uncited claims.
        uncited: claims that no marker follows.
        denied: objections of the verifier that a passage says the opposite.
        numeric: strong objections of the verifier to a number.
        doubted: its objections of middling strength.
        missing: parts of the question that the classifier did not find answered.
        thin: the writer itself calls its draft partial (the built-in answerer does, by measure).
        confidence: the writer's, lowered where the rules do not see the question covered.
        unverified: the verifier was to look for contradictions, and did not answer.
        cut: the writer wrote more than fits, and a claim of it is left out.
    """

    found: Found = "some"
    verdict: Judgement = "sufficient"
    covered: bool = True
    drafted: Drafted = "answer"
    untraceable: int = 0
    strong: int = 0
    weak: int = 0
    uncited: int = 0
    denied: int = 0
    numeric: int = 0
    doubted: int = 0
    missing: int = 0
    thin: bool = False
    confidence: Confidence = "high"
    unverified: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: it fits when each named fact has the value, or of a count at least so many.

    Attributes:
        reason: of the refusal; None where the answer is given.
        at_most: the highest confidence that the answer keeps.
        what: what the row is about, for docs/refusal.md.
    """

    tier: int
    name: Name
    when: Mapping[str, str | bool | int]
    completeness: Completeness
    what: str
    reason: Reason | None = None
    at_most: Confidence = "high"

    def fits(self, facts: Facts) -> bool:
        """Say whether all that is named holds."""
        return all(_holds(getattr(facts, fact), wanted) for fact, wanted in self.when.items())


@dataclass(frozen=True, slots=True)
class Decision:
    """How an ask ends; `reason` is None where it is answered."""

    name: Name
    tier: int
    completeness: Completeness
    confidence: Confidence
    reason: Reason | None

    @property
    def refused(self) -> bool:
        return self.reason is not None


def _refuse(tier: int, name: Name, when: dict[str, str | bool | int], reason: Reason, what: str) -> Row:
    return Row(tier, name, when, "insufficient", what, reason, "low")


GATE: Sequence[Row] = (
    _refuse(0, "refuse(restricted)", {"found": "restricted"}, "evidence_restricted", "only what may not be quoted"),
    _refuse(0, "refuse(no_evidence)", {"found": "nothing"}, "evidence_missing", "nothing was found: no model is asked"),
    _refuse(0, "refuse(insufficient)", {"verdict": "insufficient"}, "evidence_weak", "the classifier says no"),
    _refuse(
        0,
        "conservative_refuse(no_classifier)",
        {"verdict": "none", "covered": False},
        "evidence_weak",
        "no verdict, and the rules do not see the question covered",
    ),
)
"""Before anything is written. Without a classifier the rules go three steps: nothing found; not covered; and, behind
the draft, one strong finding instead of two."""

RE_GATE: Sequence[Row] = (
    _refuse(1, "refuse(no_answer)", {"drafted": "refusal"}, "evidence_weak", "the writer finds no answer in it"),
    _refuse(1, "refuse(untraceable)", {"untraceable": 1}, "answer_ungrounded", "nothing leads to a page"),
    _refuse(2, "refuse(2+strong)", {"strong": 2}, "answer_ungrounded", "two strong findings"),
    _refuse(
        3,
        "refuse(grounding+verifier)",
        {"strong": 1, "denied": 1},
        "answer_ungrounded",
        "a strong finding, and the verifier sees a contradiction",
    ),
    _refuse(
        4,
        "refuse(grounding+verifier_numeric)",
        {"strong": 1, "numeric": 1, "confidence": "low"},
        "answer_ungrounded",
        "a strong finding, a number that the verifier denies, and a writer in doubt",
    ),
    _refuse(
        5,
        "conservative_refuse(no_classifier)",
        {"strong": 1, "verdict": "none"},
        "answer_ungrounded",
        "one strong finding, and no classifier speaks for the evidence",
    ),
    Row(5, "partial(grounding)", {"strong": 1}, "partial", "one strong finding: its claim is taken back", None, "low"),
    Row(6, "partial(verifier)", {"denied": 1}, "partial", "the verifier alone never refuses: taken back", None, "low"),
    Row(6, "partial(verifier)", {"numeric": 1}, "partial", "the same", None, "low"),
    Row(6, "partial(verifier)", {"doubted": 1}, "partial", "the verifier doubts a claim", None, "medium"),
    Row(7, "partial(uncited)", {"uncited": 1}, "partial", "a claim has no source", None, "medium"),
    Row(7, "partial(missing)", {"missing": 1}, "partial", "a part of the question is not answered", None, "medium"),
    Row(7, "partial(cut)", {"cut": True}, "partial", "more was written than the length allows", None, "medium"),
    Row(7, "partial(draft)", {"thin": True}, "partial", "the built-in answerer holds little of the question"),
    Row(7, "clean(unverified)", {"unverified": True}, "full", "the verifier did not answer", None, "medium"),
    Row(7, "clean(weak)", {"weak": 1}, "full", "weak findings only", None, "medium"),
    Row(7, "clean", {}, "full", "nothing found against it"),
)
"""Behind the checks and the verifier: the first row that fits."""

_ORDER: Mapping[Confidence, int] = MappingProxyType({"low": 0, "medium": 1, "high": 2})


def gate(facts: Facts) -> Decision | None:
    """Refuse before anything is written; None lets the writer begin."""
    return next((_decided(row, facts) for row in GATE if row.fits(facts)), None)


def settle(facts: Facts) -> Decision:
    """Decide what becomes of a draft."""
    return next(_decided(row, facts) for row in RE_GATE if row.fits(facts))


def lower(one: Confidence, other: Confidence) -> Confidence:
    """Give the lesser of two."""
    return min(one, other, key=lambda each: _ORDER[each])


def _holds(fact: str | bool | int, wanted: str | bool | int) -> bool:
    if isinstance(fact, int) and not isinstance(fact, bool):
        return fact >= int(wanted)
    return fact == wanted


def _decided(row: Row, facts: Facts) -> Decision:
    return Decision(row.name, row.tier, row.completeness, lower(row.at_most, facts.confidence), row.reason)


def written_table(rows: Sequence[Row]) -> str:
    """Draw a table in Markdown, as docs/refusal.md has it."""
    head = "| tier | `re_gate` | when | ends as | reason | confidence at most | what |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {row.tier} | `{row.name}` | {_conditions(row)} | {row.completeness} | {row.reason or ''} "
        f"| {row.at_most} | {row.what} |\n"
        for row in rows
    )


def _conditions(row: Row) -> str:
    named = [
        f"`{fact}` = {str(wanted).lower()}" if isinstance(wanted, str | bool) else f"`{fact}` ≥ {wanted}"
        for fact, wanted in row.when.items()
    ]
    return ", ".join(named) or "else"
