"""`seodang study`: the question bank's files and topics. Quizzes are in study_quiz.py."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from db.study_rows import DocumentToTie, ListedTopic, TiedDocument, TopicRow
from services.command import study_quiz
from services.command.place import Place, opened_place
from services.command.show import emit, out, table
from services.kit.errors import RequestError, SeodangError
from services.kit.log import set_up_logging
from services.kit.settings import Settings, load_settings
from services.study.bank import Sheet
from services.study.importing import Imported, import_sheet, read_file, stored_questions, write_file
from services.web.wire import clean

OWNER = 1
COMPLAINTS_SHOWN = 50
"""Lines on the screen; --json has all."""
MAX_NAME_CHARS = 200
"""The rule study_topics_name_length."""

group = typer.Typer(no_args_is_help=True, help="The question bank: files, topics, quizzes.")
topics = typer.Typer(no_args_is_help=True, help="Topics, and the documents that explain their questions.")
group.add_typer(topics, name="topic")
study_quiz.register(group)


class Scheduler(StrEnum):
    """How the days of review are chosen: after 3, 7 and 14 days, or by FSRS."""

    STEPS = "steps"
    FSRS = "fsrs"


AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The ending says the form: .csv, .json, .apkg, …")]
Topic = Annotated[str, typer.Option("--topic", help="A topic's name or number.")]
TopicName = Annotated[str, typer.Argument(metavar="TOPIC", help="A topic's name or number.")]
DOCUMENTS_HELP = "A document's number, or a collection: all of it. May be given several times."
Documents = Annotated[list[str] | None, typer.Option("--documents", help=DOCUMENTS_HELP)]
DocumentNames = Annotated[list[str], typer.Argument(metavar="DOCUMENT…", help=DOCUMENTS_HELP)]
FirstChoice = Annotated[
    int, typer.Option("--first-choice", min=0, max=1, help="What the field `correct` calls the first choice.")
]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: the topic, whether it was made, the rows, and how many documents were tied to it."""

    topic_id: int
    topic: str
    topic_is_new: bool
    rows: Imported
    documents_tied: int


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format, "cli")
    return settings


@group.command("import")
def import_(
    file: File, topic: Topic, documents: Documents = None, first_choice: FirstChoice = 0, as_json: AsJson = False
) -> None:
    """Take the questions of a file into a topic, which is made if it is new; the same file again changes nothing."""
    sheet = read_file(file.name, _content(file))
    with opened_place(_settings()) as place:
        report = import_questions(place, sheet, topic, documents or [], first_choice)
    emit(asdict(report), as_json, lambda _: show_import(report))
    raise typer.Exit(1 if report.rows.refused else 0)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SeodangError(f"{file} cannot be read: {error.strerror}.") from error


def import_questions(
    place: Place, sheet: Sheet, topic: str, documents: Sequence[str], first_choice: int
) -> ImportReport:
    """Store a sheet in a topic and tie documents to that; the documents are looked for before anything is made.

    Raises:
        SeodangError: a document or collection is not there.
    """
    chosen = _documents_named(place, documents)
    found = _find_topic(place, topic)
    at = found or _make_topic(place, topic, "", Scheduler.STEPS)
    rows = import_sheet(place.db, OWNER, at.id, sheet, first_choice)
    tied = _tie(place, at.id, chosen)
    return ImportReport(at.id, at.name, found is None, rows, len(tied))


def show_import(report: ImportReport) -> None:
    """Print the counts, and every refused row with what to do."""
    rows = report.rows
    made = " (made now)" if report.topic_is_new else ""
    counts = f"{rows.new} new, {rows.changed} changed, {rows.same} as before, {rows.refused} refused"
    out.print(f"Topic {report.topic}{made}: {counts}.", highlight=False, markup=False)
    for each in rows.complaints[:COMPLAINTS_SHOWN]:
        field = f" {each.field}" if each.field else ""
        out.print(f"row {each.row}:{field} {each.why}", highlight=False, markup=False)
    if len(rows.complaints) > COMPLAINTS_SHOWN:
        out.print(f"… and {len(rows.complaints) - COMPLAINTS_SHOWN} more: see --json.")
    if rows.ignored_columns:
        out.print(f"Not read: {', '.join(rows.ignored_columns)}.", highlight=False, markup=False)
    if report.documents_tied:
        out.print(f"{report.documents_tied} documents are tied to the topic now.")


