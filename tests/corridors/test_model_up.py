"""The whole server with a model: `seodang up` and a scripted model server, each a process of its own."""

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.corridors.whole import Whole, running
from tests.fakes.model_log import Call
from tests.fakes.model_server import RemoteServer, in_process
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ANSWER = "안전밸브의 작동 압력은 1.2 MPa입니다 [1]."
QUESTION = "안전밸브의 작동 압력은 얼마입니까?"
JUDGED = {"text": json.dumps({"verdict": "sufficient"})}
FINE = {"text": json.dumps({"objections": []})}
SAY = {"text": json.dumps({"answer": ANSWER}, ensure_ascii=False), "first_s": 0.3}


@pytest.fixture(scope="module")
def model() -> Iterator[RemoteServer]:
    with in_process() as server:
        script(server, SAY)
        yield server


def script(server: RemoteServer, *says: dict[str, Any]) -> None:
    """Write these for questions in turn, and the last of them from then on; what else is called is answered at once."""
    *before, last = ({"when": {"kind": "chat", "label": "synthesis*"}, "say": say} for say in says)
    around = ({"when": {"label": f"{step} *"}, "say": say} for step, say in (("judge", JUDGED), ("verify", FINE)))
    rules = (*(rule | {"times": 1} for rule in before), last, *around)
    server.script(*rules, models=["small", "vectors"], strict=True)


@pytest.fixture(scope="module")
def whole(model: RemoteServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    roles = {"PRIMARY": "small", "EMBED": "vectors", "DEEP": "misspelt"}
    settings = {f"SEODANG_MODELS__{role}__MODEL": name for role, name in roles.items()}
    settings |= {f"SEODANG_MODELS__{role}__BASE_URL": model.url for role in roles}
    settings["SEODANG_SEARCH__ANALYZE"] = "false"  # the order of the calls is that of the asks alone
    settings["SEODANG_ANSWER__CACHE"] = "false"  # they ask the same
    folder = tmp_path_factory.mktemp("model")
    note = folder / "점검.md"
    note.write_text("# 점검 지침\n\n안전밸브의 작동 압력은 1.2 MPa이다.\n", encoding="utf-8")
    with running(folder / "home", settings) as server:
        assert server.command("add", str(note), "--wait").returncode == 0
        with psycopg.connect(server.dsn(), autocommit=True) as sql:
            wait_for(lambda: _open_stages(sql) == 0, 30)  # triage calls the same model
        yield server


def test_every_call__passes_one_gate_and_names_itself(whole: Whole, model: RemoteServer) -> None:
    background, asked = 4, 3
    script(model, SAY | {"hold": "go"})
    with psycopg.connect(whole.dsn(), autocommit=True) as sql:
        for _ in range(background):
            sql.execute("INSERT INTO asks (question) VALUES (%s)", (QUESTION,))
        wait_for(lambda: _synthesis(model))
        people = [threading.Thread(target=_ask, args=(whole,)) for _ in range(asked)]
        for person in people:
            person.start()
        seen = wait_for(lambda: _waiting(whole), 20)
        model.release("go")
        for person in people:
            person.join()
        wait_for(lambda: _open_asks(sql) == 0, 30)
    assert seen["capacity"] == 1
    assert {call.klass for call in model.calls if call.role == "triage"} == {"background"}
    chats = _synthesis(model)
    assert {(call.role, call.klass, call.label.split(":")[0]) for call in chats} == {
        ("primary", "foreground", "synthesis ask"),
        ("primary", "background", "synthesis ask"),
    }
    assert len(chats) == background + asked
    assert ("embeddings", "embed", "background", "embed") in {
        (call.kind, call.role, call.klass, call.label) for call in model.calls
    }
    assert model.most == 1
    asks = Counter(call.label.split()[0] for call in model.calls if call.label.split(":")[0].endswith(" ask"))
    assert asks == dict.fromkeys(("judge", "synthesis", "verify"), background + asked)
    script(model, SAY)
    # The person who waited came next after the call in flight, and the batch last.
    classes = [call.klass for call in sorted(chats, key=lambda call: call.started_ns)]
    assert (classes[:2], classes[-2:]) == (["background", "foreground"], ["background", "background"]), classes


def _synthesis(model: RemoteServer) -> list[Call]:
    """Give the calls that answer questions; what else came of the document is another matter."""
    return [call for call in model.calls if call.kind == "chat" and call.label.startswith("synthesis")]


def _ask(whole: Whole) -> None:
    body = json.dumps({"question": QUESTION}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{whole.port}/api/search/ask", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert json.loads(reply.read())["answer"] == ANSWER


def _waiting(whole: Whole) -> dict[str, Any] | None:
    """Give the gate as /api/status shows it while a person waits there."""
    (gate,) = whole.get("/api/status")["gate"]
    found: dict[str, Any] = gate
    return found if found["waiters"]["foreground"] and found["inflight"] == 1 else None


def _open_stages(sql: psycopg.Connection) -> int:
    row = sql.execute("SELECT count(*) FROM document_jobs WHERE completed_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def _open_asks(sql: psycopg.Connection) -> int:
    row = sql.execute("SELECT count(*) FROM asks WHERE completed_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def test_gate_status__speaks_json_and_to_people(whole: Whole, model: RemoteServer) -> None:
    state = json.loads(whole.command("gate", "status", "--json").stdout)
    assert [row["endpoint"] for row in state["endpoints"]] == [model.url.removesuffix("/v1")]
    assert "Model servers" in whole.command("gate", "status").stdout


def test_ask__names_its_model(whole: Whole) -> None:
    answer = json.loads(whole.command("ask", QUESTION, "--json").stdout)
    assert (answer["answer"], answer["model"]) == (ANSWER, "primary:small")


def test_doctor__tries_each_role_and_tells_which_name_the_server_does_not_list(whole: Whole) -> None:
    done = whole.command("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert [checks[f"model {role}"]["well"] for role in ("primary", "embed", "deep")] == [True, True, False]
    assert "does not list misspelt, but small, vectors" in checks["model deep"]["found"]


def test_killed_daemon__frees_the_model_at_once(whole: Whole, model: RemoteServer) -> None:
    script(model, SAY | {"hold": "never"}, SAY)
    with psycopg.connect(whole.dsn(), autocommit=True) as sql:
        sql.execute("INSERT INTO asks (question) VALUES (%s)", (QUESTION,))
        wait_for(lambda: [call for call in _synthesis(model) if call.ended_ns is None], 20)
        assert _holder(sql)
        daemon = wait_for(lambda: whole.child("services.daemon synthesis"))
        daemon.kill()
        wait_for(lambda: not _holder(sql), 5)
        wait_for(lambda: _open_asks(sql) == 0, 30)
        assert sql.execute("SELECT answer FROM asks ORDER BY id DESC LIMIT 1").fetchone() == (ANSWER,)


def _holder(sql: psycopg.Connection) -> Any:
    return sql.execute("SELECT pid FROM gate_status WHERE state = 'holds'").fetchone()
