"""`seodang demo`: the whole corridor on the documents of samples/, by the same doors that everybody uses."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.command.add import add, show_added
from services.command.ask_show import show_answer
from services.command.place import opened_place
from services.command.show import err, out
from services.kit.errors import SeodangError
from services.kit.settings import CHECKOUT, Settings

SAMPLES = CHECKOUT / "samples"
START_LIMIT_S = 120.0
STOP_LIMIT_S = 90.0
QUESTIONS = (
    ("안전밸브의 작동 압력은 얼마인가요?", True),
    ("연차 휴가는 며칠 전까지 신청해야 하나요?", True),
    ("How often should the boiler be inspected?", True),
    ("구내식당의 다음 주 점심 메뉴는 무엇인가요?", False),
)
"""What is asked, and whether the samples can answer it."""


def demo(settings: Settings) -> None:
    """Start everything, read the samples, ask, and stop again; on a terminal it stays until Ctrl-C.

    Raises:
        SeodangError: a step did not do what it should; says which.
    """
    settings = _with_free_port(settings)
    with _running(settings) as server:
        _wait_until_ready(settings, server)
        with opened_place(settings) as place:
            out.print(f"Reading {SAMPLES.name}/ …")
            added = add(place, [SAMPLES], "samples", wait=True)
        show_added(added)
        if added.failures:
            raise SeodangError("Some of the samples could not be read.")
        for question, answerable in QUESTIONS:
            _ask(settings, question, answerable)
        out.print(f"\nThe web page is at http://{settings.host}:{settings.port}")
        if sys.stdin.isatty() and sys.stdout.isatty():
            out.print("It stays until you press Ctrl-C.")
            _stay(server)


def _with_free_port(settings: Settings) -> Settings:
    with socket.socket() as probe:
        if probe.connect_ex((settings.host, settings.port)) != 0:
            return settings
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        port = int(probe.getsockname()[1])
    err.print(f"Port {settings.port} is taken; this demo uses {port}.")
    return settings.model_copy(update={"port": port})


@contextmanager
def _running(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    log = settings.home_dir / "demo.log"
    environment = {**os.environ, "SEODANG_PORT": str(settings.port)}
    with log.open("wb") as file:
        command = [sys.executable, "-m", "services.cli", "up"]
        server = subprocess.Popen(
            command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    try:
        yield server
    except SeodangError as error:
        raise SeodangError(f"{error}\n{_tail(log)}") from error
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(STOP_LIMIT_S)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _wait_until_ready(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    out.print("Starting Postgres and the daemons …")
    end = time.monotonic() + START_LIMIT_S
    reasons = "it does not answer"
    while time.monotonic() < end:
        if server.poll() is not None:
            raise SeodangError("The server ended while starting.")
        try:
            reply = httpx.get(f"http://{settings.host}:{settings.port}/health/ready", timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        if reply.status_code == httpx.codes.OK:
            return
        reasons = reply.text
        time.sleep(0.1)
    raise SeodangError(f"The server was not ready within {START_LIMIT_S:.0f} s: {reasons}")


def _ask(settings: Settings, question: str, answerable: bool) -> None:
    out.print(f"\n[bold]? {question}[/bold]", highlight=False)
    url = f"http://{settings.host}:{settings.port}/api/search/ask"
    reply = httpx.post(url, json={"question": question}, timeout=settings.answer.wait_s + 10)
    result: dict[str, Any] = reply.json()
    if reply.status_code != httpx.codes.OK:
        raise SeodangError(f"The question was not answered: {reply.text}")
    show_answer(result)
    if result["refused"] == answerable or (answerable and not result["citations"]):
        raise SeodangError("That is not what the samples say.")


def _stay(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait()
    except KeyboardInterrupt:
        out.print("Stopping …")
