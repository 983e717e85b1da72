"""From a file to the bank: which form it has, what of it is new, changed or as it was, and what is refused and why.

In: bytes, a file's name and a topic. Out: counts and complaints by row; every row is a statement of its own, so that a
bad one stops no other, and the same file again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

from db.errors import Conflict, Refused
from db.study_rows import QuestionText
from services.study.bank import Complaint, ImportRefused, Question, RawRow, Sheet, question_of, read_question
from services.study.ports_anki import read_anki, write_anki
from services.study.ports_csv import read_csv, write_csv
from services.study.ports_json import read_json, write_json

MAX_FILE_BYTES = 256 * 2**20
READERS = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".apkg": read_anki,
}
WRITTEN = (".csv", ".json", ".apkg")
KEPT_WITHOUT_COLUMN = {
    "explanation": "explanation",
    "exam": "exam_name",
    "round": "exam_round",
    "number": "exam_number",
    "tags": "tags",
}
"""What a file says nothing of stays as it is: by the field in files, the attribute of a question."""

Row = TypeVar("Row")


class Statements(Protocol):
    """Named queries, one after the other, each a transaction (db/plain.py)."""

    def many(self, row: type[Row], name: str, **values: object) -> list[Row]:
        """Run a query and give its rows."""

    def value(self, name: str, **values: object) -> Any:
        """Run a query and give its first value."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's rows; a refused row has one complaint or several."""

    new: int
    changed: int
    same: int
    refused: int
    complaints: Sequence[Complaint]
    ignored_columns: Sequence[str]


def read_file(name: str, content: bytes) -> Sheet:
    """Read a file by the ending of its name.

    Raises:
        ImportRefused: the ending is unknown, or the file is not what it says.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == ".colpkg":
        raise ImportRefused("A .colpkg holds a whole collection: in Anki export the deck as .apkg.")
    if suffix not in READERS:
        raise ImportRefused(f"The form {suffix or 'of a name without ending'} is not known: {', '.join(READERS)} are.")
    if len(content) > MAX_FILE_BYTES:
        raise ImportRefused(f"The file has over {MAX_FILE_BYTES:,} bytes: divide it.")
    return READERS[suffix](content)


def write_file(name: str, questions: Sequence[Question], topic: str, at: float) -> bytes:
    """Write the questions of a topic in the form of the ending; `at` is the time, in seconds since 1970.

    Raises:
        ImportRefused: there is no such form.
    """
    match PurePath(name).suffix.lower():
        case ".csv":
            return write_csv(questions)
        case ".json":
            return write_json(questions, topic)
        case ".apkg":
            return write_anki(questions, topic, at)
        case other:
            raise ImportRefused(f"The form {other or 'of a name without ending'} is not written: {', '.join(WRITTEN)}.")


def stored_questions(db: Statements, user_id: int, topic_id: int) -> list[Question]:
    """Give the living questions of a topic in the order in which they came."""
    rows = db.many(QuestionText, "study_questions_of_topic", user_id=user_id, topic_id=topic_id)
    return [question_of(row) for row in rows]


def import_sheet(db: Statements, user_id: int, topic_id: int, sheet: Sheet, first_choice: int = 0) -> Imported:
    """Store what is good of a sheet in a topic.

    Args:
        first_choice: what the field `correct` calls the first choice, 0 or 1.
    """
    rows = db.many(QuestionText, "study_questions_of_topic", user_id=user_id, topic_id=topic_id)
    storing = _Storing(db, user_id, topic_id, {row.source_key: row for row in rows}, first_choice)
    counts = {"new": 0, "changed": 0, "same": 0}
    complaints = list(sheet.refused)
    for row in sheet.rows:
        became = storing.store(row)
        if isinstance(became, str):
            counts[became] += 1
        else:
            complaints += became
    complaints.sort(key=lambda each: each.row)
    return Imported(
        **counts,
        refused=len({each.row for each in complaints}),
        complaints=complaints,
        ignored_columns=sheet.ignored,
    )


class _Storing:
    """Stores row after row, and remembers which row of the file had which key."""

    def __init__(
        self, db: Statements, user_id: int, topic_id: int, known: dict[str, QuestionText], first_choice: int
    ) -> None:
        self.db, self.user_id, self.topic_id, self.known = db, user_id, topic_id, known
        self.first_choice = first_choice
        self.seen: dict[str, int] = {}

    def store(self, row: RawRow) -> str | list[Complaint]:
        read = read_question(row, self.first_choice)
        if isinstance(read, list):
            return read
        if (first := self.seen.setdefault(read.key, row.number)) != row.number:
            why = f"is that of row {first}, or both ask the same: leave one out, or give each an id of its own."
            return [Complaint(row.number, "id", why)]
        former = self.known.get(read.key)
        try:
            return self._insert(read) if former is None else self._update(row, read, former)
        except Conflict:
            return [Complaint(row.number, "id", "was just taken by another import: import the file again.")]
        except Refused as error:
            return [Complaint(row.number, "", f"is refused by the database: {error}")]

    def _insert(self, question: Question) -> str:
        said = _said(question) | {"topic_id": self.topic_id, "source_key": question.key}
        self.db.value("insert_study_question", user_id=self.user_id, **said)
        return "new"

    def _update(self, row: RawRow, question: Question, former: QuestionText) -> str:
        before = question_of(former)
        kept = {name: getattr(before, name) for field, name in KEPT_WITHOUT_COLUMN.items() if field not in row.values}
        after = replace(question, **kept)
        if after == before:
            return "same"
        if self.db.value("update_study_question", id=former.id, user_id=self.user_id, **_said(after)) is None:
            raise Conflict("The question was deleted meanwhile.")
        return "changed"


def _said(question: Question) -> dict[str, Any]:
    return {
        "text": question.text,
        "choices": list(question.choices),
        "correct_choice": question.correct,
        "explanation": question.explanation,
        "exam_name": question.exam_name,
        "exam_round": question.exam_round,
        "exam_number": question.exam_number,
        "tags": list(question.tags),
    }
