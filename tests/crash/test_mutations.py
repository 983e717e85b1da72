"""Broken files, bombs and nests in the real daemons, sound files between them: nobody dies, each file ends with its
code, what is sound is found.

`SEODANG_TEST_MUTANTS=2000 pytest -s` makes the long run of it, with the product's limits, and shows what came out.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg.rows import class_row

from db.pool import open_pool
from db.server import EmbeddedServer
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.retrieve import search
from tests.conftest import dsn_to
from tests.crash.fleet import Fleet, fleet
from tests.crash.memory_watch import MemoryWatch
from tests.fakes.bombs import BOMBS
from tests.fakes.good_files import KINDS
from tests.fakes.mutations import SEED, lines, mutant
from tests.fakes.nests import NESTS
from tests.waiting import wait_for

COUNT = int(os.environ.get("SEODANG_TEST_MUTANTS", "150"))
LONG = COUNT > 1000
pytestmark = [pytest.mark.slow, pytest.mark.crash, pytest.mark.anyio, pytest.mark.timeout(120 + 2 * COUNT)]

CODES = frozenset({"unsupported_format", "encrypted", "corrupt", "too_large", "empty"})
"""With these a file may end (contract, section 5)."""
GOOD_EACH = 5
"""A sound file follows so many broken ones."""
SPECIAL_EACH = 7
"""In a short run every seventh broken file is a bomb or a nest; the long run takes all of them."""
MIB = 2**20
CHILD_MIB, PARSE_LIMIT_S = (1024, 30) if LONG else (512, 4)
DAEMON_MIB = 500
"""What a daemon may take: the text of the largest document that is let in passes through it."""
MARGIN_S = 15
"""What a file may take over the limit of its parsing, on a machine that does other things too."""
SETTINGS = {
    "SEODANG_INGEST__PARSE_LIMIT_S": str(PARSE_LIMIT_S),
    "SEODANG_INGEST__MEMORY_MIB": str(CHILD_MIB),
    "SEODANG_INGEST__MAX_UNPACKED_MIB": str(CHILD_MIB),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A row of the inbox at the end."""

    path: str
    status: str
    error_code: str | None
    error_message: str | None
    seconds: float

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is left when every row has ended."""

    dsn: str
    rows: list[Ended]
    codes: dict[str, str]
    """The word that only this sound file holds, by the file's name."""
    dead: list[str]
    watch: MemoryWatch
    daemons: dict[int, str]
    seconds: float


def code_of(number: int) -> str:
    """Give a word that stands in no other file and cannot be guessed from its neighbours."""
    return "q" + blake2b(f"{SEED} {number}".encode(), digest_size=8).hexdigest()


