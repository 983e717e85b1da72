"""What `services.answer.confirmed` promises: only sentences that have a source, and that nothing was found against."""

import pytest

from services.answer.confirmed import Confirmed, confirmed_items
from services.answer.result import Answer, Citation

FIRST, SECOND, BARE = "The valve opens at 1.2 MPa [1].", "기록은 3년간 보관합니다 [2].", "It is blue."
DRAFT = f"{FIRST} {SECOND} {BARE}"
ONE: Confirmed = {"text": "The valve opens at 1.2 MPa.", "citations": [1]}
TWO: Confirmed = {"text": "기록은 3년간 보관합니다.", "citations": [2]}


def answer(text: str = DRAFT, cited: int = 2) -> Answer:
    citations = tuple(Citation(n, n, 10 + n, "t", 1, f"quote {n}", 0, 7) for n in range(1, cited + 1))
    return Answer(text, "partial", "medium", citations)


def place(sentence: str) -> tuple[int, int]:
    return DRAFT.index(sentence), DRAFT.index(sentence) + len(sentence)


@pytest.mark.parametrize(
    ("against", "confirmed"),
    [
        ([], [ONE, TWO]),
        ([(0, 0)], [ONE, TWO]),
        ([place(FIRST)], [TWO]),
        ([place("1.2 MPa")], [TWO]),
        ([place("3년간"), place(FIRST)], []),
        ([place(BARE)], [ONE, TWO]),
    ],
)
def test_confirmed__is_what_nothing_was_found_against(
    against: list[tuple[int, int]], confirmed: list[Confirmed]
) -> None:
    assert confirmed_items(answer(), answer(), against) == confirmed


def test_confirmed__has_the_numbers_of_the_answer_that_is_given() -> None:
    against = [place(FIRST)]
    mended = answer(SECOND.replace("[2]", "[1]"), cited=1)
    assert confirmed_items(answer(), mended, against) == [{**TWO, "citations": [1]}]


def test_confirmed__a_marker_that_leads_nowhere_confirms_nothing() -> None:
    assert confirmed_items(answer(cited=1), answer(cited=1), []) == [ONE]
