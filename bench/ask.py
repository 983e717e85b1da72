"""The person who waits: from `POST /api/search/ask` to the start of its model call, while the background is full.

    python -m bench.ask [--asks 60] [--call-s 2.0] [--json FILE] [--markdown FILE]

Real processes: api, synthesis, ingest, embed, a scripted model server that takes `call-s` for each call, one at a time,
and a crowd of 50 background callers at the gate beside 50 background questions in `asks`. Each question of a person is
sent at a random moment; the model server's own log says when its call began, and when the call before it ended.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
import psycopg

from bench.machine import describe
from bench.pg import private_server
from bench.queue_report import aligned, markdown
from db.gate import Priority
from db.migrate import migrate
from services.kit.log import set_up_logging
from services.kit.settings import load_settings
from services.model.client import Call
from services.model.endpoint import Role
from services.model.request import ChatRequest, Message
from services.wiring import open_tools
from tests.corridors.whole import free_port
from tests.fakes.model_server import RemoteServer, in_process
from tests.waiting import wait_for

CROWD = 50
FACT = "# 점검 지침\n\n안전밸브의 작동 압력은 1.2 MPa이다.\n"
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
ANSWER = json.dumps({"answer": "1.2 MPa입니다 [1]."}, ensure_ascii=False)
PROCESSES = (("services.daemon", "ingest"), ("services.daemon", "embed"), ("services.daemon", "synthesis"))
SEED = 20260101
ONE_CALL = {f"SEODANG_ANSWER__{step}": "false" for step in ("JUDGE", "VERIFY", "CACHE")}
"""An ask is one call then, and the same question is asked of the model each time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One question of a person, in milliseconds.

    Attributes:
        to_call: from the request to the start of its model call.
        after_rest: of that, what came after the call had ended that was in flight at the request.
    """

    to_call: float
    after_rest: float


@contextmanager
def product(environment: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the daemons, the API and the crowd as processes."""
    modules = [*PROCESSES, ("services.api",), ("bench.ask", "--crowd")]
    started = [subprocess.Popen([sys.executable, "-m", *module], env=environment) for module in modules]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


async def crowd() -> None:
    """Keep CROWD background callers at the gate until the process is ended."""
    request = ChatRequest((Message("user", "background"),), 10)

    async def call_again(models: Any, number: int) -> None:
        while True:
            await models.chat(Call(Role.TRIAGE, Priority.BACKGROUND, f"crowd:{number}"), request)

    async with open_tools(load_settings(), "crowd") as tools, anyio.create_task_group() as tasks:
        for number in range(CROWD):
            tasks.start_soon(call_again, tools.models, number)


def ask(port: int) -> tuple[int, int]:
    """Ask as a person does; gives the number of the ask and the moment of the request in nanoseconds."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/search/ask",
        json.dumps({"question": QUESTION}).encode(),
        {"Content-Type": "application/json"},
    )
    asked_ns = time.monotonic_ns()
    with urllib.request.urlopen(request, timeout=120) as reply:
        return int(json.loads(reply.read())["id"]), asked_ns


def waits(asked: Sequence[tuple[int, int]], calls: Sequence[Any]) -> list[Wait]:
    """Hold the moments of the requests against the model server's log."""
    started = {call.label: call.started_ns for call in calls}
    found = []
    for number, asked_ns in asked:
        began_ns = started[f"synthesis ask:{number}"]
        in_flight = [call.ended_ns for call in calls if call.started_ns <= asked_ns < (call.ended_ns or 0)]
        free_ns = max([asked_ns, *in_flight])
        found.append(Wait((began_ns - asked_ns) / 1e6, (began_ns - free_ns) / 1e6))
    return found


def measure(dsn: str, home: str, model: RemoteServer, asks: int, call_s: float) -> tuple[list[Wait], int]:
    """Ask `asks` questions, one after the other; gives their waits and the most calls that were ever in flight."""
    port = free_port()
    environment = os.environ | {
        "SEODANG_DATABASE_URL": dsn,
        "SEODANG_HOME": home,
        "SEODANG_PORT": str(port),
        "SEODANG_LOG_LEVEL": "warning",
        "SEODANG_MODELS__PRIMARY__BASE_URL": model.url,
        **ONE_CALL,
    }
    moments = random.Random(SEED)
    model.script({"when": {"kind": "chat"}, "say": {"text": ANSWER, "first_s": call_s}})
    with product(environment), psycopg.connect(dsn, autocommit=True) as sql:
        sql.execute("INSERT INTO inbox (filename, content) VALUES ('점검.md', %s)", (FACT.encode(),))
        wait_for(lambda: sql.execute("SELECT 1 FROM corpus_chunks").fetchone(), 60)
        sql.execute("INSERT INTO asks (question) SELECT %s FROM generate_series(1, %s)", (QUESTION, CROWD))
        wait_for(lambda: len([call for call in model.calls if call.klass == "background"]) > 1, 60)
        wait_for(lambda: _ready(port), 60)
        ask(port)  # the first finds cold caches and is not counted
        asked = []
        for _ in range(asks):
            time.sleep(moments.uniform(0, call_s))
            asked.append(ask(port))
        return waits(asked, model.calls), model.most


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5):
            return True
    except OSError:
        return False


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which `share` of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def rows(found: Sequence[Wait], most: int, call_s: float) -> list[tuple[str, ...]]:
    """Write the table: what was measured, and the two promises."""
    to_call, rest = [each.to_call for each in found], [each.after_rest for each in found]
    p99, bound = percentile(to_call, 0.99), call_s * 1000 + 5
    return [
        ("measure", "p50", "p99", "most", "bound", "kept"),
        _row("request to model call, ms", to_call, f"p99 <= {bound:.0f}", p99 <= bound),
        _row("of that, after the call in flight had ended, ms", rest, "", None),
        ("calls in flight at once", "", "", str(most), "1", "yes" if most == 1 else "NO"),
    ]


def _row(label: str, values: Sequence[float], bound: str, kept: bool | None) -> tuple[str, ...]:
    figures = (f"{percentile(values, share):.1f}" for share in (0.5, 0.99))
    return (label, *figures, f"{max(values):.1f}", bound, "" if kept is None else "yes" if kept else "NO")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=60)
    parser.add_argument("--call-s", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--crowd", action="store_true", help="be the crowd; for the benchmark's own use")
    given = parser.parse_args()
    set_up_logging("warning", "console", "bench")
    if given.crowd:
        asyncio.run(crowd())
        return
    with private_server() as server, tempfile.TemporaryDirectory() as home, in_process() as model:
        dsn = server.dsn()
        migrate(dsn)
        machine = describe(asyncio.run(server.version()))
        found, most = measure(dsn, home, model, given.asks, given.call_s)
    table = rows(found, most, given.call_s)
    head = f"{given.asks} questions, {given.call_s:g} s a call, {CROWD} background callers and questions. {machine}"
    print(head, aligned(table), sep="\n")
    if given.json:
        given.json.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in found))
    if given.markdown:
        given.markdown.write_text(f"# The person who waits\n\n{head}\n\n{markdown(table)}\n")


if __name__ == "__main__":
    main()
