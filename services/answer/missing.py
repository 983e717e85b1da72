"""Name what an answer leaves open, in words of the question: pure.

In: a question, what a model calls missing in it, and the answer as it is shown. Out: the parts of the question that are
not answered, as a person is told them with a partial answer or a refusal. Every word of them is the question's: what a
model or a document would say beside it is cut off, and a part that is mostly that is dropped.
"""

import re
from collections.abc import Iterator, Sequence

from services.answer.check import unmarked
from services.answer.question import Asked
from services.answer.result import Answer
from services.answer.support_words import Wording, wanted, without_ending
from services.text.terms import FUNCTION_WORDS, content_of, fold, terms

MOST_PARTS, PART_CHARS = 3, 120
"""So many parts are told, none longer: more would be the answer that is not there."""

_BINDING = frozenset(["a", "an", "the", "of", "in", "on", "at", "by", "for", "from", "to", "with", "its", "their"])
_EDGES = "?!.,;:。，、！？…·\"'“”‘’「」()[]<>*_`"
_HANGUL = re.compile(r"[가-힣]+\Z")
_ASKED_FOR = re.compile(
    r"\b(?:what|which|how)\s+(\w+)|([가-힣]+)\s(?:얼마|몇|무엇|언제|어디|누구|어느|어떻게)", re.IGNORECASE
)


def parts_of(asked: Asked, named: Sequence[str]) -> tuple[str, ...]:
    """Keep of what a model named the words of the question, where they are no fewer than its own."""
    kept = [_in_words_of(asked, part) for part in named if len(part) <= PART_CHARS and "://" not in part]
    return tuple(dict.fromkeys(part for part in kept if part))[:MOST_PARTS]


def missing_words(asked: Asked, answer: Answer) -> tuple[str, ...]:
    """Give what of a question neither an answer nor the quotes that it shows have; words side by side are one part.

    What is asked for itself (what *pressure*, *압력은* 얼마) is no part where the answer has something of its kind.
    """
    told = [answer.text, *(each.title for each in answer.citations), *(each.quote for each in answer.citations)]
    shown = Wording("", unmarked("\n".join(told)))
    lacking = [word for word in wanted(asked) if not word.asking and not shown.has(word)]
    runs = _runs(asked.text, {term for word in lacking for term in word.terms})
    itself = _asked_for(asked) if asked.fits(shown.whole) else set()
    return tuple(run for run in runs if not set(terms(run)) <= itself)[:MOST_PARTS]


def all_missing(named: Sequence[str], lacking: Sequence[str]) -> list[str]:
    """Put both together; what is said already is not said again."""
    said = set(terms(" ".join(named)))
    return list(dict.fromkeys([*named, *(part for part in lacking if not set(terms(part)) <= said)]))[:MOST_PARTS]


def _in_words_of(asked: Asked, part: str) -> str:
    """Write a part in words of the question; "" where most of its words are not."""
    whole, own, others = fold(asked.text), set(terms(asked.text)), 0
    said: dict[str, bool] = {}  # each word once: repeated, the question's own digits could be a number of another
    for word in filter(None, (each.strip(_EDGES) for each in part.split())):
        its = terms(word)
        if its and set(its) <= own and fold(word) in whole:
            said[word] = True
        elif its and (alike := _alike(asked, word)):
            said[alike] = True
        elif fold(word) in FUNCTION_WORDS:
            said.setdefault(word, False)
        else:
            others += 1
    content = [word for word, is_content in said.items() if is_content]
    if not content or len(content) < others:
        return ""
    # Cut down, it is a list of words: function words would make another sentence of it.
    return " ".join(content if others else said)


def _alike(asked: Asked, word: str) -> str | None:
    """Find the question's own word of which this is another form: 보관하나요 for 보관하는지."""
    for own in (each.strip(_EDGES) for each in asked.text.split()):
        if set(terms(own)) & set(terms(word)) and (_is_form(own, word) or terms(own) == terms(word)):
            return own
    return None


def _is_form(one: str, other: str) -> bool:
    if not (_HANGUL.match(one) and _HANGUL.match(other)):
        return False
    return len(without_ending(other)) >= 2 and without_ending(one)[:2] == without_ending(other)[:2]


def _asked_for(asked: Asked) -> set[str]:
    """Give the terms of what a question asks for by name."""
    return set(terms(" ".join(english or korean for english, korean in _ASKED_FOR.findall(asked.text))))


def _runs(question: str, lacking: set[str]) -> Iterator[str]:
    """Give the words that are lacking, those side by side or bound by "of the" together."""
    run: list[str] = []
    between: list[str] = []
    for word in _words(question):
        if set(terms(word)) & lacking:
            run, between = [*run, *between, word], []
        elif run and fold(word) in _BINDING:
            between.append(word)
        elif run:
            yield " ".join(run)
            run, between = [], []
    if run:
        yield " ".join(run)


def _words(question: str) -> list[str]:
    """Give the words of a question as they stand in it, those left out that only ask."""
    asking = set(terms(fold(question))) - set(terms(content_of(question)))
    words = (word.strip(_EDGES) for word in question.split())
    return [word for word in words if word and (not terms(word) or set(terms(word)) - asking)]
