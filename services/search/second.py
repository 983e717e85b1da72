"""A second look at the passages that BM25 ranks first: do the question's words stand together, in one sentence, at the
beginning of words?

In: a question, its weights, and the best passages with their terms in order (services/text/order.py). Out: a score for
each, of the size of BM25's. Pure; it finds nothing that BM25 has not found.

The signs and their weights were fitted on the development halves of the evaluation sets (8,204 questions, all in one
index; each half of the documents judged with weights from the other differs by less than half a point from these).
Recall at 1 without and with them: squad2-en .795 and .823, kobest-ko .949 and .964.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, pairwise

from services.text.order import BEGINS_WORD, END, ID, NUMBER
from services.text.terms import content_of, fold, worded_ids

K1 = 1.2
"""How slowly a repeated sign saturates: as BM25's (services/text/terms.py)."""
WORD_LENGTH_REFERENCE = 150
"""Terms of a middling passage, as terms.LENGTH_REFERENCE."""
LONGER_MATCH = 0.2
"""What each further character adds where the beginning of a Hangul word is found: 기단은 finds 기단이 before 이단."""
HANGUL_SHARE = 0.3
"""From this share of a question's words on it counts as Korean."""

_ASKS_NUMBER = re.compile(
    r"\b(?:when|how (?:many|much|long|old|far|large|big|tall|high|often|fast)"
    r"|(?:what|which) (?:year|date|century|decade|month|day|percent|percentage|number|amount))\b|몇|언제|얼마"
)


