"""A question's vector, by the embedder that made the corpus' vectors, or the reason why there is none.

In: a question and the generation of vectors that serves. Out: one vector of unit length. It never holds a search up for
longer than `search.embed_wait_s`, and no failure of the embedder is a failure of the search: words find most.

A person waits, so the call is of the foreground. What it takes inside the gate is limited to less than the whole
wait: a server that hangs is then a failure that the breaker counts, and soon nobody waits for it; a busy gate is
none.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from time import monotonic, perf_counter
from typing import TypeVar
from weakref import WeakKeyDictionary

import anyio

from db.vector_rows import EmbedderRow
from services.model.client import Call, ModelClient
from services.model.connection import Connection
from services.model.embeddings import ServedEmbedder, model_name
from services.model.endpoint import Role
from services.model.errors import CircuitOpen, ModelError, ModelTimeout
from services.model.plain import Door
from services.model.probe import list_models
from services.search.cache import LastUsed
from services.search.helpers import Helpers

T = TypeVar("T")
Vector = list[float]

CACHED = 500
"""Vectors kept (C06); of 1,024 numbers each they take 16 MB."""
CACHED_S = 86_400.0
LISTED_S = 60.0
"""So long a server's list of models is believed; it matters while one embedder takes another's place."""
INSIDE = 0.7
"""Share of the wait that the server itself may take; the rest is for the gate (some 10 ms when it is free)."""


class Why(StrEnum):
    """What became of the legs of vectors; told with `debug`."""

    USED = "used"
    NONE_SET = "no_embedder"
    NO_VECTORS = "no_vectors"
    OF_ANOTHER = "vectors_of_another_embedder"
    OTHER_LENGTH = "other_length"
    WORTHLESS = "worth_nothing_in_this_language"
    LATE = "late"
    AWAY = "away"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A question's vector; None with the reason."""

    vector: Vector | None
    why: Why
    cached: bool = False
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process remembers: vectors of the last questions, and for a moment which models the server lists."""

    vectors: LastUsed[Vector]
    lists: LastUsed[frozenset[str]]


def new_memory(clock: Callable[[], float] = monotonic) -> Memory:
    """Give an empty one."""
    return Memory(LastUsed(CACHED, clock), LastUsed(1, clock))


_memories: WeakKeyDictionary[ModelClient, Memory] = WeakKeyDictionary()
"""One for each door to the models: as long as the process has it open."""


async def embed_question(
    question: str, serving: EmbedderRow, helpers: Helpers, wait_s: float, memory: Memory | None = None
) -> Embedded:
    """Give the vector of a question, to be compared with vectors of the generation that serves.

    Args:
        wait_s: so long at the most, the wait at the gate included.
        memory: else that of the process.
    """
    models = helpers.embedder
    if models is None:
        return Embedded(None, Why.NONE_SET)
    memory = memory or _memories.setdefault(models, new_memory())
    key = sha256(f"{question}\0{serving.label}".encode(errors="replace")).hexdigest()
    if (known := memory.vectors.get(key)) is not None:
        return Embedded(known, Why.USED, cached=True)
    started = perf_counter()
    found = Embedded(None, Why.LATE)
    call = Call(Role.EMBED, helpers.priority, "question", limit_s=wait_s * INSIDE)
    with anyio.move_on_after(wait_s):
        found = await _asked(question, serving, models, call, memory)
    if found.vector is not None:
        memory.vectors.put(key, found.vector, CACHED_S)
    return replace(found, took_ms=round((perf_counter() - started) * 1000, 2))


async def _asked(question: str, serving: EmbedderRow, models: ModelClient, call: Call, memory: Memory) -> Embedded:
    endpoint = models.endpoint(Role.EMBED)
    assert endpoint is not None
    door: Door = models.door(call)
    try:
        if serving.label != model_name(endpoint):
            if serving.label not in await _listed(door, memory):
                return Embedded(None, Why.OF_ANOTHER)
            door = _Renamed(door, serving.label)
        (vector,) = await ServedEmbedder(door, endpoint, models.calls).embed([question])
    except CircuitOpen:
        return Embedded(None, Why.CIRCUIT_OPEN)
    except ModelTimeout:
        return Embedded(None, Why.LATE)
    except ModelError:  # the client has logged which
        return Embedded(None, Why.AWAY)
    if len(vector) != serving.dim:
        return Embedded(None, Why.OTHER_LENGTH)
    return Embedded(vector, Why.USED)


async def _listed(door: Door, memory: Memory) -> frozenset[str]:
    if (known := memory.lists.get("")) is not None:
        return known
    names = frozenset(await door(list_models))
    memory.lists.put("", names, LISTED_S)
    return names


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A door to the same server for another of its models: the one that made the vectors that still serve."""

    door: Door
    model: str

    async def __call__(self, send: Callable[[Connection], Awaitable[T]], /) -> T:
        async def under_its_name(connection: Connection) -> T:
            return await send(replace(connection, endpoint=replace(connection.endpoint, model=self.model)))

        return await self.door(under_its_name)
