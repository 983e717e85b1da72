"""A deep summary of one document: one line, five points, and what does not fit together in it.

In: jobs that triage escalated, or that a person asked for. Out: the document's summary. The large model is asked; where
its own server is away the primary is asked at once, the same (D02). Without any model the document's own sentences are
chosen. It has a daemon of its own, so that a call of minutes holds up no triage (P09).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from db.gate import Priority
from db.jobs import Job
from db.summary_rows import DocumentToSummarise
from services.document.classify import AGAIN_TEMPERATURE, HEAD_CHARS, filled
from services.document.deep_reply import POINTS_FROM_CHARS, TLDR_CHARS, Deep, grounded, points_of, read_deep
from services.document.excerpt import Excerpt, attribute, read_excerpt, request_for, sizes_of
from services.document.record import BY_RULES, Rank, again_if_newer, summary_write, triaged
from services.document.triage import prompt_version as triage_version
from services.document.triage import triage
from services.kit.log import Event, get_logger
from services.kit.outcome import Completed, Outcome, Skipped, Write
from services.kit.settle import outcome_of
from services.kit.stage import FOREGROUND, single
from services.model.client import Call, ModelClient, Said
from services.model.endpoint import Role
from services.model.errors import ModelError, ModelUnavailable
from services.model.prompt import load_prompt
from services.model.reply import Reply
from services.model.request import ChatRequest, Message
from services.text.summary import one_sentence, shortened
from services.tools import Tools

log = get_logger()

PROMPT = "deep"
BUILT_IN = "builtin:extractive"
RULES_VERSION = "points-1"
"""Names the rules of services/text/summary.py, which serve where no model is set."""

Answer = tuple[Said[Reply], Excerpt]


@dataclass(frozen=True, slots=True)
class DeepSummary:
    """A deep summary as it is kept with the document."""

    tldr: str
    bullets: tuple[str, ...]
    inconsistencies: tuple[dict[str, str], ...]
    model: str
    prompt_version: str
    sliced: bool

    @property
    def text(self) -> str:
        """The document's summary: the line, then a point a line."""
        return "\n".join([self.tldr, *(f"- {bullet}" for bullet in self.bullets)])

    def noted(self) -> dict[str, Any]:
        """Give what is noted beside it."""
        return {
            "tldr": self.tldr,
            "bullets": list(self.bullets),
            "inconsistencies": list(self.inconsistencies),
            "prompt_version": self.prompt_version,
            "model": self.model,
            "sliced": self.sliced,
        }


async def summarise(job: Job, tools: Tools) -> Outcome:
    """Summarise one document, and tell whoever waits for it."""
    document = await tools.db.one(DocumentToSummarise, "documents_to_summarise", ids=[job.id])
    outcome = await _summarised(job, document, tools)
    return replace(outcome, writes=(*outcome.writes, Write.once("tell_deep_ended", job_id=job.id)))


run = single(summarise)


async def _summarised(job: Job, document: DocumentToSummarise | None, tools: Tools) -> Outcome:
    if document is None or document.deleted:
        return Skipped("document_deleted", "The document was deleted before it was summarised.")
    if document.bytes == 0:
        return Skipped("empty", "There is no text to summarise: a scan has none until it is recognised.")
    models = tools.models
    if models is None or models.endpoint(Role.DEEP) is None:
        return _completed(document, await _by_rules(document, tools), BY_RULES)
    call = Call(Role.DEEP, _class_of(job), f"deep document:{document.id}")
    try:
        before = await _triaged_first(document, tools, call)
        summary = await _by_model(job, document, tools, models, call)
    except ModelError as error:
        return outcome_of(error)
    return _completed(document, summary, summary.model, before)


def _completed(
    document: DocumentToSummarise, summary: DeepSummary, by: str, before: tuple[Write, ...] = ()
) -> Completed:
    kept = summary_write(document, Rank.DEEP, summary.text, by, summary.noted())
    return Completed((*before, kept, again_if_newer(document, "deep")))


def _class_of(job: Job) -> Priority:
    """A person waits for what is most urgent, and for nothing else here."""
    return Priority.FOREGROUND if job.urgency == FOREGROUND else Priority.BACKGROUND


async def _by_rules(document: DocumentToSummarise, tools: Tools) -> DeepSummary:
    excerpt = await read_excerpt(document, tools, sizes_of(tools.settings.classify).scaled(POINTS_FROM_CHARS))
    line = one_sentence(excerpt.parts[0]) or document.title
    points = points_of(excerpt.parts)
    return DeepSummary(shortened(line, TLDR_CHARS), tuple(points), (), BUILT_IN, RULES_VERSION, excerpt.sliced)


async def _triaged_first(document: DocumentToSummarise, tools: Tools, call: Call) -> tuple[Write, ...]:
    """Have a document that a person asks about filed before its turn; it is summarised all the same when that fails."""
    if call.priority != Priority.FOREGROUND or triaged(document, triage_version()):
        return ()
    try:
        found = await triage(document, tools, Call(Role.TRIAGE, call.priority, f"triage document:{document.id}"))
    except ModelError:
        return ()
    noted = found.noted(held_back=False)
    summary = summary_write(document, Rank.TRIAGE, found.verdict.summary, found.model, noted)
    head = await tools.db.value("head_of_document", id=document.id, chars=HEAD_CHARS) or ""
    return *filled(document, head, found), summary


async def _by_model(
    job: Job, document: DocumentToSummarise, tools: Tools, models: ModelClient, call: Call
) -> DeepSummary:
    prompt, sizes = load_prompt(PROMPT), sizes_of(tools.settings.classify)
    temperature = AGAIN_TEMPERATURE if job.attempts > 1 else 0.0
    excerpt = await read_excerpt(document, tools, sizes)

    def frame(shown: Excerpt) -> ChatRequest:
        parts = prompt.fill(title=attribute(document.title), text=shown.quoted, language=shown.language)
        messages = tuple(Message(who, text) for who, text in parts)
        return ChatRequest(messages, prompt.header.max_tokens, temperature, shape=Deep)

    async def ask(role: Role, fallback: bool) -> Answer:
        request, shown = request_for(models.endpoint(role), excerpt, sizes, frame)
        return await models.chat(replace(call, role=role, fallback=fallback), request), shown

    said, shown = await _nearest(models, call, ask)
    deep = read_deep(said.reply.text, shown.parts, last=job.attempts >= job.max_attempts)
    found = grounded(deep.inconsistencies, shown.parts)
    return DeepSummary(deep.tldr, tuple(deep.bullets), found, said.model, prompt.version, shown.sliced)


async def _nearest(models: ModelClient, call: Call, ask: Callable[[Role, bool], Awaitable[Answer]]) -> Answer:
    """Ask the deep endpoint, and where its own server is away at once the primary; only then a stand-in."""
    deep, primary = models.endpoint(Role.DEEP), models.endpoint(Role.PRIMARY)
    if deep is None or primary is None or deep.name == primary.name:
        return await ask(Role.DEEP, True)
    try:
        return await ask(Role.DEEP, False)
    except ModelUnavailable as error:
        log.warning(Event.MODEL_FELL_BACK, role=call.role, label=call.label, reason=error.for_log)
        return await ask(Role.PRIMARY, True)
