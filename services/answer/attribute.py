"""Give a claim that a model left without a marker the marker of the passage that says it in the same words.

In: what a model wrote, and the passages that it was shown. Out: the same text, with markers added where one passage
leaves no doubt. A small model often copies rightly and forgets to cite. What no passage says in these words stays
without a marker.
"""

from collections.abc import Sequence
from itertools import pairwise

from services.answer.check import Claim, claims
from services.answer.evidence import Evidence
from services.answer.extract import quotable_spans
from services.answer.founded import COPULA, stands, without_orders
from services.answer.grounding import check_numbers
from services.answer.light_words import is_light
from services.answer.question import Asked
from services.answer.support_words import Wanted, Wording, wanted, words_in

LEAST_SHARE = 0.8
"""What two neighbouring sentences of a passage must have of a claim's words, and of those that are not the question's.
Strict, for the passage is shown as the claim's source: at .75 «The Panthers formed in 2016» was traced to a game of
2016 (SmolLM2 135M on squad2-en)."""
INFLECTED = 0.8
"""What a verb counts that stands there with another ending; as much as a word that may be misspelt."""


def attribute(text: str, evidence: Sequence[Evidence], asked: Asked) -> str:
    """Add markers, in the numbers of the evidence, behind the claims that have none."""
    unmarked = [claim for claim in claims(text) if not claim.cites]
    if not unmarked:
        return text
    known = {word.form for word in wanted(asked)}
    windows = [(each, _windows(each)) for each in evidence]
    for claim in reversed(unmarked):
        source = _source(claim, windows, known)
        if source is not None:
            end = claim.start + len(text[claim.start : claim.end].rstrip(" \n.!?。…"))
            text = f"{text[:end]} [{source.n}]{text[end:]}"
    return text


def _source(claim: Claim, evidence: Sequence[tuple[Evidence, Sequence[Wording]]], known: set[str]) -> Evidence | None:
    """Find the passage that has most of a claim, where it has enough of it, every name and every number.

    A claim without a word of the question («The answer is John Elway») could be traced to any place that has its words.
    """
    words = _words(claim.text)
    beyond = [word for word in words if word.form not in known]
    if not 0 < len(beyond) < len(words):
        return None
    shares = [(_share(words, beyond, windows), each) for each, windows in evidence]
    enough = [(share, each) for share, each in shares if share >= LEAST_SHARE and _has_numbers(claim, each)]
    return max(enough, key=lambda found: found[0], default=(0.0, None))[1]


def _words(claim: str) -> list[Wanted]:
    """Give the words of a claim, those too that only ask; Korean ones that any sentence may end with are left out."""
    bare = COPULA.sub("", claim)
    return [word for word in words_in(bare) if not (word.hangul and is_light(word))]


def _windows(evidence: Evidence) -> list[Wording]:
    """Give every two neighbouring sentences of a passage, with its title."""
    told = without_orders(evidence.text)
    sentences = [told[span.start : span.end] for span in quotable_spans(told)]
    return [Wording(evidence.title, f"{one} {other}") for one, other in pairwise([*sentences, ""])]


def _share(words: Sequence[Wanted], beyond: Sequence[Wanted], windows: Sequence[Wording]) -> float:
    """Say how much of all words, and of those beyond the question, a window with every name has: the lesser."""
    names = [word for word in words if word.name]
    named = [window for window in windows if all(window.has(name) >= LEAST_SHARE for name in names)]
    return max((min(_held(words, window), _held(beyond, window)) for window in named), default=0.0)


def _held(words: Sequence[Wanted], window: Wording) -> float:
    return sum(max(window.has(word), INFLECTED * stands(word, window)) for word in words) / len(words)


def _has_numbers(claim: Claim, evidence: Evidence) -> bool:
    found = check_numbers(claim.text, [f"{evidence.title}\n{evidence.text}"])
    return not any(each.strength == "strong" for each in found)
