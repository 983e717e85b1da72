"""`seodang ask --debug` and `--show`: what was done for a question, to read, and what became of an answer since."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.corridors.whole import environment_of, free_port, seodang
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.asking import FACTS, GOOD, QUESTION, rules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Shell:
    """Commands on the test's database, without any daemon."""

    def __init__(self, home: Path, dsn: str) -> None:
        self.environment = environment_of(home, free_port()) | {"SEODANG_DATABASE_URL": dsn}

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Give what a command says on standard output and on standard error."""
        done = seodang(self.environment, *arguments)
        assert done.returncode == code, done.stderr
        return done.stdout, done.stderr

    def json(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json")[0])
        return found


@pytest.fixture
def shell(tmp_path: Path, dsn: str) -> Shell:
    (tmp_path / "점검.md").write_text(FACTS, encoding="utf-8")
    made = Shell(tmp_path / "home", dsn)
    made.run("add", str(tmp_path / "점검.md"), "--wait")
    return made


@pytest.fixture
def model(shell: Shell) -> Iterator[RemoteServer]:
    with in_process() as server:
        server.script(*rules())
        shell.environment |= {"SEODANG_MODELS__PRIMARY__BASE_URL": server.url, "SEODANG_MODELS__PRIMARY__MODEL": "m"}
        yield server


def test_debug__is_on_standard_error_and_the_answer_alone_on_standard_output(
    shell: Shell, model: RemoteServer, db: psycopg.Connection
) -> None:
    said, told = shell.run("ask", QUESTION, "--debug")
    assert said.startswith(GOOD)
    assert "retrieve" not in said
    for part in (
        "ask 1",
        "steps",
        "retrieve",
        "calls",
        "primary:m",
        "synthesize-",
        "hits",
        "lexical",
        "decision: full",
    ):
        assert part in told, part
    assert len(model.calls) > 0
    again = shell.run("ask", QUESTION, "--debug")[1]
    assert "served from what was answered for ask 1: no model was called" in again
    events = db.execute("SELECT ask_id, status, cached, calls > 0 FROM ask_events ORDER BY ask_id").fetchall()
    assert events == [(1, "completed", False, True), (2, "completed", True, False)]


def test_debug__in_json_is_the_trace(shell: Shell) -> None:
    assert "trace" not in shell.json("ask", QUESTION)
    result = shell.json("ask", QUESTION, "--debug")
    assert result["trace"]["steps"][:2] == ["queued", "retrieve"]
    assert result["trace"]["hits"][0]["ranks"]["lexical"] == 1
    assert shell.json("ask", "--show", "2", "--debug")["trace"] == result["trace"]


def test_debug__of_a_refusal_says_on_what_grounds(shell: Shell) -> None:
    said, told = shell.run("ask", "다음 월드컵은 어느 나라에서 열리나요?", "--debug")
    assert "답하지 않음" in said
    assert "decision: insufficient, evidence_" in told


def test_show__says_what_changed_since(shell: Shell, db: psycopg.Connection) -> None:
    answered = shell.json("ask", QUESTION)
    fresh = shell.json("ask", "--show", str(answered["id"]))
    assert (fresh["answer"], fresh["stale"], fresh["changed"]) == (answered["answer"], False, [])
    db.execute("SELECT delete_document(%s)", [answered["citations"][0]["document_id"]])
    said, _ = shell.run("ask", "--show", str(answered["id"]))
    assert QUESTION in said
    assert "1.2 MPa" in said
    assert "deleted since" in said
    assert "ask again" in said


def test_show__of_what_is_not_there_fails_and_of_what_is_both_is_wrong_use(shell: Shell) -> None:
    assert "There is no ask 99." in shell.run("ask", "--show", "99", code=1)[1]
    assert "Give a question, or --show" in shell.run("ask", code=2)[1]
    assert "Give a question, or --show" in shell.run("ask", QUESTION, "--show", "1", code=2)[1]
