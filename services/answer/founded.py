"""Find claims that have nothing of the passages they cite: what a model invents, or was told to say by a document.

In: an answer, its question, and the passages it cites. Out: strong findings. A claim is judged by its words beyond the
question's; where one of them, or a number, stands in what it cites, nothing is said against it: that is for the numbers
and the verifier. Words of two languages are not compared. Pure.

Measured on the evaluation sets: of 600 answers in words of their passage none is found (squad2-en), of 726 right ones
in other words than its own one in thirty-three (belebele); beside a passage drawn by lot six of ten are.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from services.answer.check import Claim, Finding, claims, found
from services.answer.light_words import is_light
from services.answer.question import Asked
from services.answer.result import Answer
from services.answer.support_words import Wanted, Wording, words_in
from services.text.language import detect
from services.text.quantities import quantities_of
from services.text.quantity import BARE, Quantity
from services.text.sentences import sentences
from services.text.terms import terms

SHARED_FOR_ANOTHER_WORD = 2
"""So many words of the question in both claim and passage, and one verb may be another than the passage's."""
SMALL = 10
"""A bare number below it is in any text, and ties a claim to none (services/answer/idle_numbers.py)."""

COPULA = re.compile(
    r"(?<=[가-힣])(?:이었습니다|였습니다|입니다|이에요|예요|이었다|였다|이다|이며|이고|이라고|라고|이란|란)(?![가-힣])"
)
_VERB_LIKE = re.compile(r"(?:[가-힣]+(?:다|요|며|고|서|면|야|지|는|음|함|됨)|[a-z]+(?:ed|ing))\Z")
_YES_OR_NO = re.compile(r"\W*(?:yes|no|네|예|아니요|아니오|그렇습니다|아닙니다)\b", re.I)
_ASKS_YES_OR_NO = re.compile(
    r"\W*(?:is|are|was|were|do|does|did|can|could|may|must|should|has|have|had|will|would|shall)\b", re.I
)
_ASKS_OPENLY = re.compile(r"무엇|무슨|뭐|뭔|언제|누구|누가|어디|얼마|어느|어떻게|어떤|왜|몇")
_ASKS_IN_KOREAN = re.compile(r"(?:까|나요|가요|는가|은가|지요|죠)[\s?？.!]*\Z")
_NAME = re.compile(r"(?<![\w([（])(?:[A-Z][a-z]{2,}|(?:[A-Z][a-z]+){2,})(?![\w)\]）])")
_QUOTED = re.compile(r"[\"“「『‘]([^\"”」』’\n]{2,40})[\"”」』’]")
_AT_BEGINNING = re.compile(r"(?:\A|[.!?:\n])[\s\"“*-]*\Z")
_NO_NAMES = """
january february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday celsius fahrenheit kelvin pascal pascals watt watts volt volts newton newtons hertz
english korean yes article section chapter table figure page appendix annex part step note
"""
_NOT_A_NAME = frozenset(_NO_NAMES.split())
_DENIES_IN_KOREAN = re.compile(r"아닌|않은|않는|않을|없는|없을|못하는|못한")
_OVERRIDES = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instructions?|rules?|prompts?|above|previous|everything)\b"
    r"|(?:지시|명령|규칙|지침|프롬프트)\S{0,3}\s.{0,12}(?:무시|잊)",
    re.I | re.S,
)


def check_founded(
    answer: Answer, asked: Asked, passages: Mapping[int, str], besides: Sequence[Finding] = ()
) -> list[Finding]:
    """Find the claims of which nothing stands in what they cite.

    Args:
        passages: title and text of each cited passage, by the citation's number.
        besides: findings that need no second one about the same claim, or about an answer in another language.
    """
    if any(each.code == "language_mismatch" for each in besides):
        return []
    told = [each for each in claims(answer.text) if not any(_meets(each, finding) for finding in besides)]
    return [
        found("unfounded_claim", claim.text[:40], claim.start, claim.end)
        for claim in told
        if (cited := [passages[n] for n in claim.cites if n in passages])
        and all(detect(text) == detect(claim.text) for text in cited)
        and _is_unfounded(claim.text, asked, cited)
    ]


def is_lead_in(text: str) -> bool:
    """Say whether a sentence claims nothing: it announces what follows, or has less than three terms of its own."""
    if text.rstrip().endswith((":", "：")):
        return True
    told = {term for word in _words(text, keep_numbers=True) for term in word.terms}
    return len(told) < LEAST_TERMS


