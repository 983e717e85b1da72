"""Rows around an ask: what is kept of its answer, and what of it no longer holds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a model answered for the ask `ask_id`; `result` is as services/answer/cache.py wrote it."""

    ask_id: int
    result: dict[str, Any]
    model: str
    prompt_version: str


@dataclass(frozen=True, slots=True)
class ChangedCitation:
    """A cited document that is not as it was: `what` is "deleted", "restricted" or "changed"."""

    document_id: int
    title: str
    what: str
