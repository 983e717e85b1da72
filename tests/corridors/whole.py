"""The whole server as a user starts it: `seodang up` as a process, on a data directory and a port of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from services.kit.settings import CHECKOUT
from tests.waiting import wait_for

START_S, STOP_S = 60.0, 40.0


@dataclass(frozen=True)
class Whole:
    """A running server: where it keeps its data, where it listens, its supervisor's process."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this server."""
        return seodang(self.environment, *arguments)

    def dsn(self) -> str:
        return self.command("db-url").stdout.strip()

    def get(self, path: str) -> Any:
        """Read a route; an answer that is no success is given with its body all the same."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def ready(self) -> bool:
        """Say whether everything serves."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5):
                return True
        except OSError:
            return False

    def finds(self, words: str) -> list[dict[str, Any]]:
        """Search by HTTP."""
        found: list[dict[str, Any]] = self.get(f"/api/search?q={urllib.parse.quote(words)}").get("hits", [])
        return found

    def child(self, words: str) -> psutil.Process | None:
        """Find a process of the supervisor by words of its command line."""
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # a zombie has no command line
                if words in " ".join(process.cmdline()):
                    return process
        return None

    def stop(self) -> int:
        """Stop it as Ctrl-C's brother does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


def environment_of(home: Path, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEODANG_")}
    return {**clean, "SEODANG_HOME": str(home), "SEODANG_PORT": str(port), "SEODANG_INGEST__STABLE_S": "0.3"}


def seodang(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line."""
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=90, check=False
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, port: int | None = None, settings: Mapping[str, str] | None = None) -> Whole:
    """Start a server; its log goes to a file beside its data directory."""
    port = port or free_port()
    environment = environment_of(home, port) | dict(settings or {})
    log = home.with_suffix(".log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up"],
        env=environment,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    log.close()
    return Whole(home, port, process, environment)


@contextmanager
def running(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[Whole]:
    """Start a server, wait until it serves, stop it at the end."""
    whole = start(home, settings=settings)
    try:
        wait_for(whole.ready, START_S)
        yield whole
    finally:
        whole.stop()


def rows(connection: psycopg.Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement of a test and give its rows."""
    return connection.execute(statement, values).fetchall()
