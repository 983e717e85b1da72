"""Searches over HTTP: the real process of the API, and clients that keep their connection, one or several at once."""

import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import psutil

from tests.corridors.whole import free_port

CLIENTS = (1, 8)
WARM_UP = 20
START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """Milliseconds of each search at a number of chunks and of clients, and all of them in seconds."""

    chunks: int
    clients: int
    ms: list[float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Api:
    """A running API."""

    port: int
    pid: int

    def memory_mib(self) -> float:
        """Give its resident size."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20


@contextmanager
def api(dsn: str) -> Iterator[Api]:
    """Run the API without any model, and wait until it answers."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEODANG_")}
    with tempfile.TemporaryDirectory() as home:
        settings = {"SEODANG_DATABASE_URL": dsn, "SEODANG_HOME": home, "SEODANG_PORT": str(port)}
        environment = {**clean, **settings, "SEODANG_LOG_LEVEL": "error"}
        process = subprocess.Popen([sys.executable, "-m", "services.api"], env=environment)
        try:
            _until_it_answers(port)
            yield Api(port, process.pid)
        finally:
            process.terminate()
            process.wait(20)


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            search(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "seodang")
        except (OSError, RuntimeError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def search(conn: http.client.HTTPConnection, question: str) -> None:
    """Search once.

    Raises:
        RuntimeError: the answer is no list of hits.
    """
    conn.request("GET", f"/api/search?{urlencode({'q': question})}")
    reply = conn.getresponse()
    body = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{reply.status}: {body[:200]!r}")


def measure(running: Api, chunks: int, questions: Sequence[str], clients: int) -> Served:
    """Share the questions out among so many clients, each with a thread of its own."""
    found: list[list[float]] = [[] for _ in range(clients)]
    ready = threading.Barrier(clients + 1)
    threads = [
        threading.Thread(target=_client, args=(running.port, questions[number::clients], ready, found[number]))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    ms = [each for own in found for each in own]
    if len(ms) != len(questions):
        raise RuntimeError(f"{len(questions) - len(ms)} searches failed")
    return Served(chunks, clients, ms, seconds)


def _client(port: int, questions: Sequence[str], ready: threading.Barrier, ms: list[float]) -> None:
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for question in questions[-max(2, WARM_UP // 8) :]:
        search(conn, question)
    ready.wait()
    for question in questions:
        started = time.perf_counter()
        search(conn, question)
        ms.append((time.perf_counter() - started) * 1000)
