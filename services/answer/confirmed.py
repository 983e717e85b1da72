"""Say which sentences of an answer hold: those that have a source, and that nothing was found against (behaviours P01).

In: an answer as it was drafted and as it is given, and the places of the draft that a finding or an objection is about.
Out: the sentences without any of that, each with the numbers of its citations. Pure. So a reader of a partial answer
sees what stands beside what is `missing`.
"""

from collections.abc import Collection
from typing import TypedDict

from services.answer.check import claims
from services.answer.mend import Place
from services.answer.result import Answer


class Confirmed(TypedDict):
    """A sentence without its markers, and the citations that it rests on."""

    text: str
    citations: list[int]


def confirmed_items(draft: Answer, given: Answer, against: Collection[Place]) -> list[Confirmed]:
    """Give the sentences of the given answer that hold, in their order.

    Args:
        against: of whatever strength; one about the whole says nothing of a sentence.
    """
    doubted = {each.text for each in claims(draft.text) if any(each.meets(*place) for place in against)}
    known = {each.n for each in given.citations}
    return [
        Confirmed(text=each.text, citations=[n for n in each.cites if n in known])
        for each in claims(given.text)
        if each.text not in doubted and known.intersection(each.cites)
    ]