@dataclass(frozen=True, slots=True)
class Look:
    """A passage that BM25 found: `codes` are its terms in order, `score` is BM25's, above 0."""

    codes: Sequence[int]
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of one passage; shares are of the question's weight, 0..1 but for repetitions.

    Attributes:
        bm25: BM25's score as a share of the best one.
        pairs: neighbours of the question that are neighbours in the passage.
        answering: the best sentence's share of the squared weight; of a question for a number, of those with a number.
        sentence: the best sentence's share of the squared weight.
        title: the title's share.
        covered: share of the squared weight that passage and title have together.
        words: beginnings of the question's words that begin words of the passage.
        topic: the same of the first word, which in Korean is what the question is about.
        length: natural logarithm of the number of terms as a share of a middling passage's; 0 for such a one.
    """

    bm25: float
    pairs: float
    answering: float
    sentence: float
    title: float
    covered: float
    words: float
    topic: float
    length: float


ENGLISH = Signs(1.0, 0.59, 0.46, 0.18, 0.27, 0.31, -0.16, -0.02, -0.06)
KOREAN = Signs(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.65, 1.0, -0.3)


class Asked:
    """A question as it is held against passages."""

    def __init__(self, question: str, weights: Mapping[int, float]) -> None:
        self.weights = weights
        self.codes = frozenset(
            [END, *(ident | flags for ident in weights for flags in (0, BEGINS_WORD, NUMBER, BEGINS_WORD | NUMBER))]
        )
        tokens = [token for token in worded_ids(content_of(question)) if all(ident in weights for ident in token[2])]
        ids = [ident for _, _, found in tokens for ident in found]
        self.pairs = {(one, two): min(weights[one], weights[two]) for one, two in pairwise(ids) if one != two}
        # Of a number or an article the last term is the whole of it.
        self.words = [found if kind == "run" else found[-1:] for kind, _, found in tokens if found]
        self.for_number = bool(_ASKS_NUMBER.search(fold(question)))
        hangul = sum(kind == "run" for kind, _, _ in tokens)
        self.signs = KOREAN if hangul >= HANGUL_SHARE * max(len(tokens), 1) else ENGLISH
        self.total = sum(weights.values()) or 1.0
        self.squares = sum(weight * weight for weight in weights.values()) or 1.0
        self.full = sum(max(weights[ident] for ident in word) for word in self.words) or 1.0


def second_look(question: str, weights: Mapping[int, float], looks: Sequence[Look]) -> list[float]:
    """Score passages anew.

    Args:
        weights: the question's side of BM25, by id of the term.
        looks: best first, as BM25 ordered them.
    Returns:
        a score for each; the best BM25 score is what a sign of weight 1 would count.
    """
    if not looks:
        return []
    asked = Asked(question, weights)
    best = looks[0].score or 1.0
    return [best * max(_weighed(asked.signs, _signs(asked, look, best)), 0.0) for look in looks]


def _weighed(weights: Signs, signs: Signs) -> float:
    return (
        weights.bm25 * signs.bm25
        + weights.pairs * signs.pairs
        + weights.answering * signs.answering
        + weights.sentence * signs.sentence
        + weights.title * signs.title
        + weights.covered * signs.covered
        + weights.words * signs.words
        + weights.topic * signs.topic
        + weights.length * signs.length
    )


def _signs(asked: Asked, look: Look, best: float) -> Signs:
    weights = asked.weights
    seen = list(compress(enumerate(look.codes), map(asked.codes.__contains__, look.codes)))
    in_title = _title_ids(look.title)
    present = {code & ID for _, code in seen if code} | {ident for ident in weights if ident in in_title}
    counted = asked.signs.sentence or asked.signs.answering
    sentence, answering = _sentences(asked, seen, look.codes) if counted else (0.0, 0.0)
    words, topic = _words(asked, seen, len(look.codes))
    return Signs(
        bm25=look.score / best,
        pairs=_pairs(asked, seen) if asked.signs.pairs else 0.0,
        answering=answering,
        sentence=sentence,
        title=sum(weight for ident, weight in weights.items() if ident in in_title) / asked.total,
        covered=sum(weights[ident] ** 2 for ident in present) / asked.squares,
        words=words,
        topic=topic,
        length=math.log((1 + len(look.codes)) / (1 + WORD_LENGTH_REFERENCE)),
    )


_Seen = list[tuple[int, int]]


def _pairs(asked: Asked, seen: _Seen) -> float:
    """Count neighbours of the question that stand side by side; a pair that comes often saturates."""
    found: Counter[tuple[int, int]] = Counter()
    for (place, code), (next_place, next_code) in pairwise(seen):
        pair = (code & ID, next_code & ID)
        if next_place == place + 1 and pair in asked.pairs:
            found[pair] += 1
    return sum(asked.pairs[pair] * _saturated(count, K1) for pair, count in found.items()) / asked.total


def _sentences(asked: Asked, seen: _Seen, codes: Sequence[int]) -> tuple[float, float]:
    """Find the sentence that has most of the question, and that of those which can answer it."""
    best = answering = 0.0
    begin, found = 0, set[int]()
    for place, code in seen:
        if code != END:
            found.add(code & ID)
            continue
        if found:
            share = sum(asked.weights[ident] ** 2 for ident in found) / asked.squares
            best = max(best, share)
            if share > answering and (not asked.for_number or any(code & NUMBER for code in codes[begin:place])):
                answering = share
            found = set()
        begin = place
    return best, answering


def _words(asked: Asked, seen: _Seen, length: int) -> tuple[float, float]:
    """Find how much of each word of the question begins a word of the passage, and how often."""
    at = dict(seen)
    starts: dict[int, list[int]] = {}
    for place, code in seen:
        if code & BEGINS_WORD:
            starts.setdefault(code & ID, []).append(place)
    shares = [_beginning(asked, word, starts.get(word[0], ()), at, length) / asked.full for word in asked.words]
    return sum(shares), shares[0] if shares else 0.0


def _beginning(asked: Asked, word: Sequence[int], starts: Sequence[int], at: Mapping[int, int], length: int) -> float:
    longest = count = 0
    for start in starts:
        matched = 1
        while matched < len(word) and at.get(start + matched) == word[matched]:
            matched += 1
        if matched > longest:
            longest, count = matched, 1
        elif matched == longest:
            count += 1
    if not longest:
        return 0.0
    weight = max(asked.weights[ident] for ident in word[:longest]) * (1 + LONGER_MATCH * (longest - 1))
    return weight * _saturated(count, K1 * (0.25 + 0.75 * length / WORD_LENGTH_REFERENCE))


def _saturated(count: int, norm: float) -> float:
    return count * (K1 + 1) / (count + norm)


@lru_cache(maxsize=4096)
def _title_ids(title: str) -> frozenset[int]:
    return frozenset(ident for _, _, ids in worded_ids(fold(title)) for ident in ids)
