"""From a row of `asks` to its end: reads what was asked, has it answered, says how the row is to end.

In: a row of `asks`, put there by the facade for a person who waits, or by anybody's INSERT. Out: the outcome of the job
with the answer or the refusal that is to be written. The steps between are services/answer/ask.py.
"""

from dataclasses import asdict
from typing import Any

from db.gate import Priority
from db.jobs import Job
from db.rows import AskQuestion
from services.answer.ask import Asking, writer_of
from services.answer.cache import Served, keep, kept_of
from services.answer.modes import answer
from services.answer.publish import Publisher
from services.answer.result import Answer, Citation, Refusal
from services.answer.telemetry import failed, traced
from services.answer.trace import Trace
from services.kit.errors import JobError, RequestError
from services.kit.outcome import Completed, Failed, Outcome, Skipped, Write
from services.kit.stage import single
from services.model.client import Call
from services.model.endpoint import Role
from services.search.filters import parse_filters
from services.text.normalise import normalise
from services.tools import Tools


async def answer_ask(job: Job, tools: Tools) -> Outcome:
    """Answer one row of `asks`."""
    row = await tools.db.one(AskQuestion, "ask_question", id=job.id)
    if row is None:
        return Skipped("evidence_missing", "The question was removed before it was answered.")
    voice = Publisher(tools.db, row.id, job.claim)
    async with voice.speaking():
        return await _answered(job, row, tools, voice)


async def _answered(job: Job, row: AskQuestion, tools: Tools, voice: Publisher) -> Outcome:
    trace = Trace(voice.publish)
    trace.anew = row.anew
    trace.take_over(row.trace)
    call = Call(Role.PRIMARY, Priority(job.urgency), f"synthesis ask:{row.id}")
    try:
        filters = parse_filters(row.filters, row.user_id)
        asking = Asking(normalise(row.question), filters, tools, trace, voice, writer_of(tools), call)
        result, evidence, author = await answer(asking, row)
    except RequestError as error:
        return traced(row.id, Failed(error.code, str(error)), trace)
    except JobError as error:
        return failed(row.id, error, trace)
    if isinstance(result, Answer):
        trace.note(corrected=not result.text.startswith(voice.streamed))
    passages = {each.chunk_id: each.text for each in evidence}
    values = _values(result, passages) | {"trace": trace.facts}
    voice.tell(result, values["citations"])
    said = Served(kept_of(result, evidence, trace), author.model, author.prompt_version)
    kept = keep(row.id, row.user_id, said, values["citations"], tools, trace)
    return Completed((Write.once("save_answer", id=row.id, **asdict(author), **values), *kept))


run = single(answer_ask)


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
