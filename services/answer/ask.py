"""The second corridor: ask -> retrieve -> evidence -> decide -> answer -> check -> verify.

In: a row of `asks`, put there by the facade for a person who waits, or by anybody's INSERT. Out: an answer
whose every claim carries a [n] that opens at its place, or a refusal that says why. With a model as PRIMARY the model
judges the evidence, writes the answer and looks for contradictions, one gated call after the other; without one the
built-in answerer quotes. Only a failure of the writing ends an ask: whatever else fails is left to rules.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from services.answer.around import around
from services.answer.cache import cached
from services.answer.calls import Caller
from services.answer.decide import Verdict, decide
from services.answer.evidence import Evidence, number
from services.answer.extract import extract
from services.answer.judge import Judging, Opinion, judge
from services.answer.parts_held import ONE, Parts, judge_parts
from services.answer.publish import Publisher, Turn
from services.answer.question import Asked, read
from services.answer.regate import Facts, Found, gate
from services.answer.result import Answer, Refusal, refuse
from services.answer.review import Basis, Reviewer, note, review
from services.answer.spans import choose
from services.answer.synthesize import Ground, synthesize
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
from services.search.retrieve import Found as Searched
from services.search.retrieve import find, search
from services.text.terms import idf, query_terms, question_weights
from services.tools import Tools

log = get_logger()


@dataclass(frozen=True, slots=True)
class Author:
    """By whom and by which rules an answer was made; stored with it."""

    model: str
    prompt_version: str


BUILT_IN = Author("builtin:extractive", "extractive-3")
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

    @property
    def caller(self) -> Caller | None:
        """The way to the models; None as `models`."""
        return None if self.models is None else Caller(self.models, self.call, self.trace, self.voice)


Ended = tuple[Answer | Refusal, Sequence[Evidence], Author]


def writer_of(tools: Tools) -> ModelClient | None:
    """Give the door to the models where one is to write answers; None where the built-in answerer serves."""
    served = tools.models is not None and tools.models.endpoint(Role.PRIMARY) is not None
    return tools.models if served else None


async def ask(asking: Asking) -> Ended:
    """Answer a question from what may be quoted, or refuse; also gives the evidence that was looked at.

    The first call to a model may take its place at the gate before the evidence is looked for, which then costs
    nobody's time.

    Raises:
        RequestError: the question or its filters cannot be searched.
        ModelError: the model that is to write the answer failed.
    """
    gathered: Later[Judging] = Later()
    turn = Turn(asking.voice, "decide")
    async with _judging(asking, gathered, turn) as opinion:
        found = await _gather(asking)
        if not isinstance(found, Judging):
            return found
        gathered.set(found)
        asking.trace.begin("decide")
        turn.begin()
        with asking.trace.timed("decide"):
            near = await around(asking.tools.db, found.asked, found.evidence)
            rules, parts = decide(found.asked, found.evidence, near), ONE
            if asking.models is None:
                rules, parts = judge_parts(found.asked, found.evidence, rules, near)
            basis = _by_parts(_basis(found, rules, await opinion(), asking), rules.enough, parts)
    if decision := gate(basis.facts):
        note(asking.trace, decision, basis.opinion.missing)
        refusal = refuse(decision.reason or "evidence_weak", found.asked.language, basis.opinion.missing)
        return refusal, found.evidence, _judge_of(basis.opinion)
    asking.trace.begin("answer")
    with asking.trace.timed("answer"):
        draft, author, basis = await _draft(asking, basis)
    caller = None if author is BUILT_IN else asking.caller
    return await review(draft, basis, Reviewer(asking.tools, asking.trace, caller)), found.evidence, author


@asynccontextmanager
async def _judging(
    asking: Asking, gathered: Later[Judging], turn: Turn
) -> AsyncIterator[Callable[[], Awaitable[Opinion]]]:
    """Give what gives the model's opinion of the evidence, begun already where that keeps nobody from the model."""
    caller, settings = asking.caller, asking.tools.settings.answer
    if caller is None or not settings.judge:
        yield _no_opinion
        return
    work = partial(judge, gathered.get, caller, settings, turn)
    if not _may_come_early(asking.tools, caller.models):
        yield work
        return
    async with begun(work) as opinion:
        yield opinion.get


async def _no_opinion() -> Opinion:
    return Opinion()


def _may_come_early(tools: Tools, models: ModelClient) -> bool:
    """Say whether a call that has the model may wait for the search: not where the search needs the same model."""
    settings = tools.settings.search
    searching = [Role.EMBED, *[Role.RERANK] * settings.rerank, *[Role.ANALYZER] * settings.rewrite]
    return not _gates(models, searching) & _gates(models, [Role.EVIDENCE, Role.CLASSIFIER, Role.FALLBACK])


def _gates(models: ModelClient, roles: Sequence[Role]) -> set[str]:
    return {endpoint.name for role in roles if (endpoint := models.endpoint(role)) is not None}


