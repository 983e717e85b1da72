"""Real daemons as processes, each with its log in a file."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from db.server import EmbeddedServer
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
STOP_LIMIT_S = 10
"""The contract: after SIGTERM a daemon ends within so many seconds."""


class Daemon:
    """One `python -m services.daemon <stage>`."""

    def __init__(self, stage: str, environment: dict[str, str], log: Path) -> None:
        self.stage, self.log = stage, log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.daemon", stage],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.close()

    def close(self) -> int:
        """Wait until it has ended, and give its exit code."""
        code = self.process.wait(timeout=STOP_LIMIT_S)
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        return code

    def events(self, name: str) -> list[dict[str, Any]]:
        """Give the lines of its log about one kind of event."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        whole = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [line for line in whole if line["event"] == name]

    def wait_for(self, name: str, within_s: float = 20) -> dict[str, Any]:
        """Wait until it has logged an event; gives the first."""
        return wait_for(lambda: self.events(name), within_s)[0]


class Fleet:
    """The daemons of one database."""

    def __init__(self, dsn: str, home: Path, **settings: str) -> None:
        self.home = home
        self.daemons: list[Daemon] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEODANG_")}
        self.environment = kept | {
            "SEODANG_HOME": str(home),
            "SEODANG_DATABASE_URL": dsn,
            "SEODANG_LOG_FORMAT": "json",
            "SEODANG_QUEUE__WATCH_S": "0.1",
            **settings,
        }

    def start(self, stage: str, **settings: str) -> Daemon:
        """Start one more; it may not be ready yet."""
        log = self.home / f"{len(self.daemons)}-{stage}.log"
        daemon = Daemon(stage, self.environment | settings, log)
        self.daemons.append(daemon)
        return daemon

    def ready(self, stage: str, **settings: str) -> Daemon:
        """Start one more and wait until it takes rows."""
        daemon = self.start(stage, **settings)
        daemon.wait_for("worker_started")
        return daemon

    def with_pid(self, pid: int) -> Daemon:
        return next(daemon for daemon in self.daemons if daemon.pid == pid)


@contextmanager
def fleet(dsn: str, home: Path, **settings: str) -> Iterator[Fleet]:
    """End every daemon at the end, however the test ended."""
    home.mkdir(parents=True, exist_ok=True)
    ships = Fleet(dsn, home, **settings)
    try:
        yield ships
    finally:
        for daemon in ships.daemons:
            if daemon.process.poll() is None:
                daemon.signal(signal.SIGCONT)
                daemon.kill()
            else:
                daemon.close()


class Postmaster:
    """An embedded server as a child of the test, so that its end is seen at once."""

    def __init__(self, server: EmbeddedServer, log: TextIO) -> None:
        self.server, self.log = server, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again and again, as a supervisor does, until it answers."""

        def answers() -> bool:
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    self.server.command, cwd="/", stdout=self.log, stderr=self.log, **self.server._identity()
                )
            with suppress(Exception):
                self.server.create_database()
                return True
            return False

        wait_for(answers, within_s=30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown
            self.process.wait(timeout=30)


@contextmanager
def postmaster(home: Path) -> Iterator[Postmaster]:
    """Make a cluster, and stop its server at the end; it is not started."""
    server = EmbeddedServer(home)
    server.prepare()
    with (home / "postgres.log").open("w") as log:
        running = Postmaster(server, log)
        try:
            yield running
        finally:
            running.stop()