def offered(folder: Path, codes: dict[str, str]) -> Iterator[Path]:
    """Write the files one by one, in the order in which they are offered; notes the codes of the sound ones."""
    specials = special_names()
    for number in range(COUNT):
        if number % GOOD_EACH == 0:
            kind = list(KINDS)[number // GOOD_EACH % len(KINDS)]
            path = folder / f"good-{number}.{kind}"
            codes[path.name] = code_of(number)
            path.write_bytes(KINDS[kind]([f"Report {number}", *lines(Random(number), 20), f"{code_of(number)} 코드"]))
            yield path
        if number % SPECIAL_EACH == 1 and (place := number // SPECIAL_EACH) < len(specials):
            path = folder / specials[place]
            path.write_bytes((BOMBS | NESTS)[path.name]())
        else:
            broken = mutant(number)
            path = folder / broken.name
            path.write_bytes(broken.content)
        yield path


@cache
def special_names() -> list[str]:
    """Take as many bombs and nests as there is room for, evenly from all of them."""
    names = [*BOMBS, *NESTS]
    room = min(COUNT // SPECIAL_EACH, len(names))
    return [names[place * len(names) // room] for place in range(room)]


def unfinished(db: psycopg.Connection) -> int:
    found = db.execute(
        "SELECT (SELECT count(*) FROM inbox WHERE completed_at IS NULL) + (SELECT count(*) FROM document_jobs"
        " WHERE completed_at IS NULL AND stage IN ('embed', 'classify'))"
    ).fetchone()
    assert found is not None
    return int(found[0])


def work_off(ships: Fleet, dsn: str, folder: Path) -> Aftermath:
    """Offer all files and wait until every row has ended."""
    daemons = [ships.start(stage) for stage in ("ingest", "ingest", "embed", "classify")]
    for daemon in daemons:
        daemon.wait_for("worker_started", within_s=60)
    codes: dict[str, str] = {}
    began = time.monotonic()
    with psycopg.connect(dsn, autocommit=True) as db, MemoryWatch([daemon.pid for daemon in daemons]) as watch:
        for path in offered(folder, codes):
            db.execute("INSERT INTO inbox (path) VALUES (%s)", [str(path)])
        wait_for(lambda: unfinished(db) == 0, within_s=60 + 2 * COUNT)
        seconds = time.monotonic() - began
        asked = (
            "SELECT path, status, error_code, error_message, extract(epoch FROM completed_at - started_at)::float"
            " AS seconds FROM inbox ORDER BY id"
        )
        rows = db.cursor(row_factory=class_row(Ended)).execute(asked).fetchall()
    dead = [f"{daemon.stage} {daemon.pid}" for daemon in daemons if daemon.process.poll() is not None]
    return Aftermath(dsn, rows, codes, dead, watch, {daemon.pid: daemon.stage for daemon in daemons}, seconds)


@pytest.fixture(scope="module")
def aftermath(
    server: EmbeddedServer, admin: psycopg.Connection, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    """Let the daemons work off everything, once for all tests; they have been told to stop when it is given."""
    admin.execute(f"CREATE DATABASE mutants TEMPLATE {template} STRATEGY file_copy")
    dsn = dsn_to(server, "mutants")
    folder = tmp_path_factory.mktemp("mutants")
    try:
        with fleet(dsn, folder / "home", **SETTINGS) as ships:
            result = work_off(ships, dsn, folder)
        tell(result)
        yield result
    finally:
        admin.execute("DROP DATABASE mutants WITH (FORCE)")


def tell(result: Aftermath) -> None:
    """Say what became of the files, by kind; pytest shows it with -s."""
    ends: dict[str, Counter[str]] = {}
    for row in result.rows:
        kind = "sound" if row.name in result.codes else row.name.split("-")[1] if row.name[0].isdigit() else "special"
        ends.setdefault(kind, Counter())[row.error_code or row.status] += 1
    said = [f"{len(result.rows)} files in {result.seconds:.0f} s"]
    said += [f"{kind:10} {dict(counted.most_common())}" for kind, counted in sorted(ends.items())]
    said += [
        f"{row.seconds:6.1f} s  {row.name:34} {row.error_code or row.status}"
        for row in result.rows
        if row.name in (BOMBS | NESTS) or row.seconds > PARSE_LIMIT_S / 2
    ]
    said += [f"{stage}: at most {result.watch.peaks[pid] / MIB:.0f} MiB" for pid, stage in result.daemons.items()]
    said += [f"children: {len(result.watch.children)}, at most {result.watch.child_peak / MIB:.0f} MiB"]
    sys.stdout.write("\n" + "\n".join(said) + "\n")


def test_mutants__end_each_with_a_code_of_the_contract_and_a_sentence(aftermath: Aftermath) -> None:
    for row in aftermath.rows:
        if row.status != "completed":
            assert row.status == "failed", row
            assert row.error_code in CODES, row
            assert row.error_message, row


def test_sound_files__between_mutants_are_read(aftermath: Aftermath) -> None:
    assert [row for row in aftermath.rows if row.name in aftermath.codes and row.status != "completed"] == []


async def test_sound_files__between_mutants_are_found_by_their_codes(aftermath: Aftermath) -> None:
    missing = []
    async with open_pool(aftermath.dsn, "tests", 2) as pool:
        for name, code in aftermath.codes.items():
            hits = await search(pool, code, Filters(), 3, SearchSettings())
            if not any(code in hit.text for hit in hits):
                missing.append(name)
    assert missing == []


def test_documents_of_mutants__pass_every_stage(aftermath: Aftermath) -> None:
    with psycopg.connect(aftermath.dsn) as db:
        asked = (
            "SELECT stage, document_id, status, error_code, error_message FROM document_jobs WHERE status = 'failed'"
        )
        assert db.execute(asked).fetchall() == []
        assert db.execute("SELECT count(*) FROM inbox WHERE crashes > 0").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM document_jobs WHERE crashes > 0").fetchone() == (0,)


def test_daemons__live_through_all_mutants(aftermath: Aftermath) -> None:
    assert aftermath.dead == []


def test_daemons__stay_within_their_memory(aftermath: Aftermath) -> None:
    watch = aftermath.watch
    assert {aftermath.daemons[pid]: peak for pid, peak in watch.peaks.items() if peak > DAEMON_MIB * MIB} == {}
    assert watch.child_peak <= CHILD_MIB * MIB


def test_mutants__take_no_longer_than_the_limit(aftermath: Aftermath) -> None:
    assert [row for row in aftermath.rows if row.seconds > PARSE_LIMIT_S + MARGIN_S] == []


def test_children__are_gone_with_their_daemons(aftermath: Aftermath) -> None:
    wait_for(lambda: aftermath.watch.left_over() == [])
