"""How well evidence bears a question, in signs: counting of words, weighing nothing but words by their rarity.

In: a question and its evidence. Out: the signs of each passage, of a passage's best sentence, and of what tells a false
question from a true one. How they are weighed is for support_weights.py, what follows from it for decide.py.
"""

import math
import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from services.answer.evidence import Evidence
from services.answer.extract import quotable_spans
from services.answer.question import Asked, negated
from services.answer.support_opposites import opposites
from services.answer.support_words import Wording, wanted

HEAD_CHARS = 60
"""A Korean passage that names the topic of the question in so many characters is about it."""
FIT = 0.1
"""What holding the kind of thing asked for adds to a sentence's share, where the best sentence is chosen."""

_RESTRICTS = re.compile(r"\b(?:only|less|lack\w*|non|if|besides|other than|instead|rather|un\w+|dis\w+)\b", re.I)
_POINTS = re.compile(r"\b(?:he|his|she|her|they|their|this)\b", re.I)
_LATIN = re.compile(r"[a-z][a-z-]+")


class PassageSigns(NamedTuple):
    """What is seen of a passage with its title; a tuple, since signs and weights are multiplied one by one."""

    share: float
    """Of the question's idf weight."""
    words: float
    """The same by words, inflected or misspelt ones too; words that only ask left out."""
    missing: float
    """Weight of the words it lacks, in words of full weight (`Asked.full`)."""
    names: float
    """Weight of the names and numbers it lacks."""
    topic: float
    """Weight of the question's first word, where that is Hangul and lacking."""
    head: float
    """1 where a Hangul topic stands at the beginning of the passage."""
    lacking: float
    """Share of the words of which nothing is here."""
    local: float
    """Weight of what it has and other passages of the evidence have not."""
    score: float
    """Of the search, per weight of the question."""
    lead: float
    """Score over the best other passage, per weight of the question."""


class SentenceSigns(NamedTuple):
    """What is seen of a passage's best sentence, with the title."""

    share: float
    """Of the question's idf weight."""
    window: float
    """The same by words, in it and its neighbours."""
    names: float
    """Weight of the names and numbers it lacks."""
    kind: float
    """1 when a date, an amount or a name is asked for and it has none."""
    negation: float
    """1 when the question denies something and it does not."""
    length: float
    """Natural logarithm of 1 + the number of words of the question."""


class TwistSigns(NamedTuple):
    """What tells a question that was turned round (not, last for first, another year) from one that holds."""

    share: float
    window: float
    names: float
    kind: float
    negation: float
    rarest: float
    """Weight of the heaviest word that the best sentence lacks."""
    denied: float
    """1 when the question denies something."""
    denies: float
    """1 when the best sentence denies something and the question does not."""
    restricts: float
    """1 when the question restricts (only, less, if, un...)."""
    opposite: float
    """Words of the question whose opposites stand in the best sentence instead."""
    title: float
    """Share of the question's weight in the title."""
    numbers: float
    """Numbers of the question that the best sentence lacks."""
    points: float
    """1 when the question points at somebody without a name, as one asked in front of a text does."""
    length: float
    """Words of the question, function words too, in tens."""
    weight: float
    """The question's idf weight, in words of full weight."""


