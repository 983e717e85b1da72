"""Third step of a document: what it is, by rules alone. This is the stage where triage by a model has its place.

In: jobs about documents. Out: language, kind and date where nobody said them before. A field that a rule, a caller or
a person set is never overwritten.
"""

from collections.abc import Sequence

from db.jobs import Job
from db.rows import DocumentOfJob
from services.kit.outcome import Completed, Outcome, Skipped, Write
from services.text.language import detect
from services.text.signals import material_type, published_date
from services.tools import Tools

HEAD_CHARS = 6_000
"""A document's kind and date are said at its beginning; the rest of a book is not read for them. Reading 20,000
instead took a fifth of the whole corridor's time (bench/ingest)."""


async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
    """Classify the documents of a batch."""
    found = await tools.db.many(DocumentOfJob, "documents_of_jobs", ids=[job.id for job in jobs])
    documents = {document.job_id: document for document in found}
    return [await _classify(documents.get(job.id), tools) for job in jobs]


async def _classify(document: DocumentOfJob | None, tools: Tools) -> Outcome:
    if document is None or document.deleted:
        return Skipped("document_deleted", "The document was deleted before it was classified.")
    head: str = await tools.db.value("head_of_document", id=document.id, chars=HEAD_CHARS) or ""
    values = {"language": detect(head), "material_type": material_type(head), "published_date": published_date(head)}
    return Completed((Write.once("classify_document", id=document.id, **values),))
