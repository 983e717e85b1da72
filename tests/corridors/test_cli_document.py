"""`seodang document`: what a person does to documents from the shell."""

import json
from datetime import date
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from services.command import documents
from services.kit.errors import RequestError, SeodangError
from services.kit.settings import Settings
from tests.db.test_life import JOBS, add


class Shell:
    """Commands of the group in the test's database."""

    def run(self, *arguments: str, answer: str = "") -> str:
        done = CliRunner().invoke(documents.group, list(arguments), input=answer)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def shell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(documents, "_settings", lambda: settings)
    return Shell()


def test_document__is_deleted_listed_restored_and_purged(shell: Shell, db: psycopg.Connection) -> None:
    number = str(add(db, title="점검 지침"))
    assert [row["title"] for row in shell.json("ls")["documents"]] == ["점검 지침"]
    assert "brings it back for 30 days" in shell.run("delete", number)
    assert shell.json("ls") == {"documents": []}
    (row,) = shell.json("ls", "--deleted")["documents"]
    assert (row["id"], row["deleted_why"]) == (int(number), "user")
    assert shell.json("show", number)["deleted_at"]
    assert shell.json("restore", number) == {"document_id": int(number), "verdict": "restored"}
    assert "There are none." in shell.run("ls", "--deleted")
    assert shell.json("purge", number, "--yes") == {"document_id": int(number), "purged": True}
    for verb in ("show", "delete", "restore", "purge"):
        with pytest.raises(SeodangError, match=f"There is no document {number}"):
            shell.run(verb, number)


def test_purge__asks_first(shell: Shell, db: psycopg.Connection) -> None:
    number = str(add(db))
    shell.run("purge", number, answer="n\n")
    assert shell.json("show", number)["id"] == int(number)
    shell.run("purge", number, answer="y\n")
    assert db.execute("SELECT count(*) FROM documents").fetchone() == (0,)


def test_set__writes_words_and_clears_empty_ones(shell: Shell, db: psycopg.Connection) -> None:
    number = add(db, extracted_text="안전법\n[시행 2024. 1. 1.]", title="안전법", jurisdiction="KR")
    words = ("material_type=law", "license=kogl", "published_date=2024-02-03", "jurisdiction=")
    shown = shell.json("set", str(number), *words)
    assert (shown["material_type"], shown["jurisdiction"], shown["published_date"]) == ("law", None, "2024-02-03")
    assert shown["extract_meta"]["license"] == {"name": "kogl", "restricted": False}
    assert (shown["series"], shown["effective_date"], shown["version_status"]) == ("안전법", "2024-01-01", "current")
    assert db.execute(JOBS, [number]).fetchall() == [("classify", "pending")]  # it may say the jurisdiction again


def test_set__of_a_licences_name_leaves_a_bought_book_restricted(shell: Shell, db: psycopg.Connection) -> None:
    number = str(add(db, extract_meta='{"license": {"restricted": true}}'))
    assert shell.json("set", number, "license=own")["extract_meta"]["license"] == {"name": "own", "restricted": True}
    freed = shell.json("set", number, 'license={"name": "own", "restricted": false}')
    assert freed["extract_meta"]["license"] == {"name": "own", "restricted": False}


def test_restore__names_the_document_that_has_the_content(shell: Shell, db: psycopg.Connection) -> None:
    former = add(db)
    shell.run("delete", str(former))
    present = add(db)
    with pytest.raises(SeodangError, match=f"document {present} now"):
        shell.run("restore", str(former))


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("title", "name=value"),
        ("colour=red", "colour"),
        ("published_date=soon", "published_date"),
        ("license={", "no JSON object"),
    ],
)
def test_patch__says_what_is_wrong_with_a_word(word: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint):
        documents.patch_of([word])


def test_patch__reads_a_licence_as_json() -> None:
    said = documents.patch_of(['license={"name": "own", "restricted": true}', "effective_date=2024-01-01"])
    assert said.fields() == {"license": {"name": "own", "restricted": True}, "effective_date": "2024-01-01"}
    assert said.effective_date == date(2024, 1, 1)
