"""How well evidence bears a question, in signs: counting of words, weighing nothing but words by their rarity.

In: a question and its evidence. Out: the signs of each passage, of a passage's best sentence, and of what tells a false
question from a true one. How they are weighed is for support_weights.py, what follows from it for decide.py.
"""

import math
import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from services.answer.around import Around, Neighbourhoods, among
from services.answer.evidence import Evidence
from services.answer.extract import quotable_spans
from services.answer.question import Asked, negated
from services.answer.support_opposites import opposites
from services.answer.support_signs import PassageSigns, SentenceSigns, TwistSigns
from services.answer.support_words import LEAST_COMMON, Wanted, Wording, wanted
from services.text.terms import terms

HEAD_CHARS = 60
"""A Korean passage that names the topic of the question in so many characters is about it."""
FIT = 0.1
"""What holding the kind of thing asked for adds to a sentence's share, where the best sentence is chosen."""

_RESTRICTS = re.compile(r"\b(?:only|less|lack\w*|non|if|besides|other than|instead|rather|un\w+|dis\w+)\b", re.I)
_POINTS = re.compile(r"\b(?:he|his|she|her|they|their|this)\b", re.I)
_LATIN = re.compile(r"[a-z][a-z-]+")
_TOKEN = re.compile(r"[a-z0-9가-힣][\w'’-]*")
_BINDS = frozenset(["of", "in", "by", "for", "from", "to", "on", "at", "with"])


class Support:
    """A question held against its evidence, at least one passage."""

    def __init__(self, asked: Asked, evidence: Sequence[Evidence], near: Neighbourhoods | None = None) -> None:
        """Take what stands around the passages from `near`, or from the evidence where it does not say."""
        self.asked = asked
        self.near = {**among(evidence), **(near or {})}
        self.evidence = evidence
        self.words = wanted(asked)
        self.wordings = [Wording(each.title, each.text) for each in evidence]
        self.total = sum(asked.weights.values()) or 1.0
        self.full = asked.full
        self.has = [[wording.has(word) for word in self.words] for wording in self.wordings]

    @cached_property
    def vocabularies(self) -> list[frozenset[str]]:
        """The terms of each passage's text, without those of its title."""
        return [frozenset(terms(each.text)) for each in self.evidence]

    def passages(self) -> list[PassageSigns]:
        """Look at every passage."""
        return [self._passage(at) for at in range(len(self.evidence))]

    def sentence(self, at: int) -> "BestSentence":
        """Look at the best sentence of a passage; of one without a sentence at its title."""
        return BestSentence(self, at)

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

    def around(self, at: int) -> Around:
        """Give the neighbourhood of a passage."""
        return self.near[self.evidence[at].chunk_id]

    def rarities(self, at: int) -> list[float]:
        """Weigh each word by its rarity around a passage."""
        here = self.around(at)
        return [_most_telling(here, word) for word in self.words]

    def _passage(self, at: int) -> PassageSigns:
        wording, evidence = self.wordings[at], self.evidence[at]
        has = self.has[at]
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
            local=self.local(at) / self.full,
            score=evidence.score / self.total,
            lead=(evidence.score - others) / self.total,
            apart=_dot(self.rarities(at), has),
            begins=float(topic is not None and wording.text_unspaced.startswith(topic.form)),
            margin=(evidence.score - others) / (evidence.score or 1.0),
            ahead=self._ahead(at),
        )

    def local(self, at: int) -> float:
        """Weigh what this passage has by how few of the evidence have it."""
        mine = self.asked.weights.keys() & self.wordings[at].terms
        return sum(self.asked.weights[term] * (1 - self._spread(term)) for term in mine)

    def _ahead(self, at: int) -> float:
        mine = self.evidence[at].score
        if mine <= 0:  # as a reranker may score: no share of it can be told
            return 0.0
        others = (each.score * (1 - self._same(at, other)) for other, each in enumerate(self.evidence) if other != at)
        return 1 - max([0.0, *others]) / mine

    def _same(self, one: int, other: int) -> float:
        """Say how much of the shorter text's words stand in the other text, 0..1."""
        some, others = self.vocabularies[one], self.vocabularies[other]
        return len(some & others) / (min(len(some), len(others)) or 1)

    def _spread(self, term: str) -> float:
        return sum(term in wording.terms for wording in self.wordings) / len(self.wordings)


