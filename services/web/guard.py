"""What stands before every route (plain ASGI, so that streams stay streams): who may ask, how much, and how it went.

Refuses a Host that is no loopback name (DNS rebinding), a changing request from another origin (CSRF), and a body over
its limit. Sets the headers that keep a browser strict, counts, and measures.
"""

from collections.abc import Iterable, Set
from time import perf_counter
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.settings import MIB
from services.web.errors import error_reply
from services.web.metrics import Metrics

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
UPLOADS = "/api/documents"
JSON_BODY_BYTES = MIB
FORM_BYTES = MIB
"""Room for the fields and boundaries around the files of an upload."""
TOO_LARGE = "The request is larger than this server takes."

STRICT = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets in what comes from this machine and this site, up to a size."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], max_upload_mib: int) -> None:
        self._app = app
        self._hosts = LOOPBACK | set(hosts)
        self._max_upload_bytes = max_upload_mib * MIB + FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the body counted and the headers set."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = _refuse_host(headers, self._hosts) or _refuse_origin(scope["method"], headers)
        limit = self._max_upload_bytes if scope["path"] == UPLOADS else JSON_BODY_BYTES
        if refusal is None and _declared(headers) > limit:
            refusal = await _refuse_size(headers, receive, limit)
        if refusal is not None:
            await refusal(scope, receive, _strict(send))
            return
        await self._app(scope, _counted(receive, limit), _strict(send))


def _refuse_host(headers: Headers, hosts: Set[str]) -> JSONResponse | None:
    if _host_name(headers.get("host", "")) in hosts:
        return None
    return error_reply(403, "host_not_allowed", "This server answers under a loopback name only.",
                       "Use http://127.0.0.1 or http://localhost with its port.")  # fmt: skip


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _refuse_origin(method: str, headers: Headers) -> JSONResponse | None:
    if method in READING or _same_origin(headers):
        return None
    return error_reply(403, "origin_not_allowed", "Another site's page may not change anything here.")


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host")
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdigit() else 0


async def _refuse_size(headers: Headers, receive: Receive, limit: int) -> JSONResponse:
    """Refuse a body. A client that does not ask first sends it all the same, and hears us only if it is let finish."""
    if headers.get("expect", "").lower() != "100-continue":
        await _drain(receive, limit)
    return error_reply(413, "too_large", TOO_LARGE, f"The limit is {limit // MIB} MiB.")


async def _drain(receive: Receive, most: int) -> None:
    seen, more = 0, True
    while more and seen <= most * 2:
        message = await receive()
        seen += len(message.get("body", b""))
        more = message.get("more_body", False)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:  # a body that did not declare its length
            await _drain(receive, limit)
            raise HTTPException(413, TOO_LARGE)
        return message

    return receive_some


def _strict(send: Send) -> Send:
    async def send_strict(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in STRICT.items():
                headers.setdefault(name, value)
        await send(message)

    return send_strict


class Measured:
    """Counts every request and measures how long its reply took, by route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the status that went out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 499  # nginx's number for a client that left before there was a reply

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = perf_counter()
        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.latency.labels(route).observe(perf_counter() - started)
