"""`seodang ask` as a person uses it: what is said of an answer, the steps on a terminal, wrong use, exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from services.kit.settings import CHECKOUT
from tests.corridors.test_cli_ask_debug import Shell, model, shell
from tests.fakes.model_server import RemoteServer
from tests.fakes.terminal import Terminal, terminal
from tests.stages.asking import GOOD, QUESTION, SENTENCE, draft, rules
from tests.waiting import wait_for

__all__ = ["model", "shell"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
TWO = "안전밸브의 작동 압력과 담당자의 연락처는 무엇입니까?"
UNKNOWN = "다음 월드컵은 어느 나라에서 열리나요?"
NO_TEXT = os.fsdecode(b"\xff")
"""What a terminal hands on that is no UTF-8."""
STEPS = ("Searching the documents", "Writing the answer", "Checking it against the sources")


@pytest.fixture
def fresh(dsn: str, tmp_path: Any) -> Shell:
    """A shell on a database without any document."""
    return Shell(tmp_path / "home", dsn)


@contextmanager
def asking(shell: Shell, *arguments: str, **streams: Any) -> Iterator["subprocess.Popen[str]"]:
    """Run `seodang ask` beside the test."""
    command = [sys.executable, "-m", "services.cli", "ask", *arguments]
    environment = {**shell.environment, "TERM": "xterm-256color"}
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        environment.pop(name, None)
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT, text=True, **streams) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def screen() -> Iterator[Terminal]:
    with terminal() as opened:
        yield opened


def half(model: RemoteServer, **more: Any) -> None:
    """Script a judge that finds a part of the question unanswered, and a writer that is not sure."""
    spans = [{"n": 1, "span": SENTENCE, "relevance": 0.9}]
    judged = {"verdict": "sufficient", "missing": ["담당자의 연락처"], "spans": spans}
    ruled = rules(draft(GOOD, confidence="low"), **more)
    ruled[0]["say"]["text"] = json.dumps(judged, ensure_ascii=False)
    model.script(*ruled)


# -- what is said of an answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [(), ("--stream",)])
def test_partial_answer__says_so_and_what_is_missing(shell: Shell, model: RemoteServer, way: tuple[str, ...]) -> None:
    half(model)
    said, _ = shell.run("ask", TWO, *way)
    assert said.startswith(GOOD)
    assert "질문의 일부만 답했습니다." in said
    assert "빠진 부분: 담당자의 연락처" in said
    assert said.index("빠진 부분") < said.index("[1] 점검 지침, p. 1")
    assert "질문의 일부만 답했습니다." in shell.run("ask", "--show", "1")[0]
    result = shell.json("ask", "--show", "1")
    assert (result["completeness"], result["missing"]) == ("partial", ["담당자의 연락처"])


def test_refusal__says_what_would_be_needed_in_the_language_of_the_question(fresh: Shell) -> None:
    said, _ = fresh.run("ask", UNKNOWN)
    assert said.startswith("답하지 않음 (evidence_missing):")
    assert "문서를 추가해 주세요" in said
    said, _ = fresh.run("ask", "Where is the next world cup?")
    assert said.startswith("Not answered (evidence_missing):")
    assert "Add one that does." in said


# -- wrong use ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("", "The question is empty. Write"),
        (" \t\n　", "The question is empty. Write"),
        ("가" * 10_000, "A question may have 4000 characters, this one has 10000. Shorten it"),
    ],
)
@pytest.mark.parametrize("command", ["ask", "search"])
def test_question__that_cannot_be_asked_is_wrong_use_and_writes_nothing(
    fresh: Shell, db: psycopg.Connection, command: str, question: str, sentence: str
) -> None:
    said, told = fresh.run(command, question, code=2)
    assert (said, told.count("\n")) == ("", 1)
    assert told.startswith(sentence)
    error = json.loads(fresh.run(command, question, "--json", code=2)[0])["error"]
    assert error["code"] == "wrong_use"
    assert f"{error['message']} {error['hint']}".startswith(sentence)
    assert db.execute("SELECT count(*) FROM asks").fetchone() == (0,)


def test_question__has_the_limit_of_the_settings_and_of_http(fresh: Shell) -> None:
    fresh.environment["SEODANG_SEARCH__MAX_QUERY_CHARS"] = "10"
    for command in ("ask", "search"):
        assert "A question may have 10 characters, this one has 11." in fresh.run(command, "x" * 11, code=2)[1]


def test_question__is_kept_as_http_keeps_it(fresh: Shell, db: psycopg.Connection) -> None:
    fresh.run("ask", f"  어디\x07 {NO_TEXT}? ")
    assert db.execute("SELECT question FROM asks").fetchall() == [("어디  ??",)]


def test_names__that_cannot_be_kept_are_wrong_use(fresh: Shell, db: psycopg.Connection, tmp_path: Any) -> None:
    file = tmp_path / "a.md"
    file.write_text("말", encoding="utf-8")
    for name in ("", "  ", "x" * 201):
        told = fresh.run("add", str(file), "--collection", name, code=2)[1]
        assert "A collection's name has 1 to 200 characters" in told
        assert "A topic's name has 1 to 200 characters" in fresh.run("study", "topic", "add", name, code=2)[1]
    assert db.execute("SELECT count(*) FROM inbox").fetchone() == (0,)
    fresh.run("study", "topic", "add", f" 전기{NO_TEXT}")
    assert db.execute("SELECT name FROM study_topics").fetchall() == [("전기?",)]


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_exit_code__of_an_answer_and_of_a_refusal_is_0(shell: Shell) -> None:
    assert shell.json("ask", QUESTION)["refused"] is False
    assert shell.json("ask", UNKNOWN)["refused"] is True  # `json` demands 0 of both


def test_exit_code__of_a_question_that_failed_is_1(shell: Shell, model: RemoteServer) -> None:
    model.script(*rules(status=400, body={"error": "no"}))
    said, _ = shell.run("ask", QUESTION, "--json", code=1)
    error = json.loads(said)["error"]
    assert error["code"] == "failed"
    assert "could not be answered: model_refused" in error["message"]
    assert "seodang ask --show 2 --debug" in shell.run("ask", QUESTION, code=1)[1]


def test_exit_code__of_a_question_that_somebody_cancelled_is_1(
    shell: Shell, model: RemoteServer, db: psycopg.Connection
) -> None:
    model.script(*rules(hold="for ever"))
    with asking(shell, QUESTION, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(lambda: any(call.kind == "chat" for call in model.calls), 60)
        db.execute("SELECT cancel_ask(1)")
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelled" in json.loads(said)["error"]["message"]


@pytest.mark.parametrize(("way", "status"), [((), "skipped"), (("--background",), "pending")])
def test_exit_code__of_ctrl_c_is_1_and_says_what_became_of_the_question(
    shell: Shell, model: RemoteServer, db: psycopg.Connection, screen: Terminal, way: tuple[str, ...], status: str
) -> None:
    model.script(*rules(hold="for ever"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
    try:
        with asking(shell, QUESTION, *way, stdout=screen.child_end, stderr=screen.child_end) as process:
            wait_for(lambda: any(call.kind == "chat" for call in model.calls), 60)
            process.send_signal(signal.SIGINT)
            assert screen.ends(process) == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert screen.screen.startswith("Stopped; ")
    wait_for(lambda: db.execute("SELECT status FROM asks").fetchone() == (status,), 20)


# -- steps on a terminal -----------------------------------------------------------------------------------------------


def test_terminal__shows_the_steps_in_one_line_and_wipes_it(
    shell: Shell, model: RemoteServer, screen: Terminal
) -> None:
    with asking(shell, QUESTION, stdout=subprocess.PIPE, stderr=screen.child_end) as process:
        assert screen.ends(process) == 0
        assert process.stdout is not None
        said = process.stdout.read()
    assert [step for step in STEPS if step not in screen.said] == []
    assert screen.screen == ""
    assert said.startswith(GOOD)
    assert "\x1b" not in said
    assert "Searching" not in said


def test_terminal__with_stream_has_the_words_whole_on_the_same_screen(
    shell: Shell, model: RemoteServer, screen: Terminal
) -> None:
    model.script(*rules(token_s=0.02))
    with asking(shell, QUESTION, "--stream", stdout=screen.child_end, stderr=screen.child_end) as process:
        assert screen.ends(process) == 0
    assert [step for step in STEPS if step not in screen.said] == []
    lines = screen.screen.splitlines()
    assert lines[0] == GOOD
    assert lines[-1].lstrip().startswith("[1] 점검 지침, p. 1")
    assert not [step for step in STEPS if step in screen.screen]


def test_terminal__shows_who_is_before_at_the_model_and_for_how_long(
    shell: Shell, model: RemoteServer, screen: Terminal
) -> None:
    model.script(*rules(hold="go"))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with asking(shell, QUESTION, **quiet) as first:
        wait_for(lambda: sum(call.kind == "chat" for call in model.calls) == 2, 60)  # it judged, and writes
        with asking(shell, QUESTION + "!", stdout=subprocess.PIPE, stderr=screen.child_end) as second:
            wait_for(lambda: "Waiting for its turn at the model · 1 questions before it" in screen.said, 60)
            wait_for(lambda: "waiting for 1 s" in screen.said or "waiting for 2 s" in screen.said, 20)
            model.release("go")
            assert screen.ends(second) == 0
        assert first.wait(60) == 0
    assert screen.screen == ""


@pytest.mark.parametrize("way", [(), ("--stream",), ("--background",)])
def test_pipe__gets_no_steps(shell: Shell, way: tuple[str, ...]) -> None:
    assert shell.run("ask", QUESTION, *way)[1] == ""


def test_json__gets_no_steps_on_a_terminal_either(shell: Shell, screen: Terminal) -> None:
    with asking(shell, QUESTION, "--json", "--stream", stdout=subprocess.PIPE, stderr=screen.child_end) as process:
        assert screen.ends(process) == 0
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["refused"] is False
    assert screen.said == ""
