"""Rows of an evaluation of explanations (db/sql/study_eval.sql)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ExplainedQuestion:
    """How a question's explanation stands; `code` and `answer_choice` are of its last job, where that tells them."""

    source_key: str
    topic: str
    status: str
    text: str | None
    model: str | None
    citations: list[dict[str, Any]] | None
    code: str | None
    answer_choice: int | None
