"""The second corridor: ask -> retrieve -> evidence -> decide -> answer -> check.

In: a row of `asks`, put there by the facade for a person who waits, or by anybody's INSERT. Out: an answer
whose every claim carries a [n] that opens at its place, or a refusal that says why. This first answerer is
extractive: it quotes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from db.jobs import Job
from db.rows import AskQuestion, ServedPage
from services.answer.check import PageKey, check, settle
from services.answer.decide import decide
from services.answer.events import CHANNEL, CITATIONS, REFUSAL, AskEvent, token_events
from services.answer.evidence import Evidence, number
from services.answer.extract import extract
from services.answer.question import Asked, read
from services.answer.result import Answer, Citation, Refusal, refuse
from services.answer.trace import Trace
from services.kit.errors import RequestError
from services.kit.outcome import Completed, Failed, Outcome, Skipped, Write
from services.kit.stage import single
from services.search.filters import Filters, parse_filters
from services.search.hit import Hit
from services.search.lexical import ALL_CHUNKS, document_frequencies
from services.search.retrieve import search
from services.text.normalise import normalise
from services.text.terms import query_terms, question_weights
from services.tools import Tools

MODEL = "builtin:extractive"
PROMPT_VERSION = "extractive-1"
"""The built-in answerer has no prompt; its rules have a version all the same, stored with every answer."""


async def answer_ask(job: Job, tools: Tools) -> Outcome:
    """Answer one row of `asks`."""
    row = await tools.db.one(AskQuestion, "ask_question", id=job.id)
    if row is None:
        return Skipped("evidence_missing", "The question was removed before it was answered.")
    publisher = Publisher(tools, row.id)
    trace = Trace(publisher.publish)
    try:
        filters = parse_filters(row.filters, row.user_id)
        result, evidence = await ask(normalise(row.question), filters, tools, trace)
    except RequestError as error:
        return Failed(error.code, str(error))
    passages = {each.chunk_id: each.text for each in evidence}
    values = _values(result, passages) | {"trace": trace.facts}
    await publisher.tell(result, values["citations"] or [])
    save = Write.once("save_answer", id=row.id, prompt_version=PROMPT_VERSION, model=MODEL, **values)
    return Completed((save,))


run = single(answer_ask)


async def ask(
    question: str, filters: Filters, tools: Tools, trace: Trace
) -> tuple[Answer | Refusal, Sequence[Evidence]]:
    """Answer a question from what may be quoted, or refuse; also gives the evidence that was looked at."""
    hits = await _retrieve(question, filters, tools, trace)
    asked = await _read(question, tools)
    await trace.begin("evidence")
    evidence = number(hits, tools.settings.answer.evidence)
    if not evidence:
        return refuse("evidence_restricted" if hits else "evidence_missing", asked.language), ()
    await trace.begin("decide")
    with trace.timed("decide"):
        verdict = decide(asked, evidence)
    trace.note(coverage=round(verdict.coverage, 4), verdict=verdict.why)
    if not verdict.enough:
        return refuse("evidence_weak", asked.language), evidence
    await trace.begin("answer")
    with trace.timed("answer"):
        draft = extract(asked, evidence, tools.settings.answer.max_chars)
    return await _checked(draft, asked, tools, trace), evidence


async def _retrieve(question: str, filters: Filters, tools: Tools, trace: Trace) -> list[Hit]:
    await trace.begin("retrieve")
    with trace.timed("retrieve"):
        hits = await search(tools.db, question, filters, tools.settings.search.limit, tools.settings.search)
    trace.note(hits=[{"chunk_id": hit.chunk_id, "score": round(hit.score, 4)} for hit in hits])
    return hits


async def _read(question: str, tools: Tools) -> Asked:
    docs = await document_frequencies(tools.db, list(query_terms(question).values()))
    return read(question, question_weights(question, docs, docs.get(ALL_CHUNKS, 0)))


async def _checked(draft: Answer | Refusal, asked: Asked, tools: Tools, trace: Trace) -> Answer | Refusal:
    if isinstance(draft, Refusal):
        return draft
    await trace.begin("check")
    with trace.timed("check"):
        findings = check(draft, await _pages(draft.citations, tools), tools.settings.answer.max_chars)
    trace.note(findings=[asdict(finding) for finding in findings])
    return settle(draft, findings, asked.language)


async def _pages(citations: Sequence[Citation], tools: Tools) -> dict[PageKey, str]:
    keys = sorted({(citation.document_id, citation.page) for citation in citations})
    asked = {"document_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    pages = await tools.db.many(ServedPage, "page_texts", **asked)
    return {(page.document_id, page.number): page.text for page in pages}


def _values(result: Answer | Refusal, passages: dict[int, str]) -> dict[str, Any]:
    """Give the columns of an ask's ending."""
    match result:
        case Answer():
            return {
                "answer": result.text,
                "completeness": result.completeness,
                "refused": False,
                "refuse_reason": None,
                "confidence": result.confidence,
                "citations": [public_citation(cited, passages) for cited in result.citations],
            }
        case Refusal():
            return {
                "answer": result.sentence,
                "completeness": "insufficient",
                "refused": True,
                "refuse_reason": result.reason,
                "confidence": "low",
                "citations": [],
            }


def public_citation(cited: Citation, passages: dict[int, str]) -> dict[str, Any]:
    """Give a citation as callers see it: `quote` is the page's text from `start` to `end`, `text` the passage
    around."""
    url = f"/api/documents/{cited.document_id}/pages/{cited.page}?start={cited.start}&end={cited.end}"
    return asdict(cited) | {"text": passages.get(cited.chunk_id, cited.quote), "url": url}


NOTIFY_BYTES = 8000
"""Postgres refuses a longer payload. What does not fit is not sent: the finished row has it, and the facade
reads it."""


class Publisher:
    """Tells whoever listens how an ask goes; nothing is written, and nobody need listen."""

    def __init__(self, tools: Tools, ask_id: int) -> None:
        self._tools, self._ask_id = tools, ask_id

    async def publish(self, event: AskEvent) -> None:
        """Send one event."""
        await self._send([event])

    async def tell(self, result: Answer | Refusal, citations: Sequence[dict[str, Any]]) -> None:
        """Send an answer word by word with its citations, or a refusal."""
        if isinstance(result, Refusal):
            said = {"reason": result.reason, "message": result.sentence}
            await self._send([AskEvent(REFUSAL, "refusal", said)])
            return
        cites = [AskEvent(CITATIONS + cited["n"], "citation", cited) for cited in citations]
        await self._send([*token_events(result.text), *cites])

    async def _send(self, events: Sequence[AskEvent]) -> None:
        payloads = [{"ask": self._ask_id, "seq": event.id, "event": event.name, "data": event.data} for event in events]
        texts = [json.dumps(payload, ensure_ascii=False) for payload in payloads]
        fitting = [text for text in texts if len(text.encode()) < NOTIFY_BYTES]
        await self._tools.db.none("publish", channel=CHANNEL, payloads=fitting)
