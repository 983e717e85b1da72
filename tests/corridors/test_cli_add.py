"""`seodang add`: many files in few statements, counts by one, and a bar that moves while this process does the work."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from rich.console import Console

from db.plain import plain
from services.command import add as adding
from services.command.add import Added, Meter, Rows, add, show_added
from services.command.place import Place
from services.kit.errors import SeodangError
from services.kit.settings import Settings
from services.stages import STAGES


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], io.StringIO]:
    """Puts something in place of standard error: a terminal, or a pipe."""

    def show(terminal: bool) -> io.StringIO:
        written = io.StringIO()
        monkeypatch.setattr(adding, "err", Console(file=written, force_terminal=terminal, width=120))
        return written

    return show


def folder(tmp_path: Path, files: int) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    for number in range(files):
        (root / f"{number:05}.md").write_text(f"Note {number} speaks of thing{number}.", encoding="utf-8")
    return root


def test_add__enqueues_a_folder_in_few_statements(
    place: Place, tmp_path: Path, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    many = place.db.many
    monkeypatch.setattr(
        type(place.db), "many", lambda _, row, name, **values: asked.append(name) or many(row, name, **values)
    )
    added = add(place, [folder(tmp_path, 1234)], "notes", wait=False)
    assert (added.enqueued, added.counts.waiting, added.failures) == (1234, 1234, [])
    assert db.execute("SELECT count(*), min(collection) FROM inbox").fetchone() == (1234, "notes")
    assert asked.count("insert_inbox_paths") == 3
    assert len(asked) == 5


def test_add__of_files_that_wait_already_gives_their_rows(place: Place, tmp_path: Path) -> None:
    root = folder(tmp_path, 3)
    first = add(place, [root], "default", wait=False)
    again = add(place, [root, root / "00001.md"], "default", wait=False)
    assert [file.id for file in again.files] == [file.id for file in first.files]


def test_add__of_a_path_that_is_not_there_enqueues_nothing(
    place: Place, tmp_path: Path, db: psycopg.Connection
) -> None:
    with pytest.raises(SeodangError, match="There is no file"):
        add(place, [folder(tmp_path, 2), tmp_path / "no.pdf"], "default", wait=True)
    assert db.execute("SELECT count(*) FROM inbox").fetchone() == (0,)


def test_rows__are_few_stretches_of_ids() -> None:
    assert Rows.of([5, 1, 2, 3, 9, 2]) == Rows([1, 5, 9], [3, 5, 9])
    assert Rows.of([]) == Rows([], [])


def ended(db: psycopg.Connection, names: str, values: str, status: str) -> None:
    """Insert a row of a queue that ended, or did not."""
    time = "NULL" if status in ("pending", "processing") else "now()"
    db.execute(f"{names} VALUES ({values}, '{status}', {time})")


def test_progress__counts_a_file_as_done_when_it_is_embedded(place: Place, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO documents (id, title, filename, media_type, sha256, size_bytes) SELECT n, 't', 'f', 'm', "
               "encode(sha256(n::text::bytea), 'hex'), 1 FROM generate_series(1, 9) AS n")  # fmt: skip
    rows = [("pending", None), ("processing", None), ("failed", None), ("skipped", None)]
    rows += [("completed", "pending"), ("completed", "failed"), ("completed", "completed"), ("completed", None)]
    for number, (status, embed) in enumerate(rows, start=1):
        ended(db, "INSERT INTO inbox (path, document_id, status, completed_at)", f"'/{number}', {number}", status)
        if embed is not None:
            names = "INSERT INTO document_jobs (document_id, stage, status, completed_at)"
            ended(db, names, f"{number}, 'embed'", embed)
    db.execute("INSERT INTO inbox (path) VALUES ('/somebody else')")
    counts = Rows.of(range(1, 9)).progress(place.db)
    assert asdict(counts) == {"done": 2, "waiting": 3, "failed": 2, "skipped": 1, "read": 6, "now": "/2"}


def test_add__waits_and_says_what_failed(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path, 2)
    (root / "scan.pdf").write_bytes(b"%PDF-1.7 broken")
    added = add(place, [root], "default", wait=True)
    said = json.loads(json.dumps(asdict(added)))
    assert {name: said["counts"][name] for name in ("done", "waiting", "failed")} == {
        "done": 2,
        "waiting": 0,
        "failed": 1,
    }
    (failure,) = said["failures"]
    assert (Path(failure["name"]).name, failure["error_code"]) == ("scan.pdf", "corrupt")
    assert failure["error_message"]
    show_added(added)
    assert "2 of 3 files can be found now (2 done, 0 waiting, 1 failed)." in capsys.readouterr().out


@pytest.mark.slow
def test_add__shows_a_bar_that_moves_while_this_process_works(
    place: Place, tmp_path: Path, screen: Callable[[bool], io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = screen(True)
    monkeypatch.setattr(adding, "LOOK_S", 0.02)
    seen: list[Any] = []
    show = Meter.show
    monkeypatch.setattr(Meter, "show", lambda meter, counts: seen.append(counts) or show(meter, counts))
    add(place, [folder(tmp_path, 40)], "default", wait=True)
    assert {counts.done for counts in seen} > {0, 40}
    assert any(0 < counts.read < 40 for counts in seen)
    assert "40 done, 0 waiting, 0 failed" in written.getvalue()


def test_add__writes_a_line_for_each_tenth_into_a_pipe(screen: Callable[[bool], io.StringIO]) -> None:
    written = screen(False)
    with adding._bar() as bar:
        meter = Meter(bar)
        for done in range(1001):
            counts = adding.FilesProgress(done, 1000 - done, 0, 0, 1000, "")
            meter.show(counts)
    lines = written.getvalue().splitlines()
    assert [line.split(" %")[0] for line in lines] == ["50", "60", "70", "80", "90", "100"]
    assert lines[1] == "60 %: 200 done, 800 waiting, 0 failed"


def test_add__stopped_by_a_person_says_that_the_files_stay(
    place: Place, tmp_path: Path, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Place, "drain", interrupt)
    with pytest.raises(SeodangError, match=r"Stopped\. 3 files stay in the inbox"):
        add(place, [folder(tmp_path, 3)], "default", wait=True)
    assert db.execute("SELECT count(*) FROM inbox WHERE status = 'pending'").fetchone() == (3,)


def test_add__with_daemons_elsewhere_waits_for_them(
    place: Place, tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Place, "served", lambda _: {stage.name for stage in STAGES})
    monkeypatch.setattr(adding, "LOOK_S", 0.02)
    added: list[Added] = []
    thread = Thread(target=lambda: added.append(add(place, [folder(tmp_path, 2)], "default", wait=True)), daemon=True)
    thread.start()
    with plain(dsn) as db:
        Place(place.settings, dsn, db).drain(("ingest",))
        assert not added
        while not added:
            Place(place.settings, dsn, db).drain(("ingest", "embed"))
            thread.join(0.1)
    assert added[0].counts.done == 2
