"""What a validation found, in words for a person: those of pydantic without its own beginnings.

In: an entry of `ValidationError.errors()`. Out: the sentence without «Value error, », which says nothing to whoever
sent the value. Pure.
"""

from collections.abc import Mapping
from typing import Any

BEGINNINGS = ("Value error, ", "Assertion failed, ")
"""What pydantic writes before the words of a validator of ours."""


def words_of(problem: Mapping[str, Any]) -> str:
    """Give what is wrong, without the place and without the value."""
    words = str(problem["msg"])
    for beginning in BEGINNINGS:
        words = words.removeprefix(beginning)
    return words
