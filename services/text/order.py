"""The terms of a passage in their order, packed to lie beside it: what a second look at the best hits reads.

In: a passage. Out: 4 bytes per term: its id, whether it begins a word, whether it is a number, and a 0 after each
sentence. Which terms a passage has is not enough to tell a passage that answers from one that only speaks of the same
things; cutting and stemming fifty passages for each question would take longer than the search itself.
"""

import re
import sys
from array import array
from collections.abc import Sequence
from functools import lru_cache

from services.text.terms import fold, worded_ids

BEGINS_WORD = 1 << 29
NUMBER = 1 << 30
ID = BEGINS_WORD - 1
"""Ids of terms have 29 bits (terms.DIMENSIONS)."""
END = 0
"""Stands after each sentence; no term has the id 0."""

_BORDER = re.compile(r"(?<=[.!?。])\s+|\n+")
_NUMBERS = """
one two three four five six seven eight nine ten eleven twelve hundred thousand million billion half third dozen percent
january february march april june july august september october november december century
"""
_NUMBER_WORDS = frozenset(_NUMBERS.split())


def ordered(text: str) -> bytes:
    """Pack the terms of a text in their order; a sentence without a term leaves nothing."""
    codes = array("I")
    for sentence in _BORDER.split(fold(text)):
        before = len(codes)
        for kind, token, ids in worded_ids(sentence):
            codes.extend(_codes(ids, kind in ("number", "law") or token in _NUMBER_WORDS))
        if len(codes) > before:
            codes.append(END)
    if sys.byteorder == "big":
        codes.byteswap()
    return codes.tobytes()


def unpacked(packed: bytes) -> Sequence[int]:
    """Give the codes back."""
    codes = array("I")
    codes.frombytes(packed)
    if sys.byteorder == "big":
        codes.byteswap()
    return codes


@lru_cache(maxsize=2**15)
def _codes(ids: tuple[int, ...], number: bool) -> tuple[int, ...]:
    flag = NUMBER if number else 0
    return tuple(ident | flag | (0 if place else BEGINS_WORD) for place, ident in enumerate(ids))
