"""From what a model writes to the draft of an answer, while it is being written: pure.

In: pieces of a reply, JSON with the field `answer` or, from a model that does not keep to JSON, plain text. Out: the
answer's text as far as it can be told already, its markers renumbered by first use, so that [1] is the first that a
reader meets.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from json import JSONDecodeError, loads

from services.answer.markers import bracketed_markers, plain_markers, unfinished

_ANSWER = re.compile(r'"answer"\s*:\s*"')
_CLOSING_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
_OPEN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_MARKER = re.compile(r"\[(\d{1,3})\]")
_JSON_START = re.compile(r"\s*(?:```\w*\s*)?(?:\[\s*)?\{")
MAYBE_JSON_CHARS = 12
"""So much of a reply is looked at before it is taken for plain text: a fence, its language, a brace."""


@dataclass(slots=True)
class Markers:
    """Numbers markers anew by first use; `order[i]` is the evidence that [i + 1] stands for.

    `known` are the numbers of the evidence (services/answer/markers.py).
    """

    known: Collection[int] = ()
    order: list[int] = field(default_factory=list)

    def renumber(self, text: str) -> str:
        """Write every marker of a whole answer in the new numbers; [2, 3] becomes [1][2]."""
        return _MARKER.sub(self._new, plain_markers(text, self.known))

    def renumber_part(self, text: str) -> str:
        """Do the same with a part that ends in no marker."""
        return _MARKER.sub(self._new, bracketed_markers(text, self.known))

    def _new(self, found: re.Match[str]) -> str:
        return f"[{self._number(int(found[1]))}]"

    def _number(self, n: int) -> int:
        if n not in self.order:
            self.order.append(n)
        return self.order.index(n) + 1


class AnswerStream:
    """Takes pieces of a reply and gives the pieces of answer in them; what may still change is held back."""

    def __init__(self) -> None:
        self._reply, self._told, self._markers = "", 0, Markers()
        self.text = ""

    def cites(self, known: Collection[int]) -> None:
        """Hear which numbers the evidence has, before the first piece."""
        self._markers.known = known

    def feed(self, piece: str) -> str:
        """Give what can be added to the answer after this piece; mostly a word, sometimes nothing."""
        self._reply += piece
        raw, ended = told_so_far(self._reply)
        fresh = raw[self._told :]
        fresh = fresh if ended else fresh[: unfinished(fresh)]
        self._told += len(fresh)
        said = self._markers.renumber_part(fresh)
        self.text += said
        return said


def told_so_far(reply: str) -> tuple[str, bool]:
    """Read the answer's text out of the head of a reply, as far as it is certain, and say whether it is all of it."""
    if not _JSON_START.match(reply):
        told = len(reply.strip()) > MAYBE_JSON_CHARS and not reply.lstrip().startswith("`")
        return reply.lstrip() if told else "", False
    start = _ANSWER.search(reply)
    return _unescaped(reply[start.end() :]) if start else ("", False)


def _unescaped(inside: str) -> tuple[str, bool]:
    """Decode the inside of a JSON string that may break off anywhere; the second says whether it ends there."""
    end = _CLOSING_QUOTE.search(inside)
    raw = inside[: end.end() - 1] if end else inside
    if not end:
        raw = _OPEN_ESCAPE.sub(lambda found: found.group()[: found.group().rindex("\\")], raw)
        raw = _HIGH_SURROGATE.sub("", raw)
    try:
        return str(loads(f'"{raw}"', strict=False)).lstrip(), end is not None
    except JSONDecodeError:  # no escape that JSON knows: the whole reply will be read with more patience
        return "", False
