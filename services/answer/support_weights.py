"""What each sign of support counts, and from which support on evidence is enough: data, with how it was found.

In: nothing. Out: five tables of weights, three English and two Korean, and thresholds. How they were found, with the
figures, is in docs/refusing.md; whoever changes a sign in support.py has to find them anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.answer.support_signs import PassageSigns, SentenceSigns, TwistSigns
from services.text.language import ReplyLanguage

Form = Literal["question", "short", "options"]
"""How a question is judged: asked alone, asked alone where the best passage stands in a short document, whose
neighbourhood says nothing (around.py), or asked with the options of an exam behind it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One language's weights: of two logistic regressions, of which the product of the shares is the support.

    Attributes:
        covered: where the signs of passage and sentence sum to 0, the odds of an answer are even.
        straight: the same for the signs of a twist.
        twist: None where no false questions were at hand to learn from, and for questions with options, which name
            wrong things by their nature.
    """

    passage: PassageSigns
    sentence: SentenceSigns
    covered: float
    twist: TwistSigns | None
    straight: float


STEEPNESS = 2.5
SHIFT = 1.0
TWIST_SHARE = 0.2
"""How the two are put together: share(STEEPNESS * (log odds of cover + SHIFT)) * share(log odds of straightness) **
TWIST_SHARE. A question that is hardly covered is judged by that alone, one that is well covered by whether it was
turned round; in a plain product each does harm to the other (docs/refusing.md)."""

ENGLISH = Table(
    passage=PassageSigns(
        share=0.06,
        words=0.99,
        missing=-0.24,
        names=-0.76,
        topic=0.0,
        head=0.0,
        lacking=-0.73,
        local=0.54,
        score=0.25,
        lead=0.29,
        apart=0.09,
        begins=0.0,
        margin=0.0,
        ahead=0.0,
    ),
    sentence=SentenceSigns(
        share=0.76,
        window=0.79,
        names=-0.34,
        kind=-0.65,
        negation=-0.55,
        length=0.0,
        apart=0.08,
        phrases=2.43,
    ),
    covered=-3.35,
    twist=TwistSigns(
        names=-0.39,
        kind=-0.63,
        negation=-1.88,
        rarest=-0.91,
        denied=-1.34,
        denies=-0.29,
        restricts=-0.41,
        opposite=-1.37,
        title=1.67,
        numbers=-0.75,
        points=0.71,
        familiar=0.34,
        rarity=0.1,
        local=-0.76,
        bound=-0.29,
        elsewhere=0.62,
        words=-3.05,
        near=0.11,
    ),
    straight=-0.41,
)
SHORT = Table(
    passage=PassageSigns(
        share=0.0,
        words=1.12,
        missing=-0.16,
        names=-0.74,
        topic=0.0,
        head=0.0,
        lacking=-1.51,
        local=1.27,
        score=0.06,
        lead=0.3,
        apart=0.0,
        begins=0.0,
        margin=0.0,
        ahead=0.0,
    ),
    sentence=SentenceSigns(
        share=0.93,
        window=1.02,
        names=-0.3,
        kind=-0.71,
        negation=-0.53,
        length=0.0,
        apart=0.0,
        phrases=2.81,
    ),
    covered=-2.74,
    twist=TwistSigns(
        names=-0.33,
        kind=-0.65,
        negation=-1.91,
        rarest=-0.74,
        denied=-0.98,
        denies=-0.24,
        restricts=-0.24,
        opposite=-1.21,
        title=1.67,
        numbers=-0.72,
        points=0.74,
        familiar=0.0,
        rarity=0.0,
        local=0.0,
        bound=-0.22,
        elsewhere=0.0,
        words=0.0,
        near=0.0,
    ),
    straight=0.6,
)
"""English too, without the signs of the neighbourhood."""
KOREAN = Table(
    passage=PassageSigns(
        share=2.1,
        words=2.12,
        missing=-0.37,
        names=0.0,
        topic=-1.23,
        head=0.26,
        lacking=-1.25,
        local=0.53,
        score=0.04,
        lead=0.47,
        apart=0.0,
        begins=1.11,
        margin=0.45,
        ahead=0.0,
    ),
    sentence=SentenceSigns(
        share=0.94,
        window=0.76,
        names=0.0,
        kind=0.0,
        negation=0.0,
        length=0.88,
        apart=0.0,
        phrases=0.0,
    ),
    covered=-5.31,
    twist=None,
    straight=0.0,
)
NO_PASSAGE = PassageSigns._make([0.0] * len(PassageSigns._fields))
NO_SENTENCE = SentenceSigns._make([0.0] * len(SentenceSigns._fields))
OPTIONS = Table(
    passage=NO_PASSAGE._replace(words=2.82, ahead=1.43),
    sentence=NO_SENTENCE,
    covered=-2.76,
    twist=None,
    straight=0.0,
)
"""English with options: two signs, neither of which a copy of the passage, the size of the corpus or the scale of the
search's scores moves much. Words of wrong options are missing from the right passage, too, so that what is missing
says little."""
OPTIONS_KOREAN = Table(
    passage=NO_PASSAGE._replace(words=3.36, ahead=1.61),
    sentence=NO_SENTENCE,
    covered=-2.8,
    twist=None,
    straight=0.0,
)
TABLES: Mapping[tuple[ReplyLanguage, Form], Table] = MappingProxyType(
    {
        ("en", "question"): ENGLISH,
        ("en", "short"): SHORT,
        ("en", "options"): OPTIONS,
        ("ko", "question"): KOREAN,
        ("ko", "short"): KOREAN,
        ("ko", "options"): OPTIONS_KOREAN,
    }
)

THRESHOLDS: Mapping[tuple[ReplyLanguage, Form], float] = MappingProxyType(
    {
        ("en", "question"): 0.529,
        ("en", "short"): 0.514,
        ("en", "options"): 0.801,
        ("ko", "question"): 0.925,
        ("ko", "short"): 0.925,
        ("ko", "options"): 0.71,
    }
)
"""Least support that is enough: about one in ten of the answerable questions is refused (squad2-en, kobest-ko, and the
two sets of Belebele asked with their options, where at most so many are refused in an index of each set and in one of
all; that of short documents in English from squad2-en, too)."""
