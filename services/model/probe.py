"""Looks whether a model answers, and not only its server.

In: a role and a door. Out: what a person needs to hear about it. A list of models is no proof of life: a server whose
generation is dead still gives it (mlx_lm). So one token is generated, one text embedded, or one text scored.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx

from services.model.answers import error_of, refusal_of
from services.model.chat import chat
from services.model.connection import Connection
from services.model.embeddings import embed_once
from services.model.endpoint import Endpoint, Role
from services.model.errors import ModelError, ReplyCut, ReplyEmpty
from services.model.plain import Door, look
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.model.rerank import rerank_once

NO_ROUTE = frozenset({404, 405})
SHOWN_MODELS = 8
"""So many names of a list stand in a sentence."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a role is served.

    Attributes:
        ready: the model answered.
        listed: the server lists the configured name; None where it lists nothing, or no name is set.
        seconds: from the request to the whole reply of one token, vector or score; None without one.
        sentence: all of it for a person, and what to do.
    """

    role: Role
    ready: bool
    listed: bool | None
    seconds: float | None
    sentence: str


async def list_models(connection: Connection) -> list[str]:
    """Give the names that the server lists, in its order; none where it has no such list.

    Raises:
        ModelError: it does not answer, or refuses (a wrong key).
    """
    for route in ("/v1/models", "/models"):
        response = await look(connection, route)
        if response.is_success:
            return _names(response)
        if response.status_code not in NO_ROUTE:
            raise error_of(connection.endpoint, refusal_of(response.status_code, response.headers, response.content))
    return []


async def health(connection: Connection) -> bool | None:
    """Ask the server how it feels; None where it has no word for that.

    Raises:
        ModelUnavailable: it does not answer at all.
    """
    response = await look(connection, "/health")
    return None if response.status_code in NO_ROUTE else response.is_success


async def generate_one(connection: Connection) -> float:
    """Let a chat model write one token; gives the seconds that took.

    Raises:
        ModelError: it does not generate.
    """
    prompt = load_prompt("probe")
    messages = tuple(Message(who, text) for who, text in prompt.fill())
    started = perf_counter()
    # One token may be a thought, or the mark that ends a reply: it was generated all the same.
    with suppress(ReplyCut, ReplyEmpty):
        await chat(connection, ChatRequest(messages, prompt.header.max_tokens))
    return perf_counter() - started


async def readiness(door: Door, role: Role) -> Readiness:
    """Try the model of a role, behind the gate: a server may answer nothing else while it generates.

    A name that is not listed is tried too: servers take names that they do not list (llama.cpp takes any).
    """
    try:
        return await door(lambda connection: _try(connection, role))
    except ModelError as error:
        return Readiness(role, False, None, None, str(error))


async def _try(connection: Connection, role: Role) -> Readiness:
    endpoint = connection.endpoint
    names = await list_models(connection)
    listed = _is_listed(endpoint.model, names)
    warning = "" if listed is not False else f" {_unlisted(endpoint, names)}"
    try:
        seconds = await _use(connection, role)
    except ModelError as error:
        if listed is not False:
            raise
        return Readiness(role, False, listed, None, f"{error}{warning}")
    return Readiness(role, True, listed, seconds, f"{endpoint.label} answered in {seconds:.2f} s.{warning}")


async def _use(connection: Connection, role: Role) -> float:
    started = perf_counter()
    match role:
        case Role.EMBED:
            await embed_once(connection, ["OK"])
        case Role.RERANK:
            await rerank_once(connection, "OK", ["OK"])
        case _:
            return await generate_one(connection)
    return perf_counter() - started


def _is_listed(model: str | None, names: Sequence[str]) -> bool | None:
    if model is None or not names:
        return None
    return model in names or f"{model}:latest" in names  # Ollama takes a name without its tag


def _unlisted(endpoint: Endpoint, names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_MODELS]) + (", …" if len(names) > SHOWN_MODELS else "")
    return (
        f"The server does not list {endpoint.model}, but {shown}. Set SEODANG_MODELS__{endpoint.role.upper()}__MODEL "
        "to a name of the list: for another one some servers drop the model that they have loaded."
    )


def _names(response: httpx.Response) -> list[str]:
    """Find the names in a list of any known form: OpenAI's `data`, `models`, a bare list; objects or texts."""
    try:
        given: Any = response.json()
    except ValueError:
        return []
    if isinstance(given, dict):
        given = given.get("data") or given.get("models")
    rows = given if isinstance(given, list) else []
    names = [_name(row) for row in rows]
    return list(dict.fromkeys(name for name in names if name))


def _name(row: Any) -> str:
    if isinstance(row, dict):
        row = row.get("id") or row.get("name") or row.get("model")
    return row if isinstance(row, str) else ""
