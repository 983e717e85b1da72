"""From a row of the inbox to a document with pages, or to a reason why not."""

import unicodedata
from pathlib import Path

import anyio
import docx
import psycopg
import pytest

from services.kit.settings import load_settings
from services.tools import Tools
from tests.fakes.docx_writer import saved
from tests.fakes.pdf_writer import pdf
from tests.stages.conftest import Drain, all_rows, only

pytestmark = pytest.mark.anyio

DOCUMENT = "SELECT * FROM documents WHERE deleted_at IS NULL"
INBOX = "SELECT * FROM inbox WHERE id = %s"


def offer(db: psycopg.Connection, path: Path, **columns: object) -> int:
    """Put a path into the inbox; gives the row's id."""
    names, marks = ", ".join(["path", *columns]), ", ".join(["%s"] * (1 + len(columns)))
    found = db.execute(f"INSERT INTO inbox ({names}) VALUES ({marks}) RETURNING id", [str(path), *columns.values()])
    return int(found.fetchone()[0])  # type: ignore[index]


def upload(db: psycopg.Connection, name: str, content: bytes) -> int:
    """Put content into the inbox; gives the row's id."""
    found = db.execute("INSERT INTO inbox (filename, content) VALUES (%s, %s) RETURNING id", [name, content])
    return int(found.fetchone()[0])  # type: ignore[index]


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def test_ingest__makes_a_document_of_a_file(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "안전.md", "# 안전밸브\n\n작동 압력은 1.1배이다.\n")
    inbox_id = offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["document_id"], row["attempts"]) == ("completed", document["id"], 1)
    assert (document["title"], document["filename"], document["media_type"]) == ("안전밸브", "안전.md", "text/markdown")
    assert (document["page_count"], document["pages_version"], document["corpus_version"]) == (1, 1, 0)
    assert document["size_bytes"] == path.stat().st_size
    page = only(db, "SELECT * FROM document_pages")
    assert "작동 압력은 1.1배이다." in page["text"]
    assert document["extracted_text"] == page["text"]
    file = only(db, "SELECT * FROM document_files")
    assert (file["path"], file["modified_ns"]) == (str(path), path.stat().st_mtime_ns)
    job = only(db, "SELECT * FROM document_jobs")
    assert (job["document_id"], job["stage"], job["status"]) == (document["id"], "embed", "pending")


async def test_ingest__keeps_the_content_that_came_without_a_path(drain: Drain, db: psycopg.Connection) -> None:
    inbox_id = upload(db, "note.txt", "한 줄".encode())
    await drain("ingest")
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["content"], row["sha256"]) == ("completed", None, None)
    stored = only(db, "SELECT * FROM stored_files")
    document = only(db, DOCUMENT)
    assert (bytes(stored["content"]), stored["sha256"]) == ("한 줄".encode(), document["sha256"])


async def test_ingest__gives_the_document_the_number_that_was_set_aside(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    values = {"filename": "a.txt", "content": b"some words", "collection": "default", "user_id": 1}
    asked = "SELECT nextval(pg_get_serial_sequence('documents', 'id'))"
    number = db.execute(asked).fetchone()[0]  # type: ignore[index]
    db.execute(
        "INSERT INTO inbox (filename, content, collection, user_id, document_id) VALUES (%s, %s, %s, %s, %s)",
        [*values.values(), number],
    )
    await drain("ingest")
    assert only(db, DOCUMENT)["id"] == number


async def test_ingest__reads_pages_with_their_lines(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    path.write_bytes(pdf([["first page", "second line"], ["둘째 쪽"]], title="제목"))
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["title"], document["page_count"]) == ("제목", 2)
    first, second = all_rows(db, "SELECT * FROM document_pages ORDER BY number")
    assert (first["number"], second["number"], second["text"].strip()) == (1, 2, "둘째 쪽")
    line = first["lines"][0]
    assert first["text"][line["s"] : line["e"]] == "first page"
    assert document["extracted_text"] == f"{first['text']}\f{second['text']}"


async def test_ingest__reads_docx(drain: Drain, db: psycopg.Connection) -> None:
    document = docx.Document()
    document.add_heading("규정", 1)
    document.add_paragraph("제1조 목적")
    upload(db, "규정.docx", saved(document))
    await drain("ingest")
    assert "제1조 목적" in only(db, DOCUMENT)["extracted_text"]


async def test_ingest__writes_names_as_people_type_them(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / unicodedata.normalize("NFD", "한글.txt"), "text")
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["title"], document["filename"]) == ("한글", "한글.txt")
    assert only(db, "SELECT path FROM document_files")["path"] == str(path)


# -- the same content again --------------------------------------------------------------------------------------------


