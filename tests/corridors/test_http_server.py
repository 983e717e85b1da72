"""What holds for every route: who may ask, how errors look, how we say that we are well."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

from db.locks import WORKERS
from db.pool import Database, Session, connect
from db.server import EmbeddedServer
from services.api import is_loopback, open_socket
from services.kit.errors import SettingsError
from services.kit.settings import Settings
from services.web.routes import ROUTES
from services.web.strings import choose_language
from tests.corridors.http_fixtures import api, client_of, events_in, row_of, serving, until

__all__ = ["api"]
pytestmark = pytest.mark.anyio


ABSENT = (
    ("GET", "/nowhere", 404),
    ("PUT", "/api/status", 405),
    ("GET", "/api/documents/x", 400),
    ("GET", "/assets/x", 404),
)


async def test_errors__have_one_shape(api: httpx.AsyncClient) -> None:
    for method, path, status in ABSENT:
        response = await api.request(method, path)
        assert response.status_code == status, path
        assert response.json()["error"].keys() == {"code", "message", "hint"}, path


async def test_routes__are_described(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    for route in ROUTES:
        assert not route.shown or paths[route.path][route.method.lower()]["description"]
    page = await api.get("/docs", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "/api/search/ask" in page.text


async def test_host__only_loopback_names_are_served(api: httpx.AsyncClient) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:80", "[::1"):
        assert (await api.get("/api/status", headers={"Host": host})).status_code in (400, 403), host
    for host in ("localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8765"):
        assert (await api.get("/health/live", headers={"Host": host})).status_code == 200, host


FOREIGN = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})


async def test_origin__other_sites_change_nothing(api: httpx.AsyncClient, pool: Database) -> None:
    for headers in FOREIGN:
        response = await api.post("/api/search/ask", json={"question": "질문"}, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "origin_not_allowed"), headers
        assert (await api.delete("/api/documents/1", headers=headers)).status_code == 403, headers
    assert (await row_of(pool, "SELECT count(*) FROM asks"))["count"] == 0


async def test_origin__our_own_page_may(api: httpx.AsyncClient) -> None:
    own = str(api.base_url).rstrip("/")
    assert (await api.delete("/api/documents/1", headers={"Origin": own})).status_code == 404


async def test_body__over_a_mebibyte_of_json_is_413(api: httpx.AsyncClient) -> None:
    response = await api.post("/api/search/ask", json={"question": "a" * 2_000_000})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


async def test_status__counts_what_waits_and_who_lives(api: httpx.AsyncClient, dsn: str, pool: Database) -> None:
    await row_of(pool, "INSERT INTO inbox (path) VALUES ('/a')")
    connection = await connect(dsn, "test")
    worker = {"stage": "ingest", "host": "h", "pid": 1, "lease_s": 60.0}
    await Session(connection).value("register_worker", **worker, worker_locks=WORKERS)
    status = (await api.get("/api/status")).json()
    assert status["gate"] == []
    assert [(row["stage"], row["status"], row["count"]) for row in status["queues"]] == [("ingest", "pending", 1)]
    assert [row["stage"] for row in status["daemons"]] == ["ingest"]
    await connection.close()


async def test_status_events__come_when_something_changed(api: httpx.AsyncClient, pool: Database) -> None:
    async with api.stream("GET", "/api/status/events") as response:
        events = events_in(response)
        first: Any = await anext(events)
        await row_of(pool, "INSERT INTO inbox (path) VALUES ('/a')")
        second: Any = await anext(events)
    assert first.data["queues"] == []
    assert second.data["queues"][0]["count"] == 1


async def test_ready__names_stages_without_a_daemon(settings: Settings) -> None:
    async with serving(settings, ("ingest", "synthesis")) as address, client_of(address) as client:
        response = await client.get("/health/ready")
        assert response.status_code == 503
        assert len(response.json()["reasons"]) == 2
    async with serving(settings) as address, client_of(address) as client:
        assert (await client.get("/health/ready")).status_code == 200


async def test_metrics__have_our_prefix(api: httpx.AsyncClient, pool: Database) -> None:
    await row_of(pool, "INSERT INTO inbox (path) VALUES ('/a')")
    await api.get("/health/live")
    text = (await api.get("/metrics")).text
    assert 'seodang_queue_jobs{stage="ingest",status="pending"} 1.0' in text
    assert 'seodang_http_requests_total{method="GET",route="/health/live",status="200"} 1.0' in text
    assert "seodang_database_up 1.0" in text


async def test_database_gone__is_503(settings: Settings, tmp_path: Path) -> None:
    gone = settings.model_copy(update={"database_url": SecretStr(f"postgresql://seodang@/seodang?host={tmp_path}")})
    async with serving(gone, wait=False) as address, client_of(address) as client:
        response = await client.post("/api/search/ask", json={"question": "질문"})
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "database_gone"
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        assert "seodang_database_up 0.0" in (await client.get("/metrics")).text


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    """A Postgres that the test may stop."""
    with tempfile.TemporaryDirectory(prefix="seodang-") as home:
        server = EmbeddedServer(Path(home).resolve())
        server.prepare()
        server.start()
        yield server
        server.stop()


@pytest.mark.slow
async def test_database_gone__and_back_needs_no_restart(settings: Settings) -> None:
    path = "/api/documents/1/analyze"
    with own_server() as server:
        own = settings.model_copy(update={"database_url": SecretStr(server.dsn)})
        async with serving(own) as address, client_of(address) as client:
            for _ in range(2):
                assert (await client.post(path)).status_code == 404
                await anyio.to_thread.run_sync(server.stop)
                assert (await client.post(path)).status_code == 503
                await anyio.to_thread.run_sync(server.start)
            assert (await client.post(path)).status_code == 404


async def test_first_start__brings_the_schema_up(settings: Settings, empty_dsn: str) -> None:
    fresh = settings.model_copy(update={"database_url": SecretStr(empty_dsn)})
    async with serving(fresh) as address, client_of(address) as client:
        assert (await client.get("/api/documents")).json()["documents"] == []


def test_loopback__is_the_only_place_to_listen(settings: Settings) -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.2", "example.org", "")))
    with pytest.raises(SettingsError, match="sign-in"):
        open_socket(settings.model_copy(update={"host": "0.0.0.0"}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def start_api(dsn: str, port: int, **more: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SEODANG_DATABASE_URL": dsn, "SEODANG_PORT": str(port), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "services.api"], env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )


async def prepared(client: httpx.AsyncClient) -> bool | None:
    try:
        return (await client.get("/api/documents")).status_code == 200 or None
    except httpx.ConnectError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("how", ["term", "end of input"])
async def test_process__ends_with_open_streams(dsn: str, how: str) -> None:
    port = free_port()
    process = start_api(dsn, port, SEODANG_SUPERVISED="1")
    async with client_of(f"http://127.0.0.1:{port}") as client:
        await until(partial(prepared, client))
        async with client.stream("GET", "/api/status/events") as response:
            await anext(events_in(response))
            if how == "term":
                process.send_signal(signal.SIGTERM)
            else:
                assert process.stdin is not None
                process.stdin.close()
            assert await anyio.to_thread.run_sync(process.wait, 10) == 0
    assert process.stderr is not None
    lines = process.stderr.read().decode().splitlines()
    process.stderr.close()
    assert process.stdin is not None
    process.stdin.close()
    assert [json.loads(line)["event"] for line in lines] == ["api_started"]


@pytest.mark.slow
async def test_process__refuses_a_taken_port_and_an_open_host(dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for more in ({"SEODANG_PORT": str(taken.getsockname()[1])}, {"SEODANG_HOST": "0.0.0.0"}):
            process = start_api(dsn, free_port(), **more)
            _, said = await anyio.to_thread.run_sync(process.communicate)
            assert process.returncode == 2
            assert len(said.decode().strip().splitlines()) == 1


def test_language__is_the_browsers_first_of_ours() -> None:
    cases = {"ko-KR,ko;q=0.9,en;q=0.8": "ko", "en-US,en;q=0.9,ko;q=0.5": "en", "fr,ko;q=0.3": "ko", "": "en", "*": "en",
             "ko;q=0": "en", "de;q=x": "en"}  # fmt: skip
    assert {given: choose_language(given) for given in cases} == cases
