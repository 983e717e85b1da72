"""`seodang add`: files and folders into the inbox, and a progress bar until they can be found.

In: paths. Out: rows of the inbox, many in one statement, so that ten thousand files take seconds. With `wait` it counts
how they come along, all in one statement; where no daemon serves a stage it does that work itself meanwhile.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from db.command_rows import EndedFile, FileRow, FilesProgress
from db.errors import DatabaseError
from db.plain import Plain, plain
from services.command.place import Place
from services.command.queue import active_counts
from services.command.show import err, out
from services.document.folder import is_storable, is_temporary, scan
from services.kit.errors import RequestError, SeodangError
from services.stages import STAGES
from services.web.wire import MAX_LABEL_CHARS, clean

OWNER = 1
FILES_AT_ONCE = 500
"""Paths of one statement: 10,000 files are 20 round trips instead of 10,000."""
LOOK_S = 0.5
LOOK_AGAIN = 3
"""So often a path is enqueued again whose row ended between the two looks."""
TOLD_PERCENT = 10
"""Where there is no terminal, a line is told each time so much has been done."""
QUEUES = ("inbox", "document_jobs")
LATER = frozenset({"deep"})
"""Not waited for: a file is found without it, and the large model takes minutes for each."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the files that were named; `failures` say why each could not be read."""

    enqueued: int
    waited: bool
    counts: FilesProgress
    failures: list[EndedFile]
    files: list[EndedFile]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the inbox as stretches of ids, which are few however many files were added."""

    firsts: list[int]
    lasts: list[int]

    @classmethod
    def of(cls, ids: Sequence[int]) -> "Rows":
        """Join neighbouring ids."""
        known = set(ids)
        firsts = sorted(number for number in known if number - 1 not in known)
        lasts = sorted(number for number in known if number + 1 not in known)
        return cls(firsts, lasts)

    def progress(self, db: Plain) -> FilesProgress:
        """Count how far they have come."""
        counts = db.one(FilesProgress, "files_progress", firsts=self.firsts, lasts=self.lasts)
        assert counts is not None
        return counts


def collection_named(name: str) -> str:
    """Give the name of a collection as a row of the inbox keeps it.

    Raises:
        RequestError: it is empty or too long.
    """
    said = clean(name)
    if not 1 <= len(said) <= MAX_LABEL_CHARS:
        sentence = f"A collection's name has 1 to {MAX_LABEL_CHARS} characters, this one {len(said)}."
        raise RequestError(400, "bad_name", sentence, "Choose another one, or leave --collection out.")
    return said


def add(place: Place, paths: Sequence[Path], collection: str, wait: bool) -> Added:
    """Enqueue files; with `wait` stay until each can be found or has failed.

    Raises:
        SeodangError: a path does not exist, and nothing was enqueued; or Ctrl-C was pressed, and what was stays so.
    """
    ids: list[int] = []
    try:
        for names in _batches(_files(_existing(paths))):
            ids += _enqueue(place, names, collection)
        rows = Rows.of(ids)
        if wait:
            _wait(place, rows)
    except KeyboardInterrupt:
        raise SeodangError(
            f"Stopped. {len(ids)} files stay in the inbox: they are read while `seodang up` runs; "
            "`seodang queue ls` shows what failed."
        ) from None
    files = place.db.many(EndedFile, "ended_files", firsts=rows.firsts, lasts=rows.lasts)
    failures = [file for file in files if file.status == "failed"]
    return Added(len(files), wait, rows.progress(place.db), failures, files)


def _existing(paths: Sequence[Path]) -> list[Path]:
    found = [path.expanduser().absolute() for path in paths]
    for path in found:
        if not path.is_dir() and not path.is_file():
            raise SeodangError(f"There is no file {path}.")
    return found


def _files(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        if path.is_dir():
            yield from sorted(scan(path))
        elif not is_temporary(path.name) and is_storable(str(path)):
            yield str(path)


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for name in names:
        batch.append(name)
        if len(batch) == FILES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _enqueue(place: Place, names: Sequence[str], collection: str) -> list[int]:
    """Give the rows by which files are read: new ones, and those of files that wait or are being read already."""
    ids: list[int] = []
    left = set(names)
    for _ in range(LOOK_AGAIN):
        given = {"paths": sorted(left), "user_id": OWNER}
        rows = place.db.many(FileRow, "insert_inbox_paths", collection=collection, **given)
        if len(rows) < len(left):
            rows += place.db.many(FileRow, "active_inbox_of_paths", **given)
        ids += {row.id for row in rows}
        left.difference_update(row.path for row in rows)
        if not left:
            break
    return ids


def _wait(place: Place, rows: Rows) -> None:
    stages = [stage.name for stage in STAGES if stage.queue in QUEUES and stage.name not in LATER]
    with _shown(place.dsn, rows):
        while True:
            served = place.served()
            unserved = [stage for stage in stages if stage not in served]
            ready = {row.stage for row in active_counts(place) if row.status == "pending"}
            if ready.intersection(unserved):
                place.drain(unserved)
            if not rows.progress(place.db).waiting:
                return
            time.sleep(LOOK_S)


@contextmanager
def _shown(dsn: str, rows: Rows) -> Iterator[None]:
    """Show how files come along while the body works: a thread looks, over a connection of its own."""
    ended = Event()
    thread = Thread(target=_look_until, args=(ended, dsn, rows), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _look_until(ended: Event, dsn: str, rows: Rows) -> None:
    with suppress(DatabaseError), plain(dsn) as db, _bar() as bar:  # what is wrong is told by whoever waits
        meter = Meter(bar)
        last = False
        while not last:
            last = ended.wait(LOOK_S)
            meter.show(rows.progress(db))


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[counts]}"))
    return Progress(*columns, TextColumn("[dim]{task.fields[now]}"), console=err, disable=not err.is_terminal)


class Meter:
    """Shows counts as a bar on a terminal, else as a line for every tenth of the way.

    A file is half-way when it is read: where one process does all the work, it reads all files before it embeds them.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar, self._told = bar, 0
        self._task: TaskID = bar.add_task("reading", total=1.0, counts="", now="")

    def show(self, counts: FilesProgress) -> None:
        """Show how it stands."""
        total = counts.done + counts.waiting + counts.failed + counts.skipped
        share = (counts.read + total - counts.waiting) / (2 * total) if total else 1.0
        words = sentence(counts)
        description = "reading" if counts.waiting else "finishing"
        now = escape(Path(counts.now).name)
        self._bar.update(self._task, completed=share, description=description, counts=words, now=now)
        percent = int(share * 100) // TOLD_PERCENT * TOLD_PERCENT
        if self._bar.disable and percent > self._told:
            self._told = percent
            err.print(f"{percent} %: {words}", highlight=False)


def sentence(counts: FilesProgress) -> str:
    """Say how many can be found, wait, failed and were skipped."""
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    return f"{counts.done} done, {counts.waiting} waiting, {counts.failed} failed{skipped}"


def show_added(added: Added) -> None:
    """Say what was taken in, and each file that was not, with its reason."""
    for file in added.failures:
        reason = escape(f"{file.name}: {file.error_message}")
        err.print(f"[red]{file.error_code}[/red] {reason}", highlight=False)
    if added.waited:
        out.print(f"{added.counts.done} of {added.enqueued} files can be found now ({sentence(added.counts)}).")
    else:
        out.print(f"{added.enqueued} files are in the inbox; they are read while `seodang up` runs.")
    if added.failures:
        out.print("Try again: seodang queue retry --file NAME, or --code CODE.", highlight=False)
