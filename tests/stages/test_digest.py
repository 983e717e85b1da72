"""The daily digest over a real queue: who makes it, when, of what, and that restricted material stays out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import psycopg
import pytest

from services.document.digest import enqueue_at, enqueue_due
from services.kit.runner import Runner
from services.kit.settings import QueueSettings, Settings, load_settings
from services.search.filters import Filters
from services.search.retrieve import search
from services.stages import stage_named
from services.tools import Tools
from tests.stages.conftest import Drain, all_rows, only
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
SLOT = datetime(2026, 1, 10, 22, 0, tzinfo=UTC)
"""Seven in the morning of the eleventh in Seoul."""
ONE_DIGEST = "SELECT status, error_code, since, documents, restricted, document_id, inbox_id, model FROM digests"


def came_in(db: psycopg.Connection, title: str, text: str, **values: Any) -> int:
    """Insert a document that can be found; by default it came in an hour before the slot."""
    given = {
        "title": title,
        "filename": f"{title}.md",
        "media_type": "text/markdown",
        "sha256": f"{abs(hash((title, text))):064x}",
        "size_bytes": 1,
        "page_count": 1,
        "pages_version": 1,
        "corpus_version": 1,
        "created_at": SLOT - timedelta(hours=1),
    } | values
    names = ", ".join(given)
    places = ", ".join(["%s"] * len(given))
    found = db.execute(f"INSERT INTO documents ({names}) VALUES ({places}) RETURNING id", [*given.values()]).fetchone()
    assert found is not None
    db.execute("INSERT INTO document_pages VALUES (%s, 1, 1, '1', %s)", [found[0], text])
    return int(found[0])


def restricted(db: psycopg.Connection, title: str, text: str) -> int:
    license_ = psycopg.types.json.Jsonb({"license": {"name": "bought", "restricted": True}})
    return came_in(db, title, text, extract_meta=license_)


def due(db: psycopg.Connection, slot: datetime = SLOT) -> int:
    """Put a digest of a slot into the queue."""
    found = db.execute("INSERT INTO digests (slot) VALUES (%s) RETURNING id", [slot]).fetchone()
    assert found is not None
    return int(found[0])


def written(db: psycopg.Connection) -> str:
    """Give the text of the newest digest."""
    rows = all_rows(db, "SELECT content FROM inbox WHERE material_type = 'digest' ORDER BY id DESC LIMIT 1")
    return bytes(rows[0]["content"]).decode() if rows else ""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings whose digest is enqueued by the tests, and not by the clock."""
    return settings_with(settings, enabled=False)


def settings_with(settings: Settings, **digest: Any) -> Settings:
    given = {"timezone": "Asia/Seoul", **digest}
    return load_settings(home=settings.home, database_url=settings.database_url, digest=given)


def tools_with(tools: Tools, settings: Settings) -> Tools:
    return Tools(tools.db, tools.reader, settings, tools.models)


# -- what it says ------------------------------------------------------------------------------------------------------


async def test_digest__tells_of_what_came_in_by_collection_and_kind(drain: Drain, db: psycopg.Connection) -> None:
    pump = came_in(
        db, "순환 펌프", "순환 펌프의 소비 전력은 1.5 kW이다. 둘째 문장.", material_type="manual", language="ko"
    )
    law = came_in(db, "고시", "본문.", collection="law", ai_summary="시행일이 바뀌었다.", language="ko")
    due(db)
    await drain("digest")
    text = written(db)
    assert text.startswith("# 2026-01-11 새 문서 요약\n\n2026-01-10 07:00부터 2026-01-11 07:00까지")
    assert "## default\n\n### 매뉴얼\n\n- 순환 펌프 — 순환 펌프의 소비 전력은 1.5 kW이다. [1]\n" in text
    assert "## law\n\n### 기타\n\n- 고시 — 시행일이 바뀌었다. [2]\n" in text
    assert f"- [1] [순환 펌프](/api/documents/{pump}/pages/1), 1쪽" in text
    assert f"- [2] [고시](/api/documents/{law}/pages/1), 1쪽" in text
    row = only(db, ONE_DIGEST)
    assert (row["status"], row["documents"], row["restricted"]) == ("completed", 2, 0)
    assert (row["since"], row["model"]) == (SLOT - timedelta(days=1), "builtin:extractive")


