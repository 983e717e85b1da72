"""What every handler is handed: made once per process, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import anyio
from fastapi import Depends, Request

from db.notify import Bell
from db.pool import Database
from services.kit.errors import RequestError
from services.kit.settings import Settings
from services.model.client import ModelClient
from services.web.hub import Hub
from services.web.metrics import Metrics
from services.web.pulse import Pulse
from services.web.waits import Waits

NOT_YET = "The database is away, or its schema is being brought up."
OWNER = 1
"""The user of every request until sign-in comes; only loopback is served until then."""


@dataclass(frozen=True, slots=True)
class Web:
    """The ports of the HTTP process.

    Attributes:
        stages: the daemons without which it is not ready.
        endpoints: the model servers of the settings, by name, with how many calls each takes at once.
        prepared: set when the database has this version's schema.
        taking_in: held by the one upload that is in memory; many large ones must not become many gigabytes.
        models: the door to the models that help a search; None where none is set.
        deep_ended: rings when the daemon has worked on a deep summary.
    """

    settings: Settings
    db: Database
    hub: Hub
    stages: tuple[str, ...]
    pulse: Pulse
    waits: Waits
    endpoints: Mapping[str, int] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    prepared: anyio.Event = field(default_factory=anyio.Event)
    taking_in: anyio.Lock = field(default_factory=anyio.Lock)
    models: ModelClient | None = None
    deep_ended: Bell = field(default_factory=Bell)


async def _any_web(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


async def _prepared_web(request: Request) -> Web:
    web = await _any_web(request)
    if not web.prepared.is_set():
        raise RequestError(503, "database_gone", NOT_YET, "Try again in a moment.")
    return web


WebPort = Annotated[Web, Depends(_prepared_web)]
"""A handler's parameter of this type is given the ports; until the schema is there the reply is 503."""
AnyWebPort = Annotated[Web, Depends(_any_web)]
"""The same for handlers that answer in any case."""
