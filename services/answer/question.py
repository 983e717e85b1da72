"""Read what a question asks for, as far as rules can: its language, its kind, its names and its weighted
terms.

In: the question and the idf of its terms. Out: one value that judging and extracting share, so that both look
at the same words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from services.text.language import ReplyLanguage, reply_language
from services.text.terms import terms

Kind = Literal["when", "amount", "who", "where", "other"]

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "when",
        re.compile(
            r"\bwhen\b|\b(?:what|which) (?:year|date|month|day|century|decade)\b"
            r"|언제|몇\s?(?:년|월|일)|어느\s?해",
            re.I,
        ),
    ),
    (
        "amount",
        re.compile(
            r"\bhow (?:many|much|long|old|far|tall|high|large|big|fast|often)\b"
            r"|\bwhat (?:percent|number|population)|몇|얼마",
            re.I,
        ),
    ),
    ("who", re.compile(r"\bwho(?:m|se)?\b|누구|누가", re.I)),
    ("where", re.compile(r"\bwhere\b|어디", re.I)),
)
_DATE = re.compile(
    r"\d{4}|\d0s\b|\d(?:st|nd|rd|th)\b|century|\d\s?[년월일]|세기"
    r"|Jan(?:uary)?\b|Feb(?:ruary)?\b|March|April|\bMay\b|June|July|August|September|October|November|December"
)
_AMOUNT = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|dozens?|hundreds?"
    r"|thousands?|[mb]illions?|half|thirds?|quarters?)\b|[한두세네몇]\s?[개명번가]",
    re.I,
)
_NAME = re.compile(r"(?<!\A)(?<![.!?]\s)\b[A-Z][\w-]+")
_NAME_OR_NUMBER = re.compile(r"(?<!\A)\b[A-Z][\w-]+|\d[\d,.]*")
_NEGATION = re.compile(
    r"\b(?:not|never|no|nor|none|neither|without|except|cannot|unable|fail\w*|refus\w*|least)\b|n['’]t\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as judging and extracting see it."""

    text: str
    language: ReplyLanguage
    kind: Kind
    weights: Mapping[str, float]
    """Inverse document frequency by term, as `terms.question_weights` gives it."""
    names: frozenset[str]
    """Terms of its numbers and of its capitalised words, the first word left out."""
    negated: bool
    full: float
    """What a term in no passage would weigh: the scale of the weights, which grows with the corpus."""

    def share(self, found: Iterable[str]) -> float:
        """Say how much of the question's weight these terms hold, 0..1; 0 for a question without terms."""
        return self._weight(self.weights.keys() & set(found)) / (self._weight(self.weights) or 1.0)

    def fits(self, sentence: str) -> bool:
        """Say whether a sentence holds the kind of thing asked for: a date, an amount, a name new to the
        question."""
        match self.kind:
            case "when":
                return _DATE.search(sentence) is not None
            case "amount":
                return _AMOUNT.search(sentence) is not None
            case "who" | "where":
                return self.language == "ko" or self._has_new_name(sentence)
            case "other":
                return True

    def _has_new_name(self, sentence: str) -> bool:
        known = self.text.lower()
        return any(match.group().lower() not in known for match in _NAME.finditer(sentence))

    def _weight(self, some: Iterable[str]) -> float:
        return sum(self.weights.get(term, 0.0) for term in some)


FULL_WEIGHT = 9.0
"""Idf of a term in none of 4,000 passages: the corpus on which the weights of support_weights.py were found."""


def read(question: str, weights: Mapping[str, float], full: float = FULL_WEIGHT) -> Asked:
    """Read a question.

    Args:
        question: as the user wrote it.
        weights: inverse document frequency by term (`terms.question_weights`).
        full: the same of a term in no passage (`terms.idf(0, n)`), above 0.
    """
    names = terms(" ".join(_NAME_OR_NUMBER.findall(question)))
    language, kind = reply_language(question), _kind(question)
    return Asked(question, language, kind, weights, frozenset(names), negated(question), full)


def negated(text: str) -> bool:
    """Say whether an English text denies or excludes something (not, never, except, ...)."""
    return _NEGATION.search(text) is not None


def _kind(question: str) -> Kind:
    for kind, pattern in _KINDS:
        if pattern.search(question):
            return kind
    return "other"
