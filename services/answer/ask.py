"""The second corridor: ask -> retrieve -> evidence -> decide -> answer -> check.

In: a row of `asks`, put there by the facade for a person who waits, or by anybody's INSERT. Out: an answer
whose every claim carries a [n] that opens at its place, or a refusal that says why. With a model as PRIMARY the model
writes the answer from the evidence; without one the built-in answerer quotes.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial

from db.rows import ServedPage
from services.answer.check import PageKey, check, settle
from services.answer.decide import decide
from services.answer.evidence import Evidence, number
from services.answer.extract import extract
from services.answer.publish import Publisher, Turn
from services.answer.question import Asked, read
from services.answer.result import Answer, Citation, Refusal, refuse
from services.answer.synthesize import Ground, Written, synthesize
from services.answer.trace import Trace
from services.kit.early import Later, begun
from services.kit.log import Event, get_logger
from services.kit.stage import FOREGROUND
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelUnavailable
from services.search.filters import Filters
from services.search.helpers import Helpers
from services.search.hit import Hit
from services.search.lexical import ALL_CHUNKS, document_frequencies
from services.search.retrieve import search
from services.text.terms import query_terms, question_weights
from services.tools import Tools

log = get_logger()


@dataclass(frozen=True, slots=True)
class Author:
    """By whom and by which rules an answer was made; stored with it."""

    model: str
    prompt_version: str


BUILT_IN = Author("builtin:extractive", "extractive-1")
"""The built-in answerer has no prompt; its rules have a version all the same."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the steps of one ask share.

    Attributes:
        models: None where the built-in answerer serves.
        call: the class and label under which a model is called.
    """

    question: str
    filters: Filters
    tools: Tools
    trace: Trace
    voice: Publisher
    models: ModelClient | None
    call: Call


def writer_of(tools: Tools) -> ModelClient | None:
    """Give the door to the models where one is to write answers; None where the built-in answerer serves."""
    served = tools.models is not None and tools.models.endpoint(Role.PRIMARY) is not None
    return tools.models if served else None


async def ask(asking: Asking) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    """Answer a question from what may be quoted, or refuse; also gives the evidence that was looked at.

    A call to the model takes its place at the gate before the evidence is looked for, which then costs nobody's time.

    Raises:
        RequestError: the question or its filters cannot be searched.
        ModelError: the model that is to write the answer failed.
    """
    ground: Later[Ground] = Later()
    turn = Turn(asking.voice, "answer")
    async with _writing(asking, ground, turn) as written:
        found = await _gather(asking)
        if isinstance(found, Refusal):
            return found, (), BUILT_IN
        ground.set(found)
        asking.trace.begin("answer")
        with asking.trace.timed("answer"):
            draft, author = await _draft(asking, found, turn, written)
    return await _checked(draft, found.asked, asking.tools, asking.trace), found.evidence, author


@asynccontextmanager
async def _writing(asking: Asking, ground: Later[Ground], turn: Turn) -> AsyncIterator[Later[Written] | None]:
    """Let the model's call begin, as far as it can; None where no model is set."""
    if asking.models is None:
        yield None
        return
    max_chars = asking.tools.settings.answer.max_chars
    write = partial(synthesize, ground.get, asking.models, asking.call, max_chars, asking.voice.heard, turn.admitted)
    async with begun(write) as written:
        yield written


async def _gather(asking: Asking) -> Ground | Refusal:
    tools, trace = asking.tools, asking.trace
    hits = await _retrieve(asking)
    asked = await _read(asking.question, tools)
    trace.begin("evidence")
    evidence = number(hits, tools.settings.answer.evidence)
    if not evidence:
        restricted = await _is_restricted(asking)
        return refuse("evidence_restricted" if restricted else "evidence_missing", asked.language)
    trace.begin("decide")
    with trace.timed("decide"):
        verdict = decide(asked, evidence)
    trace.note(coverage=round(verdict.coverage, 4), verdict=verdict.why)
    return Ground(asked, evidence, verdict.enough)


async def _draft(
    asking: Asking, ground: Ground, turn: Turn, written: Later[Written] | None
) -> tuple[Answer | Refusal, Author]:
    """Have the model write; the built-in answerer stands in for a person who would wait for a server that is away."""
    if written is not None:
        turn.begin()
        try:
            return _told(await written.get(), asking.trace)
        except ModelUnavailable as error:
            if asking.call.priority != FOREGROUND:
                raise
            log.warning(Event.MODEL_STOOD_IN, label=asking.call.label, reason=str(error))
            asking.trace.note(stood_in_for=str(error))
    if not ground.covered:
        return refuse("evidence_weak", ground.asked.language), BUILT_IN
    return extract(ground.asked, ground.evidence, asking.tools.settings.answer.max_chars), BUILT_IN


def _told(written: Written, trace: Trace) -> tuple[Answer | Refusal, Author]:
    said = written.said
    trace.note(
        gate_wait_ms=round(said.gate_wait_ms, 2),
        model_ms=round(said.took_ms, 2),
        tokens_in=said.reply.tokens_in,
        tokens_out=said.reply.tokens_out,
    )
    return written.result, Author(said.model, written.prompt_version)


async def _retrieve(asking: Asking) -> list[Hit]:
    tools, trace = asking.tools, asking.trace
    helpers, settings = Helpers(tools.models, asking.call.priority), tools.settings.search
    trace.begin("retrieve")
    with trace.timed("retrieve"):
        within = asking.filters.for_evidence()
        hits = await search(tools.db, asking.question, within, settings.limit, settings, helpers)
    trace.note(hits=[{"chunk_id": hit.chunk_id, "score": round(hit.score, 4)} for hit in hits])
    return hits


async def _is_restricted(asking: Asking) -> bool:
    """Say whether there is something about a question of which nothing that may be quoted says anything."""
    settings = asking.tools.settings.search
    hits = await search(asking.tools.db, asking.question, asking.filters, settings.limit, settings)
    return any(hit.restricted for hit in hits)


async def _read(question: str, tools: Tools) -> Asked:
    docs = await document_frequencies(tools.db, list(query_terms(question).values()))
    return read(question, question_weights(question, docs, docs.get(ALL_CHUNKS, 0)))


async def _checked(draft: Answer | Refusal, asked: Asked, tools: Tools, trace: Trace) -> Answer | Refusal:
    if isinstance(draft, Refusal):
        return draft
    trace.begin("check")
    with trace.timed("check"):
        findings = check(draft, await _pages(draft.citations, tools), tools.settings.answer.max_chars)
    trace.note(findings=[asdict(finding) for finding in findings])
    return settle(draft, findings, asked.language)


async def _pages(citations: Sequence[Citation], tools: Tools) -> dict[PageKey, str]:
    keys = sorted({(citation.document_id, citation.page) for citation in citations})
    asked = {"document_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    pages = await tools.db.many(ServedPage, "page_texts", **asked)
    return {(page.document_id, page.number): page.text for page in pages}