class BestSentence:
    """The sentence of a passage that says most of the question."""

    def __init__(self, support: Support, at: int) -> None:
        self.support, self.asked, self.at = support, support.asked, at
        evidence = support.evidence[at]
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
    def has(self) -> list[float]:
        """What it has of each word of the question."""
        return [self.wording.has(word) for word in self.support.words]

    @cached_property
    def around(self) -> list[float]:
        """What it or a neighbour has of each word."""
        return [max(each.has(word) for each in self.near) for word in self.support.words]

    @cached_property
    def missing(self) -> list[float]:
        """What it lacks of each word of the question."""
        return self.support.missing(self.has)

    @cached_property
    def rarities(self) -> list[float]:
        """How rare each word is around the passage."""
        return self.support.rarities(self.at)

    @cached_property
    def signs(self) -> SentenceSigns:
        """Its signs."""
        return SentenceSigns(
            share=self.asked.share(self.wording.terms),
            window=self.support.share(self.around),
            names=self.support.names(self.missing),
            kind=float(not self.asked.fits(self.text)),
            negation=float(self.asked.negated and not negated(self.text)),
            length=math.log1p(len(self.support.words)),
            apart=_dot(self.rarities, self.has),
            phrases=self._phrases(),
        )

    @cached_property
    def twist(self) -> TwistSigns:
        """The signs that the question was turned round; made of English words."""
        question, signs, words = self.asked.text, self.signs, self.support.words
        telling = [float(not word.asking) for word in words]
        return TwistSigns(
            names=signs.names,
            kind=signs.kind,
            negation=signs.negation,
            rarest=max(self.missing, default=0.0) / self.asked.full,
            denied=float(self.asked.negated),
            denies=float(negated(self.text) and not self.asked.negated),
            restricts=float(_RESTRICTS.search(question) is not None),
            opposite=float(self._opposite()),
            title=self.asked.share(Wording(self.title, "").terms),
            numbers=float(sum(word.form[0].isdigit() and not has for word, has in zip(words, self.has, strict=True))),
            points=float(_POINTS.search(question) is not None),
            familiar=self._familiar(),
            rarity=_dot(self.rarities, telling),
            local=self.support.local(self.at) / self.asked.full,
            bound=float(self._bound()),
            elsewhere=self._elsewhere(),
            words=sum(telling) / 10,
            near=_dot(self.rarities, self.around),
        )

    def _phrases(self) -> float:
        asked = _TOKEN.findall(self.asked.text.lower())
        told = _TOKEN.findall(self.text.lower())
        pairs = set(pairwise(asked))
        return len(pairs & set(pairwise(told))) / (len(pairs) or 1)

    def _familiar(self) -> float:
        here = self.support.around(self.at)
        told = zip(self.support.words, self.support.has[self.at], strict=True)
        weights = [word.weight * has * math.log1p(_held(here, word)) for word, has in told if not word.asking]
        return sum(weights) / self.asked.full

    def _elsewhere(self) -> float:
        here = self.support.around(self.at)
        lacking = zip(self.support.words, self.support.missing(self.support.has[self.at]), strict=True)
        return sum(lost for word, lost in lacking if _held(here, word)) / self.asked.full

    def _bound(self) -> int:
        tokens = _TOKEN.findall(self.asked.text.lower())
        before = {term: one for one, other in reversed([*pairwise(tokens)]) for term in terms(other)}
        pairs = zip(self.support.words, self.has, strict=True)
        return sum(has < LEAST_COMMON and before.get(word.terms[0]) in _BINDS for word, has in pairs)

    def _opposite(self) -> int:
        asked = set(self.asked.weights) | set(_LATIN.findall(self.asked.text.lower()))
        told = self.wording.terms | set(_LATIN.findall(self.text.lower()))
        turned = told - asked
        return sum(any(other in turned for other in opposites(word)) for word in asked - told)


def _held(here: Around, word: Wanted) -> int:
    """Count the chunks around that have a word: of a Hangul word its rarest bigram, else its commonest term."""
    return (min if word.hangul else max)(here.holding.get(term, 0) for term in word.terms)


def _most_telling(here: Around, word: Wanted) -> float:
    """Weigh a word by its rarity around, as `_held` counts it."""
    return (max if word.hangul else min)(here.rarity(term) for term in word.terms)


def _dot(some: Sequence[float], others: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(some, others, strict=True))
