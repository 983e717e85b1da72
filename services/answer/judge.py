"""Have a model judge the evidence, in one call: is it sufficient, what does it not answer, and which words count.

In: a question and its numbered passages. Out: a verdict, sufficient or insufficient, the parts of the question that
are not answered, and what was copied of each passage. Or no verdict: this step never ends an ask; without it the rules
judge.

One call serves the roles EVIDENCE and CLASSIFIER where both are served alike (Z12), under CLASSIFIER, whose breaker
then counts. Where they differ, each is asked by the same prompt: the one for what it copies, the other for its verdict.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from services.answer.calls import Caller
from services.answer.evidence import Evidence
from services.answer.missing import parts_of
from services.answer.publish import Turn
from services.answer.question import Asked
from services.answer.regate import Judgement
from services.answer.shown import LANGUAGES, fitting, quoted, written_out
from services.answer.spans import Pick
from services.kit.answer_settings import AnswerSettings
from services.kit.early import begun
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message

PROMPT = "judge"
UNSAID_RELEVANCE = 0.5
"""Of a span that came without a number for its relevance."""


class Judged(BaseModel):
    """The reply that prompts/judge.md asks for; without a verdict it is none, all else may be lacking."""

    model_config = ConfigDict(extra="ignore")

    verdict: Literal["sufficient", "insufficient"]
    missing: list[str] = []
    spans: list[dict[str, Any]] = []

    @field_validator("verdict", mode="before")
    @classmethod
    def _word(cls, given: Any) -> Any:
        return given.strip().lower() if isinstance(given, str) else given

    @field_validator("missing", mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []

    @field_validator("spans", mode="before")
    @classmethod
    def _objects(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


@dataclass(frozen=True, slots=True)
class Judging:
    """What a question may rest on, as far as it has been found; `evidence` is numbered from 1, best first."""

    asked: Asked
    evidence: Sequence[Evidence]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of it: no verdict and no picks where nobody was asked, or the call failed.

    Attributes:
        missing: parts of the question, in its own words.
        model, prompt_version: by whom and by which prompt the verdict was given; "" without one.
    """

    verdict: Judgement = "none"
    missing: tuple[str, ...] = ()
    picks: tuple[Pick, ...] = ()
    model: str = ""
    prompt_version: str = ""


async def judge(
    gathered: Callable[[], Awaitable[Judging]], caller: Caller, settings: AnswerSettings, turn: Turn
) -> Opinion:
    """Ask for a verdict and for spans; raises nothing of a model's.

    Args:
        gathered: waits for the evidence, which may still be looked for while the call waits for its turn.
    """
    if _are_one(caller):
        return await _asked(Role.CLASSIFIER, gathered, caller, settings.judge_limit_s, turn)
    silent = caller.turn("evidence")  # one step, one turn that listeners are told of
    async with begun(partial(_asked, Role.EVIDENCE, gathered, caller, settings.evidence_limit_s, silent)) as copied:
        opinion = await _asked(Role.CLASSIFIER, gathered, caller, settings.judge_limit_s, turn)
        picks = (await copied.get()).picks
    return replace(opinion, picks=picks or opinion.picks)


def _are_one(caller: Caller) -> bool:
    evidence, classifier = caller.models.endpoint(Role.EVIDENCE), caller.models.endpoint(Role.CLASSIFIER)
    if evidence is None or classifier is None:
        return True
    return (evidence.name, evidence.model) == (classifier.name, classifier.model)


async def _asked(
    role: Role, gathered: Callable[[], Awaitable[Judging]], caller: Caller, limit_s: float, turn: Turn
) -> Opinion:
    name = "judge" if role is Role.CLASSIFIER else "evidence"
    prompt, endpoint = load_prompt(PROMPT), caller.models.endpoint(role)

    async def prepare() -> ChatRequest:
        judging = await gathered()

        def filled(evidence: Sequence[Evidence]) -> ChatRequest:
            language = LANGUAGES[judging.asked.language]
            question = quoted(judging.asked.text)
            parts = prompt.fill(question=question, evidence=written_out(evidence), language=language)
            messages = tuple(Message(who, text) for who, text in parts)
            return ChatRequest(messages, prompt.header.max_tokens, shape=Judged)

        return fitting(endpoint, judging.evidence, filled)

    try:
        said = await caller.ask(name, caller.call(role, name, limit_s), prompt, prepare, _read, turn)
    except ModelError:  # the client has logged which
        return Opinion()
    asked = (await gathered()).asked
    judged, missing = said.value, parts_of(asked, said.value.missing)
    return Opinion(judged.verdict, missing, tuple(picks_of(judged.spans)), said.model, said.prompt_version)


def _read(text: str) -> Judged:
    return read_json(text, Judged)


def picks_of(spans: Sequence[dict[str, Any]]) -> list[Pick]:
    """Read what was copied; what names no passage by its number, or has no words, is passed over."""
    return [
        Pick(n, span, _relevance(given.get("relevance")))
        for given in spans
        if isinstance(span := given.get("span"), str) and type(n := given.get("n")) is int
    ]


def _relevance(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return UNSAID_RELEVANCE
    return min(max(float(given), 0.0), 1.0) if isfinite(given) else UNSAID_RELEVANCE
