"""Fields of Anki are HTML: to plain text and back, and questions that somebody wrote into one field."""

import html
import re
from collections.abc import Sequence
from typing import Any

from services.study.bank import CHOICES

_LINE_END = re.compile(r"<br\s*/?>|</(?:div|p|li|tr|h[1-6])\s*>", re.I)
_LINE_START = re.compile(r"<(?:div|p|li|tr|h[1-6])\b[^<>]*>", re.I)
_START = "\v"
"""Stands for the beginning of a block until it is known whether a line has ended there; no stored text has it."""
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.I | re.S)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_PICTURE = re.compile(r"<(?:img|audio|video|object|svg)\b|\[sound:", re.I)
_MARKERS = ("①②③④⑤⑥⑦⑧⑨", "⑴⑵⑶⑷⑸⑹⑺⑻⑼", "ABCDEFGHI", "abcdefghi", "123456789")
_MARKED = re.compile(r"\s*(?:([①-⑨⑴-⑼])|\(?([A-Ia-i1-9])[).])\s*(.*)", re.S)
_ANSWER = re.compile(r"\s*(?:정답|답|answer|correct(?: answer)?)?\s*[:：]?\s*(.*)", re.I | re.S)


def to_html(text: str) -> str:
    """Write text as a field: what HTML or Anki would read is escaped, line ends are <br>."""
    return html.escape(text, quote=False).replace("[sound:", "&#91;sound:").replace("\n", "<br>")


def to_text(field: str) -> str:
    """Read a field: line ends where blocks end, other tags gone, entities as their characters."""
    lines = _LINE_START.sub(_START, _LINE_END.sub("\n", _HIDDEN.sub("", field)))
    plain = re.sub(rf"(^|\n)?{_START}+", "\n", _TAG.sub("", lines))
    return html.unescape(plain)


def holds_picture(field: str) -> bool:
    """Say whether a field shows or plays something that text cannot."""
    return _PICTURE.search(field) is not None


def split_question(front: str, back: str) -> dict[str, Any] | None:
    """Find a question with marked choices in a card's front, and the answer in its back.

    Choices are lines that begin with ① ② …, A. B. … or 1) 2) … in order from the first; what stands before is the
    question. The back begins with the mark or the words of the right one; what follows on further lines explains it.

    Returns:
        values by field; None where the front has no two such lines at its end.
    """
    lines = front.split("\n")
    found = [(at, *mark) for at, line in enumerate(lines) if (mark := _mark(line))]
    start = next((n for n in range(len(found) - 1, -1, -1) if found[n][1] == 0), None)
    if start is None:
        return None
    run = [each for n, each in enumerate(found[start:]) if each[1] == n]
    if len(run) < 2 or len(run) < len(found) - start:
        return None
    ends = [at for at, *_ in run[1:]] + [len(lines)]
    texts = ["\n".join([said, *lines[at + 1 : end]]).strip() for (at, _, said), end in zip(run, ends, strict=True)]
    answer, _, explanation = back.strip().partition("\n")
    return {
        "question": "\n".join(lines[: run[0][0]]),
        **{f"choice_{number}": text for number, text in enumerate(texts, 1)},
        "answer": _said_answer(answer, texts),
        "explanation": explanation,
    }


def _mark(line: str) -> tuple[int, str] | None:
    """Give which choice a line begins, from 0, and its words."""
    found = _MARKED.fullmatch(line)
    if found is None:
        return None
    sign = found[1] or found[2]
    return next(marks.index(sign) for marks in _MARKERS if sign in marks), found[3]


def _said_answer(said: str, choices: Sequence[str]) -> str:
    words = (_ANSWER.fullmatch(said) or [said, said])[1].strip()
    marked = _mark(words)
    if marked and (not marked[1].strip() or marked[1].strip() in choices):
        return str(marked[0] + 1)
    return words


def one_of_flags(said: str) -> str:
    """Turn "0 1 0 0", by which some decks mark the right choice, into its number; other text stays."""
    flags = said.split()
    if len(flags) in range(2, len(CHOICES) + 1) and set(flags) == {"0", "1"} and flags.count("1") == 1:
        return str(flags.index("1") + 1)
    return said
