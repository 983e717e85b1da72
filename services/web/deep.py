"""Whether the model servers are there, told from whether they are busy: asked before anything else is done.

In: a role. Out: how its server stands, by a request that generates nothing, and by the gate. A server that is silent
while somebody holds it is at work: many answer nothing else meanwhile.
"""

from dataclasses import dataclass
from typing import Literal

from starlette.responses import JSONResponse

from db.gate_rows import GateCount
from services.answer.react_loop import NOT_SET, UNAVAILABLE
from services.model.endpoint import Endpoint, Role
from services.web.context import Web
from services.web.wire import ErrorBody, ErrorOut

State = Literal["ready", "waiting", "broken", "unset"]
AWAY = "The server of models.deep does not answer."
START = "Start it, or look at what `seodang doctor` says of it. Nothing was searched, and no other model was asked."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a role is served: `ready` to answer at once, `waiting` where a call would wait for others, `broken` where the
    server does not answer, `unset` where none is set; `count` is of its gate, None where it was never used."""

    state: State
    endpoint: Endpoint | None = None
    count: GateCount | None = None

    @property
    def is_there(self) -> bool:
        """Whether a call can be made, now or when its turn comes."""
        return self.state in {"ready", "waiting"}


async def standing_of(role: Role, web: Web) -> Standing:
    """Ask how a role's server stands; takes up to `answer.react.probe_s`.

    Raises:
        DatabaseGone: the gate cannot be read.
    """
    endpoint = None if web.models is None else web.models.endpoint(role)
    if web.models is None or endpoint is None:
        return Standing("unset")
    answers = await web.models.answers(role, web.settings.answer.react.probe_s)
    counts = {count.endpoint: count for count in (await web.pulse.standing()).gates}
    count = counts.get(endpoint.name)
    held = count is not None and count.inflight > 0
    if answers is False or (answers is None and not held):
        return Standing("broken", endpoint, count)
    return Standing("waiting" if count is not None and _is_full(count) else "ready", endpoint, count)


def _is_full(count: GateCount) -> bool:
    return count.inflight >= count.capacity or count.foreground + count.study + count.background > 0


async def refuse_without_deep(web: Web) -> JSONResponse | None:
    """Give the reply to what only the model of DEEP can answer, where that is not there; None lets it pass."""
    standing = await standing_of(Role.DEEP, web)
    if standing.is_there:
        return None
    message, hint = ("No server is set for deep.", NOT_SET) if standing.state == "unset" else (AWAY, START)
    return deep_unavailable(message, hint)


def deep_unavailable(message: str, hint: str = "") -> JSONResponse:
    """Write the 503 of the contract: the reason by its name, and as every error."""
    body = ErrorOut(error=ErrorBody(code=UNAVAILABLE, message=message, hint=hint))
    return JSONResponse({"error_reason": UNAVAILABLE, **body.model_dump()}, 503)
