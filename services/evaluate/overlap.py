"""Whether what a search returned is the passage that answers: pure.

Passages are cut anew when they are read, so ids cannot be compared; texts are. The first characters of what was
returned are looked at, so that to return whole documents does not pay.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

GRAM_CHARS = 5
LEAST_SHARE = 0.5
"""Of the 5-grams of the shorter text, so many must be common to both (the rule that comes with the sets)."""
LEAST_GRAMS = 20
"""What was returned must have as many, unless the passage itself has fewer: a heading alone is no hit."""
LOOKED_AT_CHARS = 2000
"""Characters of a returned text that count; a chunk has 1,200 at most."""
TEXTS_KEPT = 1024
"""Texts whose 5-grams stay in memory, about 60 kB each; neighbouring questions meet the same ones."""

_NO_LETTER = re.compile(r"\W+")


@lru_cache(maxsize=TEXTS_KEPT)
def grams(text: str) -> frozenset[str]:
    """Give the 5-grams of a text's letters and digits, folded; of a shorter text the text itself, of none nothing."""
    letters = _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).lower())
    last = max(len(letters) - GRAM_CHARS, 0)
    return frozenset(letters[at : at + GRAM_CHARS] for at in range(last + 1)) if letters else frozenset()


def is_hit(returned: str, passage: str) -> bool:
    """Say whether a returned text shows the passage."""
    found, wanted = grams(returned[:LOOKED_AT_CHARS]), grams(passage)
    if not wanted or len(found) < min(LEAST_GRAMS, len(wanted)):
        return False
    return len(found & wanted) >= LEAST_SHARE * min(len(found), len(wanted))


def rank_of(returned: Sequence[str], passages: Sequence[str]) -> int | None:
    """Give the rank, from 1, of the first returned text that shows one of the passages; None where none does."""
    for rank, text in enumerate(returned, start=1):
        if any(is_hit(text, passage) for passage in passages):
            return rank
    return None
