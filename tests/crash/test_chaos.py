"""Everything dies, again and again; afterwards every file has been read once and is found."""

import random
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import docx
import psycopg
import pytest

from db.pool import open_pool
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.retrieve import search
from tests.crash.fleet import Daemon, Fleet, Postmaster, fleet, postmaster
from tests.fakes.docx_writer import saved
from tests.fakes.pdf_writer import pdf
from tests.waiting import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.anyio]

FILES = 60
KILL_EACH = 4
"""A daemon is killed whenever so many more rows have ended."""
SERVER_DIES_AT = 60
"""Rows that have ended when the server is killed: a third of the way."""
PER_FILE = 3
"""A file passes three queues."""


def content(number: int, folder: Path) -> Path:
    """Write a file of one of four kinds with words that no other has."""
    lines = [f"Report wonder{number} begins.", *(f"Line {line} of report wonder{number}." for line in range(40))]
    match number % 4:
        case 0:
            path, data = folder / f"{number}.txt", "\n".join(lines).encode()
        case 1:
            path, data = folder / f"{number}.md", ("# Title\n\n" + "\n\n".join(lines)).encode()
        case 2:
            path, data = folder / f"{number}.pdf", pdf([lines[:20], lines[20:]])
        case _:
            document = docx.Document()
            for line in lines:
                document.add_paragraph(line)
            path, data = folder / f"{number}.docx", saved(document)
    path.write_bytes(data)
    return path


@pytest.fixture
def machine() -> Iterator[Postmaster]:
    """A server that may be killed."""
    with tempfile.TemporaryDirectory(prefix="seodang-") as home, postmaster(Path(home).resolve()) as running:
        yield running


def ended(dsn: str) -> int:
    """Count the rows that are final; -1 while the server is away."""
    try:
        with psycopg.connect(dsn, connect_timeout=2) as db:
            asked = (
                "SELECT (SELECT count(*) FROM inbox WHERE completed_at IS NOT NULL)"
                " + (SELECT count(*) FROM document_jobs WHERE completed_at IS NOT NULL)"
            )
            return int(db.execute(asked).fetchone()[0])  # type: ignore[index]
    except psycopg.Error:
        return -1


def reached(dsn: str, least: int) -> bool:
    return ended(dsn) >= least


def kill_until_all_is_done(machine: Postmaster, ships: Fleet, seed: int) -> int:
    """Kill daemons by rows ended, the server once; gives how often something was killed."""
    dice, kills, server_killed = random.Random(seed), 0, False
    crew: list[Daemon] = list(ships.daemons)
    while (done := ended(machine.server.dsn)) < FILES * PER_FILE:
        if done >= SERVER_DIES_AT and not server_killed:
            machine.kill()
            machine.start()
            server_killed = True
        if done >= KILL_EACH * (kills + 1):
            place = dice.randrange(len(crew))
            crew[place].kill()
            crew[place] = ships.start(crew[place].stage)
            kills += 1
        least = min(KILL_EACH * (kills + 1), FILES * PER_FILE)
        wait_for(partial(reached, machine.server.dsn, least), within_s=60)
    assert server_killed
    return kills


async def test_fleet__under_fire_reads_every_file_exactly_once(machine: Postmaster, tmp_path: Path) -> None:
    files = [content(number, tmp_path) for number in range(FILES)]
    dsn = machine.server.dsn
    with fleet(dsn, tmp_path / "home", SEODANG_QUEUE__MAX_CRASHES="1000") as ships:
        crew = [ships.start(stage) for stage in ("ingest", "ingest", "embed", "embed", "classify")]
        crew[0].wait_for("database_gone")  # they start before their server, as after a reboot
        machine.start()
        for daemon in crew:
            daemon.wait_for("worker_started", within_s=30)
        with psycopg.connect(dsn, autocommit=True) as db:
            for path in files:
                db.execute("INSERT INTO inbox (path) VALUES (%s)", [str(path)])
        assert kill_until_all_is_done(machine, ships, seed=7) >= 10
    with psycopg.connect(dsn, autocommit=True) as db:
        check_rows(db, files)
        check_chunks(db)
    await check_search(dsn, files)


def check_rows(db: psycopg.Connection, files: list[Path]) -> None:
    for table in ("inbox", "document_jobs"):
        assert db.execute(f"SELECT DISTINCT status FROM {table}").fetchall() == [("completed",)]
        assert db.execute(f"SELECT max(attempts) FROM {table}").fetchone() == (1,)
    paths = {path for (path,) in db.execute("SELECT path FROM document_files").fetchall()}
    assert paths == {str(path) for path in files}
    assert db.execute("SELECT count(*) FROM documents WHERE deleted_at IS NULL").fetchone() == (FILES,)


def check_chunks(db: psycopg.Connection) -> None:
    """Each document's chunks are there once: every line of its pages stands in exactly one."""
    twice = "SELECT document_id, chunk_index FROM chunks GROUP BY 1, 2 HAVING count(*) > 1"
    assert db.execute(twice).fetchall() == []
    pages = db.execute("SELECT document_id, number, text FROM document_pages").fetchall()
    for document_id, number, text in pages:
        asked = "SELECT text FROM corpus_chunks WHERE document_id = %s AND page_number = %s ORDER BY chunk_index"
        chunks = [chunk for (chunk,) in db.execute(asked, [document_id, number]).fetchall()]
        assert "".join("".join(chunks).split()) == "".join(text.split())
    counted = (
        "SELECT coalesce((SELECT sum(docs) FROM term_stats WHERE term = 0), 0)"
        " + coalesce((SELECT sum(d.n) FROM term_deltas, unnest(terms, docs) AS d(term, n) WHERE d.term = 0), 0)"
    )
    assert db.execute(counted).fetchone() == db.execute("SELECT count(*) FROM corpus_chunks").fetchone()


async def check_search(dsn: str, files: list[Path]) -> None:
    """The words of each file lead to its document and to no other."""
    with psycopg.connect(dsn) as db:
        db.execute("SELECT fold_term_stats()")
        documents = dict(db.execute("SELECT path, document_id FROM document_files").fetchall())
    async with open_pool(dsn, "tests", 2) as pool:
        for number, path in enumerate(files):
            hits = await search(pool, f"wonder{number}", Filters(), 100, SearchSettings())
            assert {hit.document_id for hit in hits} == {documents[str(path)]}, path.name
