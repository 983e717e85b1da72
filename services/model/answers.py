"""What an answer that is no reply means: from status and body to a typed error with a hint. Pure but for the reading.

Servers say what is wrong as `{"error": "text"}`, `{"error": {…}}`, `{"detail": "text" or list}`, plain text, a page, or
not at all; a 404 need not mean a wrong name (mlx_lm), and a 200 need not mean well (LM Studio).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from services.model.endpoint import Endpoint
from services.model.errors import (
    ModelError,
    ModelMisnamed,
    ModelUnavailable,
    PromptTooLong,
    ReplyBroken,
    RequestRefused,
)

SAID_CHARS = 300
BODY_BYTES = 65_536
MOST_AFTER_S = 3600.0
CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\ud800-\udfff]+")

TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|when context the overflows|max(?:imum)?[ _](?:context|model)[ _]len"
    r"|exceeds?[^.]{0,60}context|context[ _](?:length|size|window)[^.]{0,40}(?:exceed|overflow|too (?:small|short))"
    r"|(?:prompt|input|request|messages?)[^.]{0,40}\btoo long|maximum context|too many (?:input |prompt )?tokens",
    re.IGNORECASE,
)
"""OpenAI, vLLM, litellm; llama.cpp ("exceeds the available context size"); LM Studio; llama-cpp-python; TEI."""

NO_MODEL = re.compile(
    r"(?:invalid|unknown|no such|unrecogni[sz]ed|cannot find|can't find|could not find|failed to (?:load|fetch|find)"
    r"|missing)[^.]{0,40}\b(?:model|repo|repository|snapshot)\b"
    r"|\b(?:models?|repo|repository|snapshot)\b.{0,120}(?:not found|not exist|doesn't exist|not available|not loaded"
    r"|is not (?:served|known|valid|a valid))|model_not_found|repo id must|not a valid model",
    re.IGNORECASE | re.DOTALL,
)
"""mlx_lm (with the words of the Hugging Face hub), mlx_vlm, litellm ("Invalid model name passed in model="), Ollama."""

NOT_FETCHED = re.compile(
    r"hugging ?face|\bhf\.co\b|\bthe hub\b|local (?:folder|cache|disk)|name resolution|service not known|servname"
    r"|no safetensors|model type .* not supported|config\.json",
    re.IGNORECASE,
)
"""mlx_lm takes an unknown name for one of the hub's, and tells in a 404 how its search there went."""

