"""The command line on a data directory where no server runs: each command starts what it needs, and leaves nothing."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.queue import QUEUES
from db.server import EmbeddedServer
from tests.corridors.whole import environment_of, free_port, seodang

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Shell:
    """Commands on one data directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = environment_of(home, free_port())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return seodang(self.environment, *arguments)

    def json(self, *arguments: str) -> object:
        done = self.run(*arguments, "--json")
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("cli") / "home")


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "pump.md").write_text(
        "# 순환 펌프\n\n순환 펌프의 소비 전력은 1.5 kW이다. 점검은 분기마다 한다.", encoding="utf-8"
    )
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7 broken")
    return folder


def test_migrate__ten_at_once_migrate_once_and_leave_no_server(shell: Shell) -> None:
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: shell.run("migrate", "--json"), range(10)))
    assert [each.returncode for each in done] == [0] * 10, done[0].stderr
    assert not EmbeddedServer(shell.home).running()


def test_add__reads_without_a_server_and_says_what_failed(shell: Shell, notes: Path) -> None:
    done = shell.run("add", str(notes), "--wait", "--json")
    assert done.returncode == 1
    files = json.loads(done.stdout)["files"]
    assert {Path(file["name"]).name: file["status"] for file in files} == {"pump.md": "completed", "scan.pdf": "failed"}
    listed = shell.json("queue", "ls")
    assert isinstance(listed, dict)
    assert [row["error_code"] for row in listed["failed"]] == ["corrupt"]


def test_search_and_ask__answer_without_a_server(shell: Shell) -> None:
    hits = shell.json("search", "순환 펌프 소비 전력")
    assert isinstance(hits, dict)
    assert "1.5 kW" in hits["hits"][0]["text"]
    result = shell.json("ask", "순환 펌프의 소비 전력은 얼마인가요?")
    assert isinstance(result, dict)
    assert "1.5 kW" in result["answer"]
    assert result["citations"][0]["quote"] in "순환 펌프의 소비 전력은 1.5 kW이다."


def test_ask__a_refusal_is_a_result(shell: Shell) -> None:
    done = shell.run("ask", "다음 월드컵은 어느 나라에서 열리나요?", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["refused"] is True


def test_ask__stream_prints_answer_and_places(shell: Shell) -> None:
    done = shell.run("ask", "순환 펌프의 소비 전력은 얼마인가요?", "--stream")
    assert done.returncode == 0
    assert "1.5 kW" in done.stdout
    assert "[1] 순환 펌프, p. 1" in done.stdout


def test_queue_retry__makes_a_new_row_and_drain_works_it_off(shell: Shell) -> None:
    none = dict.fromkeys(QUEUES, 0)
    first, again = (shell.json("queue", "retry", "--code", "corrupt") for _ in range(2))
    assert first == {**none, "inbox": 1, "left_out": []}
    assert isinstance(again, dict)
    assert {name: again[name] for name in none} == none
    assert "is in the queue again already" in again["left_out"][0]["why"]
    assert shell.json("queue", "drain", "--stage", "ingest") == {"ingest": 1}
    listed = shell.json("queue", "ls", "--stage", "ingest")
    assert isinstance(listed, dict)
    assert [(Path(row["name"]).name, row["later_id"]) for row in listed["failed"]] == [("scan.pdf", None)]


def test_queue_retry__of_what_was_named_and_not_found_fails_with_a_sentence(shell: Shell) -> None:
    done = shell.run("queue", "retry", "--file", "no such.pdf")
    assert (done.returncode, "names nothing that failed" in done.stdout) == (1, True)


def test_digest__now_is_made_without_a_server(shell: Shell) -> None:
    made = shell.json("digest", "--now")
    assert isinstance(made, dict)
    (row,) = (row for row in made["digests"] if row["id"] == made["asked"])
    assert (row["status"], row["documents"]) == ("completed", 1)


def test_config__hides_secrets(shell: Shell) -> None:
    shell.environment["SEODANG_MODELS__PRIMARY__API_KEY"] = "sk-secret"
    try:
        done = shell.run("config", "--json")
    finally:
        del shell.environment["SEODANG_MODELS__PRIMARY__API_KEY"]
    assert done.returncode == 0
    assert "sk-secret" not in done.stdout
    assert json.loads(done.stdout)["answer"]["max_chars"] == 600


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "no-such-file.pdf"), "There is no file"),
        (("search", "x" * 5000), "A question may have"),
        (("queue", "drain", "--stage", "dream"), "There is no stage 'dream'"),
        (("queue", "retry", "--all", "--code", "corrupt"), "--all goes with --stage at most"),
        (("nonsense",), "No such command"),
    ],
)
def test_cli__wrong_use_is_one_sentence(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    done = shell.run(*arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_cli__wrong_setting_is_named(shell: Shell) -> None:
    shell.environment["SEODANG_QUEUE__LOOK_S"] = "-1"
    try:
        done = shell.run("status")
    finally:
        del shell.environment["SEODANG_QUEUE__LOOK_S"]
    assert done.returncode == 2
    assert "SEODANG_QUEUE__LOOK_S" in done.stderr


def test_cli__unreachable_database_is_one_sentence(shell: Shell) -> None:
    shell.environment["SEODANG_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    try:
        done = shell.run("status", "--json")
    finally:
        del shell.environment["SEODANG_DATABASE_URL"]
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "database"
