"""Choose the sentences of a Korean or English text that say best what it is about, without a model.

In: a text, or its beginning. Out: one sentence, or a few points, in the text's own words and never longer than asked
for. It refuses headings, rows of tables, contents and boilerplate; a text of nothing else gets nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.text.sentences import sentences
from services.text.terms import terms

SENTENCE_CHARS = 160
"""Longest summary of one sentence: about two lines of a list."""
HEAD_CHARS = 2_000
"""A text says what it is about on its first page; what comes later only costs time."""
MOST_CANDIDATES = 400
LEAST_TERMS, LEAST_CHARS = 4, 12
"""What is shorter says nothing by itself."""
LETTERS_FROM = 0.55
"""Share of letters below which a line is a row of numbers or of an index."""
FALLS_OFF = 6.0
"""A sentence's place counts half when so many others stand before it."""
PURPOSE_BONUS, STOPPED_BONUS, ASKING_MALUS, LEANING_MALUS = 1.3, 1.4, 0.4, 0.7
SAME_FROM = 0.6
"""Share of the terms of the shorter one from which two points say the same."""

_BOILERPLATE = re.compile(
    r"all rights reserved|copyright|©|\(c\)\s?\d{4}|permission is (?:hereby )?granted|unsubscribe|uses? cookies"
    r"|enable javascript"
    r"|무단\s?(?:전재|복제|배포)|저작권|허가 고지|복사하여 배포|쿠키를 사용"
    r"|https?://|www\.|[\w.]+@[\w.]+|\.{4,}|…{2,}|·{4,}"
    r"|^\W*(?:table of )?(?:목\s?차|차\s?례|contents?|page\s?\d+|\d+\s?페이지)\b"
    r"|^\W*(?:tel|fax|전화|팩스|문의|담당(?:자|부서)?|주소|작성일|시행일|발행일|date)\b",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"목적으로|위하여|위해\s|관하여|관한\s.{2,40}(?:정한|규정)|설명한|다룬|정리한|안내한|소개한"
    r"|\b(?:this|the)\s(?:document|report|guide|manual|paper|handbook|policy|agreement|note|book|standard|article)\b"
    r"|\b(?:describes?|explains?|introduces?|presents?|covers?|purpose|aims?\sto|sets?\sout)\b",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"(?:그러나|하지만|그리고|따라서|또한|이에|이를|그는|그녀|즉|다만|however|but|and|so|thus|therefore|also|moreover|it|they"
    r"|he|she|these|those)\b",
    re.IGNORECASE,
)
_STOPPED = re.compile(r"(?:[.!?。！？…][\"'”’)\]」』]*|[다요음함됨임])\Z")
_MARKS = re.compile(
    r"\A(?:[#>*+•·‣▪○●◦※□■▶→-]+\s*|\(?\d{1,3}[.)]\s+|[가-하][.)]\s+|[①-⑳]\s*"
    r"|제\s?\d+\s?조(?:의\s?\d+)?\s?\([^)]*\)\s*)+"
)
_EMPHASIS = re.compile(r"\*{1,3}|_{2,3}|`+|!?\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_GAPS = re.compile(r"\S {3,}\S")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may stand for the text; `place` counts those before it."""

    place: int
    text: str
    terms: tuple[str, ...]


def one_sentence(text: str, max_chars: int = SENTENCE_CHARS) -> str | None:
    """Give the sentence that says best what a text is about; None where there is no sentence."""
    found = _candidates(text[:HEAD_CHARS])
    if not found:
        return None
    weights = _weights(found)
    best = max(found, key=lambda each: (_score(each, weights) * _nearness(each.place), -each.place))
    return shortened(best.text, max_chars)


def key_points(text: str, most: int, min_chars: int, max_chars: int) -> list[str]:
    """Give up to `most` sentences that together say what is in a text, in its order, none twice.

    Each has `min_chars` to `max_chars` characters; what is longer is cut at a word.
    """
    found = [each for each in _candidates(text) if len(each.text) >= min_chars]
    weights = _weights(found)
    chosen: list[Candidate] = []
    for each in sorted(found, key=lambda each: (-_score(each, weights), each.place)):
        if len(chosen) < most and not any(_alike(each, other) for other in chosen):
            chosen.append(each)
    points = [shortened(each.text, max_chars, min_chars) for each in sorted(chosen, key=lambda each: each.place)]
    return list(dict.fromkeys(points))


def shortened(text: str, max_chars: int, min_chars: int = 1) -> str:
    """Cut a text that is too long at the end of a word, with an ellipsis that counts; white space becomes one blank.

    Where the last word that ends in time ends before `min_chars`, or nowhere, the word is cut.
    """
    text = " ".join(text.split())
    if len(text) <= max_chars:
        return text
    end = text.rfind(" ", 0, max_chars)
    cut = text[:end].rstrip(" ,;:·-") if end > 0 else ""
    return (cut if len(cut) >= max(min_chars - 1, 1) else text[: max_chars - 1].rstrip()) + "…"


def _candidates(text: str) -> list[Candidate]:
    found: list[Candidate] = []
    flat = _CODE.sub("\n\n", text).replace("\f", "\n\n")
    for span in sentences(flat):
        raw = flat[span.start : span.end]
        if len(found) == MOST_CANDIDATES:
            break
        if (cleaned := _cleaned(raw)) is not None:
            known = tuple(dict.fromkeys(terms(cleaned)))
            if len(known) >= LEAST_TERMS:
                found.append(Candidate(len(found), cleaned, known))
    stopped = [each for each in found if _STOPPED.search(each.text)]
    return stopped or found


def _cleaned(raw: str) -> str | None:
    """Give a sentence without the marks of lists and emphasis; None for what is no sentence."""
    if raw.lstrip().startswith(("#", "|")) or raw.count("|") > 1 or "\t" in raw or len(_GAPS.findall(raw)) > 1:
        return None
    text = " ".join(_MARKS.sub("", _EMPHASIS.sub(r"\1", raw).strip()).split())
    if len(text) < LEAST_CHARS or _BOILERPLATE.search(text):
        return None
    letters = len(_LETTER.findall(text))
    return text if letters >= LETTERS_FROM * len(text.replace(" ", "")) else None


def _weights(found: Sequence[Candidate]) -> dict[str, float]:
    """Weigh a term by the number of sentences that have it: what a text comes back to is what it is about."""
    seen = Counter(term for each in found for term in each.terms)
    return {term: math.log2(1 + count) for term, count in seen.items()}


def _score(each: Candidate, weights: dict[str, float]) -> float:
    central = math.fsum(weights[term] for term in each.terms) / math.sqrt(len(each.terms) + LEAST_TERMS)
    return central * math.prod(_factors(each.text))


def _factors(text: str) -> Iterable[float]:
    if _STOPPED.search(text):
        yield STOPPED_BONUS
    if _PURPOSE.search(text):
        yield PURPOSE_BONUS
    if text.endswith(("?", "？")):
        yield ASKING_MALUS
    if _LEANING.match(text):
        yield LEANING_MALUS
    if len(text) > SENTENCE_CHARS:
        yield SENTENCE_CHARS / len(text)


def _nearness(place: int) -> float:
    return 0.5 + 0.5 * math.exp2(-place / FALLS_OFF)


def _alike(one: Candidate, other: Candidate) -> bool:
    shared = len(set(one.terms).intersection(other.terms))
    return shared >= SAME_FROM * min(len(one.terms), len(other.terms))
