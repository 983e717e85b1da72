"""The only door to the model servers: gate, then time limit, then one HTTP request, then a parsed reply.

In: a role, what to ask, a class and a label that says for whom. Out: what the model said, and by which model. Callers
never see a lock, so nobody can forget the gate or pass it twice. Each try of a call takes its own turn at the gate:
who failed and waits to try again keeps nobody from the model.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Generic, TypeVar

import anyio
import httpx
import stamina

from db.gate import DEFAULT, Gate, Priority
from services.kit.log import Event, get_logger
from services.kit.model_settings import CallSettings
from services.kit.settings import Settings
from services.model.breaker import Breaker, counts
from services.model.budget import check_budget
from services.model.chat import Heard, chat
from services.model.connection import Connection
from services.model.endpoint import Endpoint, Role, endpoint_of
from services.model.errors import CircuitOpen, ModelError, ModelMisnamed, ModelTimeout, ModelUnavailable
from services.model.plain import Door
from services.model.probe import list_models
from services.model.reply import Reply
from services.model.request import ChatRequest

log = get_logger()

T = TypeVar("T")
Send = Callable[[Connection], Awaitable[T]]
"""One HTTP request and the reading of its reply."""
Prepare = Callable[[], Awaitable[ChatRequest]]
"""Gives a request that is still being made while its call waits at the gate."""
Admitted = Callable[[float], None]
"""Is told the milliseconds waited as soon as the gate lets a call in; must not block."""

LONGEST_PAUSE = 16
"""A server that asks for a longer pause than so many times `calls.backoff_s` is not tried again within a call."""

UNSERVED = frozenset({Role.EMBED, Role.RERANK, Role.OCR})
"""Roles that the fallback cannot stand in for: its vectors and scores would not compare with the others', and it may
not see pictures."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls: shown by the gate, sent along as headers, written to the log; `fallback` False takes no stand-in.

    `limit_s` is a limit of the call's own where that is shorter than the endpoint's, counted from the same moment.
    """

    role: Role
    priority: Priority = DEFAULT
    label: str = ""
    fallback: bool = True
    limit_s: float | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Name the call to the server, so that its log can be held against ours."""
        label = self.label.encode("ascii", errors="replace").decode()
        return {
            "X-Seodang-Role": self.role,
            "X-Seodang-Class": self.priority.name.lower(),
            "X-Seodang-Label": label,
        }


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """What came of a call.

    Attributes:
        model: `<role>:<model>` of the endpoint that answered, which is the fallback's where that stood in.
        gate_wait_ms: time at the gate, all tries.
        took_ms: time of the request that succeeded, from the gate's entry to the parsed reply.
    """

    reply: T
    model: str
    gate_wait_ms: float
    took_ms: float


