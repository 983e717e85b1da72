"""Take back what the checks do not let stand: an answer without the claims that a finding is about.

In: an answer that is partial, and the characters of it that are in doubt. Out: the answer without those sentences;
where none is left, the words of the passages themselves that it cited. Pure. So no number that a source does not have
is ever shown, and what is left opens at its place.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.answer.check import Claim, claims, unmarked
from services.answer.draft import Markers
from services.answer.missing import head_of
from services.answer.result import Answer, Citation

Place = tuple[int, int]
"""Characters of an answer, from and to; (0, 0) means the whole of it."""


def mend(answer: Answer, doubted: Sequence[Place], max_chars: int) -> tuple[Answer, tuple[str, ...]]:
    """Take claims back.

    Args:
        doubted: where the findings are.
        max_chars: longest answer, markers included.
    Returns:
        the answer, renumbered by first use, and the claims that were taken back, shortened.
    """
    told, known = claims(answer.text), {each.n for each in answer.citations}
    gone = [each for each in told if any(_meets(each, place) for place in doubted)]
    kept = [each for each in told if each not in gone and known.intersection(each.cites)]
    heads = tuple(head_of(each.text) for each in gone)
    if not gone:
        return answer, ()
    if not kept:
        return _quoting(answer, max_chars), heads
    text = " ".join(
        answer.text[each.start : _end(each, told, answer.text)].strip() for each in told if each not in gone
    )
    return _renumbered(answer, text), heads


def _meets(claim: Claim, place: Place) -> bool:
    start, end = place
    return place == (0, 0) or (start < claim.end and end > claim.start)


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
        part = f"{unmarked(' '.join(each.quote.split()))} [{len(kept) + 1}]"
        if not kept and len(part) > max_chars:
            cut = max_chars - len(" [1]") - 1
            part = f"{part[:cut].rstrip()}… [1]"
        if len(" ".join([*parts, part])) <= max_chars:
            parts.append(part)
            kept.append(replace(each, n=len(kept) + 1))
    return replace(answer, text=" ".join(parts), citations=tuple(kept))


def _renumbered(answer: Answer, text: str) -> Answer:
    markers, known = Markers(), {each.n: each for each in answer.citations}
    text = markers.renumber(text)
    citations = (replace(known[old], n=new) for new, old in enumerate(markers.order, start=1) if old in known)
    return replace(answer, text=text, citations=tuple(citations))
