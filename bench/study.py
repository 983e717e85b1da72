"""Explanations: what the product itself costs a job, what a second daemon brings, how soon after a quiz one is ready.

    python -m bench.study [--jobs 300] [--documents 40] [--call-s 0.2] [--json FILE] [--markdown FILE]

Real processes: one or two `explanation` daemons and a scripted model server. First it answers at once, so that the rate
is the product's own: claim, evidence, gate, request, guard, save. Then each call takes `call-s`, and one daemon at an
endpoint of capacity 1 is held against two at one of capacity 2. The latency is from the commit that finishes a quiz,
and enqueues its questions, to each explanation.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import psycopg

from bench.machine import describe
from bench.pg import Server, private_server
from bench.queue_report import aligned, markdown
from db.migrate import migrate
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.question_bank import document, enqueue, question, reply, topic
from tests.waiting import wait_for

GOAL_MS = 15.0
"""The product's own cost of a job."""
QUIZ = 20
"""Wrong answers of the quiz whose explanations are awaited."""
SLOW_JOBS = 40
PIECE_CHARS = 200
"""The reply comes in one chunk or two: while a real model writes token by token, it is what is waited for."""
WARM_JOBS = 20
"""The first jobs find cold caches and are not counted."""
SUBJECTS = ("안전밸브", "순환 펌프", "보온재", "배관", "온도계", "수위계", "버너", "연도")


@dataclass(frozen=True, slots=True)
class Drain:
    """How long a number of jobs took.

    Attributes:
        daemons: processes, and the capacity of the endpoint.
        seconds: from the first claim to the last end.
        cpu_s: processor time of the daemons meanwhile, which other work on the machine hardly changes.
    """

    jobs: int
    daemons: int
    call_s: float
    seconds: float
    cpu_s: float

    @property
    def ms_a_job(self) -> float:
        """Time of one job as one of a row."""
        return self.seconds * 1000 / self.jobs


@contextmanager
def daemons(environment: dict[str, str], count: int) -> Iterator[list[psutil.Process]]:
    """Run so many daemons of the stage."""
    command = [sys.executable, "-m", "services.daemon", "explanation"]
    started = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        yield [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def fill(sql: psycopg.Connection, documents: int) -> int:
    """Make a topic with documents of ten paragraphs each; gives its number."""
    number = topic(sql)
    for n in range(documents):
        subject = SUBJECTS[n % len(SUBJECTS)]
        paragraphs = [
            f"{n}호 {subject}의 {place}번째 점검은 매년 {place + 1}월에 한다. 작동 압력은 {n}.{place} MPa이고 기록은 "
            f"{place + 2}년간 보관한다. {subject}에 이상이 있으면 운전을 멈추고 책임자에게 알려야 한다. " * 3
            for place in range(10)
        ]
        document(sql, number, *paragraphs, title=f"{subject} 지침 {n}")
    return number


def ask(sql: psycopg.Connection, topic_id: int, count: int, first: int = 0) -> list[int]:
    """Make questions; gives their numbers."""
    asked = []
    for n in range(first, first + count):
        subject = SUBJECTS[n % len(SUBJECTS)]
        text = f"{n % 40}호 {subject}의 {n % 10}번째 점검은 언제 하는가? ({n})"
        choices = [f"매년 {(n + place) % 12 + 1}월" for place in range(4)]
        asked.append(question(sql, topic_id, text, choices))
    return asked


def drain(
    sql: psycopg.Connection, environment: dict[str, str], asked: Sequence[int], count: int, call_s: float
) -> Drain:
    """Have jobs done that wait already; the clock is that of their own rows."""
    with daemons(environment, count) as running:
        wait_for(lambda: _workers(sql) == count, 60)
        before_s = _cpu_s(running)
        with sql.transaction():
            for number in asked:
                enqueue(sql, number)
        wait_for(lambda: not _waiting(sql), 600)
        cpu_s = _cpu_s(running) - before_s
    took = sql.execute(
        "SELECT extract(epoch FROM max(completed_at) - min(started_at))::float FROM study_question_jobs "
        "WHERE study_question_id = ANY (%s)",
        [list(asked)],
    ).fetchone()
    assert took is not None
    return Drain(len(asked), count, call_s, took[0], cpu_s)


def latencies(sql: psycopg.Connection, environment: dict[str, str], asked: Sequence[int]) -> list[float]:
    """Finish a quiz: enqueue all in one commit; gives the milliseconds from there to each explanation."""
    with daemons(environment, 1):
        wait_for(lambda: _workers(sql) == 1, 60)
        time.sleep(0.5)  # the daemon is idle, as it is before a quiz ends
        with sql.transaction():
            for number in asked:
                enqueue(sql, number)
        committed_ns = time.time_ns()
        wait_for(lambda: not _waiting(sql), 600)
    rows = sql.execute(
        "SELECT extract(epoch FROM completed_at)::float FROM study_question_jobs WHERE study_question_id = ANY (%s)",
        [list(asked)],
    ).fetchall()
    return sorted(row[0] * 1000 - committed_ns / 1e6 for row in rows)


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    spent = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in spent))


