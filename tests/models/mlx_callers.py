"""A process of callers: `python -m tests.models.mlx_callers` reads its errand, calls all at once, and prints what came.

It says "ready" when its door is open, begins at the next line it reads, and ends with one line of JSON.
"""

import json
import sys
from typing import Any

import anyio
import structlog

from db.gate import Priority
from db.pool import open_pool
from services.kit.settings import Settings, load_settings
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.request import ChatRequest, Message
from services.wiring import dsn_of, open_model_client

CLASSES = tuple(Priority)


async def call_all(models: ModelClient, name: str, callers: int) -> list[str]:
    """Make so many calls at once, of all classes in turn, and give the texts."""
    texts = [""] * callers

    async def ask(number: int) -> None:
        call = Call(Role.PRIMARY, CLASSES[number % len(CLASSES)], f"{name}:{number}")
        said = await models.chat(call, ChatRequest((Message("user", f"질문 {number}"),), 200))
        texts[number] = said.reply.text

    async with anyio.create_task_group() as tasks:
        for number in range(callers):
            tasks.start_soon(ask, number)
    return texts


async def run(settings: Settings, name: str, callers: int) -> None:
    """Open the door, wait for the word, call."""
    async with open_pool(dsn_of(settings), name, 2) as db, open_model_client(settings, db) as models:
        tell("ready")
        await anyio.to_thread.run_sync(sys.stdin.readline)
        tell(json.dumps(await call_all(models, name, callers)))


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    errand: dict[str, Any] = json.loads(sys.stdin.readline())
    anyio.run(run, load_settings(**errand["settings"]), errand["name"], errand["callers"])


if __name__ == "__main__":
    main()
