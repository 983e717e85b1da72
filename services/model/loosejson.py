"""JSON as models write it where they do not keep to JSON: single or typographic quotes, Python's words, comments.

In: a text that is meant to be one value. Out: the value, where every sign of the text has its place in it. Nothing is
guessed: no missing end is supplied, no word becomes a string, and prose is refused. Pure; the text is brought into
JSON's own form sign by sign, and the standard library reads that.
"""

import json
import re
from contextlib import suppress
from typing import Any, NoReturn

_PAIRS = (('"', '"'), ("'", "'"), ("“”„‟＂", "“”„‟＂"), ("‘’‚‛", "‘’‚‛"))
"""Signs that open and that close a string."""
_END = r"(?=\s*(?:[,:}\]]|\Z))"
_BESIDE_COMMENT = r"(?=\s*(?:[,:}\]]|\Z|//|/\*|#))"
_IN_COMMENT = r"""(?:[^\n"'“”‘’]|(?<=\w)['’](?=\w))*"""
"""A quote in a comment may be one of a string that goes on; an apostrophe within a word is none."""
_COMMENT = rf"//{_IN_COMMENT}(?=\n|\Z)|\#{_IN_COMMENT}(?=\n|\Z)|/\*.*?\*/"
_REST = r"(?P<sign>[{}\[\]:,])|(?P<number>-?\d[\d.eE+-]*)|(?P<name>[A-Za-z_]\w*)"
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_COLON = re.compile(r"\s*:")
_ESCAPE = re.compile(r"\\(?s:(.))|\"")


def _strict(opens: str, closes: str) -> str:
    """Match a string that ends at the first sign which may close it."""
    return rf"[{opens}](?:[^{closes}\\]|\\.)*[{closes}]{_BESIDE_COMMENT}"


def _generous(opens: str, closes: str) -> str:
    """Match a string in which a sign that may close it is a part of it where the value cannot end: 'It's'."""
    return rf"[{opens}](?:[^{closes}\\]|\\.|[{closes}](?!\s*(?:[,:}}\]]|\Z)|\s+[{opens}]))*[{closes}]{_END}"


_WITH_COMMENTS = re.compile(
    rf"\s+|{_COMMENT}|(?P<text>{'|'.join(_strict(*pair) for pair in _PAIRS)})|{_REST}", re.DOTALL
)
_WITH_QUOTES = re.compile(rf"\s+|(?P<text>{'|'.join(_generous(*pair) for pair in _PAIRS)})|{_REST}", re.DOTALL)
"""Two ways to read: with comments, or with quotes inside of strings. At once nobody could tell which of both begins."""


def parse_json(text: str) -> Any:
    """Read a value that is JSON, but for raw line ends within strings.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deep.
    """
    return json.loads(text, strict=False, parse_constant=_refuse_constant)


def parse_loosely(text: str) -> Any:
    """Read a value that is meant to be JSON, or a literal of Python or JavaScript.

    Raises:
        ValueError: it is none, or may be read in more than one way.
        RecursionError: it is nested too deep.
    """
    with suppress(ValueError):
        return parse_json(text)
    with suppress(ValueError):
        return parse_json(_as_json(text, _WITH_COMMENTS))
    return parse_json(_as_json(text, _WITH_QUOTES))


def _as_json(text: str, tokens: re.Pattern[str]) -> str:
    """Write a text in the signs of JSON; a comma before a closing bracket is left out."""
    parts: list[str] = []
    place = 0
    while place < len(text):
        found = tokens.match(text, place)
        if found is None or found.end() == place:
            raise ValueError(f"no JSON at {place}")
        place = found.end()
        if found.lastgroup is None:  # white space, a comment
            continue
        if found[0] in {"}", "]"} and parts[-1:] == [","]:
            parts.pop()
        parts.append(_part(found, text))
    return " ".join(parts)


def _part(found: re.Match[str], text: str) -> str:
    match found.lastgroup:
        case "text":
            return '"' + _ESCAPE.sub(_escaped, found[0][1:-1]) + '"'
        case "name":
            return _name(found, text)
    return found[0]


def _name(found: re.Match[str], text: str) -> str:
    """Give a constant, or the name of a field without its quotes."""
    if _COLON.match(text, found.end()):
        return json.dumps(found[0])
    if found[0] not in _WORDS:
        raise ValueError(f"{found[0]} is no JSON")
    return _WORDS[found[0]]


def _escaped(found: re.Match[str]) -> str:
    """Keep JSON's escapes; a quote needs one, and before another sign a backslash is only itself: \\( or \\50,000."""
    sign = found[1]
    if sign is None:
        return '\\"'
    if sign in "'‘’“”":
        return str(sign)
    return found[0] if sign in '"\\/' or (sign.isascii() and sign.isalpha()) else "\\" + found[0]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
