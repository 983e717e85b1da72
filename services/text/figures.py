"""Find the figures of a text, so that what is written about it can be held against it.

In: any text. Out: its numbers, each in one way of writing: 1,200 is 1200, and 03 is 3. Of a date each part counts, so
that 2026-03-05, 2026. 3. 5. and 3월 5일 have their figures in common.
"""

import re
from collections.abc import Iterator

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FIGURE = re.compile(r"\d+(?:[.:/-]\d+)*")
_DECIMAL = re.compile(r"\d+\.\d+")
_DIGITS = re.compile(r"\d+")


def figures(text: str) -> list[str]:
    """Give the numbers of a text in their order, each once; a decimal is one, with its point."""
    return list(dict.fromkeys(_figures(_THOUSANDS.sub("", text))))


def figures_told(text: str) -> set[str]:
    """Give what may be told of a text's numbers: of a decimal also its parts, for it may be a day: 11.21."""
    return {*figures(text), *(digits.lstrip("0") or "0" for digits in _DIGITS.findall(_THOUSANDS.sub("", text)))}


def _figures(text: str) -> Iterator[str]:
    for found in _FIGURE.findall(text):
        if _DECIMAL.fullmatch(found):
            yield found
        else:
            yield from (digits.lstrip("0") or "0" for digits in _DIGITS.findall(found))
