"""Second step of a document: from pages to chunks that can be found.

In: jobs about documents that have pages. Out: per document the writes that put the new chunks into the corpus and
take the former ones out, in one transaction; `classify` follows, and `vectors` where an embedder is set. No model is
called here: what was read can be found by its words at once, also while the server of the embedder is away. A chunk
whose text is as it was keeps its number, and with it its vectors. Pages are fetched a few at a time, and a batch stops
growing at `BATCH_CHARS`, so that a book of 10,000 pages fits into memory beside nothing else.
"""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from hashlib import md5

from db.jobs import Job
from db.rows import DocumentOfJob, PageText
from db.vector_rows import FormerChunk
from services.document.tree import ChunkRow, Tree
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.tools import Tools

CHUNKER = "tree-1+bm25-1+order-1"
"""Names the sections, leaves, terms and weights of services/text; a change of them is a new name, and makes every
document's chunks again."""
PAGES_AT_ONCE = 200
CHUNKS_A_STATEMENT = 2000
BATCH_CHARS = 4_000_000
OUTDATED_AT_ONCE = 5000
WITHOUT_MARKDOWN = ("text/plain", "application/pdf", "image/", "message/")
"""Beginnings of the media types whose pages come as they are written; all others come with Markdown headings and
tables."""


def has_markdown(media_type: str) -> bool:
    """Say whether the pages of such a file come with Markdown headings and tables."""
    return not media_type.startswith(WITHOUT_MARKDOWN)


async def enqueue_outdated(tools: Tools) -> None:
    """Enqueue the documents that were cut in another way; they are found by their old chunks until they are done."""
    after: int | None = 0
    while after is not None:
        after = await tools.db.value("embed_outdated", chunker=CHUNKER, after=after, most=OUTDATED_AT_ONCE)


async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
    """Make the chunks of a batch of documents; what does not fit into the batch's memory goes back untouched."""
    found = await tools.db.many(DocumentOfJob, "documents_of_jobs", ids=[job.id for job in jobs])
    documents = {document.job_id: document for document in found}
    outcomes: list[Outcome] = []
    chars = 0
    for job in jobs:
        if chars > BATCH_CHARS:
            outcomes.append(Retry("put_off", after_s=0, counted=False))
            continue
        outcome, size = await _embed(job, documents.get(job.id), tools)
        chars += size
        outcomes.append(outcome)
    return outcomes


async def _embed(job: Job, document: DocumentOfJob | None, tools: Tools) -> tuple[Outcome, int]:
    if document is None or document.deleted:
        again = (Write.once("embed_if_alive", id=document.id),) if document else ()
        return Skipped("document_deleted", "The document was deleted before it was embedded.", again), 0
    tree = Tree(document.title, has_markdown(document.media_type), tools.settings.embed.chunk_chars)
    async for page in _pages(document, tools):
        tree.add(page)
    writes = _writes(document, await _rows(document, tree, tools))
    if tools.embedder is not None:
        writes = (*writes, Write.once("follow_with_vectors", document_id=document.id, urgency=job.urgency))
    return Completed(writes, subject=document.id), sum(len(leaf.text) for leaf in tree.leaves)


def _writes(document: DocumentOfJob, rows: Sequence[ChunkRow]) -> tuple[Write, ...]:
    version = document.pages_version
    return (
        Write.once("lock_document", id=document.id),
        Write.once("drop_chunks", document_id=document.id, kept=[row.id for row in rows]),
        Write("save_chunks", tuple(_slabs(document, rows))),
        Write.once("serve_version", document_id=document.id, version=version, chunker=CHUNKER),
        Write.once("drop_old_pages", document_id=document.id, version=version),
        Write.once("embed_again_if_newer", document_id=document.id, version=version),
    )


async def _rows(document: DocumentOfJob, tree: Tree, tools: Tools) -> list[ChunkRow]:
    sections = tree.sections()
    numbers = await _numbers(document, list(tree.texts(sections)), tools)
    return list(tree.rows(sections, numbers))


async def _numbers(document: DocumentOfJob, texts: Sequence[tuple[str, str]], tools: Tools) -> list[int]:
    """Give each chunk the number of a former one of the same kind and text, or one that nobody has."""
    free: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)
    for former in await tools.db.many(FormerChunk, "former_chunks", document_id=document.id):
        free[former.kind, former.hash].append(former.id)
    keys = [(kind, md5(text.encode(), usedforsecurity=False).hexdigest()) for kind, text in texts]
    kept = [free[key].popleft() if free[key] else None for key in keys]
    fresh = iter(await tools.db.value("reserve_chunk_ids", most=kept.count(None)))
    return [next(fresh) if number is None else number for number in kept]


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


def _slabs(document: DocumentOfJob, rows: Sequence[ChunkRow]) -> list[dict[str, object]]:
    """Cut the rows into statements of bounded size."""
    slabs = []
    for first in range(0, len(rows), CHUNKS_A_STATEMENT):
        part = rows[first : first + CHUNKS_A_STATEMENT]
        slabs.append(
            {
                "document_id": document.id,
                "version": document.pages_version,
                "ids": [row.id for row in part],
                "parents": [row.parent for row in part],
                "indexes": [row.index for row in part],
                "kinds": [row.kind for row in part],
                "levels": [row.level for row in part],
                "page_numbers": [row.page for row in part],
                "starts": [row.start for row in part],
                "end_pages": [row.end_page for row in part],
                "ends": [row.end for row in part],
                "texts": [row.text for row in part],
                "terms": [row.terms for row in part],
                "lexicals": [row.lexical for row in part],
                "word_orders": [row.word_order for row in part],
            }
        )
    return slabs
