"""What a search is to the evaluation: a function from a question to what each leg found. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

FUSED = "fused"
"""All legs together, as a user gets them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one question found: texts by leg, best first, and milliseconds of the legs that were timed."""

    texts: dict[str, list[str]]
    took_ms: dict[str, float]


Look = Callable[[str, bool], Awaitable[Seen]]
"""Searches for a question; with True each leg is timed that can be asked by itself."""
