"""From a reply's text to the shape that was asked for: pure and tolerant, since JSON from a model is a hope.

Code fences, words around the object, a wrapper around it (`{"response": {…}}`, `[{…}]`), and what is not quite JSON
(services/model/loosejson.py) are forgiven; a missing end is not, for nobody knows what would have followed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from services.kit.problem import words_of
from services.model.errors import ReplyMisshapen
from services.model.loosejson import parse_json, parse_loosely

T = TypeVar("T", bound=BaseModel)

FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\r?\n?(.*?)```", re.DOTALL)
OPENING = re.compile(r"[{\[]")
OPENS, CLOSES = frozenset("{["), frozenset("}]")
MARK = re.compile(r'["\\{}\[\]]')
MOST_STARTS = 20
"""An opening brace among prose that nothing closes is passed over, this often."""
MOST_WRAPPERS = 3
"""Wrappers within wrappers, so many."""


def read_json(text: str, shape: type[T], wrapped: bool = True) -> T:
    """Read the one value of that shape in a text; of several the last, which a model means more than a draft.

    Args:
        wrapped: it may stand in a list or an object that holds nothing else.
    Raises:
        ReplyMisshapen: there is none; says what is wrong with the likeliest candidate.
    """
    return find_json(text, shape, wrapped)[0]


def find_json(text: str, shape: type[T], wrapped: bool = True) -> tuple[T, str]:
    """Do the same, and give the value's own text with it.

    Raises:
        ReplyMisshapen: as above.
    """
    wrong = ""
    for parse, candidate in _readings(text):
        try:
            value = parse(candidate)
            return shape.model_validate(_unwrapped(value, shape) if wrapped else value), candidate
        except ValidationError as error:
            wrong = wrong or _first_of(error)
        except (ValueError, RecursionError):
            continue
    raise ReplyMisshapen(
        f"The reply is no {shape.__name__}: {wrong or 'there is no whole JSON value in it'}.",
        "A larger model, or JSON_MODE=json_schema where the server keeps to schemas, answers in the shape asked for.",
        reply=text,
    )


def _readings(text: str) -> Iterator[tuple[Callable[[str], Any], str]]:
    """Give what may be the value and how to read it, the likeliest first: the whole, fenced parts, parts among prose.

    Of each kind the last goes first. Among prose, JSON goes before what only resembles it.
    """
    whole = text.strip().removeprefix("\ufeff").lstrip()
    for part in (whole, *reversed([part.strip() for part in FENCE.findall(text)])):
        yield parse_loosely if part[:1] in OPENS and part[-1:] in CLOSES else parse_json, part
    among = list(reversed(list(_balanced(whole))))
    yield from ((parse_json, part) for part in among)
    yield from ((parse_loosely, part) for part in among)


def _balanced(text: str) -> Iterator[str]:
    """Give each outermost object or list, from its brace to the one that closes it; quotes count only within."""
    start = -1
    for _ in range(MOST_STARTS):
        opening = OPENING.search(text, start + 1)
        if opening is None:
            return
        start = opening.start()
        end = _end_of(text, start)
        while end is not None:
            yield text[start:end]
            following = OPENING.search(text, end)
            if following is None:
                return
            start = following.start()
            end = _end_of(text, start)


def _end_of(text: str, start: int) -> int | None:
    """Find where the value that begins here ends; None when it does not."""
    depth, quoted, position = 0, False, start
    while (mark := MARK.search(text, position)) is not None:
        sign, position = mark.group(), mark.end()
        if quoted:
            position += sign == "\\"
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth == 0:
                return position
    return None


def _unwrapped(value: Any, shape: type[BaseModel]) -> Any:
    """Give the object within a list or an object that holds nothing else, where its fields are those of the shape."""
    if issubclass(shape, RootModel):
        return value
    within = value
    for _ in range(MOST_WRAPPERS):
        if isinstance(within, dict) and not within.keys() & shape.model_fields.keys():
            within = list(within.values())
        if not isinstance(within, list) or len(within) != 1:
            break
        (within,) = within
        if isinstance(within, dict) and within.keys() & shape.model_fields.keys():
            return within
    return value


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {words_of(first)}" if place else words_of(first)
