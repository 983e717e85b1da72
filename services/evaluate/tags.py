"""What a question is like, so that figures can be told apart by it: pure."""

import re
from collections.abc import Iterator

from services.evaluate.sets import Question

EVERYTHING = "all"
_NUMBER = re.compile(r"\d")
_LATIN = re.compile(r"[A-Za-z]")
_ARTICLE = re.compile(r"제\s?\d+\s?[조항호]|\b(?:article|section|clause)\s+\d", re.IGNORECASE)
LONG_CHARS = {"ko": 35, "en": 90}
"""From so many characters a question is long: the longest tenth of kobest-ko and of squad2-en."""


def groups_of(question: Question) -> list[str]:
    """Name the groups whose figures a question counts into: `all`, `set:…`, `language:…`, `tag:…`."""
    tags = [f"tag:{tag}" for tag in dict.fromkeys(tags_of(question))]
    return [EVERYTHING, f"set:{question.set}", f"language:{question.language or 'unknown'}", *tags]


def tags_of(question: Question) -> Iterator[str]:
    """Name what a question is like: its kind, its form, what stands in it, and the tags that its set gives it."""
    yield question.kind
    if question.choices:
        yield "multiple choice"
    if question.yes_or_no:
        yield "yes or no"
    if _NUMBER.search(question.text):
        yield "number"
    if _ARTICLE.search(question.text):
        yield "law article"
    if question.language == "ko" and _LATIN.search(question.text):
        yield "Latin in Korean"
    if len(question.text) >= LONG_CHARS.get(question.language, LONG_CHARS["en"]):
        yield "long"
    yield from question.tags
