"""The real `mlx_lm.server` as a process, and a wire before it that knows how many requests the server has in hand."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup

from tests.waiting import wait_for

NEEDED = ("mlx", "mlx_lm", "tokenizers", "safetensors")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
HOW_TO_GET_THEM = f"Not installed: {', '.join(MISSING)}; the extra `mlx` brings them."
START_S, END_S = 60, 10
EVENT, WHOLE = b"data: ", b"data: [DONE]"
GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


class MlxServer:
    """One `python -m mlx_lm server`, which decodes one reply at a time, as on a machine with one scarce model."""

    def __init__(self, model: Path, log: Path) -> None:
        self.model, self.log = model, log
        self.port = free_port()
        command = [sys.executable, "-m", "mlx_lm", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        one_by_one = ["--decode-concurrency", "1", "--prompt-concurrency", "1"]
        # Offline: an unknown model name makes the server ask a hub for it.
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(log.parent / "hub")}
        (log.parent / "hub" / "hub").mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *one_by_one, "--model", str(model)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        """Tell whether a token can be had: `/health` is good before the model is read."""
        assert self.process.poll() is None, f"the model server ended:\n{self.log.read_text()[-2000:]}"
        body = json.dumps({"messages": [{"role": "user", "content": "."}], "max_tokens": 1}).encode()
        question = urllib.request.Request(
            f"{self.base_url}/v1/chat/completions", body, {"Content-Type": "application/json"}
        )
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(question, timeout=START_S):
            return True
        return False

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(END_S)


@contextmanager
def served(model: Path, log: Path) -> Iterator[MlxServer]:
    """Serve a model folder until the end of the block."""
    server = MlxServer(model, log)
    try:
        wait_for(server.ready, START_S)
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Watch:
    """What passed the wire: a request is in hand from its first byte until its reply is whole, or its connection ends.

    Attributes:
        port: where to connect instead of the server's own.
        asked: requests that reached the server.
        pieces: events of streams that the server sent.
        whole: replies that were sent to their end.
        most: the largest number of requests that the server had in hand at once.
    """

    server: MlxServer
    port: int = 0
    asked: int = 0
    pieces: int = 0
    whole: int = 0
    most: int = 0
    in_hand: set[object] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def carry(self, client: SocketStream) -> None:
        """Pass on one connection, which is one request: the server speaks HTTP/1.0."""
        with suppress(OSError):
            async with client, await anyio.connect_tcp("127.0.0.1", self.server.port) as server:
                with suppress(*GONE):
                    async with anyio.create_task_group() as both:
                        both.start_soon(self._up, client, server, both)
                        await self._down(server, client)
                        both.cancel_scope.cancel()
        self.in_hand.discard(client)

    async def _up(self, client: SocketStream, server: SocketStream, both: TaskGroup) -> None:
        with suppress(*GONE):
            request = await client.receive()
            self.asked += 1
            self.in_hand.add(client)
            self.most = max(self.most, len(self.in_hand))
            while True:
                await server.send(request)
                request = await client.receive()
        both.cancel_scope.cancel()  # who asked went away: so does the wire

    async def _down(self, server: SocketStream, client: SocketStream) -> None:
        tail = b""
        with suppress(*GONE):
            while True:
                data = await server.receive()
                self.pieces += data.count(EVENT)
                tail = tail[-len(WHOLE) :] + data
                if WHOLE in tail and client in self.in_hand:
                    # Told before the caller hears of it: only then the gate lets the next one in.
                    self.in_hand.discard(client)
                    self.whole += 1
                await client.send(data)


@asynccontextmanager
async def watched(server: MlxServer) -> AsyncIterator[Watch]:
    """Put a wire before the server that counts what the server has in hand."""
    watch = Watch(server)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    watch.port = listener.extra(SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, watch.carry)
        yield watch
        tasks.cancel_scope.cancel()