class Support:
    """A question held against its evidence, at least one passage."""

    def __init__(self, asked: Asked, evidence: Sequence[Evidence]) -> None:
        self.asked = asked
        self.evidence = evidence
        self.words = wanted(asked)
        self.wordings = [Wording(each.title, each.text) for each in evidence]
        self.total = sum(asked.weights.values()) or 1.0
        self.full = asked.full

    def passages(self) -> list[PassageSigns]:
        """Look at every passage."""
        return [self._passage(at) for at in range(len(self.evidence))]

    def sentence(self, at: int) -> "BestSentence":
        """Look at the best sentence of a passage; of one without a sentence at its title."""
        return BestSentence(self, self.evidence[at])

    def missing(self, has: Sequence[float]) -> list[float]:
        """Weigh what is missing of each word; of a word that only asks nothing is missed."""
        pairs = zip(self.words, has, strict=True)
        return [0.0 if word.asking else word.weight * (1 - share) for word, share in pairs]

    def names(self, missing: Sequence[float]) -> float:
        """Sum what is missing of names and numbers, in words of full weight."""
        return sum(lost for word, lost in zip(self.words, missing, strict=True) if word.name) / self.full

    def share(self, has: Sequence[float]) -> float:
        """Say how much of the words' weight is there, 0..1."""
        counted = [(word.weight, share) for word, share in zip(self.words, has, strict=True) if not word.asking]
        return sum(weight * share for weight, share in counted) / (sum(weight for weight, _ in counted) or 1.0)

    def _passage(self, at: int) -> PassageSigns:
        wording, evidence = self.wordings[at], self.evidence[at]
        has = [wording.has(word) for word in self.words]
        missing = self.missing(has)
        topic = self.words[0] if self.words and self.words[0].hangul else None
        others = max((each.score for each in self.evidence if each is not evidence), default=0.0)
        return PassageSigns(
            share=self.asked.share(wording.terms),
            words=self.share(has),
            missing=sum(missing) / self.full,
            names=self.names(missing),
            topic=missing[0] / self.full if topic else 0.0,
            head=float(topic is not None and topic.form in wording.unspaced[:HEAD_CHARS]),
            lacking=sum(not share for share in has) / (len(has) or 1),
            local=self._local(at) / self.full,
            score=evidence.score / self.total,
            lead=(evidence.score - others) / self.total,
        )

    def _local(self, at: int) -> float:
        """Weigh what this passage has by how few of the evidence have it."""
        mine = self.asked.weights.keys() & self.wordings[at].terms
        return sum(self.asked.weights[term] * (1 - self._spread(term)) for term in mine)

    def _spread(self, term: str) -> float:
        return sum(term in wording.terms for wording in self.wordings) / len(self.wordings)


class BestSentence:
    """The sentence of a passage that says most of the question."""

    def __init__(self, support: Support, evidence: Evidence) -> None:
        self.support, self.asked = support, support.asked
        texts = [evidence.text[span.start : span.end] for span in quotable_spans(evidence.text)] or [""]
        self.title = evidence.title
        wordings = [Wording(evidence.title, text) for text in texts]
        best = max(range(len(texts)), key=lambda at: self._rank(wordings[at], texts[at]))
        self.text, self.wording = texts[best], wordings[best]
        self.near = wordings[max(best - 1, 0) : best + 2]

    def _rank(self, wording: Wording, text: str) -> float:
        fit = FIT if self.asked.kind != "other" and self.asked.fits(text) else 0.0
        return self.asked.share(wording.terms) + fit

    @cached_property
    def missing(self) -> list[float]:
        """What it lacks of each word of the question."""
        return self.support.missing([self.wording.has(word) for word in self.support.words])

    @cached_property
    def signs(self) -> SentenceSigns:
        """Its signs."""
        words = self.support.words
        return SentenceSigns(
            share=self.asked.share(self.wording.terms),
            window=self.support.share([max(each.has(word) for each in self.near) for word in words]),
            names=self.support.names(self.missing),
            kind=float(not self.asked.fits(self.text)),
            negation=float(self.asked.negated and not negated(self.text)),
            length=math.log1p(len(words)),
        )

    @cached_property
    def twist(self) -> TwistSigns:
        """The signs that the question was turned round; made of English words."""
        question, signs, words = self.asked.text, self.signs, self.support.words
        return TwistSigns(
            share=signs.share,
            window=signs.window,
            names=signs.names,
            kind=signs.kind,
            negation=signs.negation,
            rarest=max(self.missing, default=0.0) / self.asked.full,
            denied=float(self.asked.negated),
            denies=float(negated(self.text) and not self.asked.negated),
            restricts=float(_RESTRICTS.search(question) is not None),
            opposite=float(self._opposite()),
            title=self.asked.share(Wording(self.title, "").terms),
            numbers=float(sum(word.form[0].isdigit() and not self.wording.has(word) for word in words)),
            points=float(_POINTS.search(question) is not None),
            length=len(question.split()) / 10,
            weight=self.support.total / self.asked.full,
        )

    def _opposite(self) -> int:
        asked = set(self.asked.weights) | set(_LATIN.findall(self.asked.text.lower()))
        told = self.wording.terms | set(_LATIN.findall(self.text.lower()))
        turned = told - asked
        return sum(any(other in turned for other in opposites(word)) for word in asked - told)
