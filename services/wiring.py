"""The only place where settings become objects."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from db.gate import Gate, Priority
from db.pool import Database, open_pool
from db.server import EmbeddedServer
from services.document.recognisers import choose
from services.formats.limits import Limits
from services.formats.sandbox import Reader
from services.kit.document_settings import IngestSettings
from services.kit.settings import MIB, Settings
from services.model.breaker import Breaker
from services.model.client import Call, ModelClient, open_models
from services.model.embeddings import ServedEmbedder
from services.model.endpoint import Role, configured
from services.model.gate_log import GateLog
from services.tools import Embedder, Tools

POOL_SIZE = 4
"""Connections that the stages of one process may use at the same time, beside the runner's two."""
WRITING = frozenset({"ingest", "ocr", "embed", "vectors"})
"""Stages that write in bulk, and search nothing."""


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
async def open_model_client(settings: Settings, db: Database) -> AsyncIterator[ModelClient]:
    """Open the process's door to the model servers: its gate, the breaker that all processes share, its connections."""
    gate = Gate(
        dsn_of(settings),
        listener=GateLog(),
        slice_s=settings.gate.slice_s,
        warn_after_s=settings.gate.starvation_warn_s,
    )
    breaker = Breaker(db, settings.calls.breaker_failures, settings.calls.breaker_open_s)
    async with gate, open_models(settings, gate, breaker) as models:
        yield models


@asynccontextmanager
async def open_tools(settings: Settings, purpose: str) -> AsyncIterator[Tools]:
    """Open what the stages of one process are handed; the door to the models only where one is set."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_pool(dsn_of(settings), purpose, POOL_SIZE, purpose not in WRITING))
        reader = await stack.enter_async_context(Reader(limits_of(settings.ingest)))
        if not configured(settings.models):
            yield Tools(db, reader, settings, recogniser=choose(settings.ocr, None))
            return
        models = await stack.enter_async_context(open_model_client(settings, db))
        recogniser = choose(settings.ocr, models)
        yield Tools(db, reader, settings, models, _embedder(settings, models), recogniser)


@asynccontextmanager
async def open_models_if_set(settings: Settings, db: Database) -> AsyncIterator[ModelClient | None]:
    """Open the door to the models for a process that searches and runs no stage; None where no model is set."""
    if not configured(settings.models):
        yield None
        return
    async with open_model_client(settings, db) as models:
        yield models


def _embedder(settings: Settings, models: ModelClient) -> Embedder | None:
    endpoint = models.endpoint(Role.EMBED)
    if endpoint is None:
        return None
    return ServedEmbedder(models.door(Call(Role.EMBED, Priority.BACKGROUND, "embed")), endpoint, settings.calls)
