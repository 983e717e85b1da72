"""Talk bears no numbers of passages, also while it is told piece by piece; and what talk may not claim."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.answer.events import CHAR, AskEvent
from services.answer.talk import Words, claims, unmarked

UNMARKED = {
    "Hi there [1]": "Hi there",
    "안녕하세요 [1][2]. 무엇을 찾을까요[3]?": "안녕하세요. 무엇을 찾을까요?",
    "See [1, 2] and [1-3].": "See and.",
    "[1] 네": "네",
    "전각 ［2］도 그렇다": "전각도 그렇다",
    "`items[1]` is the second, not the first [1].": "`items[1]` is the second, not the first.",
    "```\na[0] = 1\n```\nDone [2].": "```\na[0] = 1\n```\nDone.",
    "a [list] of [2024년] and [12345]": "a [list] of [2024년] and [12345]",
    " [1] ": "",
    "그렇습니다 【1】. 네 [근거 2].": "그렇습니다. 네.",
    "Yes [source 1], indeed [^2].": "Yes, indeed.",
}


@pytest.mark.parametrize("text", UNMARKED)
def test_unmarked__takes_out_what_leads_nowhere(text: str) -> None:
    assert unmarked(text) == UNMARKED[text]


class Ear:
    """A voice that keeps what it is to publish."""

    def __init__(self) -> None:
        self.events: list[AskEvent] = []

    def publish(self, event: AskEvent) -> None:
        self.events.append(event)


def told(pieces: list[str]) -> list[AskEvent]:
    ear = Ear()
    words = Words(ear)  # type: ignore[arg-type]

    async def hear() -> None:
        for piece in pieces:
            await words.heard(piece)

    anyio.run(hear)
    words.end(unmarked("".join(pieces)))
    return ear.events


def joined(events: list[AskEvent]) -> str:
    """Put the words together; each begins where those before it ended."""
    text = ""
    for event in events:
        assert event.data["start"] == len(text)
        text += event.data["text"]
        assert event.id == CHAR * len(text)
    return text


@pytest.mark.parametrize("text", UNMARKED)
def test_words__told_letter_by_letter_are_the_reply(text: str) -> None:
    assert joined(told(list(text))) == UNMARKED[text]


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("ab1,[]［］` -\n가"), max_size=6), max_size=12))
def test_words__told_in_any_pieces_are_the_reply(pieces: list[str]) -> None:
    assert joined(told(pieces)) == unmarked("".join(pieces))


def test_words__are_told_while_they_come() -> None:
    events = told(["Hi ", "there", " [1", "]", " and", " you"])
    assert [event.data["text"] for event in events] == ["Hi", " there", " and", " you"]


CLAIMS = (
    ("반갑습니다!", True, False),
    ("제5조에 대해서는 찾지 못했습니다.", True, False),
    ("제 생각에는 그렇습니다 [9].", True, True),
    ("And 900 dollars.", True, True),
    ("구백 달러입니다.", True, True),
    ("3 + 4 = 7", False, False),
    ("Hi there [1]", False, False),
    ("It costs 900 dollars [1].", False, True),
)


@pytest.mark.parametrize(("text", "searched", "expected"), CLAIMS)
def test_claims__what_gives_itself_out_as_a_documents(text: str, searched: bool, expected: bool) -> None:
    assert claims(text, "제5조는 무엇을 정하나?", searched) is expected
