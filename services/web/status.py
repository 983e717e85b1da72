"""How the queues and daemons stand: once, as a stream, for Prometheus, and for whoever decides if we are well."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import count

import anyio
from fastapi import Response
from starlette.responses import JSONResponse

from db.errors import DatabaseError
from db.gate_rows import GateCount
from services.answer.events import AskEvent
from services.web.context import AnyWebPort, Web, WebPort
from services.web.pulse import FRESH_S, Standing
from services.web.sse import EventStream
from services.web.wire import DaemonOut, GateOut, QueueOut, StatusOut, WaitersOut

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def _shown(standing: Standing, web: Web) -> StatusOut:
    late_s = web.settings.queue.late_s
    return StatusOut(
        gate=list(_gates(standing.gates, web.endpoints)),
        queues=[QueueOut(**asdict(row), late=row.oldest_seconds > late_s) for row in standing.queues],
        daemons=[DaemonOut(**asdict(row)) for row in standing.daemons],
    )


def _gates(counted: Iterable[GateCount], known: Mapping[str, int]) -> Iterator[GateOut]:
    """Show the servers of the settings, used or not yet, and any other that is in use by somebody."""
    found = {row.endpoint: row for row in counted}
    for name, capacity in known.items():
        if name not in found:
            yield GateOut(endpoint=name, capacity=capacity)
    for row in found.values():
        waiters = WaitersOut(foreground=row.foreground, study=row.study, background=row.background)
        if row.endpoint in known or row.inflight or any(waiters.model_dump().values()):
            yield GateOut(endpoint=row.endpoint, capacity=row.capacity, inflight=row.inflight, waiters=waiters)


async def read_status(web: WebPort) -> StatusOut:
    """Give the queues, the daemons and the gate."""
    return _shown(await web.pulse.standing(), web)


async def status_events(web: AnyWebPort) -> Response:
    """Stream the status: now, and whenever something has changed, at most once a second."""
    return EventStream(_changes(web), web.settings.answer.heartbeat_s)


async def _changes(web: Web) -> AsyncGenerator[AskEvent | None, None]:
    told, numbers = None, count(1)
    while not web.hub.closed:
        standing = await _standing(web)
        if standing is not None and standing.differs(told):
            told = standing
            yield AskEvent(next(numbers), "status", _shown(standing, web).model_dump(mode="json"))
        yield None
        await anyio.sleep(FRESH_S)


async def _standing(web: Web) -> Standing | None:
    try:
        return await web.pulse.standing()
    except DatabaseError:  # away, or not prepared yet
        return None


async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


async def ready(web: AnyWebPort) -> Response:
    """Say whether questions can be answered now: 503 with reasons where not."""
    reasons = await _reasons_against(web)
    return JSONResponse({"reasons": reasons}, 503 if reasons else 200)


async def _reasons_against(web: Web) -> list[str]:
    try:
        standing = await web.pulse.standing()
    except DatabaseError as error:
        return [f"database: {error}"]
    if not web.prepared.is_set():
        return ["database: its schema is being brought up"]
    alive = {row.stage for row in standing.daemons}
    return [f"{stage}: no daemon is alive" for stage in web.stages if stage not in alive]


async def read_metrics(web: AnyWebPort) -> Response:
    """Give the numbers for Prometheus."""
    return Response(web.metrics.text(await _standing(web), web.stages), media_type=PROMETHEUS)
