"""The application: routes, guard and errors put together, and nothing decided."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from db.pool import Database
from services.kit.settings import Settings
from services.model.client import ModelClient
from services.model.endpoint import servers
from services.web.context import Web
from services.web.errors import install_errors
from services.web.guard import Guard, Measured
from services.web.hub import Hub
from services.web.pages import PAGE_DIR
from services.web.pulse import Pulse
from services.web.routes import ROUTES, Route
from services.web.waits import Waits
from services.web.wire import ErrorOut

ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorOut}, "5XX": {"model": ErrorOut}}


def make_web(
    settings: Settings, db: Database, hub: Hub, stages: tuple[str, ...], models: ModelClient | None = None
) -> Web:
    """Put together what the handlers are handed."""
    at_once = servers(settings.models, settings.gate.capacity)
    pulse = Pulse(db)
    return Web(settings, db, hub, stages, pulse, Waits(db, pulse), at_once, models=models)


def make_app(web: Web) -> FastAPI:
    """Make the application around its ports."""
    settings = web.settings
    app = FastAPI(
        title="Seodang",
        version=_version(),
        docs_url=None,  # the stock page loads its script from elsewhere; /docs is ours
        redoc_url=None,
        middleware=[
            Middleware(Measured, metrics=web.metrics),
            Middleware(Guard, hosts=(settings.host,), max_upload_mib=settings.web.max_upload_mib),
        ],
    )
    app.state.web = web
    install_errors(app)
    for route in ROUTES:
        _add(app, route)
    app.mount("/assets", StaticFiles(directory=PAGE_DIR / "assets"))
    return app


def _add(app: FastAPI, route: Route) -> None:
    replies = dict(ERRORS)
    if route.reply is not None:
        replies[route.status] = {"model": route.reply}
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        status_code=route.status,
        operation_id=route.handler.__name__,
        openapi_extra=route.more or None,
        include_in_schema=route.shown,
        responses=replies,
    )


def _version() -> str:
    try:
        return version("seodang")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"
