"""What a reading does to a document that was deleted, changed by a person, or is one version of a law."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from db.jobs import Job
from services.document import embed, life
from services.kit.outcome import Outcome
from services.kit.runner import Runner
from services.kit.settings import QueueSettings, load_settings
from services.stages import stage_named
from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_ingest import DOCUMENT, offer, upload, written

pytestmark = pytest.mark.anyio

WATCHED = '{"size_bytes": 1, "modified_ns": 1}'


def watch(db: psycopg.Connection, path: Path) -> int:
    """Offer a path as the watcher does."""
    return offer(db, path, payload=WATCHED)


# -- a content that was deleted ----------------------------------------------------------------------------------------


async def test_ingest__of_a_watched_file_leaves_deleted_what_a_person_deleted(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "words")
    watch(db, path)
    await drain("ingest")
    number = only(db, DOCUMENT)["id"]
    db.execute("SELECT delete_document(%s)", [number])
    written(path, "words")  # touched
    touched, moved = watch(db, path), watch(db, written(tmp_path / "b.txt", "words"))
    await drain("ingest")
    for inbox_id in (touched, moved):
        row = only(db, "SELECT status, error_code, error_message, document_id FROM inbox WHERE id = %s", inbox_id)
        assert (row["status"], row["error_code"], row["document_id"]) == ("skipped", "deleted_by_person", number)
        assert f"seodang document restore {number}" in row["error_message"]
    assert all_rows(db, DOCUMENT) == []
    files = all_rows(db, "SELECT path, document_id, modified_ns FROM document_files ORDER BY path")
    assert [(row["path"], row["document_id"]) for row in files] == [
        (str(path), number),
        (str(tmp_path / "b.txt"), number),
    ]
    assert files[0]["modified_ns"] == path.stat().st_mtime_ns


async def test_ingest__brings_back_what_a_person_deleted_and_a_person_adds(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "words")
    for add in (lambda: offer(db, path), lambda: upload(db, "b.txt", b"words")):
        add()
        await drain("ingest", "embed")
        assert only(db, DOCUMENT)["id"] == 1
        assert all_rows(db, "SELECT id FROM chunks WHERE is_leaf") != []
        db.execute("SELECT delete_document(1)")
        assert all_rows(db, "SELECT id FROM chunks") == []


async def test_ingest__brings_back_a_file_that_had_gone_under_its_number(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "words")
    watch(db, path)
    await drain("ingest")
    former = only(db, DOCUMENT)["id"]
    db.execute("SELECT forget_path(%s)", [str(path)])
    assert all_rows(db, DOCUMENT) == []
    watch(db, path)
    await drain("ingest", "embed")
    assert only(db, DOCUMENT)["id"] == former


async def test_ingest__of_other_content_at_the_place_of_a_deleted_document_brings_its_number_back(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "former words")
    watch(db, path)
    await drain("ingest")
    db.execute("SELECT delete_document(1)")
    written(path, "present words")
    watch(db, path)
    await drain("ingest", "embed")
    document = only(db, DOCUMENT)
    assert (document["id"], document["extracted_text"], document["deleted_why"]) == (1, "present words", None)


async def test_ingest__of_a_file_that_took_a_deleted_content_lets_go_of_what_it_was(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    deleted, path = written(tmp_path / "deleted.txt", "deleted words"), written(tmp_path / "a.txt", "words")
    watch(db, deleted)
    watch(db, path)
    await drain("ingest")
    db.execute("SELECT delete_document(id) FROM documents WHERE filename = 'deleted.txt'")
    written(path, "deleted words")
    watch(db, path)
    await drain("ingest")
    assert all_rows(db, DOCUMENT) == []
    whys = all_rows(db, "SELECT filename, deleted_why FROM documents ORDER BY filename")
    assert [tuple(row.values()) for row in whys] == [("a.txt", "file_gone"), ("deleted.txt", "user")]


async def test_embed__of_a_document_that_is_restored_before_its_job_has_ended_is_not_lost(
    drain: Drain, dsn: str, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    db.execute("SELECT delete_document(1)")

    async def restored_meanwhile(jobs: Sequence[Job], given: Tools) -> Sequence[Outcome]:
        outcomes = await embed.run(jobs, given)
        db.execute("SELECT restore_document(1)")
        return outcomes

    stage = replace(stage_named("embed"), run=restored_meanwhile)
    await Runner(dsn, stage, tools, QueueSettings(), until_empty=True).run()
    assert all_rows(db, "SELECT id FROM chunks WHERE is_leaf") != []
    ended = all_rows(db, "SELECT status FROM document_jobs WHERE stage = 'embed' ORDER BY id")
    assert [row["status"] for row in ended] == ["skipped", "completed"]


@pytest.mark.parametrize(("days", "left"), [(30, 0), (0, 1)])
async def test_purge__comes_by_the_clock_of_the_first_stage(
    days: int, left: int, drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, "a.txt", b"words")
    await drain("ingest")
    db.execute("SELECT delete_document(1)")
    db.execute("UPDATE documents SET deleted_at = now() - interval '31 days'")
    settings = load_settings(home=tools.settings.home, documents={"purge_after_days": days})
    await life.purge_expired(Tools(tools.db, tools.reader, settings))
    assert len(all_rows(db, "SELECT id FROM documents")) == left
    assert len(all_rows(db, "SELECT sha256 FROM stored_files")) == left


# -- what a person set -------------------------------------------------------------------------------------------------


async def test_ingest__of_a_changed_file_keeps_what_a_person_set(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    path = written(tools.settings.inbox_dir / "KGS" / "code.md", "# 첫 제목\n\n글")
    offer(db, path)
    await drain("ingest")
    said = """{"title": "내 제목", "collection": "내 것", "material_type": "manual", "jurisdiction": "US",
               "license": {"name": "own", "restricted": true}, "series": "내 법", "effective_date": "2020-01-01"}"""
    db.execute("SELECT set_document_fields(1, %s)", [said])
    written(path, "# 둘째 제목\n\n다른 글 [시행 2024. 1. 1.]")
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["title"], document["collection"], document["material_type"]) == ("내 제목", "내 것", "manual")
    assert document["extract_meta"]["license"] == {"name": "own", "restricted": True}
    assert (document["series"], document["effective_date"]) == ("내 법", date(2020, 1, 1))
    db.execute("""SELECT set_document_fields(1, '{"title": null, "material_type": null, "effective_date": null}')""")
    written(path, "# 셋째 제목\n\n다른 글 [시행 2025. 1. 1.]")
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["title"], document["material_type"]) == ("셋째 제목", "law")
    assert document["effective_date"] == date(2025, 1, 1)


async def test_ingest__of_a_changed_file_keeps_the_collection_that_its_adder_named(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "former words")
    offer(db, path, collection="law")
    await drain("ingest")
    written(path, "present words")
    watch(db, path)
    await drain("ingest")
    assert only(db, DOCUMENT)["collection"] == "law"


# -- the versions of a law ---------------------------------------------------------------------------------------------


async def test_ingest__notes_which_version_of_which_law_a_file_is(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    inbox = tools.settings.inbox_dir
    offer(db, written(inbox / "KGS" / "KGS AC111 2023_1.txt", "앞선 기준"))
    offer(db, written(inbox / "KGS" / "KGS AC111 2024_1.txt", "새 기준"))
    offer(db, written(inbox / "KGS" / "법.txt", "안전법\n[시행 2024. 7. 1.] [법률 제19438호, 2023. 6. 13., 일부개정]"))
    offer(db, written(inbox / "회의 2024_1.txt", "회의록 [시행 2024. 1. 1.]"))
    await drain("ingest")
    found = {row["filename"]: row for row in all_rows(db, "SELECT * FROM documents")}
    versions = {name: (row["series"], row["effective_date"]) for name, row in found.items()}
    assert versions == {
        "KGS AC111 2023_1.txt": ("KGS AC111", date(2023, 1, 1)),
        "KGS AC111 2024_1.txt": ("KGS AC111", date(2024, 1, 1)),
        "법.txt": ("법", date(2024, 7, 1)),
        "회의 2024_1.txt": (None, None),
    }
    assert found["법.txt"]["extract_meta"]["law_number"] == "법률 제19438호"
    statuses = all_rows(db, "SELECT version_status FROM law_versions ORDER BY series, effective_date")
    assert [row["version_status"] for row in statuses] == ["superseded", "current", "current"]


async def test_ingest__takes_the_law_from_the_folders_rule(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    rule = {"pattern": "codes/**", "material_type": "law", "series": r"^(?:KGS[ _-]?)?([A-Z]{2}\d{3})"}
    settings = load_settings(home=tools.settings.home, ingest={"rules": [rule]})
    for name in ("KGS_AC111 first.txt", "AC111 second.txt", "other.txt"):
        offer(db, written(settings.inbox_dir / "codes" / name, f"text of {name}"))
    await drain("ingest", with_tools=Tools(tools.db, tools.reader, settings))
    found = all_rows(db, "SELECT series FROM documents ORDER BY id")
    assert [row["series"] for row in found] == ["AC111", "AC111", "other"]


async def test_ingest__of_a_changed_law_notes_its_new_version(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    path = written(tools.settings.inbox_dir / "KGS" / "안전법.txt", "[시행 2023. 1. 1.] 앞선 글")
    for day, text in ((date(2023, 1, 1), None), (date(2024, 3, 5), "[시행 2024. 3. 5.] 새 글"), (None, "날짜 없는 글")):
        if text:
            written(path, text)
        offer(db, path)
        await drain("ingest")
        document = only(db, DOCUMENT)
        assert (document["series"], document["effective_date"]) == ("안전법", day)