@group.command("export")
def export(file: File, topic: Topic, as_json: AsJson = False) -> None:
    """Write the questions of a topic to a file, from which they can be imported again; nothing is lost."""
    with opened_place(_settings()) as place:
        found = _topic(place, topic)
        questions = stored_questions(place.db, OWNER, found.id)
    content = write_file(file.name, questions, found.name, time.time())
    try:
        file.write_bytes(content)
    except OSError as error:
        raise SeodangError(f"{file} cannot be written: {error.strerror}.") from error
    said = {"file": str(file), "topic_id": found.id, "questions": len(questions)}
    emit(
        said, as_json, lambda _: out.print(f"{len(questions)} questions are in {file}.", highlight=False, markup=False)
    )


@topics.command("list")
def list_(as_json: AsJson = False) -> None:
    """List topics with their questions and documents."""
    with opened_place(_settings()) as place:
        rows = place.db.many(ListedTopic, "list_study_topics", user_id=OWNER)
    emit({"topics": rows}, as_json, lambda _: _show_topics(rows))


def _show_topics(rows: Sequence[ListedTopic]) -> None:
    cells = [(row.id, row.name, row.questions, row.documents, row.scheduler, row.note_status) for row in rows]
    table("", ("id", "topic", "questions", "documents", "review", "note"), cells)
    if not rows:
        out.print("There is no topic yet: `seodang study import FILE --topic NAME` makes one.")


@topics.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    scheduler: Annotated[Scheduler, typer.Option(help="How the days of review are chosen.")] = Scheduler.STEPS,
    as_json: AsJson = False,
) -> None:
    """Make a topic."""
    with opened_place(_settings()) as place:
        made = _make_topic(place, name, description, scheduler)
    emit(asdict(made), as_json, lambda _: out.print(f"Topic {made.id} is {made.name}.", highlight=False, markup=False))


@topics.command("tie")
def tie(topic: TopicName, documents: DocumentNames, as_json: AsJson = False) -> None:
    """Tie documents to a topic: its questions are explained from them."""
    with opened_place(_settings()) as place:
        found = _topic(place, topic)
        done = _tie(place, found.id, _documents_named(place, documents))
    said = {"topic_id": found.id, "tied": [row.id for row in done]}
    emit(said, as_json, lambda _: out.print(f"{len(done)} documents are tied to the topic now.", highlight=False))


@topics.command("untie")
def untie(topic: TopicName, documents: DocumentNames, as_json: AsJson = False) -> None:
    """Untie documents from a topic; the documents stay."""
    with opened_place(_settings()) as place:
        found = _topic(place, topic)
        ids = [row.id for row in _documents_named(place, documents)]
        done = place.db.many(TiedDocument, "untie_documents", topic_id=found.id, document_ids=ids)
    said = {"topic_id": found.id, "untied": [row.id for row in done]}
    emit(said, as_json, lambda _: out.print(f"{len(done)} documents are untied from the topic.", highlight=False))


def _find_topic(place: Place, named: str) -> TopicRow | None:
    return place.db.one(TopicRow, "study_topic", user_id=OWNER, named=clean(named))


def _topic(place: Place, named: str) -> TopicRow:
    found = _find_topic(place, named)
    if found is None:
        raise SeodangError(f"There is no topic {named!r}: `seodang study topic list` lists them.")
    return found


def _make_topic(place: Place, name: str, description: str, scheduler: Scheduler) -> TopicRow:
    said = clean(name)
    if not 1 <= len(said) <= MAX_NAME_CHARS:
        sentence = f"A topic's name has 1 to {MAX_NAME_CHARS} characters, this one {len(said)}."
        raise RequestError(400, "bad_name", sentence, "Choose another one.")
    values = {"topic": said, "description": clean(description), "scheduler": str(scheduler)}
    made = place.db.one(TopicRow, "insert_study_topic", user_id=OWNER, **values)
    if made is None:
        raise SeodangError(f"There is a topic {said!r} already: use it, or choose another name.")
    return made


def _documents_named(place: Place, named: Sequence[str]) -> list[DocumentToTie]:
    """Find documents by number or collection.

    Raises:
        SeodangError: one of the names stands for none.
    """
    named = [clean(word) for word in named]
    ids = [int(word) for word in named if word.isascii() and word.isdigit()]
    collections = [word for word in named if not (word.isascii() and word.isdigit())]
    if not named:
        return []
    found = place.db.many(DocumentToTie, "documents_to_tie", user_id=OWNER, ids=ids, collections=collections)
    known = {str(row.id) for row in found} | {row.collection for row in found}
    unknown = [word for word in named if (str(int(word)) if word.isascii() and word.isdigit() else word) not in known]
    if unknown:
        raise SeodangError(f"There is no document or collection {', '.join(unknown)}: see `seodang document ls`.")
    return found


def _tie(place: Place, topic_id: int, documents: Sequence[DocumentToTie]) -> list[TiedDocument]:
    ids = [row.id for row in documents]
    return place.db.many(TiedDocument, "tie_documents", topic_id=topic_id, document_ids=ids)
