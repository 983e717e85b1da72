"""What a model answered, kept for a while in a table that all processes share.

In: a question and the passages that were found for it. Out: the answer that a model gave to that question about those
very passages, or nothing. The search is always made (milliseconds): its hits are part of the key, so that a passage
that changed, went away, became restricted or came new in between makes another key, and the model is asked. Refuses
what expired, what cites a place that no longer reads so, what was written by another model, another prompt or other
rules, what cannot be read, and what anybody else asked. No lock is held: two asks of one question at a time both call.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anyio
from pydantic import TypeAdapter, ValidationError

from db.ask_rows import KeptAnswer
from db.errors import DatabaseError
from services.answer.evidence import Evidence
from services.answer.result import Answer, Refusal
from services.answer.trace import Trace
from services.kit.answer_settings import AnswerSettings
from services.kit.outcome import Write
from services.model.client import ModelClient
from services.model.endpoint import Role
from services.model.prompt import load_prompt
from services.search.cache import LOOK_UP_S, fold
from services.search.filters import Filters
from services.search.hit import Hit
from services.tools import Tools

ROLES = (Role.PRIMARY, Role.EVIDENCE, Role.CLASSIFIER, Role.VERIFIER)
"""Whoever may have a word in an answer."""
PROMPTS = ("judge", "synthesize", "verify")
APART = {
    "wait_s",
    "heartbeat_s",
    "leave_s",
    "cache",
    "cache_ttl_s",
    "cache_rows",
    "events_keep_days",
    "keep_days",
    "react",
    "chat",
}
"""Settings of asking that change no answer; one that is not named here is part of the key."""
TOLD = (
    "verdict",
    "rules",
    "coverage",
    "spans",
    "findings",
    "verified",
    "objections",
    "re_gate",
    "tier",
    "missing",
    "confirmed_items",
)
"""Facts of a trace that belong to the answer, and are told again with it: by what it was judged, and how."""
RULES = ("services/answer", "services/text")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, or a model's refusal, with the evidence that it rests on, and what its trace says of it (`TOLD`)."""

    result: Answer | Refusal
    evidence: tuple[Evidence, ...]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """An answer as it is kept, and by whom it was written."""

    kept: Kept
    model: str
    prompt_version: str


_SHAPE = TypeAdapter(Kept)


async def cached(question: str, filters: Filters, hits: Sequence[Hit], tools: Tools, trace: Trace) -> Served | None:
    """Give what a model answered to this question about these hits; None where the model is to be asked.

    The trace then says `cached`, for which ask it was written, and how it was judged then. Where nothing is kept, or
    what is kept cannot be read, the trace keeps the key, under which `keep` stores what the model will say. A database
    that is away or slow has kept nothing.
    """
    settings = tools.settings.answer
    if tools.models is None or tools.models.endpoint(Role.PRIMARY) is None or not settings.cache:
        return None
    key = key_of(question, filters, hits, tools.models, settings)
    found = None if trace.anew else await _look_up(key, tools)
    kept = None if found is None else _read(found)
    if found is None or kept is None:
        trace.cache_key = key
        return None
    trace.note(**kept.told, cached=True, cached_from=found.ask_id)
    return Served(kept, found.model, found.prompt_version)


def _read(found: KeptAnswer) -> Kept | None:
    """Read what is kept; None where another version of this program kept it in another shape."""
    try:
        return _SHAPE.validate_python(found.result)
    except ValidationError:
        return None


def kept_of(result: Answer | Refusal, evidence: Sequence[Evidence], trace: Trace) -> Kept:
    """Put together what is to be kept of an answer."""
    told = {name: trace.facts[name] for name in TOLD if name in trace.facts}
    return Kept(result, tuple(evidence), told)


async def _look_up(key: str, tools: Tools) -> KeptAnswer | None:
    with anyio.move_on_after(LOOK_UP_S):
        try:
            return await tools.db.one(KeptAnswer, "look_up_answer", key=key)
        except DatabaseError:  # the next step meets the same error, where it matters
            return None
    return None


def keep(
    ask_id: int, user_id: int, said: Served, citations: Sequence[Any], tools: Tools, trace: Trace
) -> tuple[Write, ...]:
    """Give the writes that keep a model's answer, to be run with the end of its ask.

    Nothing is kept of what the built-in answerer or the fallback wrote, nor of an answer for which a call failed: the
    next who asks may have a better one.

    Args:
        citations: as callers see them, with `text`; by them it is found whether a kept answer still holds.
    """
    if trace.cache_key is None or tools.models is None or trace.failed_calls:
        return ()
    if said.model not in {label for _, label, *_ in _writers(tools.models)}:
        return ()
    settings = tools.settings.answer
    return (
        Write.once(
            "keep_answer",
            key=trace.cache_key,
            user_id=user_id,
            ask_id=ask_id,
            result=_SHAPE.dump_python(said.kept, mode="json"),
            citations=list(citations),
            model=said.model,
            prompt_version=said.prompt_version,
            ttl_s=settings.cache_ttl_s,
            most=settings.cache_rows,
        ),
    )


def key_of(question: str, filters: Filters, hits: Iterable[Hit], models: ModelClient, settings: AnswerSettings) -> str:
    """Give the key of an answer: sha256, 64 hexadecimal digits, over everything that it depends on."""
    found = [(hit.chunk_id, hit.document_id, hit.title, hit.page, hit.start, hit.end, hit.text) for hit in hits]
    parts = (fold(question), asdict(filters), found, _writers(models), prompt_versions(), _rules())
    whole = json.dumps([*parts, settings.model_dump(mode="json", exclude=APART)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _writers(models: ModelClient) -> list[tuple[object, ...]]:
    served = ((role, models.endpoint(role)) for role in ROLES)
    return [(role, each.label, each.context_tokens, each.json_mode, each.thinking) for role, each in served if each]


def prompt_versions() -> dict[str, str]:
    """Name the version of each prompt that an ask uses (A12)."""
    return {prompt.name: prompt.version for prompt in map(load_prompt, PROMPTS)}


@cache
def _rules() -> str:
    """Give the hash of the rules around the model's calls: their own text, so that nobody has to number them."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in RULES for path in (ROOT / folder).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
