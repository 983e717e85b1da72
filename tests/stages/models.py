"""Documents and a scripted model server for the tests of `classify` and `deep`."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from db.gate import Priority
from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.stages import stage_named
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer

TEXT = """안전밸브 점검 지침
시행일: 2024. 3. 5.

이 지침은 보일러실 안전밸브의 점검 주기와 방법을 정함을 목적으로 한다.
안전밸브의 점검은 매년 4월에 하며 작동 압력은 1.2 MPa로 한다.
점검 기록은 점검한 날부터 3년간 보관하여야 한다.
"""
OWN_SENTENCE = "이 지침은 보일러실 안전밸브의 점검 주기와 방법을 정함을 목적으로 한다."
SUMMARY = "보일러실 안전밸브를 매년 4월 1.2 MPa에서 점검하고 기록을 3년간 보관한다."
BULLETS = [
    "안전밸브는 매년 4월에 한 번 작동 압력 1.2 MPa에서 점검하여야 한다.",
    "점검 기록은 점검한 날부터 3년 동안 보관하여야 한다고 정하고 있다.",
    "지침은 보일러실에 설치된 안전밸브의 점검 주기와 방법을 다루고 있다.",
    "지침의 시행일은 2024년 3월 5일이며 그날부터 점검 의무가 생긴다.",
    "작동 압력과 점검 시기, 기록 보관 기간의 세 가지를 숫자로 정하였다.",
]
ROLES = ("primary",)


def verdict(**given: Any) -> str:
    """Write a reply to the triage prompt."""
    return json.dumps({"kind": "manual", "jurisdiction": "KR", "summary": SUMMARY, **given}, ensure_ascii=False)


def deep(**given: Any) -> str:
    """Write a reply to the deep prompt."""
    found = [{"kind": "source_conflict", "quote": "매년 4월에 하며", "note": "다른 곳은 10월이다."}]
    reply = {"tldr": "안전밸브 점검 지침", "bullets": BULLETS, "inconsistencies": found, **given}
    return json.dumps(reply, ensure_ascii=False)


def asks(role: str, text: str, **more: Any) -> dict[str, Any]:
    """Make a rule that answers a role's calls; `role` is what a call is for, not who serves it."""
    return {"when": {"label": f"{role} document:*"}, "say": {"text": text, **more}}


def served(settings: Settings, roles: dict[str, ModelServer], **more: Any) -> Settings:
    """Give settings with a scripted server for each role."""
    models = {
        role: {"base_url": server.url, "model": role, "context_tokens": more.get("context_tokens")}
        for role, server in roles.items()
    }
    calls = {"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000}
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models=models,
        calls=calls,
        classify=more.get("classify", {}),
    )


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[Callable[..., Runner[Tools]]]:
    """Give a maker of runners that share the tools of one process."""
    assert settings.database_url is not None
    dsn = settings.database_url.get_secret_value()
    queue = settings.queue.model_copy(update={"watch_s": 0.05, "retry_after_s": 30.0})
    async with open_tools(settings, "tests") as tools:

        def runner(stage: str, until_empty: bool = True) -> Runner[Tools]:
            return Runner(dsn, stage_named(stage), tools, queue, until_empty)

        yield runner


async def drained(settings: Settings, *stages: str) -> None:
    """Do what is ready in some stages, one after the other."""
    async with working(settings) as runner:
        for stage in stages:
            await runner(stage).run()


def put(db: psycopg.Connection, text: str = TEXT, stage: str = "classify", urgency: int = 100, **fields: Any) -> int:
    """Make a document with that text and a job about it; gives the document's number."""
    columns = "".join(f", {name}" for name in fields)
    marks = ", %s" * len(fields)
    row = db.execute(
        f"""INSERT INTO documents (title, filename, media_type, sha256, size_bytes, pages_version, corpus_version,
                                   extracted_text{columns})
            VALUES ('지침', 'a.txt', 'text/plain', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 1, 1, 1,
                    %s{marks})
            RETURNING id""",
        [text, *fields.values()],
    ).fetchone()
    assert row is not None
    enqueue(db, row[0], stage, urgency)
    return int(row[0])


def enqueue(db: psycopg.Connection, document_id: int, stage: str, urgency: int = Priority.BACKGROUND) -> None:
    """Enqueue a stage of a document."""
    values = (document_id, stage, int(urgency))
    db.execute("INSERT INTO document_jobs (document_id, stage, urgency) VALUES (%s, %s, %s)", values)


def due_again(db: psycopg.Connection) -> None:
    """Make ready what was put off."""
    db.execute("UPDATE document_jobs SET run_at = NULL WHERE status = 'pending'")


def seen(calls: Sequence[Call]) -> list[tuple[str, str, str]]:
    """Give the calls by role, class and label."""
    return [(call.role, call.klass, call.label) for call in calls]


def prompt_of(call: Call) -> str:
    """Give the text of the last message."""
    return str(call.body["messages"][-1]["content"])
