"""Rows of evaluations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EvalRun:
    """A former run of the same questions, with all that a new one is compared with."""

    id: int
    started_at: datetime
    figures: dict[str, Any]
    latency: dict[str, Any]
    results: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as `seodang eval list` shows it; `figures` and `latency` are those of all questions and legs together."""

    id: int
    started_at: datetime
    took_s: float
    asked: list[str]
    options: dict[str, Any]
    chunker: str
    models: dict[str, Any]
    figures: dict[str, Any] | None
    latency: dict[str, Any] | None
