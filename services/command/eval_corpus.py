"""The index that an evaluation searches: all its sets in one database of its own, beside that of the user's documents.

In: sets. Out: a place whose database holds their documents, read, cut and embedded by the daemons' own stages in this
process. It is kept for the next run; its name says of what and by what it was made. Refuses to give one in which a
document is missing, since its figures would be wrong. The gate and the breaker stay those of the user's database.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import anyio

from db.command_rows import EndedFile, FilesProgress
from db.databases import (
    Beside,
    address_of,
    create_database,
    databases_beside,
    drop_database,
    note_database,
    settle_database,
)
from db.migrate import migrate, migration_files
from db.plain import plain
from db.pool import Database, open_pool
from services.command.add import Rows, add
from services.command.eval_bar import shown
from services.command.place import Place
from services.document.embed import CHUNKER
from services.evaluate.measure import Tell
from services.evaluate.sets import EvaluationSet, write_documents
from services.kit.errors import SeodangError
from services.kit.runner import Runner
from services.search.serving import serving_embedder
from services.stages import stage_named
from services.text import terms
from services.tools import Embedder, Tools
from services.wiring import open_tools

PREFIX = "seodang_eval"
KEPT = 2
"""So many databases of evaluations are kept, those that were used last: a change and what it is compared with."""
LOOK_S = 0.5
CONNECTIONS = 8
"""Twice the questions that are asked side by side, since legs may be asked side by side, too."""
CORRIDOR = ("ingest", "embed")


def schema_version() -> str:
    """Name the schema: the last migration, and a hash of all."""
    files = migration_files()
    return f"{files[-1].name}+{_hash(*(file.sha256 for file in files))}"


def _source_hash() -> str:
    """Hash what makes chunks and terms: who tunes it may forget to give CHUNKER a new name, and would be told lies."""
    return _hash(*(path.read_text(encoding="utf-8") for path in sorted(Path(terms.__file__).parent.glob("*.py"))))


@contextmanager
def opened_corpus(place: Place, sets: Sequence[EvaluationSet]) -> Iterator[Place]:
    """Give a place whose database holds the documents of all the sets and nothing else; made where there is none.

    Raises:
        SeodangError: a document could not be read, or vectors are missing because the embedder is away.
        DatabaseUnfit: the role may make no database.
    """
    name = _name(place, sets)
    whole = any(each.name == name and _used_at(each) for each in _known(place))
    if not whole:
        drop_database(place.dsn, name)  # what a broken-off run left
        create_database(place.dsn, name)
    address = address_of(place.dsn, name)
    migrate(address)
    with plain(address) as db:
        corpus = Place(place.settings, address, db)
        if not whole:
            _fill(place, corpus, sets)
        note_database(place.dsn, name, json.dumps({"used_at": datetime.now(UTC).isoformat()}))
        _drop_old(place)
        _add_vectors(place, corpus)
        yield corpus


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _prefix(place: Place) -> str:
    """Two installations may share a server: neither drops what the other made."""
    return f"{PREFIX}_{_hash(urlsplit(place.dsn).path)[:6]}_"


def _name(place: Place, sets: Sequence[EvaluationSet]) -> str:
    corpora = (part for one in sets for part in (one.name, one.corpus_sha256))
    made_by = (CHUNKER, _source_hash(), str(place.settings.embed.chunk_chars), schema_version())
    return _prefix(place) + _hash(*made_by, *corpora)


def _known(place: Place) -> list[Beside]:
    return databases_beside(place.dsn, _prefix(place))


def _used_at(database: Beside) -> str:
    """Give when a database was used last, "" where it was never finished."""
    noted: dict[str, Any] = json.loads(database.note or "{}")
    return str(noted.get("used_at", ""))


def _drop_old(place: Place) -> None:
    ordered = sorted(_known(place), key=_used_at, reverse=True)
    for old in ordered[KEPT:]:
        drop_database(place.dsn, old.name)


def _fill(place: Place, corpus: Place, sets: Sequence[EvaluationSet]) -> None:
    with TemporaryDirectory(prefix="seodang-eval-") as folder:
        ids: list[int] = []
        for one in sets:
            path = Path(folder).resolve() / one.name
            write_documents(one, path)
            ids += [file.id for file in add(corpus, [path], one.name, wait=False).files]
        rows = Rows.of(ids)
        with shown("reading the sets", 2 * len(ids)) as tell:
            anyio.run(_worked, place, corpus, CORRIDOR, rows, tell)
    _check(corpus.db.many(EndedFile, "ended_files", firsts=rows.firsts, lasts=rows.lasts))
    corpus.db.value("fold_term_stats")
    settle_database(corpus.dsn)


def _check(files: Sequence[EndedFile]) -> None:
    failed = [file for file in files if file.status != "completed"]
    if failed:
        first = failed[0]
        raise SeodangError(
            f"{len(failed)} of {len(files)} documents could not be read; the first is {Path(first.name).name}: "
            f"{first.error_message}"
        )


def _add_vectors(place: Place, corpus: Place) -> None:
    """Make the vectors that an embedder of the settings lacks; none where none is set."""
    if place.settings.models.embed.base_url is None:
        return
    anyio.run(_worked, place, corpus, ("vectors",), Rows([], []), lambda done: None)
    settle_database(corpus.dsn)


async def _worked(place: Place, corpus: Place, stages: Sequence[str], rows: Rows, tell: Tell) -> None:
    """Do what is ready in some stages, and tell how the files come along."""
    async with corpus_tools(place, corpus) as tools:
        async with anyio.create_task_group() as watch:
            watch.start_soon(_look, tools.db, rows, tell)
            for name in stages:
                await Runner(corpus.dsn, stage_named(name), tools, place.settings.queue, until_empty=True).run()
            watch.cancel_scope.cancel()
        if tools.embedder is not None and "vectors" in stages:
            await _serve(tools, tools.embedder)


async def _serve(tools: Tools, embedder: Embedder) -> None:
    """Let whole vectors serve, and do what the daemon does by the clock: measure what each leg is worth here."""
    await tools.db.none("serve_whole_embedder")
    serving = await serving_embedder(tools.db)
    if serving is None or serving.label != embedder.label:
        raise SeodangError(
            "Not all vectors were made, the embedder is away: start its server, and run this again in a minute."
        )
    watch = stage_named("vectors").watch
    if watch is not None:
        await watch(tools)


@asynccontextmanager
async def corpus_tools(place: Place, corpus: Place, searching: bool = False) -> AsyncIterator[Tools]:
    """Open tools that look into the evaluation's database; models are called through the gate of the user's.

    Args:
        searching: as in `open_pool`, for whoever searches and does not fill.
    """
    pool = open_pool(corpus.dsn, "eval", CONNECTIONS, searching)
    async with open_tools(place.settings, "eval") as tools, pool as db:
        yield replace(tools, db=db)


async def _look(db: Database, rows: Rows, tell: Tell) -> None:
    """Tell how far the files have come, half-way when a file is read, until cancelled."""
    never = anyio.Event()
    while True:
        counts = await db.one(FilesProgress, "files_progress", firsts=rows.firsts, lasts=rows.lasts)
        assert counts is not None
        total = counts.done + counts.waiting + counts.failed + counts.skipped
        tell(counts.read + total - counts.waiting)
        with anyio.move_on_after(LOOK_S):
            await never.wait()
