"""A model server that says what a test wants, over real sockets: chat, embeddings, rerank, models, health.

    python -m tests.fakes.model_server --port 0        prints its address, then serves until SIGTERM

    POST /_script   {"rules": […], "models": […], "strict": false} instead of the script so far (model_script.py)
    POST /_release  {"hold": "word"}      lets go what a rule holds
    GET  /_log      every model call: path, role, class, label, body, times, whether the client left before the end
    GET  /_inflight {"now": 0, "most": 1}
    POST /_reset    forgets script, log and counts

HTTP is written by hand here, since the faults that matter lie below any framework: a reset, half a chunk, no end.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx

from tests.fakes.http_exchange import ClientLeft, Exchange, Hearing, read_request
from tests.fakes.model_log import Call, State
from tests.fakes.model_script import Script
from tests.fakes.model_turn import Turn

ROUTES = {
    "/v1/chat/completions": "chat",
    "/chat/completions": "chat",
    "/v1/embeddings": "embeddings",
    "/v1/rerank": "rerank",
    "/rerank": "rerank",
    "/v1/models": "models",
    "/health": "health",
}
COUNTED = {"chat", "embeddings", "rerank"}


class ModelServer:
    """The server within this process and event loop; see `serving`."""

    def __init__(self) -> None:
        self.state, self.port = State(), 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base URL, as a setting names it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def calls(self) -> list[Call]:
        """Every model call so far, in the order of their beginning."""
        return self.state.calls

    @property
    def most(self) -> int:
        """The most calls that were ever in flight at once."""
        return self.state.most

    def script(self, *rules: dict[str, Any], **more: Any) -> None:
        """Follow these rules from now on."""
        self.state.script = Script.model_validate({"rules": list(rules), **more})

    def say(self, **words: Any) -> None:
        """Answer every call alike."""
        self.script({"say": words})

    def release(self, word: str) -> None:
        """Let go what is held by a word."""
        self.state.release(word)

    async def open(self, port: int = 0) -> None:
        """Listen; a port of 0 is chosen by the system the first time, and kept."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", port or self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End every connection; new ones are refused until `open`."""
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await asyncio.sleep(0)  # a transport lets its socket go one turn of the loop later

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(Hearing(), self._begin_line)

    def _begin_line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Hearing)
        task = asyncio.ensure_future(self._serve_line(Exchange(reader, writer)))
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _serve_line(self, to: Exchange) -> None:
        try:
            while (request := await read_request(to.reader)) is not None and await self._answer(to, *request):
                to.reader.on_left = None
        except ClientLeft:
            pass
        finally:
            to.writer.close()

    async def _answer(self, to: Exchange, method: str, path: str, headers: dict[str, str], content: bytes) -> bool:
        path = path.partition("?")[0]
        body = json.loads(content or b"{}")
        if path not in ROUTES:
            await self._steer(to, method, path, body)
            return True
        # A client that left and came again in one instant is first heard leaving.
        await asyncio.sleep(0)
        kind, state = ROUTES[path], self.state
        say = state.script.choose(kind, path, headers, body)
        if kind not in COUNTED:
            return await Turn(to, kind, say, body, state, None).follow()
        call = state.begin(kind, path, headers, body)
        to.reader.on_left = partial(state.end, call, left=True)
        try:
            return await Turn(to, kind, say, body, state, call).follow()
        finally:
            state.end(call)

    async def _steer(self, to: Exchange, method: str, path: str, given: dict[str, Any]) -> None:
        state = self.state
        answer: dict[str, Any] = {}
        match method, path:
            case "POST", "/_script":
                state.script = Script.model_validate(given)
            case "POST", "/_release":
                state.release(given["hold"])
            case "POST", "/_reset":
                # Calls in flight are still counted: what is forgotten is the past.
                state.script, state.calls, state.most, state.holds = Script(), [], state.now, {}
            case "GET", "/_log":
                answer = {"calls": [call.as_json() for call in state.calls]}
            case "GET", "/_inflight":
                answer = {"now": state.now, "most": state.most}
            case _:
                await to.whole(404, "Not Found")
                return
        await to.whole(200, answer)


@asynccontextmanager
async def serving() -> AsyncIterator[ModelServer]:
    """Serve within this event loop until the block ends."""
    server = ModelServer()
    await server.open()
    try:
        yield server
    finally:
        await server.close()


class RemoteServer:
    """The server in a process of its own, steered over HTTP; see `in_process`."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url, self.process = url, process
        self.http = httpx.Client(base_url=url.removesuffix("/v1"), timeout=30)

    def script(self, *rules: dict[str, Any], **more: Any) -> None:
        """Follow these rules from now on."""
        Script.model_validate({"rules": list(rules), **more})
        self.http.post("/_script", json={"rules": list(rules), **more}).raise_for_status()

    def say(self, **words: Any) -> None:
        """Answer every call alike."""
        self.script({"say": words})

    def release(self, word: str) -> None:
        """Let go what is held by a word."""
        self.http.post("/_release", json={"hold": word}).raise_for_status()

    def reset(self) -> None:
        """Forget script, log and counts."""
        self.http.post("/_reset").raise_for_status()

    @property
    def calls(self) -> list[Call]:
        """Every model call so far, in the order of their beginning."""
        rows = self.http.get("/_log").raise_for_status().json()["calls"]
        return [Call(klass=row.pop("class"), **row) for row in rows]

    @property
    def most(self) -> int:
        """The most calls that were ever in flight at once."""
        return int(self.http.get("/_inflight").raise_for_status().json()["most"])


@contextmanager
def in_process(port: int = 0) -> Iterator[RemoteServer]:
    """Serve in a process of its own until the block ends; for tests of real daemons."""
    command = [sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = RemoteServer(process.stdout.readline().strip(), process)
        try:
            yield server
        finally:
            server.http.close()
            process.terminate()


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    server, stopped = ModelServer(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.open(port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    await stopped.wait()
    await server.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Serve scripted models on 127.0.0.1.")
    arguments.add_argument("--port", type=int, default=0, help="0: any free port; the address is printed")
    asyncio.run(serve(arguments.parse_args().port))
