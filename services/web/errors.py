"""Every error leaves as {"error": {"code", "message", "hint"}}: the caller's fault as 4xx, never a traceback."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from db.errors import DatabaseGone
from services.kit.errors import RequestError
from services.kit.log import Event, get_logger
from services.web import wire

log = get_logger()
RETRY_AFTER = {"Retry-After": "1"}


def not_found(what: str) -> RequestError:
    """Make the error for a thing that is not there."""
    return RequestError(404, "not_found", f"There is no {what}.")


def error_reply(
    status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """Write an error."""
    body = wire.ErrorOut(error=wire.ErrorBody(code=code, message=message, hint=hint))
    return JSONResponse(body.model_dump(), status, headers)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestError)
    return error_reply(error.status, error.code, str(error), error.hint)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_reply(400, "invalid_request", wire.shown(error.errors()), "The shapes are described at /docs.")


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    hint = "The routes are listed at /docs." if error.status_code in (404, 405) else ""
    return error_reply(error.status_code, code, str(error.detail), hint, dict(error.headers or {}))


async def _gone(request: Request, error: Exception) -> JSONResponse:
    log.warning(Event.DATABASE_GONE, path=request.url.path, reason=str(error))
    message = "The database is away; nothing was lost."
    return error_reply(503, "database_gone", message, "Try again in a moment.", RETRY_AFTER)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error(Event.REQUEST_FAILED, path=request.url.path, method=request.method, exc_info=error)
    return error_reply(500, "internal", "This is a defect of the server.", "Its log has the details.")


def install_errors(app: FastAPI) -> None:
    """Make every error leave in its shape."""
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DatabaseGone, _gone)
    app.add_exception_handler(Exception, _unforeseen)
