"""`seodang digest`: the list, and one made now where no daemon serves it."""

from collections.abc import Iterator

import psycopg
import pytest

from db.plain import plain
from services.command.digest import digest_now, list_digests, show_digests
from services.command.place import Place
from services.kit.settings import Settings
from tests.stages.conftest import all_rows


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)


@pytest.mark.slow
def test_digest_now__is_made_here_and_becomes_a_document(
    place: Place, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    db.execute("INSERT INTO inbox (filename, content) VALUES ('pump.md', 'The pump takes forty watts.')")
    place.drain(("ingest", "embed"))
    found = digest_now(place)
    assert found.now is not None
    assert (found.now.status, found.now.documents) == ("completed", 1)
    titles = all_rows(db, "SELECT title, corpus_version FROM documents WHERE material_type = 'digest'")
    assert [row["corpus_version"] for row in titles] == [1]
    assert titles[0]["title"].startswith("Digest 20")
    show_digests(found, place)
    assert f"The digest tells of 1 documents: /api/documents/{found.now.document_id}" in capsys.readouterr().out


def test_digest_now__covers_the_slot_of_the_day(place: Place, db: psycopg.Connection) -> None:
    digest_now(place)
    digest_now(place)
    assert [row.status for row in list_digests(place).digests] == ["skipped", "skipped"]


def test_digest__lists_the_last_ones(place: Place, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    show_digests(list_digests(place), place)
    assert "There is no digest yet" in capsys.readouterr().out
    db.execute("INSERT INTO digests (slot) SELECT now() - make_interval(days => n) FROM generate_series(1, 12) AS n")
    found = list_digests(place)
    assert len(found.digests) == 10
    assert found.digests == sorted(found.digests, key=lambda row: row.slot, reverse=True)
    show_digests(found, place)
    assert capsys.readouterr().out.count("pending") == 10
