"""`seodang study import`, `export` and `topic`: files to the bank and back, by the command's own words."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from db.plain import plain
from services.cli import app
from services.command import study
from services.command.place import Place
from services.command.queue import Choice, list_queue, retry
from services.kit.errors import SeodangError
from services.kit.settings import Settings
from services.study.bank import ImportRefused
from services.study.importing import Imported, import_sheet, read_file, stored_questions

HEADER = "id,question,choice_1,choice_2,choice_3,answer,explanation,tags\n"
Run = Callable[..., Any]


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line on the test's database: gives what it printed as JSON, or its error."""
    monkeypatch.setattr(study, "_settings", lambda: settings)

    def call(*words: object, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["study", *map(str, words), "--json"])
        if isinstance(result.exception, SeodangError):
            raise result.exception
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return call


def csv_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "exam.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def document(db: psycopg.Connection, number: int, collection: str = "default") -> int:
    db.execute("INSERT INTO documents (id, title, filename, media_type, sha256, size_bytes, collection) "
               "VALUES (%s, 'a', 'a', 'a', %s, 1, %s)", [number, f"{number:064x}", collection])  # fmt: skip
    return number


def counts(said: dict[str, Any]) -> tuple[int, ...]:
    return tuple(said["rows"][name] for name in ("new", "changed", "same", "refused"))


def test_import__makes_a_topic_ties_documents_and_is_idempotent(
    run: Run, db: psycopg.Connection, tmp_path: Path
) -> None:
    document(db, 7)
    document(db, 8, "소방")
    document(db, 9, "other")
    file = csv_file(tmp_path, "a,q1,x,y,z,②,왜냐하면,t", ",q2,x,y,,A,,")
    said = run("import", file, "--topic", "소방", "--documents", 7, "--documents", "소방")
    assert (said["topic_is_new"], counts(said), said["documents_tied"]) == (True, (2, 0, 0, 0), 2)
    again = run("import", file, "--topic", " 소방 ")
    assert (again["topic_is_new"], counts(again)) == (False, (0, 0, 2, 0))
    rows = db.execute(
        "SELECT source_key, correct_choice, explanation, tags FROM study_questions ORDER BY id"
    ).fetchall()
    assert rows[0] == ("a", 2, "왜냐하면", ["t"])
    assert (len(rows), rows[1][1:]) == (2, (1, None, []))
    assert db.execute("SELECT array_agg(document_id ORDER BY 1) FROM study_topic_documents").fetchone() == ([7, 8],)


def test_import__changes_what_changed_under_the_same_key(run: Run, db: psycopg.Connection, tmp_path: Path) -> None:
    run("import", csv_file(tmp_path, "a,q1,x,y,z,2,,", "b,q2,x,y,z,2,,"), "--topic", "t")
    db.execute("UPDATE study_questions SET ai_explanation = 'e', ai_explanation_status = 'ready', "
               "ai_explanation_model = 'm', ai_explanation_generated_at = now()")  # fmt: skip
    said = run("import", csv_file(tmp_path, "a,q1,x,y,w,2,,", "b,q2,x,y,z,2,because,"), "--topic", "t")
    assert counts(said) == (0, 2, 0, 0)
    rows = db.execute("SELECT choice_3, explanation, ai_explanation_status FROM study_questions ORDER BY id").fetchall()
    assert rows == [("w", None, "stale"), ("z", "because", "ready")]


def test_import__leaves_alone_what_the_file_says_nothing_of(run: Run, db: psycopg.Connection, tmp_path: Path) -> None:
    run("import", csv_file(tmp_path, "a,q1,x,y,z,2,because,t"), "--topic", "t")
    short = "id,question,choice_1,choice_2,choice_3,answer\n"
    assert counts(run("import", csv_file(tmp_path, "a,q1,x,y,z,2", header=short), "--topic", "t")) == (0, 0, 1, 0)
    run("import", csv_file(tmp_path, "a,q1 new,x,y,z,2", header=short), "--topic", "t")
    assert db.execute("SELECT text, explanation, tags FROM study_questions").fetchall() == [
        ("q1 new", "because", ["t"])
    ]
    run("import", csv_file(tmp_path, "a,q1 new,x,y,z,2,,"), "--topic", "t")  # a column that is there and empty says so
    assert db.execute("SELECT explanation, tags FROM study_questions").fetchall() == [(None, [])]