class ModelClient:
    """One per process: its HTTP connections, its gate, the breaker that all processes share."""

    def __init__(self, settings: Settings, gate: Gate, breaker: Breaker, http: httpx.AsyncClient) -> None:
        self._settings, self._gate, self._breaker, self._http = settings, gate, breaker, http

    @property
    def calls(self) -> CallSettings:
        """How the servers are called: the sizes of batches."""
        return self._settings.calls

    def endpoint(self, role: Role) -> Endpoint | None:
        """Say what serves a role; None where nothing does."""
        return endpoint_of(role, self._settings.models, self._settings.gate.capacity)

    async def answers(self, role: Role, within_s: float) -> bool | None:
        """Say whether the server of a role answers what makes it generate nothing: the list of its models.

        Not behind the gate: this tells a server that is away from one that others are using. None: no answer came
        within `within_s`, which may be either, since some servers answer nothing else while they generate.
        """
        endpoint = self.endpoint(role)
        if endpoint is None:
            return False
        with anyio.move_on_after(within_s):
            try:
                await list_models(Connection(self._http, endpoint, Call(role, label="probe").headers))
            except ModelError:
                return False
            return True
        return None

    async def chat(
        self,
        call: Call,
        request: ChatRequest | Prepare,
        heard: Heard | None = None,
        admitted: Admitted | None = None,
    ) -> Said[Reply]:
        """Ask a chat model.

        Args:
            request: or what gives it: who waits takes a place at the gate first and prepares meanwhile.
            heard: gets each piece of the answer's text as it comes, never what the model thinks.
            admitted: is called when the gate lets the call in.
        Raises:
            ModelError: see services/model/errors.py; each class says whether trying again may help.
        """
        endpoint = self.endpoint(call.role)
        if endpoint is not None and isinstance(request, ChatRequest):
            check_budget(endpoint, request)  # what cannot fit shall not wait for its turn first

        async def send(connection: Connection) -> Reply:
            prepared = request if isinstance(request, ChatRequest) else await request()
            return await chat(connection, prepared, heard)

        return await self.ask(call, send, admitted)

    async def ask(self, call: Call, send: Send[T], admitted: Admitted | None = None) -> Said[T]:
        """Make a call of any kind; the fallback stands in for a chat role whose server is away.

        Raises:
            ModelError: as above.
        """
        endpoint = self.endpoint(call.role)
        if endpoint is None:
            name = call.role if call.role in UNSERVED else Role.PRIMARY
            raise ModelUnavailable(
                f"No server is set for {call.role}.", f"Set SEODANG_MODELS__{name.upper()}__BASE_URL."
            )
        try:
            return await self._tried(call, endpoint, send, admitted)
        except ModelUnavailable as error:
            fallback = self.endpoint(Role.FALLBACK)
            if fallback is None or call.role in UNSERVED or not call.fallback:
                raise
            log.warning(Event.MODEL_FELL_BACK, role=call.role, label=call.label, reason=error.for_log)
            return await self._tried(replace(call, role=Role.FALLBACK), fallback, send, admitted)

    def door(self, call: Call) -> Door:
        """Bind a role, a class and a label: each request that goes through is a gated call of its own."""
        return _Door(self, call)

    async def _tried(self, call: Call, endpoint: Endpoint, send: Send[T], admitted: Admitted | None) -> Said[T]:
        waited_ms: list[float] = []
        async for attempt in _tries(self._settings.calls):
            with attempt:
                said = await self._once(call, endpoint, send, admitted, waited_ms)
        return said

    async def _once(
        self, call: Call, endpoint: Endpoint, send: Send[T], admitted: Admitted | None, waited_ms: list[float]
    ) -> Said[T]:
        turn = self._gate.enter(
            endpoint.name, capacity=endpoint.capacity, priority=call.priority, label=f"{call.role} {call.label}"
        )
        async with turn as place:
            waited_ms.append(place.wait_ms)
            await self._breaker.admit(call.role)
            if admitted is not None:
                admitted(sum(waited_ms))
            started = perf_counter()
            reply = await self._limited(call, endpoint, send)
            took_ms = (perf_counter() - started) * 1000
        await self._breaker.succeeded(call.role)
        log.info(
            Event.MODEL_ANSWERED,
            role=call.role,
            priority=call.priority.name.lower(),
            label=call.label,
            model=endpoint.label,
            gate_wait_ms=round(place.wait_ms, 1),
            took_ms=round(took_ms, 1),
            tokens_in=getattr(reply, "tokens_in", None),
            tokens_out=getattr(reply, "tokens_out", None),
        )
        return Said(reply, endpoint.label, sum(waited_ms), took_ms)

    async def _limited(self, call: Call, endpoint: Endpoint, send: Send[T]) -> T:
        """Send under the endpoint's time limit, or the call's own, and let the breaker know how it went."""
        limit_s = min(endpoint.timeout_s, call.limit_s or endpoint.timeout_s)
        try:
            with anyio.fail_after(limit_s):
                reply = await send(Connection(self._http, endpoint, call.headers))
        except TimeoutError as error:
            longer = f"SEODANG_MODELS__{endpoint.role.upper()}__TIMEOUT_S"
            if limit_s < endpoint.timeout_s:
                longer = "the limit of this kind of call"
            late = ModelTimeout(
                f"{endpoint.label} at {endpoint.name} gave no whole reply within {limit_s:g} s.",
                f"Raise {longer}, or use a smaller model.",
            )
            await self._tell_failure(call, late)
            raise late from error
        except ModelError as error:
            await self._tell_failure(call, error)
            raise
        return reply

    async def _tell_failure(self, call: Call, error: ModelError) -> None:
        log.warning(
            Event.MODEL_FAILED, role=call.role, label=call.label, error=type(error).__name__, reason=repr(error.for_log)
        )
        if counts(error):
            await self._breaker.failed(call.role, error)
        else:  # it answers, if not as wished
            await self._breaker.succeeded(call.role)


@dataclass(frozen=True, slots=True)
class _Door:
    models: ModelClient
    call: Call

    async def __call__(self, send: Send[T], /) -> T:
        return (await self.models.ask(self.call, send)).reply


def _tries(settings: CallSettings) -> AsyncIterator[stamina.Attempt]:
    """Try again what never reached the model: a refused or reset connection, an overloaded server."""
    return stamina.retry_context(
        on=partial(_pause, longest_s=settings.backoff_s * LONGEST_PAUSE),
        attempts=settings.attempts,
        timeout=None,
        wait_initial=settings.backoff_s,
        wait_max=settings.backoff_s * LONGEST_PAUSE,
        wait_jitter=settings.backoff_s,
    ).__aiter__()


def _pause(error: Exception, longest_s: float) -> bool | float:
    """Say whether to try again, or after how many seconds; a longer pause is the queue's, not the call's."""
    if not isinstance(error, ModelUnavailable) or isinstance(error, CircuitOpen | ModelMisnamed):
        return False
    if error.after_s is None:
        return True
    return error.after_s if error.after_s <= longest_s else False


@asynccontextmanager
async def open_models(settings: Settings, gate: Gate, breaker: Breaker) -> AsyncIterator[ModelClient]:
    """Open the process's one HTTP client behind the door.

    Only the connection has a time limit of its own: a silent server is normal until the whole call's limit, which
    begins when the gate lets it in.
    """
    stamina.instrumentation.set_on_retry_hooks([])  # each failure is an event of ours already
    timeout = httpx.Timeout(None, connect=settings.calls.connect_s)
    async with httpx.AsyncClient(timeout=timeout, headers={"User-Agent": "seodang"}) as http:
        yield ModelClient(settings, gate, breaker, http)
