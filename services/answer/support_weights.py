"""What each sign of support counts, and from which support on evidence is enough: data, with how it was found.

In: nothing. Out: two tables of weights, English and Korean, and four thresholds. How they were found, with the figures,
is in docs/refusing.md; whoever changes a sign in support.py has to find them anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.answer.support import PassageSigns, SentenceSigns, TwistSigns
from services.text.language import ReplyLanguage

Form = Literal["question", "options"]
"""Whether a question is asked alone, or with the options of an exam behind it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One language's weights: of two logistic regressions, of which the product of the shares is the support.

    Attributes:
        covered: where the signs of passage and sentence sum to 0, the odds of an answer are even.
        straight: the same for the signs of a twist; None where no false questions were at hand to learn from.
    """

    passage: PassageSigns
    sentence: SentenceSigns
    covered: float
    twist: TwistSigns | None
    straight: float


TWIST_SHARE = 0.7
"""The power to which the second share is raised: at 0 English refuses .660 of the withheld questions (AUROC .885) and
.156 of the adversarial (.574), at 0.7 .656 (.875) and .235 (.658), at 1 .652 (.869) and .265 (.668)."""

ENGLISH = Table(
    passage=PassageSigns(
        share=0.05,
        words=1.29,
        missing=-0.25,
        names=-0.75,
        topic=0.0,
        head=0.0,
        lacking=-1.87,
        local=1.16,
        score=0.49,
        lead=0.43,
    ),
    sentence=SentenceSigns(share=0.77, window=0.29, names=-0.11, kind=-0.98, negation=-1.12, length=0.0),
    covered=-2.25,
    twist=TwistSigns(
        share=0.35,
        window=-0.05,
        names=-0.44,
        kind=-0.64,
        negation=-1.86,
        rarest=-0.97,
        denied=-1.21,
        denies=-0.3,
        restricts=-0.4,
        opposite=-1.31,
        title=1.74,
        numbers=-0.8,
        points=0.67,
        length=0.51,
        weight=0.16,
    ),
    straight=-0.49,
)
KOREAN = Table(
    passage=PassageSigns(
        share=1.16,
        words=1.49,
        missing=-0.26,
        names=0.0,
        topic=-0.85,
        head=0.61,
        lacking=-1.4,
        local=0.51,
        score=0.61,
        lead=0.41,
    ),
    sentence=SentenceSigns(share=1.29, window=0.68, names=0.0, kind=0.0, negation=0.0, length=0.63),
    covered=-4.46,
    twist=None,
    straight=0.0,
)
TABLES: Mapping[ReplyLanguage, Table] = MappingProxyType({"en": ENGLISH, "ko": KOREAN})

THRESHOLDS: Mapping[tuple[ReplyLanguage, Form], float] = MappingProxyType(
    {
        ("en", "question"): 0.17,
        ("en", "options"): 0.28,
        ("ko", "question"): 0.47,
        ("ko", "options"): 0.28,
    }
)
"""Least support that is enough: about one in ten of the answerable questions is refused (squad2-en, kobest-ko, and the
two sets of Belebele asked with their options)."""
