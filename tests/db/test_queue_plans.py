"""The hot queries read what they need and no more: named index, bounded buffers, whatever lies in the table."""

import json
from typing import Any

import asyncpg
import pytest

from db.locks import WORKERS
from db.pool import connect
from db.queries import query
from db.queue import QUEUES, SESSION_SETTINGS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MANY = 100_000
BUFFERS = 400
"""A claim of 16 reads and writes about 200 pages: 16 rows in a table with four to six indexes. 100,000 rows have
thousands."""

FILL = {
    "inbox": (
        "INSERT INTO inbox (path, status, completed_at) "
        "SELECT '/' || n || $1, $1, CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
        "FROM generate_series(1, $2) AS n"
    ),
    "document_jobs": (
        "INSERT INTO document_jobs (document_id, stage, status, completed_at) "
        "SELECT n, 'embed', $1, CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
        "FROM generate_series(1, $2) AS n"
    ),
    "asks": (
        "INSERT INTO asks (question, status, completed_at) "
        "SELECT 'q', $1, CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
        "FROM generate_series(1, $2) AS n"
    ),
    "digests": (
        "INSERT INTO digests (slot, status, completed_at) "
        "SELECT now() - make_interval(secs => n + CASE WHEN $1 = 'pending' THEN 0 ELSE 0.5 END), $1, "
        "CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
        "FROM generate_series(1, $2) AS n"
    ),
    "query_analyses": (
        "INSERT INTO query_analyses (question, status, completed_at) "
        "SELECT $1 || n, $1, CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
        "FROM generate_series(1, $2) AS n"
    ),
    **{
        f"{of}_jobs": (
            f"INSERT INTO {of}_jobs ({of}_id, status, completed_at) "
            "SELECT n, $1, CASE WHEN $1 = 'pending' THEN NULL ELSE now() END "
            "FROM generate_series(1, $2) AS n"
        )
        for of in ("study_question", "study_topic", "study_quiz")
    },
}
STAGES = {
    "inbox": "ingest",
    "document_jobs": "embed",
    "asks": "synthesis",
    "digests": "digest",
    "query_analyses": "analyze",
    "study_question_jobs": "explanation",
    "study_topic_jobs": "note",
    "study_quiz_jobs": "analysis",
}
DROP_FOREIGN_KEYS = """
    SELECT coalesce(string_agg(format('ALTER TABLE {0} DROP CONSTRAINT %I;', conname), ' '), '')
    FROM pg_constraint WHERE conrelid = '{0}'::regclass AND contype = 'f'"""
VALUES = {
    "queue_claim": "'{stage}', 1, 16, '-32768', 0, 32767",
    "queue_turn": "'{{1,2,3}}', '{{1,1,1}}', '{stage}', 2, 16, '-32768', 0, 32767",
    "queue_rescue": f"'{{stage}}', {WORKERS}, 5, 600, 2",
    "queue_promote": "'{stage}'",
    "queue_end": "'{{1}}', '{{1}}', '{{failed}}', '{{x}}', '{{NULL}}', '{{NULL}}', '{{0}}', '{{NULL}}'",
}


async def prepare(connection: asyncpg.Connection, table: str) -> None:
    for name in VALUES:
        await connection.execute(f"PREPARE {name} AS {query(name).on(table).text}")


async def run(connection: asyncpg.Connection, name: str, table: str) -> dict[str, Any]:
    """Run a prepared statement and give the root of its plan."""
    values = VALUES[name].format(stage=STAGES[table])
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) EXECUTE {name} ({values})")
    return dict(json.loads(text)[0]["Plan"] if isinstance(text, str) else text[0]["Plan"])


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(inner for child in plan.get("Plans", []) for inner in nodes(child))]


def scans_of(plan: dict[str, Any], table: str) -> list[str]:
    return [node.get("Index Name", node["Node Type"]) for node in nodes(plan) if node.get("Relation Name") == table
            and "Scan" in node["Node Type"]]  # fmt: skip


def buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("table", QUEUES)
async def test_queue__stays_on_its_indexes_however_much_waits_or_is_finished(table: str, mode: str, dsn: str) -> None:
    connection = await connect(dsn, "tests", {**SESSION_SETTINGS, "plan_cache_mode": mode})
    try:
        await connection.execute(await connection.fetchval(DROP_FOREIGN_KEYS.format(table)))
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")  # no counts, no new plans
        await prepare(connection, table)
        for name in VALUES:
            await run(connection, name, table)  # a plan made while the table is empty
        for status in ("completed", "pending"):
            await connection.execute(FILL[table].replace("$1", f"'{status}'").replace("$2", str(MANY)))
        for _ in range(3):
            claim = await run(connection, "queue_claim", table)
            assert set(scans_of(claim, table)) == {f"{table}_ready", f"{table}_pkey"}
            assert buffers(claim) < BUFFERS
            turn = await run(connection, "queue_turn", table)
            assert set(scans_of(turn, table)) == {f"{table}_ready", f"{table}_pkey"}
            assert buffers(turn) < BUFFERS
            rescue = await run(connection, "queue_rescue", table)
            assert scans_of(rescue, table) == [f"{table}_processing"]
            assert buffers(rescue) < BUFFERS
        promote = await run(connection, "queue_promote", table)
        assert set(scans_of(promote, table)) == {f"{table}_delayed"}
        assert buffers(promote) < BUFFERS
        end = await run(connection, "queue_end", table)
        assert set(scans_of(end, table)) <= {f"{table}_pkey", f"{table}_processing"}
        assert buffers(end) < BUFFERS
    finally:
        connection.terminate()
