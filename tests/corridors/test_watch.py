"""The watched folder: what a person does to files there, and what becomes of the documents."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import psycopg
import pytest

from db.pool import Database
from services.document.folder import Mark, Settling, changes, forgotten, is_temporary, scan
from services.kit.document_settings import IngestSettings
from services.kit.runner import Runner
from services.kit.settings import Settings
from services.stages import stage_named
from services.tools import Tools
from services.watch import Watcher
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
QUICK = IngestSettings(stable_s=0.1, rescan_s=0.5)
STATE = """
SELECT d.id, f.path, d.deleted_at IS NULL, d.pages_version = d.corpus_version, d.extracted_text
FROM documents d LEFT JOIN document_files f ON f.document_id = d.id ORDER BY d.id, f.path
"""


@asynccontextmanager
async def watched(settings: Settings, tools: Tools, pool: Database) -> AsyncIterator[Path]:
    """Watch a folder and work off what comes of it."""
    folder = settings.inbox_dir
    folder.mkdir(parents=True)
    assert settings.database_url is not None
    dsn = settings.database_url.get_secret_value()
    async with anyio.create_task_group() as tasks:
        for name in ("ingest", "embed"):
            tasks.start_soon(Runner(dsn, stage_named(name), tools, settings.queue).run)
        tasks.start_soon(Watcher(folder, pool, QUICK).run)
        yield folder
        tasks.cancel_scope.cancel()


def documents(db: psycopg.Connection) -> list[tuple[int, str, bool, bool, str]]:
    return db.execute(STATE).fetchall()


def served(db: psycopg.Connection, path: Path, words: str) -> int | None:
    """Give the document at a path once search serves these words from it."""
    for number, place, alive, done, text in documents(db):
        if place == str(path) and alive and done and words in (text or ""):
            return number
    return None


def alive(db: psycopg.Connection) -> list[int]:
    return [number for number, _, living, _, _ in documents(db) if living]


async def test_watch__new_changed_moved_and_deleted_file_keeps_one_document(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        first = folder / "a.md"
        first.write_text("하나 소나무")
        number = await eventually(lambda: served(db, first, "소나무"))
        first.write_text("둘 잣나무")
        assert await eventually(lambda: served(db, first, "잣나무")) == number
        moved = folder / "deep" / "b.md"
        moved.parent.mkdir()
        first.rename(moved)
        assert await eventually(lambda: served(db, moved, "잣나무")) == number
        await eventually(lambda: all(path != str(first) for _, path, *_ in documents(db)))
        assert alive(db) == [number]
        moved.unlink()
        await eventually(lambda: alive(db) == [])
        assert db.execute("SELECT count(*) FROM chunks").fetchone() == (0,)


async def test_watch__moved_file_keeps_its_document_all_the_way_and_gives_it_its_name(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        first, moved = folder / "옛 이름.txt", folder / "deep" / "새 이름.txt"
        first.write_text("소나무")
        moved.parent.mkdir()
        number = await eventually(lambda: served(db, first, "소나무"))
        first.rename(moved)
        await eventually(lambda: all(path != str(first) for _, path, *_ in documents(db)))
        assert served(db, moved, "소나무") == number
    found = db.execute("SELECT filename, title, pages_version FROM documents").fetchall()
    assert found == [("새 이름.txt", "새 이름", 1)]  # one reading: it was never deleted between the two places


@pytest.mark.parametrize("verb", ["delete_document", "purge_document"])
async def test_watch__what_a_person_deleted_does_not_come_back_while_its_file_stays_as_it_is(
    verb: str, settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        kept = folder / "a.md"
        kept.write_text("소나무")
        number = await eventually(lambda: served(db, kept, "소나무"))
        await pool.value(verb, id=number)
        (folder / "b.md").write_text("잣나무")  # when this one is served, the other was compared again
        await eventually(lambda: served(db, folder / "b.md", "잣나무"))
        assert len(alive(db)) == 1
        assert _count(db, f"path = '{kept}'") == 1
        kept.write_text("바뀐 소나무")
        assert await eventually(lambda: served(db, kept, "바뀐")) == number or verb == "purge_document"


async def test_watch__file_that_went_away_comes_back_under_its_number(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        (folder / "a.md").write_text("소나무")
        number = await eventually(lambda: served(db, folder / "a.md", "소나무"))
        (folder / "a.md").unlink()
        await eventually(lambda: alive(db) == [])
        (folder / "b.md").write_text("소나무")
        assert await eventually(lambda: served(db, folder / "b.md", "소나무")) == number


async def test_watch__same_content_twice_is_one_document(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        (folder / "a.md").write_text("같은 내용 단풍")
        (folder / "b.md").write_text("같은 내용 단풍")
        number = await eventually(lambda: served(db, folder / "a.md", "단풍"))
        assert await eventually(lambda: served(db, folder / "b.md", "단풍")) == number
        (folder / "a.md").unlink()
        await eventually(lambda: len(documents(db)) == 1)
        assert alive(db) == [number]


async def test_watch__unchanged_folder_makes_no_work(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        (folder / "a.md").write_text("고요한 나무")
        (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
        await eventually(lambda: served(db, folder / "a.md", "고요한"))
        await eventually(lambda: _count(db, "status = 'failed'") == 1)
        (folder / "last.md").write_text("다음 나무")  # when this one is served, the others were compared again
        await eventually(lambda: served(db, folder / "last.md", "다음"))
    assert _count(db, "true") == 3


def _count(db: psycopg.Connection, condition: str) -> int:
    row = db.execute(f"SELECT count(*) FROM inbox WHERE {condition}").fetchone()
    assert row is not None
    return int(row[0])


async def test_watch__poison_file_does_not_stop_the_others(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        (folder / "0.bin").write_bytes(bytes(range(256)) * 40)
        (folder / "1.pdf").write_bytes(b"")
        (folder / "2.md").write_text("건강한 나무")
        await eventually(lambda: served(db, folder / "2.md", "건강한"))
        await eventually(lambda: _count(db, "status = 'failed'") == 2)
    codes = db.execute("SELECT error_code, error_message FROM inbox WHERE status = 'failed' ORDER BY path").fetchall()
    assert [code for code, _ in codes] == ["unsupported_format", "empty"]
    assert all(message.endswith(".") for _, message in codes)


async def test_watch__folder_rule_sets_fields_without_any_model(
    settings: Settings, tools: Tools, pool: Database, db: psycopg.Connection
) -> None:
    async with watched(settings, tools, pool) as folder:
        for name in ("Books", "KGS", "Manuals"):
            (folder / name).mkdir()
            (folder / name / "x.md").write_text(f"{name} 안의 글")
        for name in ("Books", "KGS", "Manuals"):
            await eventually(lambda name=name: served(db, folder / name / "x.md", name))
    found = db.execute(
        "SELECT material_type, jurisdiction, extract_meta -> 'license' ->> 'restricted' FROM documents ORDER BY title"
    ).fetchall()
    assert sorted(found, key=str) == [("book", None, "true"), ("law", "KR", "false"), ("manual", None, "false")]


def test_scan__a_missing_folder_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "unmounted")


@pytest.mark.parametrize("name", [".DS_Store", "~$report.docx", "a.pdf.part", "b.crdownload", "Thumbs.db"])
def test_is_temporary__half_loaded_and_hidden_files(name: str) -> None:
    assert is_temporary(name)


def test_changes__tells_new_changed_gone_and_refused_apart() -> None:
    one, two = Mark(1, 1), Mark(2, 2)
    seen = {"new": one, "same": one, "changed": two, "refused": one, "mended": two}
    known = {"same": one, "changed": one, "gone": one}
    refused = {"refused": one, "mended": one}
    assert changes(seen, known, refused) == {"new": one, "changed": two, "mended": two, "gone": None}


def test_forgotten__waits_for_the_new_place_of_a_moved_file() -> None:
    known = {"old": Mark(1, 1), "gone": Mark(2, 2)}
    changed = {"new": Mark(1, 1), "old": None, "gone": None}
    assert forgotten({"old": None, "gone": None}, changed, known) == ["gone"]
    assert forgotten({"old": None}, {"old": None}, known) == ["old"]


def _steps() -> Iterator[tuple[float, Mark, bool]]:
    yield 0.0, Mark(1, 1), False
    yield 0.9, Mark(1, 1), False
    yield 1.0, Mark(2, 2), False  # still being written
    yield 1.9, Mark(2, 2), False
    yield 2.0, Mark(2, 2), True


def test_settling__a_file_that_grows_waits() -> None:
    settling = Settling(1.0)
    for now_s, mark, ready in _steps():
        assert bool(settling.settled({"a": mark}, now_s)) is ready
