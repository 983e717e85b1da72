"""Take back what the checks do not let stand: an answer without the claims that a finding is about.

In: an answer, and the characters of it that are in doubt. Out: the answer without those sentences, and without those
that have no source; where none is left, the words of the passages themselves that it cited. Pure. So no number that a
source does not have is ever shown, every sentence carries its [n], and what is left opens at its place.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from services.answer.check import Claim, claims, unmarked
from services.answer.draft import Markers
from services.answer.result import Answer, Citation
from services.text.sentences import sentences

Place = tuple[int, int]
"""Characters of an answer, from and to; (0, 0) means the whole of it."""

_MARKERS = re.compile(r"(?:\[\d{1,3}\])+")


def mend(answer: Answer, doubted: Sequence[Place], max_chars: int, instead: Sequence[Citation] | None = None) -> Answer:
    """Take back the claims in doubt, and the sentences without a source where one with a source is left.

    An invented marker beside a true one is taken out alone: what the claim says there has a source.

    Args:
        doubted: where the findings are.
        max_chars: longest answer, markers included.
        instead: what is quoted where no claim is left; None: what the answer cites.
    Returns:
        the answer, renumbered by first use; the passages' own words where no claim is left.
    """
    known = {each.n for each in answer.citations}
    text, doubted = _without_invented(answer.text, doubted, known)
    told = claims(text)
    gone = [each for each in told if any(_meets(each, place) for place in doubted)]
    kept = [each for each in told if each not in gone and known.intersection(each.cites)]
    if gone and not kept:
        return _quoting(replace(answer, citations=tuple(instead or answer.citations)), max_chars)
    if not kept or (len(kept) == len(told) and text == answer.text):
        return answer
    return _renumbered(answer, _joined(kept, told, text))


def _without_invented(text: str, doubted: Sequence[Place], known: set[int]) -> tuple[str, list[Place]]:
    """Blank the invented markers that stand directly beside a true one; a claim with another is in doubt."""
    left = list(doubted)
    for run in _MARKERS.finditer(text):
        numbers = [int(n) for n in re.findall(r"\d+", run[0])]
        true = "".join(f"[{n}]" for n in numbers if n in known)
        if not true:
            left.append(run.span())
        elif len(true) < len(run[0]):
            text = text[: run.start()] + true.ljust(len(run[0]), "\0") + text[run.end() :]
            left = [place for place in left if not run.start() <= place[0] < place[1] <= run.end()]
    return text, left


def _joined(kept: Sequence[Claim], told: Sequence[Claim], text: str) -> str:
    """Write the claims that are left, each on a line of its own where a line ended before it."""
    parts: list[str] = []
    last = 0
    for each in kept:
        between = "\n" if "\n" in text[last : each.start].strip(" ") and parts else " "
        last = _end(each, told, text)
        parts.append(between + text[each.start : last].strip())
    return "".join(parts).strip().replace("\0", "")


def _meets(claim: Claim, place: Place) -> bool:
    return place == (0, 0) or claim.meets(*place)


def _end(claim: Claim, told: Sequence[Claim], text: str) -> int:
    """Give the end of a claim with the stop behind its markers."""
    following = min((each.start for each in told if each.start > claim.start), default=len(text))
    behind = text[claim.end : following]
    return claim.end + len(behind) - len(behind.lstrip(".!?。…"))


def _quoting(answer: Answer, max_chars: int) -> Answer:
    """Answer with the quotes alone: what the answer was made of, in the words of the page."""
    parts: list[str] = []
    kept: list[Citation] = []
    for each in answer.citations:
        part = _marked(" ".join(each.quote.split()), len(kept) + 1)
        if not kept and len(part) > max_chars:
            cut = max_chars - len(" [1]") - 1
            part = f"{unmarked(part)[:cut].rstrip()}… [1]"
        if len(" ".join([*parts, part])) <= max_chars:
            parts.append(part)
            kept.append(replace(each, n=len(kept) + 1))
    return replace(answer, text=" ".join(parts), citations=tuple(kept))


def _marked(quote: str, n: int) -> str:
    """Write a marker behind each sentence of a quote; its own, as of footnotes, would lead elsewhere."""
    plain = unmarked(quote)
    return " ".join(f"{plain[span.start : span.end]} [{n}]" for span in sentences(plain))


def _renumbered(answer: Answer, text: str) -> Answer:
    markers, known = Markers(), {each.n: each for each in answer.citations}
    text = markers.renumber(text)
    citations = (replace(known[old], n=new) for new, old in enumerate(markers.order, start=1) if old in known)
    return replace(answer, text=text, citations=tuple(citations))