async def test_digest__becomes_a_document_that_is_found(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    came_in(db, "Pump", "The pump takes forty watts.")
    due(db)
    await drain("digest", "ingest", "embed")
    row = only(db, "SELECT inbox_id, document_id FROM digests")
    made = only(db, "SELECT id, title, filename, collection, material_type FROM documents ORDER BY id DESC LIMIT 1")
    assert made == {
        "id": row["document_id"],
        "title": "Digest 2026-01-11",
        "filename": "digest-2026-01-11.md",
        "collection": "digest",
        "material_type": "digest",
    }
    hits = await search(tools.db, "forty watts", Filters(), 10, tools.settings.search)
    assert (row["document_id"], "digest") in [(hit.document_id, hit.material_type) for hit in hits]


async def test_digest__counts_restricted_material_and_says_nothing_of_it(drain: Drain, db: psycopg.Connection) -> None:
    came_in(db, "Open", "An open text.")
    restricted(db, "Bought book", "A secret sentence.")
    due(db)
    await drain("digest")
    text = written(db)
    assert "Restricted and not summarised: 1." in text
    assert "Bought" not in text
    assert "secret" not in text
    assert only(db, ONE_DIGEST)["restricted"] == 1


@pytest.mark.parametrize("only_restricted", [False, True])
async def test_digest__is_not_made_of_nothing(only_restricted: bool, drain: Drain, db: psycopg.Connection) -> None:
    came_in(db, "Old", "Long ago.", created_at=SLOT - timedelta(days=3))
    came_in(db, "New", "Tomorrow.", created_at=SLOT + timedelta(seconds=1))
    came_in(db, "Gone", "Deleted.", deleted_at=SLOT)
    came_in(db, "Unread", "Not searchable yet.", corpus_version=0)
    came_in(db, "Digest 2026-01-10", "What a digest said.", material_type="digest")
    if only_restricted:
        restricted(db, "Bought book", "A secret sentence.")
    due(db)
    await drain("digest")
    row = only(db, ONE_DIGEST)
    assert (row["status"], row["error_code"], row["documents"]) == ("skipped", "nothing_new", 0)
    assert (row["restricted"], row["document_id"]) == (int(only_restricted), None)
    assert written(db) == ""


async def test_digest__tells_of_each_document_once_and_of_a_late_one_the_next_day(
    drain: Drain, db: psycopg.Connection
) -> None:
    came_in(db, "Early", "An early text.")
    late = came_in(db, "Late", "A late text.", corpus_version=0)
    due(db)
    await drain("digest")
    assert ("Early" in written(db), "Late" in written(db)) == (True, False)
    db.execute("UPDATE documents SET corpus_version = 1 WHERE id = %s", [late])
    due(db, SLOT + timedelta(days=1))
    await drain("digest")
    assert ("Early" in written(db), "Late" in written(db)) == (False, True)
    since = db.execute("SELECT since FROM digests ORDER BY id DESC LIMIT 1").fetchone()
    assert since == (SLOT,)


async def test_digest__lists_the_newest_and_counts_the_rest(tools: Tools, drain: Drain, db: psycopg.Connection) -> None:
    for hours in range(1, 6):
        came_in(db, f"Note {hours}", f"Text of {hours}.", created_at=SLOT - timedelta(hours=hours))
    due(db)
    await drain("digest", with_tools=tools_with(tools, settings_with(tools.settings, enabled=False, documents=2)))
    text = written(db)
    assert [f"Note {hours}" in text for hours in range(1, 6)] == [True, True, False, False, False]
    assert "Not listed here: 3, the oldest ones." in text
    due(db, SLOT + timedelta(days=1))
    await drain("digest")
    assert only(db, "SELECT status FROM digests WHERE slot > %s", SLOT)["status"] == "skipped"


# -- when, and by whom -------------------------------------------------------------------------------------------------


async def test_enqueue__by_ten_hosts_at_once_makes_one_row(tools: Tools, db: psycopg.Connection) -> None:
    clocked = tools_with(tools, settings_with(tools.settings))
    async with anyio.create_task_group() as tasks:
        for second in range(10):
            tasks.start_soon(enqueue_at, clocked, SLOT + timedelta(seconds=second))
    assert [row["slot"] for row in all_rows(db, "SELECT slot FROM digests")] == [SLOT]


async def test_digest__of_two_daemons_is_made_once(tools: Tools, dsn: str, db: psycopg.Connection) -> None:
    came_in(db, "Note", "A text.", created_at=datetime.now(UTC) - timedelta(hours=30))
    db.execute("INSERT INTO digests (slot, status, completed_at) VALUES (now() - interval '3 days', 'skipped', now())")
    clocked = tools_with(tools, settings_with(tools.settings))
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(Runner(dsn, stage_named("digest"), clocked, QueueSettings(), until_empty=True).run)
    slots = all_rows(db, "SELECT status, attempts FROM digests WHERE slot > now() - interval '2 days'")
    assert slots == [{"status": "completed", "attempts": 1}]
    assert only(db, "SELECT count(*) FROM inbox") == {"count": 1}


async def test_enqueue__makes_up_for_one_digest_after_a_week_off(tools: Tools, db: psycopg.Connection) -> None:
    clocked = tools_with(tools, settings_with(tools.settings))
    await enqueue_at(clocked, SLOT)
    await enqueue_at(clocked, SLOT + timedelta(days=7, hours=5))
    await enqueue_at(clocked, SLOT + timedelta(days=7, hours=6))
    slots = [row["slot"] for row in all_rows(db, "SELECT slot FROM digests ORDER BY slot")]
    assert slots == [SLOT, SLOT + timedelta(days=7)]


async def test_enqueue__leaves_a_slot_alone_that_a_digest_by_hand_has_covered(
    tools: Tools, db: psycopg.Connection
) -> None:
    clocked = tools_with(tools, settings_with(tools.settings))
    due(db, SLOT + timedelta(minutes=5))
    await enqueue_at(clocked, SLOT + timedelta(minutes=6))
    assert only(db, "SELECT count(*) FROM digests") == {"count": 1}


async def test_enqueue__has_a_digest_for_every_user(tools: Tools, drain: Drain, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO users (name) VALUES ('guest')")
    came_in(db, "Owner's", "Mine.")
    came_in(db, "Guest's", "Theirs.", user_id=2)
    await enqueue_at(tools_with(tools, settings_with(tools.settings)), SLOT)
    await drain("digest")
    rows = all_rows(db, "SELECT user_id, convert_from(content, 'utf8') AS text FROM inbox ORDER BY user_id")
    assert [(row["user_id"], "Owner's" in row["text"], "Guest's" in row["text"]) for row in rows] == [
        (1, True, False),
        (2, False, True),
    ]


async def test_enqueue__does_nothing_where_digests_are_off(tools: Tools, db: psycopg.Connection) -> None:
    await enqueue_due(tools)
    assert only(db, "SELECT count(*) FROM digests") == {"count": 0}


async def test_daemon__enqueues_by_its_clock_and_makes_it(tools: Tools, dsn: str, db: psycopg.Connection) -> None:
    """No row and no notification: only the hour."""
    clocked = tools_with(tools, settings_with(tools.settings, cron="* * * * *"))
    runner = Runner(dsn, stage_named("digest"), clocked, QueueSettings(look_s=0.05, watch_s=0.05))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        await eventually(lambda: all_rows(db, "SELECT 1 FROM digests WHERE status = 'skipped'"))
        runner.stop()


def test_digests__refuse_a_slot_that_has_not_come(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        due(db, datetime.now(UTC) + timedelta(hours=1))
    assert caught.value.diag.constraint_name == "digests_slot_has_come"


async def test_retry__of_a_failed_digest_is_a_new_row_until_now(
    tools: Tools, drain: Drain, db: psycopg.Connection
) -> None:
    came_in(db, "Note", "A text.")
    failed = due(db)
    db.execute("UPDATE digests SET status = 'failed', completed_at = now(), error_code = 'unknown'")
    for _ in range(2):
        await tools.db.none("retry_digests", ids=None, code=None)
    fresh = only(db, "SELECT status, payload FROM digests WHERE id <> %s", failed)
    assert fresh == {"status": "pending", "payload": {"retry_of": failed}}
    db.execute("UPDATE documents SET created_at = now() - interval '1 hour'")
    await drain("digest")
    assert "A text." in written(db)


@pytest.mark.parametrize(
    ("meta", "is_restricted"),
    [
        ("{}", False),
        ('{"license": {}}', False),
        ('{"license": "kogl"}', False),
        ('{"license": {"restricted": false}}', False),
        ('{"license": {"restricted": null}}', False),
        ('{"license": {"restricted": true}}', True),
        ('{"license": {"restricted": "true"}}', True),
    ],
)
def test_is_restricted__is_so_only_where_it_is_said(meta: str, is_restricted: bool, db: psycopg.Connection) -> None:
    assert db.execute("SELECT is_restricted(%s::jsonb)", [meta]).fetchone() == (is_restricted,)
