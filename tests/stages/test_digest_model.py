"""A digest that a model writes: what it is shown, what of its reply is told, and what if it is away or slow."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from services.kit.settings import Settings, load_settings
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, only
from tests.stages.test_digest import came_in, due, restricted, written

pytestmark = pytest.mark.anyio
KOREAN = {"language": "ko"}


def reply(*sentences: str) -> str:
    return json.dumps({"sentences": sentences}, ensure_ascii=False)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        server.say(text=reply("새 문서가 들어왔습니다 [1]."))
        yield server


def served_by(settings: Settings, url: str, **digest: Any) -> Settings:
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"primary": {"base_url": url, "model": "small"}},
        calls={"attempts": 1, "backoff_s": 0.01},
        digest={"timezone": "Asia/Seoul", "enabled": False, **digest},
    )


@pytest.fixture
async def wired(settings: Settings, model: ModelServer) -> AsyncIterator[Tools]:
    async with open_tools(served_by(settings, model.url), "tests") as tools:
        yield tools


def recently(db: psycopg.Connection, hours: float) -> None:
    """Put a digest into the queue whose hour was so long ago, and bring its documents along."""
    ago = timedelta(hours=hours)
    db.execute("UPDATE documents SET created_at = now() - %s - interval '1 hour'", [ago])
    db.execute("INSERT INTO digests (slot) VALUES (now() - %s)", [ago])


async def test_digest__has_the_models_sentences_group_by_group(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "펌프", "펌프의 소비 전력은 1.5 kW이다.", **KOREAN)
    came_in(db, "고시", "시행일은 2026년 3월 5일이다.", collection="law", material_type="law", **KOREAN)
    model.script(
        {"when": {"text": "1.5 kW"}, "say": {"text": reply("펌프는 1.5 kW를 씁니다 [1].")}},
        {"when": {"text": "시행일"}, "say": {"text": reply("고시가 3월 5일에 시행됩니다 [2].")}},
    )
    due(db)
    await drain("digest", with_tools=wired)
    text = written(db)
    assert "## default\n\n### 기타\n\n펌프는 1.5 kW를 씁니다 [1].\n" in text
    assert "## law\n\n### 법령\n\n고시가 3월 5일에 시행됩니다 [2].\n" in text
    assert "번호로 끝나는 문장은 모델이 썼습니다." in text
    row = only(db, "SELECT id, model, prompt_version FROM digests")
    assert (row["model"], row["prompt_version"]) == ("primary:small", "digest-1")
    calls = {(call.role, call.klass, call.label) for call in model.calls}
    assert (len(model.calls), calls) == (2, {("primary", "background", f"digest {row['id']}")})
    assert "Write in Korean" in model.calls[0].body["messages"][0]["content"]


async def test_digest__shows_the_model_nothing_restricted(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Open", "An open text.")
    restricted(db, "Bought book", "A secret sentence.")
    due(db)
    await drain("digest", with_tools=wired)
    asked = json.dumps([call.body for call in model.calls])
    assert ("An open text." in asked, "Bought" in asked, "secret" in asked) == (True, False, False)


async def test_digest__quotes_where_the_model_says_nothing_that_a_document_bears_out(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Pump", "The pump takes forty watts.")
    model.say(text=reply("It takes 50 watts [1].", "There is another one [7].", "It is fine."))
    due(db)
    await drain("digest", with_tools=wired)
    assert "- Pump — The pump takes forty watts. [1]" in written(db)
    assert only(db, "SELECT model FROM digests")["model"] == "builtin:extractive"


async def test_digest__of_a_group_that_became_restricted_meanwhile_is_told_without_it(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Open", "An open text.")
    closing = came_in(db, "Closing", "A closing text.")
    db.execute(
        "CREATE FUNCTION close() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"""UPDATE documents SET extract_meta = '{{"license": {{"restricted": true}}}}' WHERE id = {closing}; """
        "RETURN NULL; END $$"
    )
    # The breaker's row is written while the model speaks to us: its first failure closes the document.
    db.execute("CREATE TRIGGER close AFTER INSERT ON model_breakers FOR EACH ROW EXECUTE FUNCTION close()")
    model.say(status=500, body={"error": "busy"})
    recently(db, hours=3)
    await drain("digest", with_tools=wired)
    text = written(db)
    assert ("An open text." in text, "Closing" in text) == (True, False)


async def test_digest__waits_for_a_model_that_is_away_and_costs_no_attempt(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Pump", "The pump takes forty watts.")
    model.say(status=503, body={"error": "loading"})
    recently(db, hours=1)
    await drain("digest", with_tools=wired)
    row = only(db, "SELECT status, error_code, attempts, run_at > now() AS put_off FROM digests")
    assert row == {"status": "pending", "error_code": "model_unavailable", "attempts": 0, "put_off": True}
    assert written(db) == ""
    model.say(text=reply("A pump of forty watts came in [1]."))
    db.execute("UPDATE digests SET run_at = NULL")
    await drain("digest", with_tools=wired)
    assert "A pump of forty watts came in [1]." in written(db)


async def test_digest__is_made_without_a_model_that_is_away_for_two_hours(
    drain: Drain, wired: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Pump", "The pump takes forty watts.")
    came_in(db, "Valve", "The valve opens at ten bar.", collection="other")
    model.say(status=503, body={"error": "loading"})
    recently(db, hours=2)
    await drain("digest", with_tools=wired)
    assert only(db, "SELECT status FROM digests")["status"] == "completed"
    assert "The valve opens at ten bar." in written(db)
    assert len(model.calls) == 1  # who is away is not asked for each group


async def test_digest__ends_in_its_time_and_quotes_what_the_model_did_not_come_to(
    drain: Drain, settings: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    came_in(db, "Pump", "The pump takes forty watts.")
    came_in(db, "Valve", "The valve opens at ten bar.", collection="other")
    model.script(
        {"when": {"text": "forty"}, "say": {"text": reply("A pump came in [1].")}},
        {"when": {"text": "ten bar"}, "say": {"hold": "for ever"}},
    )
    due(db)
    async with open_tools(served_by(settings, model.url, hard_limit_s=0.5), "tests") as tools:
        await drain("digest", with_tools=tools)
    text = written(db)
    assert "A pump came in [1]." in text
    assert "- Valve — The valve opens at ten bar. [2]" in text
    row = only(db, "SELECT status, model FROM digests")
    assert row == {"status": "completed", "model": "primary:small"}


async def test_digest__cuts_its_documents_to_the_models_context(
    drain: Drain, settings: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    for n in range(12):
        came_in(db, f"Note {n}", f"Text {n}. " + "word " * 110)
    model.say(text=reply("Notes came in [1]."))
    due(db)
    small = served_by(settings, model.url)
    primary = small.models.primary.model_copy(update={"context_tokens": 3000})
    small = small.model_copy(update={"models": small.models.model_copy(update={"primary": primary})})
    async with open_tools(small, "tests") as tools:
        await drain("digest", with_tools=tools)
    (call,) = model.calls
    shown = call.body["messages"][-1]["content"].count("<document ")
    assert 1 <= shown < 12
    assert "Notes came in [1]." in written(db)
    assert written(db).count("/api/documents/") == 12
