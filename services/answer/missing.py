"""Name what an answer leaves open, in words of the question: pure.

In: a question, and what a model or the answer itself says of it. Out: the parts of the question that are not answered,
as a person is told them with a partial answer or a refusal. Refuses what is no part of the question: a passage may have
told the model to say something else.
"""

from collections.abc import Sequence

from services.answer.check import unmarked
from services.answer.question import Asked
from services.answer.result import Answer
from services.text.terms import terms

MOST_PARTS, PART_CHARS = 3, 120
"""So many parts are told, none longer: more would be the answer that is not there."""


def parts_of(asked: Asked, named: Sequence[str]) -> tuple[str, ...]:
    """Keep what a model named that is short, leads nowhere else, and has a word of the question."""
    words = set(terms(asked.text))
    short = (" ".join(part.split()) for part in named)
    kept = [part for part in short if len(part) <= PART_CHARS and "://" not in part and words & set(terms(part))]
    return tuple(dict.fromkeys(kept))[:MOST_PARTS]


def missing_words(asked: Asked, answer: Answer) -> tuple[str, ...]:
    """Give the words of a question that neither an answer nor what it cites has, as one part; none if all are there."""
    told = [answer.text, *(each.title for each in answer.citations), *(each.quote for each in answer.citations)]
    held = {term for text in told for term in terms(unmarked(text))}
    lacking = [word.strip("?!.,。") for word in asked.text.split() if _lacks(word, asked, held)]
    return (" ".join(lacking),) if lacking else ()


def head_of(text: str) -> str:
    """Give a claim as it is told among what is missing, shortened."""
    return text if len(text) <= PART_CHARS else f"{text[: PART_CHARS - 1].rstrip()}…"


def _lacks(word: str, asked: Asked, held: set[str]) -> bool:
    wanted = {term for term in terms(word) if term in asked.weights}
    return bool(wanted) and not wanted & held
