"""How explanations of a set's multiple-choice questions ended, and whether they cite the passage that answers: pure.

In: questions with choices, and of each how its explanation stands. Out: shares by group of questions. What a stored
text lands on is told by whoever made it, and by the choice that the text names; for texts copied from documents also by
the words that they share with each choice, which says how good they are and forbids nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.evaluate.choose import to_time
from services.evaluate.figures import DIGITS
from services.evaluate.sets import EvaluationSet, Question
from services.text.terms import query_terms, term_id, terms

CHOICES = range(2, 6)
"""The question bank takes two to five choices."""


@dataclass(frozen=True, slots=True)
class Explained:
    """How one question's explanation ended.

    Attributes:
        status: of the question: ready, failed, skipped; another one where its job is not final.
        code: why it failed or was skipped.
        elsewhere: a stored text lands on another choice than the stored one.
        cites: a stored text cites a document.
        cites_gold: it cites the passage that answers; None where the index has none.
        fits_other: a text copied from documents shares more of another choice's words; None for others.
    """

    status: str
    code: str | None
    elsewhere: bool = False
    cites: bool = False
    cites_gold: bool | None = None
    fits_other: bool | None = None


def with_choices(one: EvaluationSet, sample: int | None) -> list[Question]:
    """Give the questions of a set that can be put to the question bank, at most `sample`, always the same ones."""
    fit = [each for each in one.questions if len(each.choices) in CHOICES and _has_right_one(each)]
    return fit if sample is None else to_time(fit, sample)


def _has_right_one(question: Question) -> bool:
    return question.correct is not None and 0 <= question.correct < len(question.choices)


def shares(ended: Sequence[Explained]) -> dict[str, float]:
    """Weigh how explanations ended.

    Returns:
        `n`; `ready`, `guard_fail`, `skipped`, `failed` (for another reason), `open` as shares of all; `elsewhere` as a
        count; of the ready ones the shares `cites`, `gold` (of those that have a passage) and `fits_other`, each only
        where there is one to count.
    """
    ready = [each for each in ended if each.status == "ready"]
    failed = [each for each in ended if each.status == "failed"]
    guarded = sum(each.code == "guard_fail" for each in failed)
    skipped = sum(each.status == "skipped" for each in ended)
    counts = {"ready": len(ready), "guard_fail": guarded, "skipped": skipped, "failed": len(failed) - guarded}
    counts["open"] = len(ended) - sum(counts.values())
    return {
        "n": len(ended),
        **{name: round(count / len(ended), DIGITS) for name, count in counts.items()},
        "elsewhere": sum(each.elsewhere for each in ready),
        **_share("cites", [each.cites for each in ready]),
        **_share("gold", [each.cites_gold for each in ready]),
        **_share("fits_other", [each.fits_other for each in ready]),
    }


def _share(name: str, given: Iterable[bool | None]) -> dict[str, float]:
    known = [each for each in given if each is not None]
    return {name: round(sum(known) / len(known), DIGITS)} if known else {}


def term_ids(questions: Iterable[Question]) -> list[int]:
    """Give the terms of all choices, whose weights tell which choice a text fits."""
    return sorted({ident for each in questions for choice in each.choices for ident in query_terms(choice).values()})


def fits_other(text: str, question: Question, weights: Mapping[int, float]) -> bool:
    """Say whether a text holds more of another choice's own words, by weight, than of the right one's."""
    said, asked = set(map(term_id, terms(text))), set(query_terms(question.text).values())
    held = [_held(set(query_terms(choice).values()), asked, said, weights) for choice in question.choices]
    return max(held) > held[question.correct or 0]


def _held(choice: set[int], asked: set[int], said: set[int], weights: Mapping[int, float]) -> float:
    own = choice - asked or choice
    whole = sum(weights.get(term, 0.0) for term in own)
    return sum(weights.get(term, 0.0) for term in own & said) / whole if whole else 0.0
