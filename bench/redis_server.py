"""A private Redis for one benchmark run: nothing on disk, on a Unix socket, gone afterwards."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARY = "redis-server"
START_S = 10.0
LOOK_S = 0.01


class RedisMissing(Exception):
    """There is no redis-server on this machine; Debian's package has that name."""


def version() -> str:
    """Return "redis-server" and its version.

    Raises:
        RedisMissing: there is no such program.
    """
    printed = subprocess.run([_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    words = dict(word.split("=", 1) for word in printed.split() if "=" in word)
    return f"{BINARY} {words['v']}"


@contextmanager
def redis_server() -> Iterator[str]:
    """Start a server in a temporary directory and yield its URL; end it and remove the directory.

    Raises:
        RedisMissing: there is no such program.
    """
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as directory:
        path = Path(directory) / "socket"
        options = {"port": "0", "unixsocket": str(path), "dir": directory, "save": "", "appendonly": "no"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        server = subprocess.Popen([_binary(), *words], stdout=subprocess.DEVNULL)
        try:
            _until_it_listens(server, path)
            yield f"unix://{path}"
        finally:
            server.terminate()
            server.wait()


def _binary() -> str:
    found = shutil.which(BINARY)
    if found is None:
        raise RedisMissing(f"there is no {BINARY} here")
    return found


def _until_it_listens(server: subprocess.Popen[bytes], path: Path) -> None:
    deadline = time.monotonic() + START_S
    while not _listens(path):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{BINARY} did not start")
        time.sleep(LOOK_S)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
