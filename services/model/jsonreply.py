"""From a reply's text to the shape that was asked for: pure and tolerant, since JSON from a model is a hope.

Code fences, words around the object, trailing commas and raw line ends within strings are forgiven; a missing end is
not, for nobody knows what would have followed.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from services.model.errors import ReplyMisshapen

T = TypeVar("T", bound=BaseModel)

FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\r?\n?(.*?)```", re.DOTALL)
TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
OPENING = re.compile(r"[{\[]")
MARK = re.compile(r'["\\{}\[\]]')
MOST_STARTS = 20
"""An opening brace among prose that nothing closes is passed over, this often."""


def read_json(text: str, shape: type[T]) -> T:
    """Read the one value of that shape in a text; of several the last, which a model means more than a draft.

    Raises:
        ReplyMisshapen: there is none; says what is wrong with the likeliest candidate.
    """
    return find_json(text, shape)[0]


def find_json(text: str, shape: type[T]) -> tuple[T, str]:
    """Do the same, and give the value's own text with it.

    Raises:
        ReplyMisshapen: as above.
    """
    wrong = ""
    for candidate in _candidates(text):
        try:
            return shape.model_validate(_parse(candidate)), candidate
        except ValidationError as error:
            wrong = wrong or _first_of(error)
        except (ValueError, RecursionError):
            continue
    raise ReplyMisshapen(
        f"The reply is no {shape.__name__}: {wrong or 'there is no whole JSON value in it'}.",
        "A larger model, or JSON_MODE=json_schema where the server keeps to schemas, answers in the shape asked for.",
        reply=text,
    )


def _candidates(text: str) -> Iterator[str]:
    """Give what may be the value, the likeliest last of each kind first: the whole, fenced parts, parts among prose."""
    whole = text.strip().removeprefix("\ufeff")
    yield whole
    yield from reversed([part.strip() for part in FENCE.findall(text)])
    yield from reversed(list(_balanced(whole)))


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


def _parse(text: str) -> Any:
    try:
        return _load(text)
    except ValueError:
        return _load(TRAILING_COMMA.sub(lambda found: found.group(1) or "", text))


def _load(text: str) -> Any:
    # Not strict: models write line ends into strings as they are.
    return json.loads(text, strict=False, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
