"""Whether a text holds one of the strings that a question's right answers are made of: pure.

Case, width, signs and, in Korean, blanks do not count, since particles and spacing differ where the answer does not; a
string of another script must stand between word borders, or «12» would be found in «1200».
"""

import re
import unicodedata
from collections.abc import Sequence

_MARKER = re.compile(r"\[\d{1,3}\]")
_NO_WORD = re.compile(r"\W+")
_HANGUL = re.compile("[가-힣]")


def without_markers(text: str) -> str:
    """Give a text without its `[n]`: the number of a citation answers nothing."""
    return _MARKER.sub(" ", text)


def has_answer(text: str, answers: Sequence[str]) -> bool:
    """Say whether a text holds one of the strings; an empty one is in no text."""
    words = _fold(text)
    letters = words.replace(" ", "")
    return any(_is_in(_fold(answer), words, letters) for answer in answers)


def _is_in(answer: str, words: str, letters: str) -> bool:
    if _HANGUL.search(answer):
        return answer.replace(" ", "") in letters
    return bool(answer) and f" {answer} " in f" {words} "


def _fold(text: str) -> str:
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()
