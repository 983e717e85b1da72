"""Rows of the analysis of questions."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QuestionToAnalyze:
    """A question that waits for its analysis; `age_s` is the time since it was asked."""

    user_id: int
    question: str
    age_s: float


@dataclass(frozen=True, slots=True)
class CachedReply:
    """What a model said of a question; `lives_s` until it expires, by the clock of the database."""

    reply: dict[str, Any]
    lives_s: float
