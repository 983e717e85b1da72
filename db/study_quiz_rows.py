"""Rows of quizzes, answers, explanations and reviews (db/sql/study_web.sql, study_quizzes.sql, study_reviews.sql).

`choices` are the two to five that there are, the first of them number 1.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question with how well it is known: `state` as in study_learning_state, `last_outcome` NULL before any."""

    id: int
    study_topic_id: int
    text: str
    choices: list[str]
    correct_choice: int
    explanation: str | None
    exam_name: str | None
    exam_round: int | None
    exam_number: int | None
    tags: list[str]
    ai_explanation: str | None
    ai_explanation_status: str
    created_at: datetime
    updated_at: datetime
    state: str
    attempts: int
    last_outcome: str | None


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """The explanation of a question, and how the last job for it stands (`job_…`), or why it ended (`error_…`).

    `withheld`: it quotes what has become restricted since, and is not given.
    """

    id: int
    status: str
    withheld: bool
    explanation: str | None
    citations: list[dict[str, Any]] | None
    model: str | None
    prompt_version: str | None
    generated_at: datetime | None
    job_id: int | None
    job_status: str | None
    error_code: str | None
    error_message: str | None
    confidence: str | None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row of which only the number is told."""

    id: int


@dataclass(frozen=True, slots=True)
class QuizRow:
    """A quiz with its counts; `topic` is NULL where its questions are of several."""

    id: int
    study_topic_id: int | None
    topic: str | None
    mode: str
    status: str
    question_count: int
    created_at: datetime
    finished_at: datetime | None
    answered: int
    right_answers: int
    wrong_answers: int
    unsure_answers: int
    unknown_answers: int


@dataclass(frozen=True, slots=True)
class QuizItem:
    """A question of a quiz; from `outcome` on NULL until it is answered."""

    position: int
    id: int
    study_topic_id: int
    text: str
    choices: list[str]
    correct_choice: int
    explanation: str | None
    ai_explanation: str | None
    ai_explanation_status: str
    outcome: str | None
    choice: int | None
    was_right: bool | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What was kept of an answer."""

    id: int
    study_question_id: int
    outcome: str
    choice: int | None
    correct_choice: int
    was_right: bool


@dataclass(frozen=True, slots=True)
class CardRow:
    """A question's card; without one (`has_card`) there is no scheduler, state or time."""

    id: int
    topic_scheduler: str
    has_card: bool
    scheduler: str | None
    state: dict[str, Any] | None
    step: int
    due_at: datetime | None
    graduated_at: datetime | None
    lapses: int


@dataclass(frozen=True, slots=True)
class TabCount:
    """How many questions stand in a tab of the review."""

    tab: str
    questions: int


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """A question of a tab; `due_at` is NULL until it has a card."""

    study_topic_id: int
    topic: str
    scheduler: str
    id: int
    text: str
    choices: list[str]
    state: str
    due_at: datetime | None
