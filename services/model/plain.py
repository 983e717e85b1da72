"""Requests without a stream, for embeddings, rerank and what a server says about itself.

In: the routes and bodies by which servers of several kinds are asked the same. Out: the reply of the first that the
server has, still as bytes, and by `read` as a shape. Servers that speak the native form of Text Embeddings Inference,
or whose routes lack `/v1`, are found by trying, once per process.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from services.kit.problem import words_of
from services.model.answers import (
    NO_ROUTE,
    Refusal,
    error_of,
    key_header,
    one_line,
    refusal_of,
    refusal_within,
    setting,
)
from services.model.batches import BatchTooLarge
from services.model.connection import Connection
from services.model.endpoint import Endpoint
from services.model.errors import ModelError, ModelMisnamed, ModelUnavailable, PromptTooLong, ReplyMisshapen

T = TypeVar("T")

ERROR_BYTES = 8192
"""A longer reply with status 200 is not searched for an error."""

_OTHER_BODY_WANTED = frozenset({400, 422})
_TOO_LARGE = re.compile(r"too (?:large|long|big|many)|batch.?size", re.IGNORECASE)
"""How llama.cpp (500) and others say that half would do, beside what answers.py knows of long prompts."""


class Door(Protocol):
    """Makes one gated call: the model client with a role, a class and a label bound to it."""

    async def __call__(self, send: Callable[[Connection], Awaitable[T]], /) -> T:
        """Hand a Connection to `send` when its turn has come, and give what it gives."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask; `name` tells two of the same route apart."""

    route: str
    body: Mapping[str, object]
    name: str = ""

    @property
    def key(self) -> str:
        return f"{self.route} {self.name}"


async def ask_any(
    connection: Connection, forms: Sequence[Form], spoken: MutableMapping[str, str]
) -> tuple[Form, bytes]:
    """Ask in the form that the server is known to speak, else in one after the other.

    Args:
        spoken: what was found out about servers so far, by their names; is added to.
    Raises:
        BatchTooLarge: half of the texts may do. ModelMisnamed: none of the routes is there, or not the model.
        ModelError: see errors.py.
    """
    known = spoken.get(connection.endpoint.name)
    tried = sorted(forms, key=lambda form: form.key != known)
    refusals: list[Refusal] = []
    for form, after in zip(tried, [*tried[1:], None], strict=True):
        response = await _send(connection, "POST", form.route, form.body)
        refusal = _refusal_in(response)
        if refusal is None:
            spoken[connection.endpoint.name] = form.key
            return form, response.content
        refusals.append(refusal)
        if not (_is_no_route(refusal) or (form.key != known and _wants_other_body(refusal, form, after))):
            break
    raise _error(connection.endpoint, refusals, forms)


async def look(connection: Connection, route: str) -> httpx.Response:
    """Fetch what a server says about itself; its status is the caller's to judge.

    Raises:
        ModelUnavailable: no answer came.
    """
    return await _send(connection, "GET", route)


def read(shape: TypeAdapter[T], content: bytes) -> T:
    """Parse a reply.

    Raises:
        ReplyMisshapen: it is not JSON, or not of that shape; it keeps the reply's head.
    """
    try:
        return shape.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "its start"
        head = content[:2000].decode("utf-8", errors="replace")
        raise ReplyMisshapen(
            f"The reply is not what was asked for ({words_of(first)} at {place}); it begins {one_line(head[:80])!r}.",
            "Is this a model server, or a page of a proxy?",
            head,
        ) from error


async def _send(
    connection: Connection, method: str, route: str, body: Mapping[str, object] | None = None
) -> httpx.Response:
    endpoint = connection.endpoint
    headers = {**connection.headers, **key_header(endpoint)}
    try:
        return await connection.http.request(method, f"{endpoint.name}{route}", json=body, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
        names = f"{setting(endpoint, 'BASE_URL')} and {setting(endpoint, 'API_KEY')}"
        raise ModelMisnamed(f"{endpoint.label} at {endpoint.name} cannot be asked.", f"Check {names}.") from error
    except httpx.HTTPError as error:
        what = one_line(str(error)).rstrip(".") or type(error).__name__
        raise ModelUnavailable(
            f"{endpoint.label} at {endpoint.name} gave no answer: {what}.", "Is the model server running?"
        ) from error


def _refusal_in(response: httpx.Response) -> Refusal | None:
    """Make out a refusal, also one that comes with 200: so LM Studio answers for a route that it does not have."""
    if not response.is_success:
        return refusal_of(response.status_code, response.headers, response.content[:ERROR_BYTES])
    if len(response.content) > ERROR_BYTES or b'"error"' not in response.content:
        return None
    try:
        given = json.loads(response.content)
    except ValueError:
        return None
    return refusal_within(given) if isinstance(given, dict) and given.get("error") else None


def _is_no_route(refusal: Refusal) -> bool:
    """Tell a route that is not there from a model that is not: both may be a 404."""
    if refusal.status == 405:
        return True
    silent = refusal.status == 404 and (refusal.page or not refusal.said)
    return silent or (refusal.status in {404, None} and NO_ROUTE.fullmatch(refusal.said) is not None)


def _wants_other_body(refusal: Refusal, form: Form, after: Form | None) -> bool:
    """Say whether the next form may fit better: the same route, by which servers of two kinds take different bodies."""
    return refusal.status in _OTHER_BODY_WANTED and after is not None and after.route == form.route


def _error(endpoint: Endpoint, refusals: Sequence[Refusal], forms: Sequence[Form]) -> ModelError:
    if all(map(_is_no_route, refusals)):
        routes = ", ".join(dict.fromkeys(form.route for form in forms))
        return ModelMisnamed(
            f"{endpoint.label} at {endpoint.name} has no route for this: {routes} were tried.",
            f"Check {setting(endpoint, 'BASE_URL')}: a server for chat need not embed or rerank.",
        )
    refusal = next(refusal for refusal in reversed(refusals) if not _is_no_route(refusal))
    error = error_of(endpoint, refusal)
    if isinstance(error, PromptTooLong) or _is_too_large(refusal, error):
        return BatchTooLarge(str(error))
    return error


def _is_too_large(refusal: Refusal, error: ModelError) -> bool:
    """Say whether half of the texts may do; a wrong guess costs a few requests and ends in a refusal all the same."""
    if isinstance(error, ModelMisnamed):
        return False
    if refusal.status in {413, 422}:
        return True
    return refusal.status in {None, 400, 424, 500} and _TOO_LARGE.search(refusal.words) is not None