async def test_ingest__takes_the_same_content_twice_for_one_document(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        offer(db, written(tmp_path / name, "the same"))
    upload(db, "c.txt", b"the same")
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert document["filename"] == "a.txt"
    assert {row["document_id"] for row in all_rows(db, "SELECT document_id FROM inbox")} == {document["id"]}
    assert len(all_rows(db, "SELECT * FROM document_files")) == 2
    assert len(all_rows(db, "SELECT * FROM document_jobs")) == 1
    assert len(all_rows(db, "SELECT * FROM stored_files")) == 1


async def test_ingest__by_many_daemons_at_once_makes_one_document_of_one_content(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    for number in range(12):
        offer(db, written(tmp_path / f"{number}.txt", f"content {number % 2}"))
    async with anyio.create_task_group() as daemons:
        for _ in range(4):
            daemons.start_soon(drain, "ingest")
    assert {row["status"] for row in all_rows(db, "SELECT status FROM inbox")} == {"completed"}
    assert len(all_rows(db, DOCUMENT)) == 2
    assert len(all_rows(db, "SELECT * FROM document_files")) == 12


async def test_ingest__fills_what_was_empty_and_overwrites_nothing(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    offer(db, written(tmp_path / "a.txt", "the same"), material_type="law")
    offer(db, written(tmp_path / "b.txt", "the same"), material_type="note", jurisdiction="KR", license='{"name": "x"}')
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["material_type"], document["jurisdiction"]) == ("law", "KR")
    assert document["extract_meta"] == {"license": {"name": "x"}}


async def test_ingest__of_a_file_that_is_moved_to_a_restricted_place_restricts_it(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    inbox = tools.settings.inbox_dir
    offer(db, written(inbox / "KGS" / "a.txt", "the same"))
    await drain("ingest")
    offer(db, written(inbox / "Books" / "a.txt", "the same"))
    await drain("ingest")
    licence = only(db, DOCUMENT)["extract_meta"]["license"]
    assert licence == {"name": "kogl", "restricted": True}
    db.execute("""SELECT set_document_fields(id, '{"license": {"restricted": false}}') FROM documents""")
    offer(db, written(inbox / "Papers_Purchased" / "a.txt", "the same"))
    await drain("ingest")
    assert only(db, DOCUMENT)["extract_meta"]["license"] == {"restricted": False}


async def test_ingest__keeps_the_documents_of_two_owners_apart(drain: Drain, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO users (id, name) VALUES (2, 'guest')")
    for owner in (1, 2):
        db.execute("INSERT INTO inbox (filename, content, user_id) VALUES ('a.txt', 'the same', %s)", [owner])
    await drain("ingest")
    assert [row["user_id"] for row in all_rows(db, f"{DOCUMENT} ORDER BY user_id")] == [1, 2]


# -- a file that changes -----------------------------------------------------------------------------------------------


async def test_ingest__of_a_changed_file_keeps_its_document_and_its_former_reading(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "former words")
    offer(db, path)
    await drain("ingest", "embed")
    former = only(db, DOCUMENT)
    written(path, "present words")
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["id"], document["pages_version"], document["corpus_version"]) == (former["id"], 2, 1)
    assert only(db, "SELECT text FROM corpus_chunks")["text"] == "former words"
    await drain("embed")
    assert only(db, "SELECT text FROM corpus_chunks")["text"] == "present words"
    assert only(db, "SELECT version FROM document_pages")["version"] == 2


async def test_ingest__of_a_copy_that_changes_makes_a_document_of_its_own(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    first, second = written(tmp_path / "a.txt", "the same"), written(tmp_path / "b.txt", "the same")
    offer(db, first)
    offer(db, second)
    await drain("ingest")
    written(second, "another")
    offer(db, second)
    await drain("ingest")
    texts = {row["filename"]: row["extracted_text"] for row in all_rows(db, DOCUMENT)}
    assert texts == {"a.txt": "the same", "b.txt": "another"}


async def test_ingest__of_a_file_that_became_a_copy_lets_go_of_what_it_was(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    first, second = written(tmp_path / "a.txt", "first"), written(tmp_path / "b.txt", "second")
    offer(db, first)
    offer(db, second)
    await drain("ingest")
    written(second, "first")
    offer(db, second)
    await drain("ingest")
    assert only(db, DOCUMENT)["extracted_text"] == "first"


async def test_ingest__brings_a_deleted_content_back(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "words")
    offer(db, path)
    await drain("ingest", "embed")
    former = only(db, DOCUMENT)["id"]
    db.execute("SELECT delete_document(%s)", [former])
    assert all_rows(db, "SELECT * FROM chunks") == []
    offer(db, path)
    await drain("ingest", "embed")
    assert only(db, DOCUMENT)["id"] == former
    assert only(db, "SELECT text FROM corpus_chunks")["text"] == "words"


async def test_ingest__of_a_file_that_became_a_deleted_content_lets_go_of_what_it_was(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    deleted, path = written(tmp_path / "deleted.txt", "deleted words"), written(tmp_path / "a.txt", "words")
    offer(db, deleted)
    offer(db, path)
    await drain("ingest")
    db.execute("SELECT delete_document(id) FROM documents WHERE filename = 'deleted.txt'")
    written(path, "deleted words")
    offer(db, path)
    await drain("ingest")
    assert only(db, DOCUMENT)["extracted_text"] == "deleted words"


# -- labels ------------------------------------------------------------------------------------------------------------


async def test_ingest__labels_a_file_by_its_folder_without_any_model(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    inbox = tools.settings.inbox_dir
    for place in ("KGS/code.txt", "Books/shelf/book.txt", "loose.txt"):
        offer(db, written(inbox / place, f"text of {place}"))
    await drain("ingest")
    found = {row["filename"]: row for row in all_rows(db, DOCUMENT)}
    code, book, loose = found["code.txt"], found["book.txt"], found["loose.txt"]
    assert (code["material_type"], code["jurisdiction"]) == ("law", "KR")
    assert code["extract_meta"]["license"] == {"name": "kogl", "restricted": False}
    assert (book["material_type"], book["extract_meta"]["license"]["restricted"]) == ("book", True)
    assert (loose["material_type"], loose["extract_meta"]) == (None, {})


async def test_ingest__keeps_what_the_row_says(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    said = {"collection": "law", "material_type": "law", "jurisdiction": "KR", "published_date": "2024-03-05"}
    offer(db, written(tmp_path / "a.txt", "words"), **said)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert {name: str(document[name]) for name in said} == said


# -- what cannot be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.bin", bytes(range(256)) * 8, "unsupported_format"),
        ("a.pdf", pdf([["secret"]], locked=True), "encrypted"),
        ("a.pdf", pdf([["words"]])[:200], "corrupt"),
        ("a.txt", b"", "empty"),
        ("a.pdf", pdf([[]]), "empty"),
    ],
)
async def test_ingest__ends_an_unreadable_file_at_once_with_its_reason(
    name: str, content: bytes, code: str, drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    inbox_id = offer(db, path, payload='{"size_bytes": 7}')  # by which the watcher knows a refused file again
    await drain("ingest")
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["error_code"], row["attempts"]) == ("failed", code, 1)
    assert len(row["error_message"]) > 10
    assert row["payload"] == {"size_bytes": 7}
    assert all_rows(db, "SELECT * FROM documents") == []


async def test_ingest__refuses_a_file_over_the_limit(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    from services.formats.sandbox import Reader
    from services.wiring import limits_of

    small = load_settings(home=tools.settings.home, ingest={"max_file_mib": 1})
    inbox_id = upload(db, "big.txt", b"x" * (2**20 + 1))
    async with Reader(limits_of(small.ingest)) as reader:
        await drain("ingest", with_tools=Tools(tools.db, reader, small))
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["error_code"]) == ("failed", "too_large")
    assert row["content"] is not None  # kept, so that the row can be tried again under another limit


async def test_ingest__skips_a_file_that_is_gone(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    inbox_id = offer(db, tmp_path / "gone.txt")
    await drain("ingest")
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["error_code"]) == ("skipped", "file_missing")


async def test_ingest__fails_on_what_cannot_be_opened(drain: Drain, db: psycopg.Connection, tmp_path: Path) -> None:
    inbox_id = offer(db, tmp_path)
    await drain("ingest")
    row = only(db, INBOX, inbox_id)
    assert (row["status"], row["error_code"]) == ("failed", "unreadable")


async def test_ingest__leaves_the_former_reading_when_the_changed_file_cannot_be_read(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", "words")
    offer(db, path)
    await drain("ingest", "embed")
    path.write_bytes(bytes(range(256)) * 8)
    offer(db, path)
    await drain("ingest")
    document = only(db, DOCUMENT)
    assert (document["extracted_text"], document["pages_version"]) == ("words", 1)


async def test_ingest__goes_on_after_a_file_that_breaks_its_reader(
    drain: Drain, db: psycopg.Connection, tmp_path: Path
) -> None:
    broken = tmp_path / "a.pdf"
    broken.write_bytes(pdf([["words"]])[:200])
    offer(db, broken)
    sound = offer(db, written(tmp_path / "b.txt", "words"))
    await drain("ingest")
    assert only(db, INBOX, sound)["status"] == "completed"
