"""`seodang add`: files and folders into the inbox, and a progress bar until they can be found."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from db.command_rows import EndedFile, UnfinishedFile
from services.command.place import Place
from services.command.show import err, out
from services.document.folder import is_storable, is_temporary, scan
from services.kit.errors import SeodangError

STAGES = ("ingest", "embed", "classify")
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the files that were named."""

    enqueued: int
    waited: bool
    files: list[EndedFile]

    @property
    def failed(self) -> list[EndedFile]:
        """The files that could not be read."""
        return [file for file in self.files if file.status == "failed"]


def add(place: Place, paths: Sequence[Path], collection: str, wait: bool) -> Added:
    """Enqueue files; with `wait` stay until each can be found or has failed.

    Raises:
        SeodangError: a path does not exist.
    """
    ids = [_enqueue(place, path, collection) for path in _files(paths)]
    if wait:
        _wait(place, ids)
    return Added(len(ids), wait, place.db.many(EndedFile, "ended_files", ids=ids))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in (path.expanduser().absolute() for path in paths):
        if path.is_dir():
            yield from (Path(found) for found in sorted(scan(path)))
        elif not path.is_file():
            raise SeodangError(f"There is no file {path}.")
        elif not is_temporary(path.name) and is_storable(str(path)):
            yield path


def _enqueue(place: Place, path: Path, collection: str) -> int:
    values = {"path": str(path), "collection": collection, "user_id": 1}
    found = place.db.value("insert_inbox_path", **values, payload=None)
    return int(found or place.db.value("active_inbox_of_path", path=str(path), user_id=1))


def _wait(place: Place, ids: Sequence[int]) -> None:
    if not all(place.served(stage) for stage in STAGES):
        place.drain(STAGES)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[now]}"))
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=len(ids), now="")
        while unfinished := place.db.many(UnfinishedFile, "unfinished_files", ids=list(ids)):
            bar.update(task, completed=len(ids) - len(unfinished), now=Path(unfinished[0].name).name)
            time.sleep(LOOK_S)
        bar.update(task, completed=len(ids), now="")


def show_added(added: Added) -> None:
    """Say what was taken in, and each file that was not, with its reason."""
    for file in added.failed:
        err.print(f"[red]{file.error_code}[/red] {file.name}: {file.error_message}", highlight=False)
    done = sum(file.status == "completed" for file in added.files)
    if added.waited:
        out.print(f"{done} of {added.enqueued} files can be found now.")
    else:
        out.print(f"{added.enqueued} files are in the inbox; they are read while `seodang up` runs.")
