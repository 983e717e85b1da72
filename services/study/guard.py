"""What a model says about a question, and whether it may be stored: pure.

In: the text of a reply. Out: an envelope whose choice is a number of this question, or the reason why there is none;
and the guard, which lets nothing pass that lands on another choice than the stored one (S15).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator

from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json

Confidence = Literal["high", "medium", "low"]
Reason = Literal["not_dict", "invalid_answer_choice", "empty_explanation_md"]

PREVIEW_CHARS = 1000
"""Of a reply that cannot be read so much is kept with the job (S13)."""
CIRCLED = "①②③④⑤"
_NOT_SO = r"(?!\s*(?:이|은|는)?\s*아[니닌님])"
_NAMED = re.compile(
    rf"정답(?:은|이|:|：)?\s*\**\(?(?:([1-5])\)?\**\s*번{_NOT_SO}|([{CIRCLED}]){_NOT_SO})"
    r"|(?:correct\s+)?answer\s+is\s+\**(?:choice|option|number|no\.)\s*\(?([1-5])\b",
    re.IGNORECASE,
)


class Envelope(BaseModel):
    """The reply that prompts/explanation.md asks for (S14). `true` and "3" are no choices (Z06)."""

    model_config = ConfigDict(extra="ignore")

    answer_choice: StrictInt = Field(ge=1, le=5)
    explanation_md: str
    confidence: Confidence = "low"

    @field_validator("explanation_md", mode="after")
    @classmethod
    def _says_something(cls, given: str) -> str:
        text = storable(given).strip()
        if not text:
            raise ValueError("must say something")
        return text

    @field_validator("confidence", mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        return given if given in ("high", "medium", "low") else "low"


class _Anything(BaseModel):
    """Any JSON object, to say what is wrong with it."""

    model_config = ConfigDict(extra="ignore")

    answer_choice: Any = None
    explanation_md: Any = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply that cannot be used: why, and its beginning, as the job's payload keeps both (S13)."""

    reason: Reason
    preview: str

    def noted(self) -> dict[str, object]:
        """Give what is merged into the job's payload."""
        return {"debug_raw_preview": self.preview, "parse_fail_reason": self.reason}


def read_envelope(text: str, choices: int) -> Envelope | Unreadable:
    """Read a reply.

    Args:
        choices: how many the question has; a higher number is no choice.
    """
    try:
        envelope = read_json(text, Envelope, wrapped=False)
    except ReplyMisshapen:
        return Unreadable(_reason(text, choices), preview_of(text))
    if envelope.answer_choice > choices:
        return Unreadable("invalid_answer_choice", preview_of(text))
    return envelope


def _reason(text: str, choices: int) -> Reason:
    try:
        given = read_json(text, _Anything, wrapped=False)
    except ReplyMisshapen:
        return "not_dict"
    choice = given.answer_choice
    if type(choice) is not int or not 1 <= choice <= choices:
        return "invalid_answer_choice"
    return "empty_explanation_md"


def preview_of(text: str) -> str:
    """Give the beginning of a reply as a job can keep it."""
    return storable(text)[:PREVIEW_CHARS]


def storable(text: str) -> str:
    """Give a text without what Postgres does not take: NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", errors="replace").decode()


def landed_elsewhere(envelope: Envelope, correct: int, choices: Sequence[str]) -> str | None:
    """Say why an explanation must not be stored; None where it lands on the stored choice.

    Beside the number in its field, a text that names another choice as the answer is held back: a reader believes the
    text. A number that a choice itself contains («3번 반복») names nothing.
    """
    if envelope.answer_choice != correct:
        return f"The model landed on choice {envelope.answer_choice}, stored is {correct}."
    for named in _named(envelope.explanation_md):
        if named != correct and not any(f"{named}번" in choice for choice in choices):
            return f"The explanation names choice {named} as the answer, stored is {correct}."
    return None


def _named(text: str) -> list[int]:
    found = (next(group for group in match.groups() if group) for match in _NAMED.finditer(text))
    return [CIRCLED.index(mark) + 1 if mark in CIRCLED else int(mark) for mark in found]
