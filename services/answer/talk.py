"""Talk: a reply of the chat that rests on no document, and bears no number of a passage that it would lead to.

In: what a model wrote. Out: the same without markers, while it is written and at the end; and whether it claims to have
something from a document, which talk may not. What stands in code (between backticks) is no marker. Pure, but for the
listeners who are told.
"""

import re

from services.answer.events import CHAR, AskEvent
from services.answer.grounding import check_numbers
from services.answer.markers import bracketed_markers, unfinished
from services.answer.publish import Publisher

_MARKER = re.compile(r"\s*[\[［]\d{1,3}(?:\s?[,\-–~]\s?\d{1,3}){0,9}[\]］]")


def unmarked(text: str) -> str:
    """Give a text without the markers that lead nowhere, and without white space around it."""
    plain = bracketed_markers(text, ())
    return _MARKER.sub(lambda found: found[0] if _is_code(plain, found.start()) else "", plain).strip()


def has_marker(text: str) -> bool:
    """Say whether a text names a passage by its number."""
    plain = bracketed_markers(text, ())
    return any(not _is_code(plain, found.start()) for found in _MARKER.finditer(plain))


def claims(text: str, message: str, searched: bool) -> bool:
    """Say whether a reply gives itself out as having something from a document, so that it has to stand up to a check.

    After a search a marker does, and a number: greetings have neither. Where nothing was searched a number may be the
    model's own sum; with a marker it is not said to be.

    Args:
        message: what is replied to; its dates, articles and codes may be said again.
    """
    numbers = bool(check_numbers(text, (), message))
    return (has_marker(text) or numbers) if searched else (has_marker(text) and numbers)


class Words:
    """Tells the words of talk while they are written, markers left out; what may become one is held back."""

    def __init__(self, voice: Publisher) -> None:
        self._voice, self._heard, self.told = voice, "", 0

    async def heard(self, piece: str) -> None:
        """Take a piece."""
        self._heard += piece
        self._tell(unmarked(self._heard[: unfinished(self._heard)]))

    def end(self, text: str) -> None:
        """Tell the rest of the whole reply, as `unmarked` gives it."""
        self._tell(text)

    def _tell(self, text: str) -> None:
        start, fresh = self.told, text[self.told :]
        if fresh:
            self.told = len(text)
            self._voice.publish(AskEvent(CHAR * self.told, "token", {"text": fresh, "start": start}))


def _is_code(text: str, place: int) -> bool:
    return text.count("`", 0, place) % 2 == 1
