"""From pages that are pictures to text that is found, by whoever recognises."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from PIL import Image

from db.queries import query
from services.document import ocr
from services.document.recognisers import choose
from services.formats.page import Line
from services.formats.picture import Picture, Recognised, Unrecognised
from services.formats.tesseract import READ, Tesseract, installed
from services.kit.settings import load_settings
from services.model.errors import ModelUnavailable
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.fakes.pdf_sheets import Sheet, Text, grey, sheets
from tests.fakes.pictures import drawn_page
from tests.stages.conftest import Drain, all_rows, only
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

PAGES = "SELECT * FROM document_pages ORDER BY number"
JOBS = "SELECT stage, status, error_code FROM document_jobs ORDER BY id"
WRITTEN = Sheet([Text(72, 720, "written page")])
SHOWN = Sheet(picture=grey())


class Reading:
    """A recogniser that says what the test wants, by the order of the pictures; an error is raised."""

    def __init__(self, *said: str | Exception, label: str = "fake 1") -> None:
        self.label, self.dpi, self.max_pixels = label, 72, 1_000_000
        self.said, self.seen = list(said), list[Picture]()

    async def recognise(self, picture: Picture) -> Recognised:
        self.seen.append(picture)
        said = self.said.pop(0) if self.said else "recognised"
        if isinstance(said, Exception):
            raise said
        return Recognised(said, (Line(0, len(said), 1.0, 2.0, tuple(map(float, range(len(said) + 1)))),), "Read by x.")


@pytest.fixture
def with_reading(tools: Tools) -> Callable[[Reading | None], Tools]:
    """Gives tools with that recogniser."""
    return lambda reading: replace(tools, recogniser=reading)


def upload(db: psycopg.Connection, content: bytes, name: str = "scan.pdf") -> None:
    db.execute("INSERT INTO inbox (filename, content) VALUES (%s, %s)", [name, content])


def jobs(db: psycopg.Connection) -> list[tuple[str, str]]:
    return [(row["stage"], row["status"]) for row in all_rows(db, JOBS)]


# -- reading the file --------------------------------------------------------------------------------------------------


async def test_ingest__of_a_scan_says_what_is_missing_where_nobody_recognises(
    drain: Drain, db: psycopg.Connection
) -> None:
    upload(db, sheets([SHOWN, SHOWN]))
    await drain("ingest")
    row = only(db, "SELECT * FROM inbox")
    assert (row["status"], row["error_code"]) == ("failed", "empty")
    assert "install tesseract with kor+eng" in row["error_message"]


async def test_ingest__of_a_scan_says_that_recognition_is_off(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    off = tools.settings.model_copy(update={"ocr": tools.settings.ocr.model_copy(update={"by": "off"})})
    upload(db, sheets([SHOWN]))
    await drain("ingest", with_tools=replace(tools, settings=off))
    message = only(db, "SELECT * FROM inbox")["error_message"]
    assert "SEODANG_OCR__BY=auto" in message
    assert "install" not in message


async def test_ingest__of_a_mixed_file_is_partial_where_nobody_recognises(drain: Drain, db: psycopg.Connection) -> None:
    upload(db, sheets([WRITTEN, SHOWN, Sheet()]))
    await drain("ingest")
    document = only(db, "SELECT * FROM documents")
    assert (document["reading"], document["unread_pages"]) == ("partial", [2])
    assert [row["origin"] for row in all_rows(db, PAGES)] == ["text", "unread", "text"]
    assert "needs text recognition" in all_rows(db, PAGES)[1]["note"]
    assert jobs(db) == [("embed", "pending")]


async def test_ingest__of_a_picture_says_what_is_missing_where_nobody_recognises(
    drain: Drain, db: psycopg.Connection
) -> None:
    upload(db, a_picture(), "a.png")
    await drain("ingest")
    row = only(db, "SELECT * FROM inbox")
    assert (row["status"], row["error_code"]) == ("failed", "unsupported_format")


def a_picture(size: tuple[int, int] = (40, 30)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 128).save(file, "PNG")
    return file.getvalue()


# -- recognition -------------------------------------------------------------------------------------------------------


async def test_ocr__gives_pages_their_text_and_has_it_embedded(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    reading = Reading("압력은 1.2 MPa이다.")
    upload(db, sheets([WRITTEN, SHOWN]))
    await drain("ingest", "embed", "ocr", "embed", with_tools=with_reading(reading))
    document = only(db, "SELECT * FROM documents")
    assert (document["reading"], document["unread_pages"]) == ("full", [])
    assert "압력은 1.2 MPa이다." in document["extracted_text"]
    page = all_rows(db, PAGES)[1]
    assert (page["origin"], page["note"], page["recognised_by"]) == ("ocr", "Read by x.", "fake 1")
    assert page["lines"][0]["e"] == len(page["text"])
    texts = "\n".join(row["text"] for row in all_rows(db, "SELECT text FROM chunks WHERE in_corpus"))
    assert "written page" in texts
    assert "압력은 1.2 MPa이다." in texts
    assert [stage for stage, _ in jobs(db) if stage in ("embed", "ocr")] == ["ocr", "embed", "embed"]


async def test_ocr__of_pictures_alone_comes_before_anything_is_embedded(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    upload(db, sheets([SHOWN, SHOWN]))
    await drain("ingest", with_tools=with_reading(Reading()))
    assert jobs(db) == [("ocr", "pending")]
    await drain("ocr", "embed", with_tools=with_reading(Reading("one", "two")))
    assert [stage for stage, _ in jobs(db)][:2] == ["ocr", "embed"]
    assert only(db, "SELECT * FROM documents")["corpus_version"] == 1


async def test_ocr__reads_a_picture_file(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    reading = Reading("영수증")
    upload(db, a_picture(), "a.png")
    await drain("ingest", "ocr", with_tools=with_reading(reading))
    assert only(db, "SELECT * FROM documents")["extracted_text"] == "영수증"
    assert (reading.seen[0].width, reading.seen[0].height) == (40, 30)


async def test_ocr__takes_a_few_pages_at_a_time_until_none_is_left(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    settings = tools.settings.model_copy(update={"ocr": tools.settings.ocr.model_copy(update={"pages_at_once": 2})})
    reading = Reading(*(f"page {number}" for number in range(1, 6)))
    upload(db, sheets([SHOWN] * 5))
    await drain("ingest", "ocr", with_tools=replace(tools, settings=settings, recogniser=reading))
    assert [row["text"] for row in all_rows(db, PAGES)] == [f"page {number}" for number in range(1, 6)]
    assert [status for stage, status in jobs(db) if stage == "ocr"] == ["completed"] * 3
    assert len(reading.seen) == 5


async def test_ocr__of_a_page_that_fails_goes_on_with_the_others_and_tries_it_once(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    reading = Reading("one", Unrecognised("it took too long"), "three")
    upload(db, sheets([SHOWN] * 3))
    await drain("ingest", "ocr", "ocr", with_tools=with_reading(reading))
    assert [(row["origin"], row["text"]) for row in all_rows(db, PAGES)] == [
        ("ocr", "one"),
        ("unread", ""),
        ("ocr", "three"),
    ]
    assert all_rows(db, PAGES)[1]["note"] == "This page could not be recognised: it took too long"
    assert only(db, "SELECT * FROM documents")["unread_pages"] == [2]
    assert len(reading.seen) == 3
    await ocr.enqueue_unread(with_reading(reading))
    assert [status for stage, status in jobs(db) if stage == "ocr"] == ["completed"]


async def test_ocr__by_another_recogniser_tries_again_what_one_could_not_read(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    upload(db, sheets([WRITTEN, SHOWN]))
    await drain("ingest", "ocr", with_tools=with_reading(Reading(Unrecognised("no"))))
    await drain("ocr", with_tools=with_reading(Reading("read at last", label="fake 2")))
    assert all_rows(db, PAGES)[1]["text"] == "read at last"


async def test_ocr__comes_by_itself_when_a_recogniser_is_there_later(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    upload(db, sheets([WRITTEN, SHOWN]))
    await drain("ingest", "embed")
    await drain("ocr", "embed", with_tools=with_reading(Reading("late text")))
    assert "late text" in only(db, "SELECT * FROM documents")["extracted_text"]
    assert any("late text" in row["text"] for row in all_rows(db, "SELECT text FROM chunks"))


async def test_ocr__while_the_model_is_away_keeps_what_it_has_and_costs_no_attempt(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    reading = Reading("one", ModelUnavailable("No server.", after_s=60.0))
    upload(db, sheets([SHOWN] * 3))
    await drain("ingest", "ocr", with_tools=with_reading(reading))
    job = only(db, "SELECT * FROM document_jobs WHERE stage = 'ocr'")
    assert (job["status"], job["error_code"], job["attempts"]) == ("pending", "model_unavailable", 0)
    assert [row["text"] for row in all_rows(db, PAGES)] == ["one", "", ""]
    assert only(db, "SELECT * FROM documents")["unread_pages"] == [2, 3]


async def test_ocr__reads_a_watched_file_and_leaves_one_that_changed(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools], tmp_path: Path
) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(sheets([WRITTEN, SHOWN, SHOWN]))
    db.execute("INSERT INTO inbox (path) VALUES (%s)", [str(path)])
    reading = Reading("two")
    await drain("ingest", with_tools=with_reading(reading))
    path.write_bytes(sheets([WRITTEN]))
    await drain("ocr", with_tools=with_reading(reading))
    row = only(db, "SELECT * FROM document_jobs WHERE stage = 'ocr'")
    assert (row["status"], row["error_code"], reading.seen) == ("skipped", "file_missing", [])


async def test_ocr__saved_while_its_document_is_being_embedded_is_embedded_once_more(
    drain: Drain, db: psycopg.Connection, dsn: str, with_reading: Callable[..., Tools]
) -> None:
    upload(db, sheets([WRITTEN, SHOWN]))
    await drain("ingest", with_tools=with_reading(Reading()))
    db.execute("UPDATE document_jobs SET status = 'processing', started_at = now(), claim = 1 WHERE stage = 'embed'")
    await drain("ocr", with_tools=with_reading(Reading("late")))
    assert [status for stage, status in jobs(db) if stage == "embed"] == ["processing"]
    with db.transaction():  # as embed ends, having read the pages before
        db.execute("UPDATE document_jobs SET status = 'completed', completed_at = now() WHERE stage = 'embed'")
        again = query("embed_again_if_newer").text.replace("$1", "(SELECT id FROM documents)").replace("$2", "1")
        db.execute(again)
    assert [status for stage, status in jobs(db) if stage == "embed"] == ["completed", "pending"]


async def test_ocr__of_a_deleted_document_is_skipped(
    drain: Drain, db: psycopg.Connection, with_reading: Callable[..., Tools]
) -> None:
    upload(db, sheets([SHOWN]))
    await drain("ingest", with_tools=with_reading(Reading()))
    db.execute("SELECT delete_document(id) FROM documents")
    reading = Reading()
    await drain("ocr", with_tools=with_reading(reading))
    row = only(db, "SELECT * FROM document_jobs WHERE stage = 'ocr'")
    assert (row["status"], row["error_code"], reading.seen) == ("skipped", "document_deleted", [])


# -- a model that sees -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def seeing(tools: Tools, model: ModelServer) -> AsyncIterator[Tools]:
    """Tools as wiring makes them, with the scripted server as OCR."""
    settings = load_settings(
        home=tools.settings.home,
        database_url=tools.settings.database_url,
        models={"ocr": {"base_url": model.url, "model": "sees"}},
        calls={"attempts": 1, "backoff_s": 0.01},
    )
    async with open_tools(settings, "tests") as wired:
        yield wired


def asked(model: ModelServer) -> Sequence[dict[str, Any]]:
    content = model.calls[-1].body["messages"][-1]["content"]
    assert isinstance(content, list)
    return content


async def test_model__is_shown_the_page_and_its_words_are_the_text(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    async with serving() as model, seeing(tools, model) as wired:
        model.say(text="```\n점검 번호는 K-1\n```")
        upload(db, sheets([SHOWN]))
        await drain("ingest", "ocr", with_tools=wired)
        page = only(db, PAGES)
        assert (page["text"], page["origin"], page["lines"]) == ("점검 번호는 K-1", "ocr", None)
        assert page["recognised_by"] == "ocr:sees ocr-1"
        assert "(sees); check numbers" in page["note"]
        picture, words = asked(model)
        assert picture["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
        assert words["type"] == "text"
        call = model.calls[-1]
        assert (call.role, call.klass, call.label) == ("ocr", "background", "ocr")
        assert isinstance(call.body["messages"][0]["content"], str)


@pytest.mark.parametrize("words", [{"text": "(no text)"}, {"text": ""}], ids=["says so", "says nothing"])
async def test_model__that_sees_no_text_leaves_the_page_read_and_empty(
    drain: Drain, db: psycopg.Connection, tools: Tools, words: dict[str, Any]
) -> None:
    async with serving() as model, seeing(tools, model) as wired:
        model.say(**words)
        upload(db, sheets([WRITTEN, SHOWN]))
        await drain("ingest", "ocr", with_tools=wired)
        page = all_rows(db, PAGES)[1]
        assert (page["text"], page["origin"]) == ("", "ocr")
        assert "made out no text" in page["note"]


async def test_model__that_is_away_puts_the_job_off(drain: Drain, db: psycopg.Connection, tools: Tools) -> None:
    async with serving() as model, seeing(tools, model) as wired:
        upload(db, sheets([SHOWN]))
        await drain("ingest", with_tools=wired)
        await model.close()
        await drain("ocr", with_tools=wired)
        job = only(db, "SELECT * FROM document_jobs WHERE stage = 'ocr'")
        assert (job["status"], job["error_code"], job["attempts"]) == ("pending", "model_unavailable", 0)


async def test_choose__takes_the_model_before_tesseract_and_nobody_when_off(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_settings = tools.settings.ocr
    assert choose(ocr_settings.model_copy(update={"by": "off"}), None) is None
    assert choose(ocr_settings.model_copy(update={"by": "model"}), None) is None
    async with serving() as model, seeing(tools, model) as wired:
        by = {name: choose(ocr_settings.model_copy(update={"by": name}), wired.models) for name in ("auto", "model")}
        assert {name: each and each.label for name, each in by.items()} == dict.fromkeys(by, "ocr:sees ocr-1")
    monkeypatch.setenv("PATH", "/nowhere")
    assert choose(ocr_settings, None) is None


# -- tesseract ---------------------------------------------------------------------------------------------------------

with_tesseract = pytest.mark.skipif(installed("kor+eng", 300, 60) is None, reason="tesseract is not installed")


@pytest.mark.slow
@with_tesseract
async def test_tesseract__reads_a_drawn_page_with_the_places_of_its_words(
    drain: Drain, db: psycopg.Connection, tools: Tools
) -> None:
    upload(db, sheets([Sheet(picture=drawn_page(["The pump code is Q-7219.", "점검 주기는 64일이다."]))]))
    await drain("ingest", "ocr", with_tools=replace(tools, recogniser=installed("kor+eng", 300, 60)))
    page = only(db, PAGES)
    assert (page["origin"], page["note"]) == ("ocr", READ)
    assert "Q-7219" in page["text"]
    assert "점검 주기는 64일이다" in page["text"]
    first = page["lines"][0]
    assert page["text"][first["s"] : first["e"]].startswith("The pump")
    assert 60 < first["x"][0] < 85
    assert 690 < first["y0"] < first["y1"] < 790


@pytest.mark.slow
@with_tesseract
async def test_tesseract__that_takes_too_long_is_ended_and_the_page_says_so(tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nsleep 60 & echo $! > " + str(tmp_path / "pid") + "\nwait\n")
    program.chmod(0o755)
    slow = Tesseract(str(program), "eng", 300, limit_s=1.0)
    with pytest.raises(Unrecognised, match="longer than 1 s"):
        await slow.recognise(Picture(b"", 1, 1, (1, 0, 0, -1, 0, 1)))
    pid = int((tmp_path / "pid").read_text())
    await eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
