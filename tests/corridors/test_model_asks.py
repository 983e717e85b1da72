"""Questions that a model answers: the real daemon's stage, the real gate and client, a scripted model server."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.model.prompt import load_prompt
from services.stages import stage_named
from services.tools import Tools
from services.wiring import open_tools
from tests.corridors.http_fixtures import Told, client_of, events_in, serving
from tests.fakes.model_log import Call
from tests.fakes.model_server import ModelServer
from tests.fakes.model_server import serving as model_serving
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
FACTS = "# 점검 지침\n\n안전밸브의 작동 압력은 1.2 MPa이다.\n\n점검 기록은 3년간 보관한다.\n"
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
GOOD = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]."
JUDGED = '{"verdict": "sufficient", "spans": [{"n": 1, "span": "작동 압력은 1.2 MPa이다.", "relevance": 0.9}]}'
FINE = '{"objections": []}'
Row = dict[str, Any]
Put = Callable[..., Awaitable[Row]]


def draft(answer: str, **more: Any) -> str:
    return json.dumps({"answer": answer, "used_citations": [1], "confidence": "high", **more}, ensure_ascii=False)


def writes(model: ModelServer, **say: Any) -> None:
    """Have the model write this, when it has judged the evidence, and find nothing wrong with it afterwards."""
    steps = {"judge": {"text": JUDGED}, "synthesis": say, "verify": {"text": FINE}}
    model.script(*({"when": {"label": f"{step} *"}, "say": each} for step, each in steps.items()))


def writing(model: ModelServer) -> Call:
    """Give the last call that wrote an answer."""
    return [call for call in model.calls if call.label.startswith("synthesis")][-1]


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with model_serving() as server:
        writes(server, text=draft(GOOD))
        yield server


@pytest.fixture
def served(settings: Settings, model: ModelServer) -> Settings:
    """Settings with the scripted server as PRIMARY and EMBED."""
    roles = {name: {"base_url": model.url, "model": name} for name in ("primary", "embed")}
    calls = {"attempts": 1, "backoff_s": 0.01}
    more = {"models": roles, "calls": calls, "answer": {"cache": False}}
    return load_settings(home=settings.home, database_url=settings.database_url, **more)


@pytest.fixture
async def wired(served: Settings) -> AsyncIterator[Tools]:
    """The tools of a daemon, with one document that can be found."""
    async with open_tools(served, "tests") as tools:
        async with tools.db.session() as session:
            await session.connection.execute(
                "INSERT INTO inbox (filename, content) VALUES ('점검.md', $1)", FACTS.encode()
            )
        for stage in ("ingest", "embed", "vectors"):
            await runner(served, tools, stage, until_empty=True).run()
        yield tools


def runner(settings: Settings, tools: Tools, stage: str, until_empty: bool = False) -> Runner[Tools]:
    assert settings.database_url is not None
    queue = settings.queue.model_copy(update={"watch_s": 0.05, "retry_after_s": 0.05})
    return Runner(settings.database_url.get_secret_value(), stage_named(stage), tools, queue, until_empty)


@pytest.fixture
def answered(wired: Tools, served: Settings, db: psycopg.Connection) -> Put:
    """Puts a question into `asks` and gives the row as it is when the queue is empty."""

    async def put(question: str = QUESTION, priority: str = "foreground") -> Row:
        found = db.execute(
            "INSERT INTO asks (question, priority) VALUES (%s, %s) RETURNING id", (question, priority)
        ).fetchone()
        assert found is not None
        with anyio.fail_after(20):
            while _pending(db):  # a second attempt comes after a pause
                await runner(served, wired, "synthesis", until_empty=True).run()
        with db.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute("SELECT * FROM asks WHERE id = %s", found).fetchone() or {}

    return put


def _pending(db: psycopg.Connection) -> bool:
    return bool(db.execute("SELECT 1 FROM asks WHERE status = 'pending'").fetchone())


async def test_answer__is_the_models_with_quotes_from_the_page(answered: Put, model: ModelServer) -> None:
    row = await answered()
    assert (row["answer"], row["completeness"], row["refused"]) == (GOOD, "full", False)
    assert (row["model"], row["prompt_version"]) == ("primary:primary", load_prompt("synthesize").version)
    (cited,) = row["citations"]
    assert (cited["n"], cited["quote"]) == (1, "안전밸브의 작동 압력은 1.2 MPa이다.")
    assert row["trace"]["tokens_out"] > 0
    calls = [call for call in model.calls if call.kind == "chat"]
    assert [(call.role, call.klass, call.label) for call in calls] == [
        ("classifier", "foreground", f"judge ask:{row['id']}"),
        ("primary", "foreground", f"synthesis ask:{row['id']}"),
        ("verifier", "foreground", f"verify ask:{row['id']}"),
    ]
    assert all("1.2 MPa이다" in call.body["messages"][-1]["content"] for call in calls)
    told = row["trace"]["calls"]
    assert [(call["step"], call["prompt_version"], call["model"]) for call in told] == [
        ("judge", load_prompt("judge").version, "primary:primary"),
        ("synthesis", load_prompt("synthesize").version, "primary:primary"),
        ("verify", load_prompt("verify").version, "primary:primary"),
    ]
    assert all(call["tokens_out"] > 0 and call["took_ms"] > 0 and call["gate_wait_ms"] >= 0 for call in told)
    assert row["trace"]["tokens_out"] == sum(call["tokens_out"] for call in told)


async def test_question__has_its_vector_though_the_same_server_judges(answered: Put, model: ModelServer) -> None:
    row = await answered()
    kinds = [(call.kind, call.label) for call in model.calls if call.klass == "foreground"]
    assert kinds[0] == ("embeddings", "question")
    assert set(row["trace"]["hits"][0]["legs"]) >= {"chunks"}


async def test_answer__keeps_the_class_of_its_row(answered: Put, model: ModelServer) -> None:
    await answered(priority="background")
    assert {call.klass for call in model.calls if call.kind == "chat"} == {"background"}


async def test_embedding__is_a_call_of_the_background(wired: Tools, model: ModelServer, db: psycopg.Connection) -> None:
    assert [(call.kind, call.role, call.klass, call.label) for call in model.calls] == [
        ("embeddings", "embed", "background", "embed")
    ]
    found = db.execute(
        "SELECT label, state, count(*) FROM corpus_vectors v JOIN embedders e ON e.id = v.embedder GROUP BY e.id"
    )
    assert found.fetchall() == [("embed", "serving", 1)]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (draft("", refused=True, refuse_reason="없음"), "evidence_weak"),
        (draft("안전밸브는 9 MPa에서 열립니다 [7]."), "answer_ungrounded"),
        (draft("출처가 없는 답입니다."), "answer_ungrounded"),
    ],
)
async def test_refusal__when_the_model_refuses_or_cites_nothing(
    answered: Put, model: ModelServer, reply: str, reason: str
) -> None:
    writes(model, text=reply)
    row = await answered()
    assert (row["refused"], row["refuse_reason"], row["completeness"]) == (True, reason, "insufficient")
    assert row["model"] == "primary:primary"


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "답변: {}", "<think>음… {{}}</think>{}"])
async def test_answer__is_read_whatever_stands_around_it(answered: Put, model: ModelServer, fence: str) -> None:
    writes(model, text=fence.replace("{}", draft(GOOD)).replace("{{}}", "{}"))
    assert (await answered())["answer"] == GOOD


async def test_answer__in_plain_text_is_taken_too(answered: Put, model: ModelServer) -> None:
    writes(model, text=GOOD)
    assert (await answered())["answer"] == GOOD


async def test_answer__is_cut_behind_a_claim(answered: Put, model: ModelServer) -> None:
    writes(model, text=draft(" ".join([GOOD] * 40)))
    row = await answered()
    assert len(row["answer"]) <= 600
    assert row["answer"].endswith("[1].…")


async def test_unreadable_reply__is_tried_again_then_kept_as_parse_fail(answered: Put, model: ModelServer) -> None:
    writes(model, text='{"answer": ')
    row = await answered()
    assert (row["status"], row["error_code"], row["attempts"]) == ("failed", "parse_fail", 2)
    assert [call.label for call in model.calls if call.kind == "chat"] == ["judge ask:1", "synthesis ask:1"] * 2


async def test_model_away__a_person_gets_a_quote(answered: Put, model: ModelServer) -> None:
    model.script({"say": {"status": 503, "body": {"error": "loading"}}})
    row = await answered()
    assert (row["model"], row["refused"]) == ("builtin:extractive", False)
    assert "1.2 MPa" in row["answer"]
    assert "loading" in row["trace"]["stood_in_for"]


async def test_model_away__the_background_is_put_off_without_an_attempt(
    wired: Tools, served: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script({"say": {"status": 503, "body": {"error": "loading"}}})
    db.execute("INSERT INTO asks (question) VALUES (%s)", (QUESTION,))

    def row() -> Any:
        return db.execute("SELECT status, attempts, error_code, answer FROM asks").fetchone()

    async with anyio.create_task_group() as tasks:
        synthesis = runner(served, wired, "synthesis")
        tasks.start_soon(synthesis.run)
        await eventually(lambda: row()[:3] == ("pending", 0, "model_unavailable"))
        writes(model, text=draft(GOOD))
        await eventually(lambda: row()[0] == "completed")
        synthesis.stop()
    assert row()[3] == GOOD


async def _events(client: httpx.AsyncClient, heard: Callable[[Told], None] = lambda _: None) -> list[Told]:
    events: list[Told] = []
    ask = client.stream("POST", "/api/search/ask", json={"question": QUESTION, "stream": True})
    async with ask as response, aclosing(events_in(response)) as told:
        async for event in told:
            if isinstance(event, Told):
                events.append(event)
                heard(event)
    return events


@pytest.fixture
async def client(served: Settings, wired: Tools) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(served) as address,
        client_of(address) as client,
        anyio.create_task_group() as tasks,
    ):
        synthesis = runner(served, wired, "synthesis")
        tasks.start_soon(synthesis.run)
        yield client
        synthesis.stop()


async def test_stream__words_come_while_the_model_writes(client: httpx.AsyncClient, model: ModelServer) -> None:
    writes(model, text=draft(GOOD), token_s=0.05)
    unfinished: list[bool] = []

    def heard(event: Told) -> None:
        if event.name == "token":
            unfinished.append(writing(model).ended_ns is None)

    events = await _events(client, heard)
    assert unfinished[0]
    assert "".join(event.data["text"] for event in events if event.name == "token") == GOOD
    names = [event.name for event in events]
    assert [event.data["state"] for event in events if event.name == "gate"][-1] == "holds"
    assert names.index("gate") < names.index("token") < names.index("citation") < names.index("done")
    assert "correction" not in names


async def test_stream__says_that_it_waits_for_the_model(client: httpx.AsyncClient, model: ModelServer) -> None:
    writes(model, text=draft(GOOD), hold="go")
    states: list[str] = []

    def heard(event: Told) -> None:
        if event.name == "gate" and event.data["step"] == "decide":
            states.append(event.data["state"])
            if event.data["state"] == "waits":
                model.release("go")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(client.post, "/api/search/ask", json={"question": QUESTION}))
        await eventually(lambda: any(call.label.startswith("synthesis") for call in model.calls))
        await _events(client, heard)
    assert (states[0], states[-1]) == ("waits", "holds")


async def test_stream__what_the_checks_changed_is_put_right(client: httpx.AsyncClient, model: ModelServer) -> None:
    writes(model, text=draft(" ".join([GOOD] * 40)), token_s=0.001)
    events = await _events(client)
    (corrected,) = [event.data["text"] for event in events if event.name == "correction"]
    assert corrected == events[-1].data["answer"]


async def test_stream__a_reader_that_leaves_costs_nothing(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    writes(model, text=draft(GOOD), token_s=0.02)
    async with client.stream("POST", "/api/search/ask", json={"question": QUESTION, "stream": True}):
        await eventually(lambda: any(call.label.startswith("synthesis") for call in model.calls))
    await eventually(lambda: db.execute("SELECT status FROM asks").fetchone() == ("completed",))
    assert not writing(model).left


async def test_status__shows_who_holds_the_model(
    client: httpx.AsyncClient, model: ModelServer, db: psycopg.Connection
) -> None:
    assert (await client.get("/api/status")).json()["gate"][0]["inflight"] == 0
    writes(model, text=draft(GOOD), hold="go")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(client.post, "/api/search/ask", json={"question": QUESTION}))
        await eventually(lambda: any(call.label.startswith("synthesis") for call in model.calls))
        seats = db.execute("SELECT endpoint, state, class, label FROM gate_status").fetchall()
        server = model.url.removesuffix("/v1")
        assert seats == [(server, "holds", "foreground", "primary_synthesis_ask:1")]
        (gate,) = await _gate_in_use(client)
        assert gate == {
            "endpoint": server,
            "capacity": 1,
            "inflight": 1,
            "waiters": {"foreground": 0, "study": 0, "background": 0},
        }
        model.release("go")


async def _gate_in_use(client: httpx.AsyncClient) -> list[Row]:
    with anyio.fail_after(10):
        while True:
            gates: list[Row] = (await client.get("/api/status")).json()["gate"]
            if gates[0]["inflight"]:
                return gates
            await anyio.sleep(0.1)
