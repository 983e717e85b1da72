"""Third step of a document: what it is and what it says in one sentence; by rules, and by a model where one is set.

In: jobs about documents. Out: language, kind, jurisdiction, date and summary, where nobody said them before: a field
that a folder rule, the caller or a person set is never overwritten, and rules go before the model. Where the model
says that one sentence is not enough, `deep` follows, unless too many of those wait. A model that is away costs
nothing but its own part: what the rules say is kept, and the job is put off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from db.gate import Priority
from db.jobs import Job
from db.summary_rows import DeepPressure, DocumentToSummarise
from services.document.life import law_write
from services.document.record import BY_RULES, Rank, again_if_newer, deepened, summary_write, triaged
from services.document.triage import Triage, prompt_version, triage
from services.kit.outcome import Completed, Failed, Outcome, Retry, Skipped, Write
from services.kit.settle import outcome_of
from services.model.client import Call
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.text.language import detect
from services.text.signals import material_type, published_date
from services.text.summary import one_sentence
from services.tools import Tools

HEAD_CHARS = 6_000
"""A document's kind and date are said at its beginning; the rest of a book is not read for them. Reading 20,000
instead took a fifth of the whole corridor's time (bench/ingest)."""
BATCH = 32
"""Documents of one claim where only rules work; with a model each has its own, since a call may take minutes."""
DIGEST = "digest"
"""A kind that is a summary already."""
AGAIN_TEMPERATURE = 0.3
"""At 0 a model would give the reply that could not be read a second time."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked about documents.

    Attributes:
        share: of the documents, chosen by their number; the others get what the rules say.
        fallback: whether the role's stand-in may answer.
    """

    role: Role = Role.TRIAGE
    share: float = 1.0
    fallback: bool = True


DAEMON = Asking()


def batch_of(tools: Tools, asking: Asking = DAEMON) -> int:
    """Say how many documents are claimed at once."""
    return BATCH if _served(tools, asking) is None else 1


async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
    """Classify the documents of a batch."""
    return await classified(jobs, tools, DAEMON)


async def classified(jobs: Sequence[Job], tools: Tools, asking: Asking) -> Sequence[Outcome]:
    """Do the same with another model."""
    found = await tools.db.many(DocumentToSummarise, "documents_to_summarise", ids=[job.id for job in jobs])
    documents = {document.job_id: document for document in found}
    return [await _classify(job, documents.get(job.id), tools, asking) for job in jobs]


async def _classify(job: Job, document: DocumentToSummarise | None, tools: Tools, asking: Asking) -> Outcome:
    if document is None or document.deleted:
        return Skipped("document_deleted", "The document was deleted before it was classified.")
    head: str = await tools.db.value("head_of_document", id=document.id, chars=HEAD_CHARS) or ""
    rules = _by_rules(document, head)
    if not _is_asked(document, tools, asking):
        return Completed((*rules, again_if_newer(document, "classify")))
    call = Call(asking.role, Priority.BACKGROUND, f"triage document:{document.id}", asking.fallback)
    try:
        found = await triage(document, tools, call, AGAIN_TEMPERATURE if job.attempts > 1 else 0.0)
    except ModelError as error:
        return _with_writes(outcome_of(error), rules)
    return Completed((*rules, *await _by_model(document, head, found, tools), again_if_newer(document, "classify")))


def _with_writes(outcome: Outcome, writes: tuple[Write, ...]) -> Outcome:
    assert isinstance(outcome, Retry | Failed)
    return replace(outcome, writes=writes)


def _by_rules(document: DocumentToSummarise, head: str) -> tuple[Write, ...]:
    kind = material_type(head)
    fields = Write.once(
        "classify_document",
        id=document.id,
        text_version=document.text_version,
        language=detect(head),
        material_type=kind,
        jurisdiction=None,
        published_date=published_date(head),
    )
    summary = summary_write(document, Rank.RULES, one_sentence(head), BY_RULES)
    return fields, *_law(document, head, kind), summary


def _law(document: DocumentToSummarise, head: str, kind: str | None) -> tuple[Write, ...]:
    """Note which version of which law it is, of a document that is only now found to be one."""
    if kind != "law" or document.material_type is not None:
        return ()
    return (law_write(document.id, document.title, document.filename, head),)


def _served(tools: Tools, asking: Asking) -> object | None:
    return None if tools.models is None else tools.models.endpoint(asking.role)


def _is_asked(document: DocumentToSummarise, tools: Tools, asking: Asking) -> bool:
    if _served(tools, asking) is None or document.bytes == 0 or not in_sample(document.id, asking.share):
        return False
    if document.material_type == DIGEST:
        return False
    again = bool((document.payload or {}).get("again"))
    return again or not triaged(document, prompt_version())


def in_sample(document_id: int, share: float) -> bool:
    """Say whether a document is among a share of all, always the same ones."""
    drawn = int.from_bytes(blake2b(str(document_id).encode(), digest_size=8).digest(), "big")
    return drawn < share * 2**64


async def _by_model(document: DocumentToSummarise, head: str, found: Triage, tools: Tools) -> tuple[Write, ...]:
    verdict = found.verdict
    held_back = verdict.escalate and not verdict.hard and await _is_under_pressure(tools)
    summary = summary_write(document, Rank.TRIAGE, verdict.summary, found.model, found.noted(held_back))
    writes = (*filled(document, head, found), summary)
    if not verdict.escalate or held_back or deepened(document):
        return writes
    why = {"asked_by": "triage", "reasons": verdict.reasons}
    return *writes, Write.once("enqueue_deep", document_id=document.id, urgency=int(Priority.BACKGROUND), payload=why)


def filled(document: DocumentToSummarise, head: str, found: Triage) -> tuple[Write, ...]:
    """Fill in what neither a person nor a rule has said; the licence is nothing that a model may say (I03)."""
    verdict = found.verdict
    fields = Write.once(
        "classify_document",
        id=document.id,
        text_version=document.text_version,
        language=None,
        material_type=verdict.kind,
        jurisdiction=verdict.jurisdiction,
        published_date=verdict.published_date,
    )
    return fields, *_law(document, head, verdict.kind)


async def _is_under_pressure(tools: Tools) -> bool:
    settings = tools.settings.classify
    now = await tools.db.one(DeepPressure, "deep_pressure", window_s=settings.deep_window_s)
    return now is not None and too_many(now, settings.deep_share, settings.deep_pending)


def too_many(now: DeepPressure, share: float, waiting: int) -> bool:
    """Say whether softer reasons no longer escalate (P09).

    Args:
        share: of escalated among classified documents. It counts from the number of documents on at which one of them
            is no more than it: one of the first two would be half.
        waiting: deep summaries that wait.
    """
    enough = now.classified * share >= 1 or share == 0
    return now.waiting >= waiting or (enough and now.escalated > share * now.classified)
