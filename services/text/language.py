"""Tell Korean from English: a text by the script of its letters, a question in both scripts by its grammar.

In: any text. Out: 'ko', 'en', 'mixed' or 'und'. It knows scripts, not languages: French counts as 'en', which
is what the search terms do with it too; an answer in French is services/text/foreign.py's to find.
"""

import re
from typing import Literal

from services.text.question_words import grammar

Language = Literal["ko", "en", "mixed", "und"]
ReplyLanguage = Literal["ko", "en"]

SYLLABLE_WEIGHT = 2.5
"""Latin letters one Hangul syllable stands for: a Belebele passage has 2.5 to 2.7 times the letters in
English."""

MIXED_FROM = 0.2
"""Share of the lesser script from which a text is 'mixed': a product name in a Korean page stays below it."""

QUESTION_CHARS = 400
"""A longer text is a page, and goes by its script."""

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\uff21-\uff3a\uff41-\uff5a]")
_LETTER = re.compile(r"[^\W\d_]")


def detect(text: str) -> Language:
    """Name the language of a text by the shares of Hangul and Latin among its letters.

    Returns:
        'und' without letters, or when other scripts hold more than half of them; 'ko' or 'en' when the other
        of the two has less than MIXED_FROM; else 'mixed'. A Hangul syllable weighs SYLLABLE_WEIGHT Latin
        letters.
    """
    hangul, latin = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    letters = len(_LETTER.findall(text))
    if not letters or 2 * (hangul + latin) < letters:
        return "und"
    return _by_share(SYLLABLE_WEIGHT * hangul / (SYLLABLE_WEIGHT * hangul + latin))


def reply_language(question: str) -> ReplyLanguage:
    """Choose the language of our own sentences: that of the question's grammar, whatever names it holds.

    "Who is 김철수?" is English, "VACUUM 안됨" is Korean. Where there is no grammar, a question in both scripts is
    Korean if it ends in Hangul or holds a noticeable share of it; so is a longer text with such a share.
    """
    by_script: ReplyLanguage = "ko" if detect(question) in ("ko", "mixed") else "en"
    if len(question) > QUESTION_CHARS or not (_HANGUL.search(question) and _LATIN.search(question)):
        return by_script
    found = grammar(question)
    if found.english or found.korean:
        return "en" if found.english > found.korean else "ko"
    return "ko" if found.ends_korean else by_script


def _by_share(korean: float) -> Language:
    if korean > 1 - MIXED_FROM:
        return "ko"
    return "en" if korean < MIXED_FROM else "mixed"
