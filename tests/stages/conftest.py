"""The stages of the map over a real queue: a row in, rows out."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from services.kit.runner import Runner
from services.kit.settings import QueueSettings
from services.kit.stage import ANY_URGENCY
from services.stages import stage_named
from services.tools import Tools

Drain = Callable[..., Awaitable[None]]


@pytest.fixture
def drain(dsn: str, tools: Tools) -> Drain:
    """Runs stages, one after the other and each in one lane, until nothing is ready: what came first is done first."""

    async def run(*names: str, with_tools: Tools | None = None) -> None:
        for name in names:
            stage = replace(stage_named(name), lanes=(ANY_URGENCY,))
            await Runner(dsn, stage, with_tools or tools, QueueSettings(), until_empty=True).run()

    return run


def all_rows(db: psycopg.Connection, statement: str, *values: object) -> list[dict[str, Any]]:
    """Give rows by column name."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def only(db: psycopg.Connection, statement: str, *values: object) -> dict[str, Any]:
    """Give the one row that there is."""
    (row,) = all_rows(db, statement, *values)
    return row
