"""Have a model look for contradictions between an answer and the passages it cites.

In: a drafted answer, the question and the cited passages. Out: objections, each to one claim, with a strength; or none,
where nobody was asked or the call failed, and which of the two it was: this step never ends an ask, and its word alone
never refuses (A23).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from services.answer.calls import Caller
from services.answer.check import Claim, claims
from services.answer.evidence import Evidence
from services.answer.question import Asked
from services.answer.result import Answer
from services.answer.shown import fitting, quoted, written_out
from services.kit.answer_settings import AnswerSettings
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message

PROMPT = "verify"
Kind = Literal["direct_negation", "numeric_conflict", "intent_core_mismatch", "nuance", "unsupported_claim"]
Weight = Literal["strong", "medium", "weak"]

WEIGHT: Mapping[Kind, Weight] = MappingProxyType(
    {
        "direct_negation": "strong",
        "numeric_conflict": "medium",
        "intent_core_mismatch": "medium",
        "unsupported_claim": "medium",
        "nuance": "weak",
    }
)
"""Behaviours A20; a critical numeric conflict is strong where `answer.verifier_numeric_promote` is set (A21)."""

_KINDS: Mapping[str, Kind] = MappingProxyType({kind: kind for kind in WEIGHT})


class Verified(BaseModel):
    """The reply that prompts/verify.md asks for."""

    model_config = ConfigDict(extra="ignore")

    objections: list[dict[str, Any]]

    @field_validator("objections", mode="before")
    @classmethod
    def _objects(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else given


@dataclass(frozen=True, slots=True)
class Objection:
    """What the verifier has against `answer[start:end]`."""

    kind: Kind
    weight: Weight
    where: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of the verifier.

    Attributes:
        verified: whether it looked; False where it was asked and did not answer, None where the rules spare it.
    """

    verified: bool | None = None
    objections: tuple[Objection, ...] = ()


def is_worth_it(strong: int, relevance: float, settings: AnswerSettings) -> bool:
    """Say whether an answer with so many strong findings, on evidence of at most that relevance, is to be verified.

    Behaviours P04: what is refused anyway, or rests on nearly nothing, is not worth a call.
    """
    return strong < settings.verifier_skip_strong and relevance >= settings.verifier_relevance_share


async def verify(
    answer: Answer, asked: Asked, cited: Sequence[Evidence], caller: Caller, settings: AnswerSettings
) -> Checked:
    """Ask for objections; raises nothing of a model's.

    Args:
        cited: the passages, numbered as the answer's markers are.
    """
    prompt, endpoint = load_prompt(PROMPT), caller.models.endpoint(Role.VERIFIER)
    told = claims(answer.text)

    def filled(evidence: Sequence[Evidence]) -> ChatRequest:
        written = "\n".join(
            f'<claim n="{n}">{quoted(answer.text[each.start : each.end])}</claim>' for n, each in enumerate(told, 1)
        )
        parts = prompt.fill(question=quoted(asked.text), evidence=written_out(evidence), claims=written)
        messages = tuple(Message(who, text) for who, text in parts)
        return ChatRequest(messages, prompt.header.max_tokens, shape=Verified)

    call = caller.call(Role.VERIFIER, "verify", settings.verifier_limit_s, fallback=False)
    turn = caller.turn("verify")
    turn.begin()
    try:
        said = await caller.ask("verify", call, prompt, fitting(endpoint, cited, filled), _read, turn)
    except ModelError:  # the client has logged which
        return Checked(verified=False)
    return Checked(True, tuple(objections_of(said.value.objections, told, settings.verifier_numeric_promote)))


def _read(text: str) -> Verified:
    return read_json(text, Verified)


def objections_of(given: Sequence[Mapping[str, Any]], told: Sequence[Claim], promote: bool) -> list[Objection]:
    """Keep objections of a kind that we know to a claim that there is.

    Args:
        promote: a critical numeric conflict is strong, not middling.
    """
    kept: list[Objection] = []
    for each in given:
        kind: Kind | None = _KINDS.get(str(each.get("type")))
        n = each.get("claim")
        if kind is None or type(n) is not int or not 1 <= n <= len(told):
            continue
        critical = kind == "numeric_conflict" and each.get("severity") == "critical"
        weight: Weight = "strong" if promote and critical else WEIGHT[kind]
        claim = told[n - 1]
        kept.append(Objection(kind, weight, claim.text[:40], claim.start, claim.end))
    return kept
