"""Questions to the real stage with a scripted model server: what it says to judge, to write and to verify."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import psycopg
from psycopg.types.json import Jsonb

from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.stages import stage_named
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer
from tests.stages.conftest import all_rows, only

SENTENCE = "안전밸브의 작동 압력은 1.2 MPa이다."
FACTS = f"# 점검 지침\n\n{SENTENCE}\n\n점검 기록은 3년간 보관한다.\n"
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
GOOD = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]."


def draft(answer: str = GOOD, **more: Any) -> str:
    """Write a reply to the prompt `synthesize`."""
    return json.dumps({"answer": answer, "used_citations": [1], "confidence": "high", **more}, ensure_ascii=False)


def rules(written: str | None = None, **more: Any) -> list[dict[str, Any]]:
    """Make a script of a judge that finds enough, a writer, and a verifier without objections.

    Args:
        more: how the writer says it, for example `hold` or `status`.
    """
    judged = {"verdict": "sufficient", "missing": [], "spans": [{"n": 1, "span": SENTENCE, "relevance": 0.9}]}
    return [
        {"when": {"label": "judge *"}, "say": {"text": json.dumps(judged, ensure_ascii=False)}},
        {"when": {"label": "verify *"}, "say": {"text": '{"objections": []}'}},
        {"when": {"kind": "chat"}, "say": {"text": draft() if written is None else written, **more}},
    ]


def served(settings: Settings, url: str, model: str = "m", **answer: Any) -> Settings:
    """Give settings with a model server as PRIMARY."""
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"primary": {"base_url": url, "model": model}},
        calls={"attempts": 1, "backoff_s": 0.01, "breaker_failures": 1000},
        answer=answer,
    )


@dataclass(frozen=True)
class House:
    """A process with its tools, a database, and the model behind it."""

    tools: Tools
    db: psycopg.Connection
    model: ModelServer

    async def put(self, name: str = "점검.md", text: str = FACTS, **columns: Any) -> int:
        """Take a file in until it can be found; gives its document's number."""
        names = "".join(f", {column}" for column in columns)
        marks = ", %s" * len(columns)
        given = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
        insert = f"INSERT INTO inbox (filename, content{names}) VALUES (%s, %s{marks})"
        self.db.execute(insert, [name, text.encode(), *given])
        await self.drain("ingest", "embed")
        return int(only(self.db, "SELECT max(document_id) AS id FROM inbox")["id"])

    async def drain(self, *stages: str) -> None:
        """Do what is ready in some stages."""
        settings = self.tools.settings
        assert settings.database_url is not None
        queue = settings.queue.model_copy(update={"watch_s": 0.05, "retry_after_s": 0.02})
        for stage in stages:
            runner = Runner(settings.database_url.get_secret_value(), stage_named(stage), self.tools, queue, True)
            await runner.run()

    async def ask(self, question: str = QUESTION, **columns: Any) -> dict[str, Any]:
        """Put a question into `asks`, have it answered, and give its row."""
        values = {"question": question, "priority": "foreground", **columns}
        given = [Jsonb(value) if isinstance(value, dict) else value for value in values.values()]
        insert = f"INSERT INTO asks ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id"
        (found,) = self.db.execute(insert, given).fetchall()
        with anyio.fail_after(20):
            while all_rows(self.db, "SELECT 1 FROM asks WHERE status = 'pending'"):  # also a second attempt
                await self.drain("synthesis")
        return only(self.db, "SELECT * FROM asks WHERE id = %s", found[0])

    @property
    def calls(self) -> list[Call]:
        """The calls for a chat completion so far."""
        return [call for call in self.model.calls if call.kind == "chat"]


@asynccontextmanager
async def house(settings: Settings, db: psycopg.Connection, model: ModelServer, **answer: Any) -> AsyncIterator[House]:
    """Open a process that answers questions."""
    async with open_tools(served(settings, model.url, **answer), "tests") as tools:
        yield House(tools, db, model)
