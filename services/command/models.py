"""What `seodang doctor` says of the model servers: does each answer, does it know the configured name."""

from collections.abc import Iterator, Sequence

import anyio

from db.gate import Priority
from db.pool import open_pool
from services.command.place import Place
from services.model.client import Call, ModelClient
from services.model.endpoint import Role, configured
from services.model.probe import Readiness, readiness
from services.wiring import open_model_client

PROBE_S = 60.0
"""A model that is being loaded answers within so long, mostly; who holds the gate for longer is named instead."""


def probe_models(place: Place) -> list[Readiness]:
    """Have each configured role give one token, vector or score, each at its turn at the gate."""
    roles = configured(place.settings.models)
    return anyio.run(_probe_all, place, roles) if roles else []


async def _probe_all(place: Place, roles: Sequence[Role]) -> list[Readiness]:
    async with open_pool(place.dsn, "doctor", 2) as db, open_model_client(place.settings, db) as models:
        return [await _probe(models, role) for role in roles]


async def _probe(models: ModelClient, role: Role) -> Readiness:
    with anyio.move_on_after(PROBE_S):
        return await readiness(models.door(Call(role, Priority.FOREGROUND, "doctor", fallback=False)), role)
    busy = f"No answer within {PROBE_S:.0f} s; it may be busy: `seodang gate status` says with what."
    return Readiness(role, False, None, None, busy)


def advice_of(found: Readiness) -> Iterator[str]:
    """Say what to do about a role that is not well."""
    if not found.ready:
        yield "docs/operations.md, «A model server»."
    elif found.listed is False:
        yield "Another name makes many servers load a second model."
