"""Second step of a document: from pages to chunks that can be found.

In: jobs about documents that have pages. Out: per document the writes that put the new chunks into the corpus and
take the former ones out, in one transaction; `classify` follows. Pages are fetched a few at a time, and a batch stops
growing at `BATCH_CHARS`, so that a book of 10,000 pages fits into memory beside nothing else.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from db.jobs import Job
from db.rows import DocumentOfJob, PageText
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.text.chunks import split
from services.text.terms import document_weights, sparsevec_text
from services.tools import Tools

LEXICAL = "bm25-1"
"""Names the terms and weights of services/text; a change of them is a new name, and embeds everything again."""
PAGES_AT_ONCE = 200
CHUNKS_A_STATEMENT = 2000
BATCH_CHARS = 4_000_000
MARKDOWN = frozenset(
    {"text/markdown", "text/html", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
)
"""Formats whose pages come with Markdown headings and tables."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk before it has a number: `text` is the page's text from `start` to `end`."""

    page: int
    index: int
    start: int
    end: int
    text: str
    terms: str
    lexical: str


def embedder_label(tools: Tools) -> str:
    """Name all that a document's chunks depend on."""
    return LEXICAL if tools.embedder is None else f"{LEXICAL}+{tools.embedder.label}"


async def enqueue_outdated(tools: Tools) -> None:
    """Enqueue the documents that another embedder made; they are found by their old chunks until they are done."""
    await tools.db.none("embed_outdated", embedder=embedder_label(tools))


async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
    """Embed the documents of a batch; what does not fit into the batch's memory goes back untouched."""
    found = await tools.db.many(DocumentOfJob, "documents_of_jobs", ids=[job.id for job in jobs])
    documents = {document.job_id: document for document in found}
    outcomes: list[Outcome] = []
    chars = 0
    for job in jobs:
        if chars > BATCH_CHARS:
            outcomes.append(Retry("put_off", after_s=0, counted=False))
            continue
        outcome, size = await _embed(documents.get(job.id), tools)
        chars += size
        outcomes.append(outcome)
    return outcomes


async def _embed(document: DocumentOfJob | None, tools: Tools) -> tuple[Outcome, int]:
    if document is None or document.deleted:
        return Skipped("document_deleted", "The document was deleted before it was embedded."), 0
    chunks = [chunk async for chunk in _chunks(document, tools)]
    vectors = await _vectors(chunks, tools)
    label = embedder_label(tools)
    version = document.pages_version
    writes = (
        Write.once("lock_document", id=document.id),
        Write.once("drop_chunks", document_id=document.id),
        Write("insert_chunks", tuple(_slabs(document, chunks, vectors, label))),
        Write.once("serve_version", document_id=document.id, version=version, embedder=label),
        Write.once("drop_old_pages", document_id=document.id, version=version),
        Write.once("embed_again_if_newer", document_id=document.id, version=version),
    )
    return Completed(writes, subject=document.id), sum(len(chunk.text) for chunk in chunks)


async def _chunks(document: DocumentOfJob, tools: Tools) -> AsyncIterator[Chunk]:
    index, limit = 0, tools.settings.embed.chunk_chars
    async for page in _pages(document, tools):
        for span in split(page.text, markdown=document.media_type in MARKDOWN, max_chars=limit):
            text = page.text[span.start : span.end]
            weights = document_weights(text, document.title)
            terms = "{" + ",".join(map(str, sorted(weights))) + "}"
            yield Chunk(page.number, index, span.start, span.end, text, terms, sparsevec_text(weights))
            index += 1


async def _pages(document: DocumentOfJob, tools: Tools) -> AsyncIterator[PageText]:
    first, version = 1, document.pages_version
    while True:
        last = first + PAGES_AT_ONCE - 1
        asked = {"document_id": document.id, "version": version, "first": first, "last": last}
        pages = await tools.db.many(PageText, "pages_between", **asked)
        for page in pages:
            yield page
        if len(pages) < PAGES_AT_ONCE:
            return
        first = last + 1


async def _vectors(chunks: Sequence[Chunk], tools: Tools) -> list[str | None]:
    if tools.embedder is None:
        return [None] * len(chunks)
    vectors = await tools.embedder.embed([chunk.text for chunk in chunks])
    return ["[" + ",".join(f"{value:.6g}" for value in vector) + "]" for vector in vectors]


def _slabs(
    document: DocumentOfJob, chunks: Sequence[Chunk], vectors: Sequence[str | None], label: str
) -> list[dict[str, object]]:
    """Cut the chunks into statements of bounded size."""
    slabs = []
    for first in range(0, len(chunks), CHUNKS_A_STATEMENT):
        part = chunks[first : first + CHUNKS_A_STATEMENT]
        slabs.append(
            {
                "document_id": document.id,
                "version": document.pages_version,
                "page_numbers": [chunk.page for chunk in part],
                "indexes": [chunk.index for chunk in part],
                "starts": [chunk.start for chunk in part],
                "ends": [chunk.end for chunk in part],
                "texts": [chunk.text for chunk in part],
                "terms": [chunk.terms for chunk in part],
                "lexicals": [chunk.lexical for chunk in part],
                "embeddings": list(vectors[first : first + CHUNKS_A_STATEMENT]),
                "embedder": label,
            }
        )
    return slabs
