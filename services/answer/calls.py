"""The model calls of one ask: each by name, with its own turn at the gate, and written down in the trace.

In: a step, a role and a request. Out: what the model said. One call at a time, and none holds the gate while another is
made: what a call needs is there before it is let in, or needs no model.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Generic, TypeVar

from services.answer.publish import Publisher, Turn
from services.answer.trace import Trace
from services.model.chat import Heard
from services.model.client import Call, ModelClient, Prepare, Said
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.prompt import Prompt
from services.model.reply import Reply
from services.model.request import ChatRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a reply means, and by whom and by which prompt it was given."""

    value: T
    model: str
    prompt_version: str


@dataclass(slots=True)
class _Admission:
    """When the gate let a call in, and what it had waited by then.

    Attributes:
        ready: what is sent need not be prepared first.
        begins: hears, with that waiting time, that the model is asked now.
    """

    turn: Turn
    ready: bool
    begins: Callable[[float], None]
    waited_ms: float = 0.0

    def admitted(self, wait_ms: float) -> None:
        """Hear that the gate let the call in."""
        self.waited_ms = wait_ms
        self.turn.admitted(wait_ms)
        if self.ready:
            self.begins(wait_ms)

    def telling(self, request: ChatRequest | Prepare) -> ChatRequest | Prepare:
        """Give the same request; where it has to be prepared, the model is asked when it has been."""
        if isinstance(request, ChatRequest):
            return request

        async def prepared() -> ChatRequest:
            ready = await request()
            self.begins(self.waited_ms)
            return ready

        return prepared


@dataclass(frozen=True, slots=True)
class Caller:
    """What all calls of one ask share: the door, the class and label of its own call, its trace and its voice."""

    models: ModelClient
    own: Call
    trace: Trace
    voice: Publisher

    def call(self, role: Role, name: str, limit_s: float | None = None, fallback: bool = True) -> Call:
        """Give a call of the ask's class, labelled `<name> ask:7`."""
        whom = self.own.label.partition(" ")[2] or self.own.label
        return replace(self.own, role=role, label=f"{name} {whom}", limit_s=limit_s, fallback=fallback)

    def turn(self, step: str) -> Turn:
        """Give a turn at the gate, told to listeners as part of a step."""
        return Turn(self.voice, step)

    async def ask(
        self,
        name: str,
        call: Call,
        prompt: Prompt,
        request: ChatRequest | Prepare,
        read: Callable[[str], T],
        turn: Turn,
        heard: Heard | None = None,
    ) -> Answered[T]:
        """Make a call and read its reply; one that cannot be read is noted as a failure, too.

        Args:
            read: gives what a reply means, or raises a ModelError.
        Raises:
            ModelError: as `chat`, and what `read` raises.
        """
        noted: dict[str, Any] = {}
        said = await self.chat(name, call, prompt, request, turn, heard, noted)
        try:
            return Answered(read(said.reply.text), said.model, prompt.version)
        except ModelError as error:
            noted["error"] = error.code
            raise

    async def chat(
        self,
        name: str,
        call: Call,
        prompt: Prompt,
        request: ChatRequest | Prepare,
        turn: Turn,
        heard: Heard | None = None,
        noted: dict[str, Any] | None = None,
    ) -> Said[Reply]:
        """Make a call, and note it in the trace under `calls`, whether it went well or not.

        That it begins is kept with the ask's row, for the case that this process does not see its end.

        Args:
            name: judge, evidence, synthesis, verify, or another step's.
            noted: becomes what the trace says of the call.
        Raises:
            ModelError: as `ModelClient.chat`.
        """
        started, endpoint = perf_counter(), self.models.endpoint(call.role)
        facts: dict[str, Any] = {} if noted is None else noted
        facts |= {"step": name, "role": str(call.role), "prompt_version": prompt.version}
        facts |= {"model": endpoint and endpoint.label, "tokens_in": None, "tokens_out": None}
        at = _Admission(turn, isinstance(request, ChatRequest), lambda waited_ms: self._begins(facts, waited_ms))
        try:
            said = await self.models.chat(call, at.telling(request), heard, at.admitted)
        except ModelError as error:
            took_ms = (perf_counter() - started) * 1000 - at.waited_ms
            self._note(facts, at.waited_ms, took_ms)
            facts["error"] = error.code
            raise
        facts |= {"model": said.model, "tokens_in": said.reply.tokens_in, "tokens_out": said.reply.tokens_out}
        self._note(facts, said.gate_wait_ms, said.took_ms)
        return said

    def _begins(self, facts: dict[str, Any], gate_wait_ms: float) -> None:
        self.voice.keep(self.trace.so_far({**facts, "gate_wait_ms": round(gate_wait_ms, 2)}))

    def _note(self, facts: dict[str, Any], gate_wait_ms: float, took_ms: float) -> None:
        facts |= {"gate_wait_ms": round(gate_wait_ms, 2), "took_ms": round(took_ms, 2)}
        self.trace.called(facts)
