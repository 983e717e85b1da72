"""The only place where settings become objects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.pool import open_pool
from db.server import EmbeddedServer
from services.formats.sandbox import Limits, Reader
from services.kit.settings import MIB, IngestSettings, Settings
from services.tools import Tools

POOL_SIZE = 4
"""Connections that the stages of one process may use at the same time, beside the runner's two."""


def dsn_of(settings: Settings) -> str:
    """Say where the database is: the given one, else the embedded server of the data directory."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return EmbeddedServer(settings.home_dir).dsn


def limits_of(settings: IngestSettings) -> Limits:
    """Translate the settings of parsing."""
    return Limits(
        max_bytes=settings.max_file_mib * MIB,
        memory_bytes=settings.memory_mib * MIB,
        time_s=settings.parse_limit_s,
        max_text_chars=settings.max_text_chars,
        max_unpacked_bytes=settings.max_unpacked_mib * MIB,
    )


@asynccontextmanager
async def open_tools(settings: Settings, purpose: str) -> AsyncIterator[Tools]:
    """Open what the stages of one process are handed."""
    async with open_pool(dsn_of(settings), purpose, POOL_SIZE) as db, Reader(limits_of(settings.ingest)) as reader:
        yield Tools(db, reader, settings)
