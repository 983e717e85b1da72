"""The HTTP process: `python -m services.api`. Wiring, one listener, one server."""

import ipaddress
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import anyio
import uvicorn

from db.notify import listen_for_ever
from db.pool import open_pool
from services.answer.events import CHANNEL
from services.kit.errors import SettingsError
from services.kit.lifetime import run_process, until_told_to_stop
from services.kit.log import Event, get_logger, set_up_logging
from services.kit.ready import database_ready
from services.kit.settings import Settings, load_settings
from services.stages import STAGES
from services.web.analyze import CHANNEL as DEEP_CHANNEL
from services.web.app import make_app, make_web
from services.web.context import Web
from services.web.hub import Hub
from services.wiring import dsn_of, open_models_if_set

log = get_logger()

EXPECTED = tuple(stage.name for stage in STAGES)
POOL_SIZE = 10
DRAIN_S = 5
"""After the word to stop: time for replies under way; streams end at once."""
HEAD_BYTES = 256 * 1024
"""A longer request line or header gets the HTTP library's bare 400; up to here the reply is ours, with its sentence."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: `kit.lifetime` is the one that listens."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def open_socket(settings: Settings) -> socket.socket:
    """Take the port.

    Raises:
        SettingsError: the host is no loopback address, or the port is taken.
    """
    if not is_loopback(settings.host):
        raise SettingsError(f"SEODANG_HOST={settings.host} is no loopback address. That needs sign-in, which this "
                            "version does not have: use 127.0.0.1 and reach it by ssh -L.")  # fmt: skip
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"SEODANG_PORT={settings.port}: {reason}. Choose another port.") from error
    # asyncio does so only for sockets that name their protocol. Else the body waits for the client's delayed word that
    # the head has come: 40 ms on a connection that is kept. What is accepted has it from here.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(
    settings: Settings,
    listener: socket.socket,
    told_to_stop: Callable[[], Awaitable[None]] = until_told_to_stop,
    stages: tuple[str, ...] = EXPECTED,
) -> None:
    """Answer on a socket until told to stop; the database may come later, go, and come back."""
    # Replies leave as a head and a body: without this the second waits 40 ms for the first one's acknowledgement.
    # Accepted connections inherit it; asyncio sets it itself only where a socket names its protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    dsn, hub = dsn_of(settings), Hub()
    async with AsyncExitStack() as stack:
        stack.enter_context(listener)
        db = await stack.enter_async_context(open_pool(dsn, "api", POOL_SIZE, searching=True))
        models = await stack.enter_async_context(open_models_if_set(settings, db))
        web = make_web(settings, db, hub, stages, models)
        server = Server(_config(make_app(web)))

        async def stop_when_told() -> None:
            await told_to_stop()
            hub.close()
            server.should_exit = True

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop_when_told)
            tasks.start_soon(_prepare, dsn, web)
            tasks.start_soon(listen_for_ever, dsn, "api", CHANNEL, hub.hear)
            tasks.start_soon(hub.readers.keep, dsn, settings.answer.leave_s, lambda: hub.closed)
            tasks.start_soon(listen_for_ever, dsn, "api-deep", DEEP_CHANNEL, web.deep_ended.ring)
            log.info(Event.API_STARTED, host=settings.host, port=listener.getsockname()[1])
            await server.serve([listener])
            tasks.cancel_scope.cancel()


async def _prepare(dsn: str, web: Web) -> None:
    await database_ready(dsn)
    web.prepared.set()


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
        http="h11",
        ws="none",
    )


def main() -> int:
    """Run the HTTP process; 2 for wrong settings, 1 when the database cannot serve."""
    try:
        settings = load_settings()
        listener = open_socket(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before logging is set up
        return 2
    set_up_logging(settings.log_level, settings.log_format, "api")
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a failed request has its line already
    return run_process(serve, settings, listener)


if __name__ == "__main__":
    sys.exit(main())
