"""`seodang study quiz`, `review` and `explain`, as a program drives them: lines in, one JSON value out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from services.command import quiz_keys, study, study_quiz
from services.command.place import Place
from services.command.quiz_keys import QUIT, read_answer
from services.kit.errors import RequestError, SeodangError
from services.kit.settings import Settings
from tests.db.study_bank import answer, ended_job, explained, jobs, question, questions, topic


class Shell:
    """Commands of the group `study` in the test's database."""

    def run(self, *arguments: str, lines: str = "") -> Result:
        done = CliRunner().invoke(study.group, list(arguments), input=lines)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def json(self, *arguments: str, lines: str = "") -> Any:
        # The last line: the logs of a test go to standard output, too, see tests/conftest.py.
        return json.loads(self.run(*arguments, "--json", lines=lines).stdout.splitlines()[-1])


@pytest.fixture
def shell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(study_quiz, "_settings", lambda: settings)
    return Shell()


# -- quiz --------------------------------------------------------------------------------------------------------------


def test_quiz__reads_lines_and_gives_the_result(shell: Shell, db: psycopg.Connection) -> None:
    one = topic(db)
    questions(db, one, 5)
    result = shell.json("quiz", "산업안전", lines="2\n1\nu\n?\nnonsense\n9\nu2\n")
    assert (result["status"], result["topic"], result["mode"]) == ("finished", "산업안전", "quiz")
    outcomes = [item["outcome"] for item in result["questions"]]
    assert outcomes == ["right", "wrong", "unsure", "dont_know", "unsure"]
    assert (result["right_answers"], result["wrong_answers"]) == (1, 1)
    assert result["questions"][4]["was_right"] is True
    assert jobs(db) == [item["id"] for item in result["questions"][1:]]
    assert {item["ai_explanation_status"] for item in result["questions"][1:]} == {"pending"}


def test_quiz__shows_what_is_ready_and_says_that_the_rest_is_being_made(shell: Shell, db: psycopg.Connection) -> None:
    one = topic(db)
    ready, missing = question(db, one, "준비된 문제"), question(db, one, "없는 문제", explanation="사람의 [해설]")
    explained(db, ready)
    done = shell.run("quiz", str(one), "--count", "2", lines="1\n1\n")
    assert "0 of 2 right" in done.stdout
    assert done.stdout.count("right: 2. 둘") == 2
    assert "둘이 맞다." in done.stdout
    assert "사람의 [해설]" in done.stdout
    assert f"being made: `seodang study explain {missing}`" in done.stdout
    assert "1. 하나" in done.stderr  # a program that reads the result is not asked


def test_quiz__that_is_left_keeps_its_answers_and_goes_on(shell: Shell, db: psycopg.Connection) -> None:
    questions(db, topic(db), 3)
    left = shell.json("quiz", "산업안전", lines="2\nq\n")
    assert (left["status"], left["answered"]) == ("open", 1)
    assert [item["correct_choice"] for item in left["questions"]] == [2, None, None]
    assert f"--resume {left['id']}" in shell.run("quiz", "--resume", str(left["id"]), lines="").stdout
    result = shell.json("quiz", "--resume", str(left["id"]), lines="2\n2\n")
    assert (result["status"], result["right_answers"]) == ("finished", 3)
    assert shell.json("quiz", "--resume", str(left["id"]))["status"] == "finished"


def test_quiz__cram_leaves_the_schedule_alone(shell: Shell, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    due = datetime.now(UTC) - timedelta(days=1)
    db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, %s)", [number, due])
    shell.json("quiz", "산업안전", "--mode", "cram", lines="1\n")
    assert db.execute("SELECT due_at FROM study_cards").fetchone() == (due,)
    shell.json("quiz", "산업안전", "--mode", "review", lines="1\n")
    row = db.execute("SELECT due_at > now() FROM study_cards").fetchone()
    assert row == (True,)


def test_quiz__of_nothing_says_what_to_do(shell: Shell, db: psycopg.Connection) -> None:
    topic(db)
    with pytest.raises(SeodangError, match="no topic '전기'"):
        shell.run("quiz", "전기")
    with pytest.raises(RequestError, match="no question that fits"):
        shell.run("quiz", "산업안전", "--wrong-only")
    with pytest.raises(RequestError, match="no quiz 404"):
        shell.run("quiz", "--resume", "404")


def test_keys__need_no_enter_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter("x7?")
    monkeypatch.setattr(quiz_keys.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(quiz_keys.typer, "getchar", lambda: next(keys))
    assert read_answer(4).said == "dont_know"
    keys = iter("q")
    assert read_answer(4) is QUIT


# -- review ------------------------------------------------------------------------------------------------------------


def test_review__lists_todays_cards(shell: Shell, db: psycopg.Connection) -> None:
    one = topic(db)
    due, wrong = question(db, one, "오늘 문제"), question(db, one, "틀린 문제")
    db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, now())", [due])
    answer(db, wrong, "w")
    said = shell.json("review")
    assert said["tabs"] == {"due_today": 1, "pending_review": 1, "chronic": 0, "regressed": 0, "mastered": 0}
    assert [card["id"] for card in said["cards"]] == [due]
    assert [card["id"] for card in shell.json("review", "--tab", "pending_review")["cards"]] == [wrong]
    shown = shell.run("review", "산업안전").stdout
    assert "오늘 문제" in shown
    assert "due today: 1" in shown
    assert "There are none here." in shell.run("review", "--tab", "mastered").stdout
    assert shell.run("review", "--tab", "sometime").exit_code == 2


# -- explain -----------------------------------------------------------------------------------------------------------


def test_explain__shows_what_is_stored(shell: Shell, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    explained(db, number, "stale")
    done = shell.run("explain", str(number))
    assert done.exit_code == 0
    assert "둘이 맞다." in done.stdout
    assert "지침: “둘이 맞다”" in done.stdout
    assert "--again" in done.stdout
    assert shell.json("explain", str(number))["status"] == "stale"
    assert jobs(db) == []


def test_explain__puts_what_is_missing_at_the_head_of_the_line(shell: Shell, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    assert "being made" in shell.run("explain", str(number)).stdout
    assert shell.json("explain", str(number))["status"] == "pending"
    rows = db.execute("SELECT study_question_id, urgency FROM study_question_jobs").fetchall()
    assert rows == [(number, 0)]


def test_explain__again_makes_a_new_job(shell: Shell, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    explained(db, number)
    assert shell.json("explain", str(number), "--again")["status"] == "pending"
    assert db.execute("SELECT payload -> 'again' FROM study_question_jobs").fetchall() == [(True,)]


def test_explain__says_why_there_is_none(shell: Shell, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    explained(db, number, "failed", None)
    ended_job(db, number, "failed", "guard_fail", "lands on 3, stored is 2")
    done = shell.run("explain", str(number))
    assert (done.exit_code, "lands on 3" in done.stdout) == (1, True)
    assert jobs(db) == []
    with pytest.raises(SeodangError, match="no question 404"):
        shell.run("explain", "404")


def test_explain__waits_and_makes_it_here_where_no_daemon_lives(
    shell: Shell, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = question(db, topic(db))

    def drained(_place: Place, stages: list[str]) -> dict[str, int]:
        assert stages == ["explanation"]
        explained(db, number)
        db.execute("UPDATE study_question_jobs SET status = 'completed', completed_at = now()")
        return {"explanation": 1}

    monkeypatch.setattr(Place, "drain", drained)
    assert shell.json("explain", str(number), "--wait")["explanation"] == "둘이 맞다."