def test_import__refuses_row_by_row_and_ends_with_one(run: Run, db: psycopg.Connection, tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a,q1,x,y,z,2,,", "b,,x,y,z,9,,", "a,q3,x,y,z,1,,", "c,q4,x,y,z,C,,")
    said = run("import", file, "--topic", "t", code=1)
    assert counts(said) == (2, 0, 0, 2)
    assert [(each["row"], each["field"]) for each in said["rows"]["complaints"]] == [
        (3, "question"), (3, "answer"), (4, "id")
    ]  # fmt: skip
    assert "that of row 2" in said["rows"]["complaints"][2]["why"]
    assert db.execute("SELECT count(*) FROM study_questions").fetchone() == (2,)


def test_import__tells_a_person_what_to_mend(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = read_file("a.csv", (HEADER.replace("tags", "비고") + "a,q,x,y,z,7,,b\n").encode())
    study.show_import(study.import_questions(place, sheet, "t", [], 0))
    assert capsys.readouterr().out == (
        "Topic t (made now): 0 new, 0 changed, 0 as before, 1 refused.\n"
        "row 2: answer is '7': give one of the 3 choices as number, letter or text.\n"
        "Not read: 비고.\n"
    )


def test_import__makes_nothing_where_a_document_is_missing(run: Run, db: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.raises(SeodangError, match="no document or collection 7, 소방"):
        run("import", csv_file(tmp_path), "--topic", "t", "--documents", 7, "--documents", "소방")
    assert db.execute("SELECT count(*) FROM study_topics").fetchone() == (0,)
    with pytest.raises(SeodangError, match="cannot be read"):
        run("import", tmp_path / "none.csv", "--topic", "t")


def test_import__counts_the_right_one_from_the_base_that_is_said(
    run: Run, db: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [{"id": str(n), "text": f"q{n}", "choices": ["a", "b"], "correct": n % 2} for n in range(2)]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert counts(run("import", file, "--topic", "zero")) == (2, 0, 0, 0)
    assert db.execute("SELECT array_agg(correct_choice ORDER BY id) FROM study_questions").fetchone() == ([1, 2],)
    assert counts(run("import", file, "--topic", "one", "--first-choice", 1, code=1)) == (1, 0, 0, 1)


def test_import__stores_the_good_rows_where_the_database_refuses_one(place: Place, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO study_topics (name) VALUES ('t')")
    db.execute("ALTER TABLE study_questions ADD CONSTRAINT no_q2 CHECK (text <> 'q2')")
    sheet = read_file("a.csv", (HEADER + "a,q1,x,y,z,1,,\nb,q2,x,y,z,1,,\nc,q3,x,y,z,1,,\n").encode())
    found = import_sheet(place.db, 1, 1, sheet)
    assert (found.new, found.refused) == (2, 1)
    assert "no_q2" in found.complaints[0].why


def test_import__beside_another_of_the_same_file_makes_each_question_once(place: Place, dsn: str) -> None:
    sheet = read_file("a.csv", (HEADER + "a,q1,x,y,z,1,,\nb,q2,x,y,z,1,,\n").encode())
    place.db.connection.execute("INSERT INTO study_topics (name) VALUES ('t')")
    with plain(dsn) as other:

        class Overtaken:
            """Another import stores the file between the look and the first row."""

            def many(self, row: type[Any], name: str, **values: object) -> list[Any]:
                rows = place.db.many(row, name, **values)
                import_sheet(other, 1, 1, sheet)
                return rows

            def value(self, name: str, **values: object) -> Any:
                return place.db.value(name, **values)

        found = import_sheet(Overtaken(), 1, 1, sheet)
    assert found == Imported(0, 0, 0, 2, found.complaints, [])
    assert "just taken by another import" in found.complaints[0].why
    assert len(stored_questions(place.db, 1, 1)) == 2


@pytest.mark.parametrize("suffix", ["csv", "json", "apkg"])
def test_export__and_import_into_another_topic_give_the_same_questions(
    run: Run, place: Place, tmp_path: Path, suffix: str
) -> None:
    rows = ('a,"둘째 줄\n""인용"", <b>",x,y,z,2,"왜,\n그런가",한글 태그;b', "b,q2,1,2,,1,,")
    first = run("import", csv_file(tmp_path, *rows), "--topic", "한 주제")
    place.db.connection.execute(
        "INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, correct_choice, exam_name, exam_round, "
        "exam_number) VALUES (1, 'by hand', 'a', 'b', 2, '기사', 3, 20)"
    )
    file = tmp_path / f"out.{suffix}"
    assert run("export", file, "--topic", "한 주제")["questions"] == 3
    assert counts(run("import", file, "--topic", "한 주제")) == (0, 0, 3, 0)
    second = run("import", file, "--topic", "다른 주제")
    assert counts(second) == (3, 0, 0, 0)
    before, after = (stored_questions(place.db, 1, said["topic_id"]) for said in (first, second))
    assert before == after
    assert before[0].text == '둘째 줄\n"인용", <b>'


def test_export__refuses_an_unknown_topic_and_an_unknown_form(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SeodangError, match="no topic 't'"):
        run("export", tmp_path / "a.csv", "--topic", "t")
    run("topic", "add", "t")
    with pytest.raises(ImportRefused, match="is not written"):
        run("export", tmp_path / "a.xlsx", "--topic", "t")
    assert not (tmp_path / "a.xlsx").exists()


def test_topic__is_added_listed_tied_and_untied(run: Run, db: psycopg.Connection) -> None:
    document(db, 7)
    document(db, 8, "소방")
    made = run("topic", "add", "전기", "--description", "기사", "--scheduler", "fsrs")
    assert (made["name"], made["scheduler"]) == ("전기", "fsrs")
    with pytest.raises(SeodangError, match="already"):
        run("topic", "add", "전기")
    with pytest.raises(SeodangError, match="1 to 200 characters"):
        run("topic", "add", " ")
    assert run("topic", "tie", "전기", "7", "소방")["tied"] == [7, 8]
    assert run("topic", "tie", made["id"], "7")["tied"] == []
    (listed,) = run("topic", "list")["topics"]
    assert (listed["name"], listed["questions"], listed["documents"], listed["note_status"]) == ("전기", 0, 2, "none")
    assert run("topic", "untie", "전기", "7")["untied"] == [7]
    assert db.execute("SELECT document_id FROM study_topic_documents").fetchall() == [(8,)]


def test_topic__is_found_by_name_before_number(run: Run, db: psycopg.Connection) -> None:
    run("topic", "add", "first")
    run("topic", "add", "1")
    document(db, 7)
    assert run("topic", "tie", "1", "7")["topic_id"] == 2
    assert run("topic", "tie", "FIRST", "7")["topic_id"] == 1


def test_queue__lists_and_retries_what_failed_of_the_bank(place: Place, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO study_topics (name) VALUES ('소방')")
    db.execute("INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, correct_choice, "
               "ai_explanation_status) VALUES (1, '작동 압력은?', 'a', 'b', 1, 'failed')")  # fmt: skip
    db.execute("INSERT INTO study_quizzes (study_topic_id) VALUES (1)")
    for of in ("study_question", "study_topic", "study_quiz"):
        for _ in range(2):
            db.execute(f"INSERT INTO {of}_jobs ({of}_id, status, error_code, completed_at) "
                       "VALUES (1, 'failed', 'guard_fail', now())")  # fmt: skip
    failed = list_queue(place, None, None).failed
    assert sorted((row.stage, row.name.split(" of ")[0], row.id) for row in failed) == [
        ("analysis", "quiz 1", 2),
        ("explanation", "작동 압력은?", 2),
        ("note", "소방", 2),
    ]
    new = retry(place, Choice(code="guard_fail")).new
    assert {name: count for name, count in new.items() if count} == {
        "study_question_jobs": 1,
        "study_topic_jobs": 1,
        "study_quiz_jobs": 1,
    }
    waiting = "SELECT payload ->> 'retry_of' FROM study_question_jobs WHERE status = 'pending'"
    assert db.execute(waiting).fetchall() == [("2",)]
    assert db.execute("SELECT ai_explanation_status FROM study_questions").fetchall() == [("pending",)]
    assert sum(retry(place, Choice()).new.values()) == 0
