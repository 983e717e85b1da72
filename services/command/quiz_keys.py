"""How a question is answered in a terminal: by one key, or by a line where there is none."""

import sys
from dataclasses import dataclass
from typing import Final

import typer

from services.command.show import err


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said: a choice from 1 on, 'unsure' with or without one, or 'dont_know'."""

    choice: int | None = None
    said: str | None = None


QUIT: Final = Answer(None, "quit")


def read_answer(choices: int) -> Answer:
    """Ask until there is an answer; the end of the input is QUIT.

    Args:
        choices: how many the question has.
    """
    while True:
        err.print(f"[dim]1-{choices}, u unsure, ? don't know, q quit:[/dim] ", end="", highlight=False)
        word = _word()
        if word is None:
            return QUIT
        err.print(word if sys.stdin.isatty() else "", highlight=False, markup=False)
        given = parse_answer(word, choices)
        if given is not None:
            return given


def _word() -> str | None:
    if sys.stdin.isatty():
        return str(typer.getchar())
    line = sys.stdin.readline()
    return line.strip() if line else None


def parse_answer(word: str, choices: int) -> Answer | None:
    """Read `3`, `u`, `u3` (a guess), `?` or `q`; None where it is none of them."""
    word = word.strip().lower()
    if word in ("q", "\x04"):
        return QUIT
    if word == "?":
        return Answer(None, "dont_know")
    unsure, number = word.startswith("u"), word.removeprefix("u")
    if unsure and not number:
        return Answer(None, "unsure")
    if number.isdecimal() and number.isascii() and 1 <= int(number) <= choices:
        return Answer(int(number), "unsure" if unsure else None)
    return None