async def _gather(asking: Asking) -> Judging | Ended:
    """Find numbered evidence; or the end of the ask, where there is none or the answer is known."""
    tools, trace = asking.tools, asking.trace
    hits = await _retrieve(asking)
    if kept := await cached(asking.question, asking.filters, hits, tools, trace):
        return kept.kept.result, kept.kept.evidence, Author(kept.model, kept.prompt_version)
    asked = await _read(asking.question, tools)
    trace.begin("evidence")
    evidence = number(hits, tools.settings.answer.evidence)
    if evidence:
        return Judging(asked, evidence)
    found: Found = "restricted" if await _is_restricted(asking) else "nothing"
    decision = gate(Facts(found=found))
    assert decision is not None
    note(trace, decision, ())
    return refuse(decision.reason or "evidence_missing", asked.language), (), BUILT_IN


def _basis(found: Judging, rules: Verdict, opinion: Opinion, asking: Asking) -> Basis:
    """Put together what the model and the rules say of the evidence."""
    spans = asking.tools.settings.answer.spans
    excerpts = choose(found.asked, found.evidence, opinion.picks, spans)
    asking.trace.note(
        coverage=round(rules.coverage, 6),
        verdict=rules.why if opinion.verdict == "none" else opinion.verdict,
        rules=rules.why,
        spans=[
            {"n": each.evidence.n, "chars": each.end - each.start, "relevance": each.relevance, "source": each.source}
            for each in excerpts
        ],
    )
    shown = [each.shown(spans.around_chars) for each in excerpts]
    return Basis(
        found.asked, found.evidence, shown, opinion, rules.enough, max((each.relevance for each in excerpts), default=0)
    )


def _by_parts(basis: Basis, covered: bool, parts: Parts) -> Basis:
    """Add what the rules say of the parts of a question, where it has several."""
    missing = tuple(dict.fromkeys((*basis.opinion.missing, *parts.missing)))
    held = tuple(part.focused for part in parts.held)
    return replace(basis, covered=covered, parts=held, opinion=replace(basis.opinion, missing=missing))


def _judge_of(opinion: Opinion) -> Author:
    """Say who refused: the classifier, or the rules."""
    return Author(opinion.model, opinion.prompt_version) if opinion.model else BUILT_IN


async def _draft(asking: Asking, basis: Basis) -> tuple[Answer | Refusal, Author, Basis]:
    """Have the model write; the built-in answerer stands in for a person who would wait for a server that is away."""
    caller, max_chars = asking.caller, asking.tools.settings.answer.max_chars
    if caller is not None:
        turn = caller.turn("answer")
        turn.begin()
        ground = Ground(basis.asked, basis.shown, basis.covered)
        try:
            said = await synthesize(ground, caller, max_chars, turn, asking.voice.heard)
            return said.value, Author(said.model, said.prompt_version), basis
        except ModelUnavailable as error:
            if asking.call.priority != FOREGROUND:
                raise
            log.warning(Event.MODEL_STOOD_IN, label=asking.call.label, reason=error.for_log)
            asking.trace.note(stood_in_for=str(error))
            rules, parts = judge_parts(basis.asked, basis.passages, Verdict(basis.covered, 0.0, "covered"))
            basis = _by_parts(basis, rules.enough, parts)
    if not basis.covered:
        return refuse("evidence_weak", basis.asked.language, basis.opinion.missing), BUILT_IN, basis
    return extract(basis.asked, basis.passages, max_chars, basis.parts), BUILT_IN, basis


async def _retrieve(asking: Asking) -> list[Hit]:
    tools, trace = asking.tools, asking.trace
    helpers, settings = Helpers(tools.models, asking.call.priority), tools.settings.search
    trace.begin("retrieve")
    with trace.timed("retrieve"):
        within = asking.filters.for_evidence()
        found = await find(tools.db, asking.question, within, settings.limit, settings, helpers)
    trace.note(hits=_told(found))
    return found.hits


def _told(found: Searched) -> list[dict[str, object]]:
    """Say of each hit where it stood in each leg, from 1, and what the leg added to its score."""
    places = {leg: {hit.chunk_id: rank for rank, hit in enumerate(hits, 1)} for leg, hits in found.legs.items()}
    return [
        {
            "chunk_id": hit.chunk_id,
            "score": round(hit.score, 4),
            "legs": {leg: round(added, 4) for leg, added in hit.legs.items()},
            "ranks": {leg: ranks[hit.chunk_id] for leg, ranks in places.items() if hit.chunk_id in ranks},
        }
        for hit in found.hits
    ]


async def _is_restricted(asking: Asking) -> bool:
    """Say whether there is something about a question of which nothing that may be quoted says anything."""
    settings = asking.tools.settings.search
    hits = await search(asking.tools.db, asking.question, asking.filters, settings.limit, settings)
    return any(hit.restricted for hit in hits)


async def _read(question: str, tools: Tools) -> Asked:
    docs = await document_frequencies(tools.db, list(query_terms(question).values()))
    chunks = docs.get(ALL_CHUNKS, 0)
    return read(question, question_weights(question, docs, chunks), idf(0, chunks))
