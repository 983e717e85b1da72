"""`seodang document`: list, show, set fields, delete, restore, purge."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from db.life_rows import DeletedDocument, Restored
from db.rows import DocumentRow
from services.command.place import Place, opened_place
from services.command.show import emit, out, table
from services.document.life import law_values
from services.kit.errors import RequestError, SeodangError
from services.kit.log import set_up_logging
from services.kit.settings import Settings, load_settings
from services.text.law import HEAD_CHARS
from services.web.document_wire import DocumentPatch
from services.web.wire import shown

OWNER = 1
group = typer.Typer(no_args_is_help=True, help="The life of a document: fields, deletion, restoration.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Most = Annotated[int, typer.Option("--limit", min=1, help="At the most so many, newest first.")]
Deleted = Annotated[bool, typer.Option("--deleted", help="Those that can be restored.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format, "cli")
    return settings


@group.command("ls")
def ls(deleted: Deleted = False, limit: Most = 50, as_json: AsJson = False) -> None:
    """List documents, or the deleted ones."""
    with opened_place(_settings()) as place:
        rows: Sequence[DocumentRow | DeletedDocument] = _deleted(place, limit) if deleted else _living(place, limit)
    emit({"documents": rows}, as_json, lambda _: _show_rows(rows))


def _living(place: Place, limit: int) -> list[DocumentRow]:
    asked = {"user_id": OWNER, "material_type": None, "collection": None, "before": None}
    return place.db.many(DocumentRow, "list_documents", hidden=[], most=limit, **asked)


def _deleted(place: Place, limit: int) -> list[DeletedDocument]:
    asked = {"user_id": OWNER, "material_type": None, "collection": None, "before": None}
    return place.db.many(DeletedDocument, "list_deleted_documents", most=limit, **asked)


def _show_rows(rows: Sequence[DocumentRow | DeletedDocument]) -> None:
    cells = [(row.id, row.title, row.material_type, row.collection, row.page_count, _state(row)) for row in rows]
    table("", ("id", "title", "kind", "collection", "pages", ""), cells)
    if not rows:
        out.print("There are none.")


def _state(row: DocumentRow | DeletedDocument) -> str:
    if isinstance(row, DeletedDocument):
        return f"deleted {row.deleted_at:%Y-%m-%d %H:%M} ({row.deleted_why or 'by hand'})"
    return row.version_status or ""


@group.command("show")
def show(document_id: int, as_json: AsJson = False) -> None:
    """Show what is known of a document, also of a deleted one."""
    with opened_place(_settings()) as place:
        row = _row(place, document_id)
    emit(asdict(row), as_json, lambda values: table("", ("field", "value"), list(values.items())))


def _row(place: Place, document_id: int) -> DocumentRow | DeletedDocument:
    living = place.db.one(DocumentRow, "document", id=document_id)
    found = living or place.db.one(DeletedDocument, "deleted_document", id=document_id)
    if found is None:
        raise _missing(document_id)
    return found


def _missing(document_id: int) -> SeodangError:
    return SeodangError(f"There is no document {document_id}: `seodang document ls` lists them.")


@group.command("set")
def set_(document_id: int, fields: list[str], as_json: AsJson = False) -> None:
    """Set fields, as title=…, material_type=law, license=kogl; an empty value clears one."""
    said = patch_of(fields)
    with opened_place(_settings()) as place:
        number = place.db.value("set_document_fields", id=document_id, fields=said.fields())
        if number is None:
            raise _missing(document_id)
        if said.material_type == "law":
            _fill_law_version(place, int(number))
        row = _row(place, int(number))
    emit(asdict(row), as_json, lambda _: out.print(f"Document {row.id} is changed."))


def patch_of(fields: Sequence[str]) -> DocumentPatch:
    """Read `name=value` words; a licence is its name or a JSON object, an empty value clears the field.

    Raises:
        RequestError: a word has no sign of equality, an unknown name, or a value of the wrong kind.
    """
    said: dict[str, Any] = {}
    for word in fields:
        name, equals, value = word.partition("=")
        if not equals:
            raise RequestError(400, "invalid_request", f"Write {word!r} as name=value.")
        said[name.strip()] = (_license(value) if name.strip() == "license" else value) or None
    try:
        return DocumentPatch.model_validate(said)
    except ValidationError as error:
        raise RequestError(400, "invalid_request", shown(error.errors())) from error


def _license(value: str) -> Any:
    if not value.lstrip().startswith("{"):
        return {"name": value} if value else None
    try:
        return json.loads(value)
    except ValueError as error:
        raise RequestError(400, "invalid_request", f"The licence is no JSON object: {error}") from error


def _fill_law_version(place: Place, number: int) -> None:
    row = _row(place, number)
    head = place.db.value("head_of_document", id=number, chars=HEAD_CHARS) or ""
    place.db.value("note_law_version", id=number, **law_values(row.title, row.filename, head))


@group.command("delete")
def delete(document_id: int, as_json: AsJson = False) -> None:
    """Take a document out of list, search and answers; it can be restored."""
    with opened_place(_settings()) as place:
        done = bool(place.db.value("delete_document", id=document_id))
        days = place.settings.documents.purge_after_days
    if not done:
        raise _missing(document_id)
    until = f"for {days} days" if days else "until it is purged"
    said = f"Document {document_id} is deleted; `seodang document restore {document_id}` brings it back {until}."
    emit({"document_id": document_id, "deleted": True}, as_json, lambda _: out.print(said))


@group.command("restore")
def restore(document_id: int, as_json: AsJson = False) -> None:
    """Bring a deleted document back, under its number."""
    with opened_place(_settings()) as place:
        found = place.db.one(Restored, "restore_document", id=document_id)
    if found is None:
        raise _missing(document_id)
    if found.verdict == "content_elsewhere":
        raise SeodangError(f"The same content is document {found.document_id} now: use that one.")
    if found.verdict == "nothing_kept":
        raise SeodangError("Nothing of this document was kept: add its file again.")
    said = "was not deleted" if found.verdict == "alive" else "is back; it is found again when it is embedded"
    emit(asdict(found), as_json, lambda _: out.print(f"Document {found.document_id} {said}."))


@group.command("purge")
def purge(document_id: int, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a document for good: text, pages, summary and stored file."""
    with opened_place(_settings()) as place:
        row = _row(place, document_id)
        if not yes:
            typer.confirm(f"Remove “{row.title}” for good?", abort=True, err=True)
        place.db.value("purge_document", id=row.id)
    emit({"document_id": row.id, "purged": True}, as_json, lambda _: out.print(f"Document {row.id} is gone for good."))