NO_ROUTE = re.compile(
    r"(?:the requested (?:url|resource) .*|(?:file |page |404:? ?(?:page )?)?not found\.?|404|cannot post .*"
    r"|unexpected endpoint.*|invalid url.*|no (?:such )?(?:route|endpoint).*|nothing matches.*|method not allowed\.?)",
    re.IGNORECASE | re.DOTALL,
)
DEAD = re.compile(r"thread|dead|died|shut|memory|crash|not running|stopp|unavailable|overload", re.IGNORECASE)
"""mlx_lm answers 404 for all that fails in generating, also when its generation thread is gone."""
BUSY = re.compile(r"overload|rate.?limit|unavailable|too_many_requests|capacity", re.IGNORECASE)
FAULTY = re.compile(r"invalid_request|bad.?request|invalid_prompt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no reply.

    Attributes:
        status: of HTTP, or the one that the body names; None where a stream brought an error without any.
        said: what the server said, one line of at most 300 characters.
        kind: its own words for the error (`type`, `code`).
        after_s: when the server wants to be asked again.
        page: it was a page for people, so no model server may have spoken at all.
    """

    status: int | None
    said: str
    kind: str = ""
    after_s: float | None = None
    page: bool = False

    @property
    def words(self) -> str:
        """All that tells one error from another."""
        return f"{self.kind} {self.said}"


async def read_refusal(response: httpx.Response) -> Refusal:
    """Read an answer with an error status, 64 KiB of it at most; a body that breaks off counts as far as it came."""
    body = bytearray()
    try:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= BODY_BYTES:
                break
    except httpx.HTTPError:
        pass  # the status says enough
    return refusal_of(response.status_code, response.headers, bytes(body[:BODY_BYTES]))


def refusal_of(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """Make out what an answer with an error status says."""
    text = body.decode(errors="replace")
    page = text.lstrip()[:1] == "<"
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = _text_of_page(text) if page else text
    return Refusal(status, one_line(_sentence(given)), _kind_of(given), _after_s(headers), page)


def refusal_within(given: Any) -> Refusal:
    """Make out an error that came where a reply was due: in a stream, or in a body with 200."""
    code = str(_error_object(given).get("code"))
    status = int(code) if re.fullmatch("[45][0-9][0-9]", code) else None
    return Refusal(status, one_line(_sentence(given)), _kind_of(given))


def one_line(text: str) -> str:
    """Bring what somebody else said into a sentence of ours: one line, no control characters, 300 characters."""
    line = CONTROL.sub(" ", text[: SAID_CHARS * 20]).strip()
    return line if len(line) <= SAID_CHARS else f"{line[: SAID_CHARS - 1]}…"


def error_of(endpoint: Endpoint, refusal: Refusal) -> ModelError:
    """Choose the error that says what can be done about a refusal."""
    error = _chosen(endpoint, refusal)
    error.said = refusal.said.rstrip(".")
    return error


def _chosen(endpoint: Endpoint, refusal: Refusal) -> ModelError:
    status, words = refusal.status, refusal.words
    message = _message(endpoint, refusal)
    if status != HTTPStatus.TOO_MANY_REQUESTS and TOO_LONG.search(words):
        tokens = setting(endpoint, "CONTEXT_TOKENS")
        return PromptTooLong(message, f"Set {tokens} to what the server takes, or give the server a larger context.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ModelMisnamed(message, f"Check {setting(endpoint, 'API_KEY')}; `seodang doctor` tries it.")
    if _is_route(refusal):
        return ModelMisnamed(message, f"Check {setting(endpoint, 'BASE_URL')}: no chat is served at that address.")
    unfetched = status == HTTPStatus.NOT_FOUND and NOT_FETCHED.search(words)
    if unfetched or (status in {None, 200, 400, 404, 422} and NO_MODEL.search(words)):
        hint = f"`seodang doctor` lists the names the server knows; set {setting(endpoint, 'MODEL')} to one of them."
        return ModelMisnamed(message, hint)
    if status is None or status < HTTPStatus.BAD_REQUEST:
        return _error_within(refusal, message)
    dead = status == HTTPStatus.NOT_FOUND and DEAD.search(words)
    if status in {408, 425, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR or dead:
        return ModelUnavailable(message, "Look at the model server's log if this lasts.", refusal.after_s)
    return RequestRefused(message, "The same request would be refused again: look at the model server's log.")


def _error_within(refusal: Refusal, message: str) -> ModelError:
    """Judge an error without a status: one that nobody knows costs the job a try, so that it cannot go on for ever."""
    if BUSY.search(refusal.words):
        return ModelUnavailable(message, "Look at the model server's log if this lasts.")
    if FAULTY.search(refusal.kind):
        return RequestRefused(message, "The same request would be refused again: look at the model server's log.")
    return ReplyBroken(message, "Look at the model server's log: it failed while it was answering.")


def setting(endpoint: Endpoint, name: str) -> str:
    """Name the setting that a person would change."""
    return f"SEODANG_MODELS__{endpoint.role.upper()}__{name}"


def key_header(endpoint: Endpoint) -> dict[str, str]:
    """Give the header that carries the key; a key that none can carry is refused here, lest an error repeat it."""
    if endpoint.api_key is None:
        return {}
    key = endpoint.api_key.get_secret_value()
    if not (key.isascii() and key.isprintable()):
        name = setting(endpoint, "API_KEY")
        raise ModelMisnamed(f"The key of {endpoint.label} has characters that no key has.", f"Check {name}.")
    return {"Authorization": f"Bearer {key}"}


def _is_route(refusal: Refusal) -> bool:
    status = refusal.status or 200
    if status == HTTPStatus.METHOD_NOT_ALLOWED or 300 <= status < 400:
        return True
    nothing_said = status == HTTPStatus.NOT_FOUND and (refusal.page or not refusal.said)
    return nothing_said or (status in {200, 404} and NO_ROUTE.fullmatch(refusal.said) is not None)


def _message(endpoint: Endpoint, refusal: Refusal) -> str:
    answered = f"answered {refusal.status}" if refusal.status else "reported an error"
    said = f"said: {refusal.said.rstrip('.')}." if refusal.said else "said nothing."
    return f"{endpoint.label} at {endpoint.name} {answered} and {said}"


def _sentence(given: Any) -> str:
    """Find the words in an error body of any known form."""
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        return "; ".join(filter(None, map(_sentence, given[:10])))
    if not isinstance(given, dict):
        return "" if given is None else str(given)
    for name in ("error", "detail", "message", "msg", "errors", "reason"):
        if given.get(name):
            place = ".".join(map(str, given["loc"])) if isinstance(given.get("loc"), list) else ""
            return f"{place}: {_sentence(given[name])}".removeprefix(": ")
    return json.dumps(given, ensure_ascii=False) if given else ""


def _error_object(given: Any) -> dict[str, Any]:
    """Give the object that has `type` and `code`: the one within `error`, or the body itself."""
    if not isinstance(given, dict):
        return {}
    inner = given.get("error")
    return inner if isinstance(inner, dict) else given


def _kind_of(given: Any) -> str:
    source = _error_object(given)
    return one_line(" ".join(str(source[name]) for name in ("type", "error_type", "code", "param") if source.get(name)))


def _text_of_page(page: str) -> str:
    """Give a page's title, or its text."""
    title = re.search(r"<title[^>]*>(.*?)</title", page, re.IGNORECASE | re.DOTALL)
    return title.group(1) if title else re.sub(r"<[^>]*>", " ", page)


def _after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date."""
    given = headers.get("retry-after", "").strip()
    try:
        after_s = float(given)
    except ValueError:
        try:
            after_s = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(after_s, 0.0), MOST_AFTER_S) if after_s == after_s else None