LEAST_TERMS = 3
"""Of a claim; a Hangul word of four syllables has three."""


def _is_unfounded(claim: str, asked: Asked, cited: Sequence[str]) -> bool:
    source, question = Wording("", "\n".join(map(without_orders, cited))), Wording("", asked.text)
    if _has_foreign_names(claim, source, question):
        return True
    told = _words(claim)
    beyond = [word for word in told if not stands(word, question)]
    if not beyond or any(stands(word, source) for word in beyond) or _has_number(claim, asked):
        return False
    if asked.negated or _DENIES_IN_KOREAN.search(asked.text):  # what is *not* in it
        return False
    shared = sum(stands(word, source) for word in told if word not in beyond)
    if shared and (_YES_OR_NO.match(claim) or _asks_yes_or_no(asked)):
        return False
    may_be_another_word = len(beyond) == 1 and _is_verb(beyond[0], claim)
    return not (may_be_another_word and shared >= SHARED_FOR_ANOTHER_WORD)


def _words(claim: str, keep_numbers: bool = False) -> list[Wanted]:
    """Give the words of a claim that say something of a passage; its numbers, which grounding.py checks, if wanted."""
    bare = claim if keep_numbers else _without_numbers(claim)
    bare = COPULA.sub("", bare)
    return [word for word in words_in(bare) if not is_light(word)]


def _without_numbers(text: str) -> str:
    for each in quantities_of(text):
        text = f"{text[: each.start]}{' ' * (each.end - each.start)}{text[each.end :]}"
    return text


def _has_number(claim: str, asked: Asked) -> bool:
    """Say whether a claim has a number of its own: it was found in a passage, or else the claim is not judged here."""
    return any(_tells(each) and claim[each.start : each.end] not in asked.text for each in quantities_of(claim))


def _tells(each: Quantity) -> bool:
    if each.kind in ("code", "mark", "ordinal"):
        return False
    return each.kind != "amount" or each.dimension != BARE or each.written >= SMALL


def stands(word: Wanted, wording: Wording) -> bool:
    """Say whether a word is here, inflected or not: 열립니다 where 열린다 is."""
    if wording.has(word) > 0:
        return True
    if not word.hangul or not _VERB_LIKE.fullmatch(word.form):
        return False
    first, second = word.form[0], unicodedata.normalize("NFD", word.form[1])
    return unicodedata.normalize("NFD", first) + second[0] in unicodedata.normalize("NFD", wording.unspaced)


def _is_verb(word: Wanted, claim: str) -> bool:
    if word.hangul:
        return _VERB_LIKE.fullmatch(word.form) is not None
    return any(_VERB_LIKE.fullmatch(each) and word.terms[0] in terms(each) for each in re.findall(r"[a-z]+", claim))


def _has_foreign_names(claim: str, source: Wording, question: Wording) -> bool:
    """Say whether a claim has names, and none of them is the question's or the passages'."""
    names = [*_names(claim), *_QUOTED.findall(claim)]
    return bool(names) and not any(_is_known(name, source) or _is_known(name, question) for name in names)


def _names(claim: str) -> Iterator[str]:
    """Give the capitalised words that do not begin a sentence, as far as they are no month, unit or heading."""
    for each in _NAME.finditer(claim):
        if each[0].lower() not in _NOT_A_NAME and not _AT_BEGINNING.search(claim[: each.start()]):
            yield each[0]


def _is_known(name: str, wording: Wording) -> bool:
    words = words_in(name)
    return not words or any(wording.has(word) > 0 for word in words)


def _asks_yes_or_no(asked: Asked) -> bool:
    if _ASKS_YES_OR_NO.match(asked.text):
        return True
    return _ASKS_IN_KOREAN.search(asked.text) is not None and not _ASKS_OPENLY.search(asked.text)


def without_orders(passage: str) -> str:
    """Give a passage without a sentence that would override the rules, and the one behind it, which says by what."""
    if not _OVERRIDES.search(passage):
        return passage
    spans = sentences(passage)
    orders = {at for at, span in enumerate(spans) if _OVERRIDES.search(passage[span.start : span.end])}
    kept = [span for at, span in enumerate(spans) if not orders & {at, at - 1}]
    return "\n".join(passage[span.start : span.end] for span in kept)


def _meets(claim: Claim, finding: Finding) -> bool:
    return finding.strength == "strong" and claim.meets(finding.start, finding.end)
