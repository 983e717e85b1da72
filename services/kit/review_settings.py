"""Settings of quizzes and of what is to be reviewed when."""

from typing import Annotated

from pydantic import Field

from services.kit.setting_part import Count, Part, Seconds, ZoneName


class ReviewSettings(Part):
    """Quizzes, the explanations that follow from them, and the review of cards."""

    timezone: ZoneName | None = Field(None, description="Zone whose midnight ends a day; the system's when unset.")
    steps_days: Annotated[tuple[Count, ...], Field(min_length=1)] = Field(
        (3, 7, 14), description="Days until a card comes again, step by step; after the last it has graduated (P11)."
    )
    retention_share: float = Field(
        0.9, gt=0, lt=1, description="Share that is still to be known when a card comes again, where FSRS plans."
    )
    quiz_questions: Count = Field(20, description="Questions of a quiz whose maker names no number.")
    per_topic: Count = Field(20, description="Questions of each topic in a review whose maker names no number (P10).")
    backfill: Count = Field(30, description="Missing explanations that reading a finished quiz enqueues at most (S05).")
    backfill_wait_s: Seconds = Field(
        0.2, description="So long reading a finished quiz waits for that at most; the next reading makes up for it."
    )
