"""The two processes that answer: the facade and the synthesis daemon, on a database that is filled already."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from tests.corridors.whole import free_port
from tests.waiting import wait_for

START_S, STOP_S = 60, 20


@dataclass(frozen=True, slots=True)
class Product:
    """The processes, and the port of the facade."""

    port: int
    processes: tuple[psutil.Process, ...]

    def cpu_ms(self) -> float:
        """Give the processor time that they have used so far; beside a busy neighbour it says more than a clock."""
        times = [process.cpu_times() for process in self.processes]
        return float(sum(each.user + each.system for each in times)) * 1000


@contextmanager
def running(dsn: str, home: str, environment: Mapping[str, str]) -> Iterator[Product]:
    """Run them while the body runs."""
    port = free_port()
    told = {"DATABASE_URL": dsn, "HOME": home, "PORT": str(port), "LOG_LEVEL": "warning"}
    whole = {**environment, **{f"SEODANG_{name}": value for name, value in told.items()}}
    modules = (("services.daemon", "synthesis"), ("services.api",))
    started = [subprocess.Popen([sys.executable, "-m", *module], env=whole) for module in modules]
    try:
        wait_for(lambda: _serves(port), START_S)
        yield Product(port, tuple(psutil.Process(each.pid) for each in started))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(STOP_S)


def _serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5) as reply:
            return b'"synthesis"' in reply.read()
    except OSError:
        return False
