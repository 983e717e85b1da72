"""What an ask costs beside the model's time, and what becomes of thirty that come at once.

    python -m bench.ask_crowd [--asks 60] [--chunks 100000] [--texts FOLDER] [--crowd 30] [--call-s 1.0]
                              [--json FILE] [--markdown FILE] [--append]

Real processes: api, synthesis, a scripted model server. First the model answers in no time: each question goes the
whole way (judge, answer, verify, one gated call each), one after the other, and the time from the request to the last
byte of the reply, less what the model server's own log counts for its calls, is what the product costs. Then every call
takes `call-s`, and `crowd` people ask at one moment, beside as many questions in the background as a tenth of them.
With `--asks 0` there is the crowd alone; with `--append` the files keep what they have, and get a section more.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from bench.ask import percentile
from bench.ask_product import Product, running
from bench.machine import describe
from bench.pg import private_server, settle
from bench.queue_report import aligned, markdown
from bench.search_rows import load, make_index, without_index
from db.migrate import migrate
from services.kit.log import set_up_logging
from tests.fakes.corpus import put_document
from tests.fakes.model_server import RemoteServer, in_process

GOAL_MS = 60.0
BEHIND_FACTS = 10_000
"""The number of the first document without a fact."""
JUDGED = {"verdict": "sufficient", "missing": [], "spans": []}
FACT = "{name}의 작동 압력은 {mpa} MPa이다."
QUESTION = "{name}의 작동 압력은 얼마입니까?"
FOUND = r"(\S+의 작동 압력은 [\d.]+ MPa)이다"
"""The first passage that the writer is shown is the right one, if the search is worth its name."""
ANSWERED = {"answer": "<<1>>입니다 [1].", "used_citations": [1], "confidence": "high"}


@dataclass(frozen=True, slots=True)
class Cost:
    """One ask, in milliseconds: from the request to the reply, of that in calls to the model, and what is left."""

    took: float
    model: float
    calls: int
    answered: bool

    @property
    def own(self) -> float:
        return self.took - self.model


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of those who asked at once.

    Attributes:
        late: people who were told 202, to look later: they had waited `answer.wait_s`.
        out_of_order: asks that ended before an earlier one of their class.
    """

    asked: int
    answered: int
    late: int
    out_of_order: int
    failed: int
    most_in_flight: int
    took_s: float


def fill(dsn: str, chunks: int, texts: Path | None, names: Sequence[str]) -> None:
    """Write a document with a fact for each name, and others until there are so many chunks (bench/search_rows.py)."""
    with psycopg.connect(dsn) as sql:
        for place, name in enumerate(names):
            put_document(sql, [FACT.format(name=name, mpa=f"{1 + place / 10:.1f}")], title=f"{name} 점검 지침")
    definition = without_index(dsn)
    load(dsn, texts, BEHIND_FACTS, chunks - len(names))
    make_index(dsn, definition)
    asyncio.run(settle(dsn))


def script(model: RemoteServer, call_s: float) -> None:
    """Let the model judge, answer with the fact it is shown, and object to nothing, each after `call_s`."""
    says = {"judge": JUDGED, "verify": {"objections": []}}
    rules = [
        {"when": {"kind": "chat", "label": f"{name}*"}, "say": {"text": json.dumps(said), "first_s": call_s}}
        for name, said in says.items()
    ]
    answer = {"text": json.dumps(ANSWERED, ensure_ascii=False), "pick": FOUND, "first_s": call_s}
    model.script(*rules, {"when": {"kind": "chat"}, "say": answer})


def ask(port: int, name: str) -> tuple[dict[str, object], float]:
    """Ask as a person does; gives the reply and how many milliseconds it took."""
    body = json.dumps({"question": QUESTION.format(name=name)}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/search/ask", body, headers)
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=600) as reply:
        said: dict[str, object] = json.loads(reply.read())
    return said, (time.perf_counter() - began) * 1000