def _workers(sql: psycopg.Connection) -> int:
    found = sql.execute("SELECT count(*) FROM workers WHERE stage = 'explanation'").fetchone()
    return int(found[0]) if found else 0


def _waiting(sql: psycopg.Connection) -> bool:
    asked = "SELECT 1 FROM study_question_jobs WHERE status IN ('pending', 'processing') LIMIT 1"
    return sql.execute(asked).fetchone() is not None


def measure(
    server: Server, home: str, model: RemoteServer, jobs: int, documents: int, call_s: float
) -> tuple[list[Drain], list[float], int]:
    """Run all parts; gives the drains, the latencies and how many questions are not ready at the end."""
    dsn = server.dsn()
    migrate(dsn)
    environment = os.environ | {
        "SEODANG_DATABASE_URL": dsn,
        "SEODANG_HOME": home,
        "SEODANG_LOG_LEVEL": "warning",
        "SEODANG_MODELS__PRIMARY__BASE_URL": model.url,
        "SEODANG_MODELS__PRIMARY__MODEL": "scripted",
    }
    wide = environment | {"SEODANG_MODELS__PRIMARY__CAPACITY": "2"}
    with psycopg.connect(dsn, autocommit=True) as sql:
        number = fill(sql, documents)
        asked = ask(sql, number, WARM_JOBS + jobs + 2 * SLOW_JOBS + QUIZ)
        sql.execute("ANALYZE")
        model.say(text=reply(), piece_chars=PIECE_CHARS)
        parts = iter(asked)

        def some(count: int) -> list[int]:
            return [next(parts) for _ in range(count)]

        drain(sql, environment, some(WARM_JOBS), 1, 0.0)
        found = [drain(sql, environment, some(jobs), 1, 0.0)]
        waits = latencies(sql, environment, some(QUIZ))
        model.say(text=reply(), first_s=call_s, piece_chars=PIECE_CHARS)
        found.append(drain(sql, environment, some(SLOW_JOBS), 1, call_s))
        found.append(drain(sql, wide, some(SLOW_JOBS), 2, call_s))
        left = sql.execute("SELECT count(*) FROM study_questions WHERE ai_explanation_status <> 'ready'").fetchone()
    return found, waits, int(left[0]) if left else -1


def rows(found: Sequence[Drain], waits: Sequence[float], left: int) -> list[tuple[str, ...]]:
    """Write the table: what was measured, and what was promised."""
    own, one, two = found
    gain = one.seconds / two.seconds
    return [
        ("measure", "value", "bound", "kept"),
        ("explanations a second, the model answers at once", f"{own.jobs / own.seconds:.1f}", "", ""),
        _row("the product's own cost of a job, ms", own.ms_a_job, f"< {GOAL_MS:g}", own.ms_a_job < GOAL_MS),
        ("of that the daemon's processor time, ms", f"{own.cpu_s * 1000 / own.jobs:.2f}", "", ""),
        ("from the finish of a quiz to its first explanation, ms", f"{waits[0]:.1f}", "", ""),
        (f"to the last of {len(waits)}, ms", f"{waits[-1]:.1f}", "", ""),
        (f"one daemon, capacity 1, {one.call_s:g} s a call: seconds", f"{one.seconds:.2f}", "", ""),
        (f"two daemons, capacity 2, {two.call_s:g} s a call: seconds", f"{two.seconds:.2f}", "", ""),
        _row("times as fast", gain, ">= 1.9", gain >= 1.9),
        _row("questions that are not ready", left, "0", left == 0),
    ]


def _row(label: str, value: float, bound: str, kept: bool) -> tuple[str, ...]:
    return (label, f"{value:.2f}", bound, "yes" if kept else "NO")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--call-s", type=float, default=0.2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    with private_server() as server, tempfile.TemporaryDirectory() as home, in_process() as model:
        machine = describe(asyncio.run(server.version()))
        found, waits, left = measure(server, home, model, given.jobs, given.documents, given.call_s)
    table = rows(found, waits, left)
    head = f"{given.jobs} jobs, {given.documents} documents of ten paragraphs in the topic. {machine}"
    print(head, aligned(table), sep="\n")
    if given.json:
        given.json.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in found))
    if given.markdown:
        given.markdown.write_text(f"# Explanations\n\n{head}\n\n{markdown(table)}\n")


if __name__ == "__main__":
    main()
