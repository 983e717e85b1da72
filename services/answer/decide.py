"""Judge, without a model, whether the evidence covers the question.

In: a question and its evidence. Out: a verdict. It counts words (support.py) and weighs what it counted by a table of
the question's language (support_weights.py). It tells a question about something the corpus does not hold from one it
does, and less well a question that was turned round (not, last for first) from one that holds.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.answer.around import Neighbourhoods
from services.answer.evidence import Evidence
from services.answer.question import Asked
from services.answer.support import BestSentence, Support
from services.answer.support_signs import PassageSigns
from services.answer.support_weights import SHIFT, STEEPNESS, TABLES, THRESHOLDS, TWIST_SHARE, Form, Table
from services.text.terms import terms

Why = Literal[
    "covered", "no_evidence", "words_missing", "name_missing", "kind_missing", "negation_missing", "opposite_told"
]

OPTION_TERMS = 3
"""From so many terms behind the question on they are taken for the options of an exam."""
_ASKED_OR_TOLD = re.compile(r"\?|고르(?:시오|십시오|세요)")
"""What a question ends with: its mark, or that one is to choose."""
ARTICLE_CHUNKS = 10
"""Of so many chunks on, what is rare around a passage says something; articles as in docs/refusing.md have 20 to 75,
documents of the other sets one. What lies between was not measured."""
MOSTLY = 0.5
"""From this share of the missing weight on it is names that are missing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to answer.

    Attributes:
        coverage: how well the evidence bears the question, 0..1; compares within a language and form of question.
        why: `covered`, or what speaks most against an answer.
    """

    enough: bool
    coverage: float
    why: Why


def decide(asked: Asked, evidence: Sequence[Evidence], near: Neighbourhoods | None = None) -> Verdict:
    """Judge the evidence by the table of the question's language.

    Args:
        near: what stands around the passages (`around.around`); without it each document is taken to be no more than
            its passages among the evidence.
    """
    if not evidence:
        return Verdict(False, 0.0, "no_evidence")
    support = Support(asked, evidence, near)
    form = form_of(asked, support.around(0).chunks)
    table = TABLES[asked.language, form]
    seen = support.passages()
    best = max(range(len(seen)), key=lambda at: _sum(table.passage, seen[at]))
    sentence = support.sentence(best)
    against = _twist(table, sentence)
    covered = table.covered + _sum(table.passage, seen[best]) + _sum(table.sentence, sentence.signs)
    coverage = round(_share(STEEPNESS * (covered + SHIFT)) * _share(against) ** TWIST_SHARE, 6)
    enough = coverage >= THRESHOLDS[asked.language, form]
    return Verdict(enough, coverage, "covered" if enough else _worst(table, seen[best], sentence))


def form_of(asked: Asked, chunks: int) -> Form:
    """Say how a question is judged, whose best passage has so many chunks around it."""
    if len(terms("".join(_ASKED_OR_TOLD.split(asked.text, 1)[1:]))) >= OPTION_TERMS:
        return "options"
    return "question" if chunks >= ARTICLE_CHUNKS else "short"


def _twist(table: Table, sentence: BestSentence) -> float:
    """Sum the signs of a twist; without a table for them nothing speaks against the question."""
    if table.twist is None:
        return math.inf
    return table.straight + _sum(table.twist, sentence.twist)


def _sum(weights: Iterable[float], signs: Iterable[float]) -> float:
    return sum(weight * sign for weight, sign in zip(weights, signs, strict=True))


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _worst(table: Table, seen: PassageSigns, sentence: BestSentence) -> Why:
    """Name what takes most from the odds of an answer."""
    weights, signs, twist = table.sentence, sentence.signs, table.twist
    words = table.passage.words * (1 - seen.words) - table.passage.missing * seen.missing
    losses: dict[Why, float] = {
        "words_missing": words - table.passage.lacking * seen.lacking + weights.share * (1 - signs.share),
        "kind_missing": -weights.kind * signs.kind,
        "negation_missing": -weights.negation * signs.negation,
    }
    if twist is not None:
        losses["kind_missing"] -= twist.kind * signs.kind
        losses["negation_missing"] -= twist.negation * signs.negation
        losses["opposite_told"] = -twist.opposite * sentence.twist.opposite
    worst = max(losses, key=lambda why: losses[why])
    lost = sum(sentence.missing) / sentence.asked.full
    return "name_missing" if worst == "words_missing" and lost and signs.names >= MOSTLY * lost else worst
