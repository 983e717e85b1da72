"""Sets apart what a model thinks from what it answers, where both come as one text: pure.

`<think>…</think>` may stand anywhere, may be left open, may be cut over pieces; and a template that opens the block in
the prompt leaves only its end, `</think>`, before which everything was thought.
"""

import re

TAGS = re.compile(r"<think>|</think>|\[THINK\]|\[/THINK\]")
"""Qwen, DeepSeek and most others; Magistral writes brackets."""
OPENINGS = frozenset({"<think>", "[THINK]"})
LONGEST = len("</think>")


class ThoughtSplitter:
    """Takes the content in pieces and gives the answer's text as soon as it is known to be none of the thoughts.

    Args:
        hold: give nothing until it is known that the text before a lone `</think>` cannot be ahead: that text is
            thought, though nothing before it says so.
    """

    def __init__(self, hold: bool) -> None:
        self._hold = hold
        self._rest = ""
        self._thinking = False
        self._opened = False
        self._answer: list[str] = []
        self._thoughts: list[str] = []
        self._held: list[str] = []
        self._fresh = True
        self.opened_by_template = False
        """A `</think>` came that nothing had opened."""

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._answer)

    @property
    def thoughts(self) -> str:
        """The thoughts so far, tags left out."""
        return "".join(self._thoughts)

    def feed(self, piece: str) -> str:
        """Take a piece; gives the text that may be shown now."""
        text = self._rest + piece
        start = 0
        for tag in TAGS.finditer(text):
            self._take(text[start : tag.start()])
            self._turn(tag.group())
            start = tag.end()
        keep = _tail_of_tag(text, start)
        self._take(text[start : len(text) - keep])
        self._rest = text[len(text) - keep :]
        return self._shown()

    def release(self) -> str:
        """Hold nothing any longer: the server sends thoughts in a field of their own; gives the text held so far."""
        self._hold = False
        return self._shown()

    def close(self) -> str:
        """End the text; gives what was not shown yet."""
        self._take(self._rest)
        self._rest = ""
        return self.release()

    def _turn(self, tag: str) -> None:
        self._thinking = tag in OPENINGS
        if self._thinking:
            self._opened = True
        elif not self._opened:
            self.opened_by_template = self._opened = True
            self._thoughts[:] = [self.text, *self._thoughts]
            self._answer.clear()
            self._held.clear()
            self._fresh = True
        self._hold = False

    def _take(self, text: str) -> None:
        if self._thinking:
            self._thoughts.append(text)
            return
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        self._answer.append(text)
        self._held.append(text)

    def _shown(self) -> str:
        if self._hold:
            return ""
        shown = "".join(self._held)
        self._held.clear()
        return shown


def _tail_of_tag(text: str, start: int) -> int:
    """Give how many last characters may be the beginning of a tag."""
    for size in range(min(LONGEST - 1, len(text) - start), 0, -1):
        tail = text[len(text) - size :]
        if any(tag.startswith(tail) for tag in ("<think>", "</think>", "[THINK]", "[/THINK]")):
            return size
    return 0
