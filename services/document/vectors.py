"""Beside the corridor: vectors for chunks that can be found by their words already.

In: jobs about documents with chunks. Out: vectors of the configured embedder for leaves that have none of it, a bounded
number per batch; then the next job of the document, until all have theirs. Whatever happens to the server of the
embedder, nothing but this stage waits for it.

Each embedder has a generation of vectors of its own (table `embedders`). After a change of the embedder the old
generation serves until no document would lose its vectors by the change (serve_whole_embedder), then it is cleared
away. Chunks that come meanwhile get vectors of the new one only: the server of the old one is mostly gone, and words
find them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from db.jobs import Job
from db.rows import DocumentOfJob
from db.vector_rows import ChunkText, EmbedderRow
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.search.vector import halfvec_text
from services.tools import Tools

Vector = Sequence[float]

DOCUMENTS_AT_ONCE = 5000

NO_EMBEDDER = Skipped("no_embedder", "No embedder is set; set models.embed, and vectors are made at the next start.")
DELETED = Skipped("document_deleted", "The document was deleted before it had vectors.")
PUT_OFF = Retry("put_off", after_s=0, counted=False)


@dataclass(frozen=True, slots=True)
class Portion:
    """What one job makes: the vectors of these chunks."""

    job: Job
    document: DocumentOfJob
    chunks: Sequence[ChunkText]


async def enqueue_lacking(tools: Tools) -> None:
    """Enqueue the documents that lack vectors of the configured embedder, behind all that is new."""
    if tools.embedder is None:
        return
    label = tools.embedder.label
    await tools.db.none("choose_embedder", label=label)
    after: int | None = 0
    while after is not None:
        after = await tools.db.value("enqueue_vectors", label=label, after=after, most=DOCUMENTS_AT_ONCE)


async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
    """Make the vectors of a batch with one request after the other; jobs that do not fit go back untouched.

    Raises:
        ModelError: the embedder gave none; one that is away costs no attempt.
    """
    if tools.embedder is None:
        return [NO_EMBEDDER] * len(jobs)
    known = await tools.db.one(EmbedderRow, "embedder_named", label=tools.embedder.label)
    portions = await _portions(jobs, known, tools)
    texts = [chunk.text for each in portions if isinstance(each, Portion) for chunk in each.chunks]
    vectors = await tools.embedder.embed(texts) if texts else []
    given = iter(vectors)
    return [
        _completed(each, tools.embedder.label, known, list(islice(given, len(each.chunks))))
        if isinstance(each, Portion)
        else each
        for each in portions
    ]


async def _portions(jobs: Sequence[Job], known: EmbedderRow | None, tools: Tools) -> list[Portion | Outcome]:
    """Say of each job which chunks it is about, or how it ends without any."""
    found = await tools.db.many(DocumentOfJob, "documents_of_jobs", ids=[job.id for job in jobs])
    documents = {document.job_id: document for document in found}
    portions: list[Portion | Outcome] = []
    room = tools.settings.embed.vectors_at_once
    for job in jobs:
        document = documents.get(job.id)
        if document is None or document.deleted:
            portions.append(DELETED)
        elif room == 0:
            portions.append(PUT_OFF)
        else:
            asked = {"document_id": document.id, "embedder": known.id if known else None, "most": room}
            chunks = await tools.db.many(ChunkText, "chunks_without_vector", **asked)
            portions.append(Portion(job, document, chunks))
            room -= len(chunks)
    return portions


def _completed(portion: Portion, label: str, known: EmbedderRow | None, vectors: Sequence[Vector]) -> Outcome:
    """Write a job's vectors under a lock on its document, so that no new chunks come in between."""
    document_id = portion.document.id
    writes = [Write.once("lock_document", id=document_id)]
    if vectors:
        dim, ids = len(vectors[0]), [chunk.id for chunk in portion.chunks]
        if known is None or known.dim != dim:
            writes.append(Write.once("register_embedder", label=label, dim=dim))
        texts = [halfvec_text(vector) for vector in vectors]
        writes.append(Write.once("insert_vectors", label=label, dim=dim, chunk_ids=ids, vectors=texts))
    writes.append(Write.once("save_document_vector", document_id=document_id, label=label))
    writes.append(Write.once("finish_vectors", document_id=document_id, label=label, urgency=portion.job.urgency))
    return Completed(tuple(writes))