def measure_cost(product: Product, model: RemoteServer, names: Sequence[str]) -> tuple[list[Cost], float]:
    """Ask one after the other; gives the cost of each, and the processor time of one ask in milliseconds.

    The first few find cold caches and are not counted.
    """
    script(model, 0.0)
    used_ms = product.cpu_ms()
    replies = [ask(product.port, name) for name in names]
    used_ms = (product.cpu_ms() - used_ms) / len(names)
    spent: dict[str, list[float]] = {}
    for call in model.calls:
        spent.setdefault(call.label.rpartition(":")[2], []).append(((call.ended_ns or 0) - call.started_ns) / 1e6)
    costs = []
    for reply, took in replies[len(replies) // 10 :]:
        calls = spent.get(str(reply["id"]), [])
        costs.append(Cost(took, sum(calls), len(calls), reply["refused"] is False))
    return costs, used_ms


def measure_crowd(dsn: str, port: int, model: RemoteServer, names: Sequence[str], call_s: float) -> Crowd:
    """Let everybody ask at once, and wait until the last has a reply and the background is done."""
    script(model, call_s)
    with psycopg.connect(dsn, autocommit=True) as sql:
        found = sql.execute("SELECT coalesce(max(id), 0) FROM asks").fetchone()
        assert found is not None
        before = found[0]
        behind = [QUESTION.format(name=name) for name in names[: max(1, len(names) // 10)]]
        sql.execute("INSERT INTO asks (question) SELECT unnest(%s::text[])", (behind,))
        began = time.monotonic()
        with ThreadPoolExecutor(len(names)) as people:
            replies = [reply for reply, _ in people.map(lambda name: ask(port, name), names)]
        took_s = time.monotonic() - began
        waiting = "SELECT 1 FROM asks WHERE completed_at IS NULL LIMIT 1"
        while sql.execute(waiting).fetchone():
            time.sleep(0.1)
        ends = "SELECT priority, id, status FROM asks WHERE id > %s ORDER BY completed_at, id"
        ended = sql.execute(ends, (before,)).fetchall()
    return Crowd(
        asked=len(ended),
        answered=sum(reply.get("refused") is False for reply in replies),
        late=sum(reply.get("status") == "processing" for reply in replies),
        out_of_order=sum(_out_of_order([row[1] for row in ended if row[0] == name]) for name in {r[0] for r in ended}),
        failed=sum(status != "completed" for _, _, status in ended),
        most_in_flight=model.most,
        took_s=took_s,
    )


def _out_of_order(numbers: Sequence[int]) -> int:
    return sum(any(later < number for later in numbers[place:]) for place, number in enumerate(numbers))


def cost_rows(costs: Sequence[Cost], used_ms: float) -> list[tuple[str, ...]]:
    """Write what one ask costs, and what was promised of it."""
    own = [each.own for each in costs]
    p50, p95 = percentile(own, 0.5), percentile(own, 0.95)
    calls = sum(each.calls for each in costs) / len(costs)
    answered = sum(each.answered for each in costs) / len(costs)
    return [
        ("one ask without the model's time, p50, ms", f"{p50:.1f}", f"< {GOAL_MS:g}", "yes" if p50 < GOAL_MS else "NO"),
        ("the same, p95, ms", f"{p95:.1f}", "", ""),
        ("processor time of an ask, facade and daemon, ms", f"{used_ms:.1f}", "", ""),
        ("calls per ask", f"{calls:.1f}", "", ""),
        ("share answered", f"{answered:.2f}", "", ""),
    ]


def crowd_rows(crowd: Crowd, call_s: float) -> list[tuple[str, ...]]:
    """Write what became of the crowd, and what was promised of it."""
    head = f"{crowd.asked} at once, {call_s:g} s a call"
    none = (
        ("failed or timed out", crowd.failed),
        ("people told to look later (202)", crowd.late),
        ("ended before an earlier one of the class", crowd.out_of_order),
    )
    return [
        *((f"{head}: {name}", str(count), "0", "NO" if count else "yes") for name, count in none),
        (f"{head}: people answered", str(crowd.answered), "", ""),
        (f"{head}: most calls in flight", str(crowd.most_in_flight), "1", "yes" if crowd.most_in_flight == 1 else "NO"),
        (f"{head}: last reply after, s", f"{crowd.took_s:.1f}", "", ""),
    ]


def write(path: Path, text: str, append: bool) -> None:
    """Write a report, or what it has more."""
    with path.open("a" if append else "w") as file:
        file.write(text)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=60)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--texts", type=Path, help="as bench.search takes it")
    parser.add_argument("--crowd", type=int, default=30)
    parser.add_argument("--call-s", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--append", action="store_true")
    given = parser.parse_args()
    set_up_logging("warning", "console", "bench")
    names = [f"보일러{number}호기" for number in range(max(given.asks, given.crowd))]
    with private_server() as server, tempfile.TemporaryDirectory() as home, in_process() as model:
        dsn = server.dsn()
        migrate(dsn)
        machine = describe(asyncio.run(server.version()))
        fill(dsn, given.chunks, given.texts, names)
        environment = os.environ | {"SEODANG_MODELS__PRIMARY__BASE_URL": model.url, "SEODANG_ANSWER__CACHE": "false"}
        with running(dsn, home, environment) as product:
            measured = measure_cost(product, model, names[: given.asks]) if given.asks else None
            model.reset()
            crowd = measure_crowd(dsn, product.port, model, names[: given.crowd], given.call_s)
    costs = measured[0] if measured else []
    table = [("measure", "value", "bound", "kept"), *(cost_rows(*measured) if measured else ())]
    table += crowd_rows(crowd, given.call_s)
    asked = f"{given.asks} questions one after the other, " if given.asks else ""
    head = f"{asked}{given.chunks} chunks. {machine}"
    print(head, aligned(table), sep="\n")
    if given.json:
        lines = [{**asdict(each), "own": each.own} for each in costs] + [{**asdict(crowd), "call_s": given.call_s}]
        write(given.json, "".join(f"{json.dumps(line)}\n" for line in lines), given.append)
    if given.markdown:
        title = f"\n## {given.call_s:g} s a call" if given.append else "# What an ask costs, and a crowd"
        write(given.markdown, f"{title}\n\n{head}\n\n{markdown(table)}\n", given.append)


if __name__ == "__main__":
    main()
