"""Questions as an Anki package: written with a note type of our own, read through the package's SQLite.

In: the bytes of an .apkg. Out: rows by field; of other people's decks those whose notes have fields for choices, or
choices in lines of their own. Refuses packages in the newest form only, and says how Anki writes the older one.
"""

import hashlib
import io
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import genanki

from services.study.anki_text import holds_picture, one_of_flags, split_question, to_html, to_text
from services.study.bank import CHOICES, FIELDS, Complaint, ImportRefused, Question, RawRow, Sheet, field_named

NOTE_TYPE, NOTE_TYPE_ID = "Seodang question", 1_608_250_417
"""The number is what Anki knows the type by: with another one a second type would appear beside the first."""
NOTE_FIELDS = FIELDS[1:]
"""All but the id, which is the note's guid."""
MAX_COLLECTION_BYTES = 512 * 2**20
"""Of the SQLite file; a deck of 50,000 notes has about 50 MB."""
LEGACY, NEWEST = ("collection.anki21", "collection.anki2"), "collection.anki21b"
NOTES_SQL = Path(__file__).with_name("anki_notes.sql")
FIELD_END = "\x1f"

_FRONT = "{{question}}" + "".join(f"{{{{#{name}}}}}<br>{name[-1]}. {{{{{name}}}}}{{{{/{name}}}}}" for name in CHOICES)
_BACK = "{{FrontSide}}<hr id=answer>{{answer}}<br>{{explanation}}"


def read_anki(content: bytes) -> Sheet:
    """Read the notes of a package.

    Raises:
        ImportRefused: it is no package of Anki, or one in the newest form.
    """
    rows: list[RawRow] = []
    refused: list[Complaint] = []
    ignored: dict[str, None] = {}
    for number, (guid, tags, fields, type_name, type_fields) in enumerate(_notes(_collection(content)), 1):
        names = [str(each["name"]) for each in json.loads(type_fields or "[]")]
        given = dict(zip(names, str(fields).split(FIELD_END), strict=False))
        ours = type_name == NOTE_TYPE
        values = _own(given, str(tags)) if ours else _foreign(given, str(tags))
        shown = [name for name in ("question", *CHOICES) if holds_picture(_field(given, name))]
        if shown:
            why = "shows a picture or plays a sound, which a question here cannot: write it in words."
            refused.append(Complaint(number, shown[0], why))
            continue
        if not any(name in values for name in CHOICES):
            why = "has no choices: give the note fields choice_1, choice_2, …, or lines ① …, ② … below the question."
            refused.append(Complaint(number, "choices", why))
            continue
        ignored.update(dict.fromkeys(name for name in names if field_named(name) is None))
        rows.append(RawRow(number, {"id": str(guid), **values}))
    return Sheet(rows, tuple(ignored), refused)


def _collection(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
            if NEWEST in names:
                raise ImportRefused(
                    "The package is in Anki's newest form: in Anki choose File, Export, tick “Support older Anki "
                    "versions”, and import the file that this makes."
                )
            name = next((each for each in LEGACY if each in names), None)
            if name is None:
                raise ImportRefused("The file is no package of Anki: export the deck from Anki as .apkg.")
            with package.open(name) as file:
                found = file.read(MAX_COLLECTION_BYTES + 1)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ImportRefused(f"The package cannot be opened ({error}): export the deck from Anki again.") from error
    if len(found) > MAX_COLLECTION_BYTES:
        raise ImportRefused(f"The package unpacks to over {MAX_COLLECTION_BYTES:,} bytes: export fewer decks.")
    return found


def _notes(collection: bytes) -> list[tuple[Any, ...]]:
    with tempfile.TemporaryDirectory(prefix="seodang-anki-") as folder:
        path = Path(folder) / "collection.sqlite"
        path.write_bytes(collection)
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as notes:
                notes.execute("PRAGMA trusted_schema = OFF")  # a stranger's file: its own functions are not called
                return notes.execute(NOTES_SQL.read_text(encoding="utf-8")).fetchall()
        except sqlite3.Error as error:
            raise ImportRefused(f"The package's collection is damaged ({error}): export the deck again.") from error


def _field(given: dict[str, str], wanted: str) -> str:
    return next((value for name, value in given.items() if field_named(name) == wanted), "")


def _own(given: dict[str, str], tags: str) -> dict[str, Any]:
    """Read a note of ours. Anki knows tags without spaces only: where they are as they were written, ours are exact."""
    values: dict[str, Any] = {name: to_text(given.get(name, "")) for name in NOTE_FIELDS}
    try:
        exact = json.loads(values["tags"] or "[]")
    except ValueError:
        exact = None
    if not isinstance(exact, list) or _anki_tags([str(each) for each in exact]) != tags.split():
        values["tags"] = tags.split()
    return values


def _foreign(given: dict[str, str], tags: str) -> dict[str, Any]:
    """Read somebody else's note by the names of its fields, else by the lines of its first."""
    texts = {name: to_text(value).replace("\xa0", " ").strip() for name, value in given.items()}
    values: dict[str, Any] = {"tags": tags.split()}
    for name, text in texts.items():
        if (field := _foreign_field(name)) and field not in ("id", "tags"):
            values.setdefault(field, text)
    if any(name in values for name in CHOICES):
        return values | {"answer": one_of_flags(str(values.get("answer", "")))}
    first, second = [*texts.values(), "", ""][:2]
    found = split_question(first, second)
    return {**values, **found} if found else values


def _foreign_field(name: str) -> str | None:
    also = {"answers": "answer", "back": "answer", "extra": "explanation", "extra1": "explanation"}
    return field_named(name) or also.get(name.replace(" ", "").casefold())


def write_anki(questions: Sequence[Question], topic: str, at: float) -> bytes:
    """Write a deck named as the topic, a card for each question.

    Args:
        at: the time of the notes in seconds since 1970: Anki takes the newer one of two notes with the same guid.
    """
    deck = genanki.Deck(_number_of(topic), topic)
    for each in questions:
        deck.add_note(genanki.Note(_note_type(), _note_fields(each), guid=each.key, tags=_anki_tags(each.tags)))
    with closing(sqlite3.connect(":memory:")) as collection:
        # By hand, because the package's own way leaves its SQLite file in the folder for temporary files.
        genanki.Package(deck).write_to_db(collection.cursor(), at, iter(range(int(at * 1000), 2**62)))
        collection.commit()
        content = collection.serialize()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("collection.anki2", content)
        package.writestr("media", "{}")
    return written.getvalue()


def _note_type() -> genanki.Model:
    fields = [{"name": name} for name in NOTE_FIELDS]
    templates = [{"name": "question", "qfmt": _FRONT, "afmt": _BACK}]
    return genanki.Model(NOTE_TYPE_ID, NOTE_TYPE, fields=fields, templates=templates)


def _note_fields(question: Question) -> list[str]:
    said = {
        "question": question.text,
        **dict(zip(CHOICES, question.choices, strict=False)),
        "answer": question.correct,
        "explanation": question.explanation,
        "exam": question.exam_name,
        "round": question.exam_round,
        "number": question.exam_number,
        "tags": json.dumps(question.tags, ensure_ascii=False) if question.tags else "",
    }
    return [to_html(str(said.get(name) or "")) for name in NOTE_FIELDS]


def _anki_tags(tags: Sequence[str]) -> list[str]:
    return ["_".join(tag.split()) for tag in tags]


def _number_of(topic: str) -> int:
    """Give a deck the same number whenever its topic is written, so that Anki finds it again."""
    return 2**30 + int.from_bytes(hashlib.sha256(topic.encode()).digest()[:4], "big") % 2**30
