"""Have a model say what a document is, in one call: its kind, one sentence, and whether it deserves a deep summary.

In: a document. Out: a verdict of which only what can be believed is left: kinds of a closed list, a date whose year
stands in the text. What a folder rule or a person said is not asked here; services/document/classify.py keeps it.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from db.summary_rows import DocumentToSummarise
from services.document.excerpt import Excerpt, attribute, read_excerpt, request_for, sizes_of
from services.model.client import Call
from services.model.errors import ModelUnavailable
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.text.summary import SENTENCE_CHARS, shortened
from services.tools import Tools

PROMPT = "triage"
_KINDS = "law standard manual paper book report contract minutes form notice article letter data"
KINDS = frozenset(_KINDS.split())
"""Closed, so that a model can neither invent a facet nor hide a document: `news` and `note` are left out of lists."""
HARD = frozenset({"law", "safety", "contract", "deadline", "money"})
"""Reasons to escalate that back-pressure does not hold back: somebody may be hurt, fined or bound."""
SOFT = frozenset({"long", "complex", "conflict"})
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


class Verdict(BaseModel):
    """The reply that prompts/triage.md asks for; what a small model leaves out or makes up is none."""

    model_config = ConfigDict(extra="ignore")

    kind: str | None = None
    jurisdiction: str | None = None
    published_date: date | None = None
    summary: str = Field(min_length=1)
    escalate: bool = False
    reasons: list[str] = []

    @field_validator("kind", mode="before")
    @classmethod
    def _known(cls, given: Any) -> str | None:
        word = given.strip().lower() if isinstance(given, str) else ""
        return word if word in KINDS else None

    @field_validator("jurisdiction", mode="before")
    @classmethod
    def _country(cls, given: Any) -> str | None:
        word = given.strip().upper() if isinstance(given, str) else ""
        return word if _COUNTRY.match(word) else None

    @field_validator("published_date", mode="before")
    @classmethod
    def _day(cls, given: Any) -> date | None:
        try:
            return date.fromisoformat(given.strip()) if isinstance(given, str) else None
        except ValueError:
            return None

    @field_validator("summary", mode="after")
    @classmethod
    def _one_line(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("must say something")
        return shortened(given, SENTENCE_CHARS)

    @field_validator("escalate", mode="before")
    @classmethod
    def _bool(cls, given: Any) -> Any:
        return False if given is None else given

    @field_validator("reasons", mode="before")
    @classmethod
    def _words(cls, given: Any) -> list[str]:
        words = given if isinstance(given, list) else [given]
        known = (word.strip().lower() for word in words if isinstance(word, str))
        return [word for word in dict.fromkeys(known) if word in HARD | SOFT]

    @property
    def hard(self) -> bool:
        """Whether a reason is among those that are never held back."""
        return bool(HARD.intersection(self.reasons))


@dataclass(frozen=True, slots=True)
class Triage:
    """A verdict, by whom and by which prompt it was given, and whether the model saw slices only."""

    verdict: Verdict
    model: str
    prompt_version: str
    sliced: bool

    def noted(self, held_back: bool) -> dict[str, Any]:
        """Give what is kept of it with the document."""
        return {
            **self.verdict.model_dump(mode="json", exclude={"summary"}),
            "summary": self.verdict.summary,
            "held_back": held_back,
            "prompt_version": self.prompt_version,
            "model": self.model,
            "sliced": self.sliced,
        }


def prompt_version() -> str:
    """Say which prompt is in force."""
    return load_prompt(PROMPT).version


async def triage(document: DocumentToSummarise, tools: Tools, call: Call, temperature: float = 0.0) -> Triage:
    """Ask a model about a document.

    Raises:
        ModelError: the call failed, or its reply cannot be read.
    """
    if tools.models is None:
        raise ModelUnavailable("No server is set for triage.", "Set SEODANG_MODELS__PRIMARY__BASE_URL.")
    prompt, sizes = load_prompt(PROMPT), sizes_of(tools.settings.classify)

    def frame(shown: Excerpt) -> ChatRequest:
        parts = prompt.fill(title=attribute(document.title), text=shown.quoted, language=shown.language)
        messages = tuple(Message(who, text) for who, text in parts)
        return ChatRequest(messages, prompt.header.max_tokens, temperature, shape=Verdict)

    excerpt = await read_excerpt(document, tools, sizes)
    request, shown = request_for(tools.models.endpoint(call.role), excerpt, sizes, frame)
    said = await tools.models.chat(call, request)
    verdict = _believed(read_json(said.reply.text, Verdict), shown)
    return Triage(verdict, said.model, prompt.version, shown.sliced)


def _believed(verdict: Verdict, shown: Excerpt) -> Verdict:
    """Drop a date whose year is nowhere in what the model saw."""
    day = verdict.published_date
    if day is None or any(str(day.year) in part for part in shown.parts):
        return verdict
    return verdict.model_copy(update={"published_date": None})
