"""`seodang queue ls` and `retry`: what waits, what failed and why, and again. services/command/drain.py does it now."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from unicodedata import normalize

from rich.markup import escape

from db.command_rows import FailedRow, Standing
from db.queries import query
from db.queue import QUEUES
from db.rows import QueueCount
from services.command.place import Place
from services.command.show import duration, out, table
from services.kit.errors import RequestError
from services.stages import stage_named

FAILED_SHOWN, LEFT_OUT_SHOWN = 50, 20
"""Lines on the screen; --json has all."""

BY_STAGE = frozenset({"document_jobs"})
"""Queues of several stages; their statements take the stage."""
FAILED = {
    "inbox": "failed_files",
    "document_jobs": "failed_document_jobs",
    "asks": "failed_asks",
    "digests": "failed_digests",
    "query_analyses": "failed_analyses",
    "study_question_jobs": "failed_explanations",
    "study_topic_jobs": "failed_notes",
    "study_quiz_jobs": "failed_quiz_analyses",
}
RETRY = {
    "inbox": "retry_files",
    "document_jobs": "retry_document_jobs",
    "asks": "retry_asks",
    "digests": "retry_digests",
    "query_analyses": "retry_analyses",
    "study_question_jobs": "retry_explanations",
    "study_topic_jobs": "retry_notes",
    "study_quiz_jobs": "retry_quiz_analyses",
}


@dataclass(frozen=True, slots=True)
class ActiveRows:
    """How many rows of a stage wait or are worked on; `late` where the oldest has been there for `queue.late_s`."""

    stage: str
    status: str
    count: int
    oldest_seconds: float
    late: bool


@dataclass(frozen=True, slots=True)
class QueueList:
    """What is active, and the last word of what has failed, newest first."""

    active: list[ActiveRows]
    failed: list[FailedRow]


def active_counts(place: Place, stage: str | None = None) -> list[QueueCount]:
    """Count what waits and what is worked on, per stage."""
    rows = [row for name in QUEUES for row in place.db.records(query("queue_active").on(name), stage)]
    return [QueueCount(**row) for row in rows]


def active_rows(place: Place, stage: str | None = None) -> list[ActiveRows]:
    """Count the same and say what is late."""
    late_s = place.settings.queue.late_s
    return [ActiveRows(**asdict(row), late=row.oldest_seconds > late_s) for row in active_counts(place, stage)]


def active_table(title: str, rows: Sequence[ActiveRows]) -> None:
    """Print what waits; what waits for long has a mark."""
    cells = [
        (row.stage, row.status, row.count, duration(row.oldest_seconds), "◀ late" if row.late else "") for row in rows
    ]
    table(title, ("stage", "status", "count", "oldest", ""), cells)


def list_queue(place: Place, stage: str | None, code: str | None) -> QueueList:
    """Give active counts, and each file, document, question or digest whose newest try failed.

    Raises:
        KeyError: there is no such stage.
    """
    active = active_rows(place, stage)
    failed = [row for queue in _queues(stage) for row in _failed(place, queue, stage, code, None, newest_only=True)]
    return QueueList(active, sorted(failed, key=lambda row: row.completed_at, reverse=True))


def _queues(stage: str | None) -> Sequence[str]:
    return QUEUES if stage is None else (stage_named(stage).queue,)


def _failed(
    place: Place, queue: str, stage: str | None, code: str | None, ids: list[int] | None, newest_only: bool
) -> list[FailedRow]:
    asked = query(FAILED[queue])
    values = {"stage": stage, "code": code, "ids": ids, "newest_only": newest_only, "most": None}
    rows = place.db.records(asked, *(values[name] for name in asked.args))
    return [FailedRow(**row) for row in rows]


def show_queue(found: QueueList) -> None:
    """Print what waits and what failed."""
    active_table("Active", found.active)
    shown = found.failed[:FAILED_SHOWN]
    failures = [
        (row.id, row.stage, escape(row.name), row.error_code, escape(row.error_message or ""), _when(row))
        for row in shown
    ]
    table("Failed", ("id", "stage", "what", "code", "reason", "when"), failures)
    if len(found.failed) > len(shown):
        out.print(f"… and {len(found.failed) - len(shown)} older ones: --code, --stage, or --json for all.")
    if failures:
        out.print("Try again: seodang queue retry ID …, --code CODE, --file NAME, or --all.", highlight=False)
    if not found.active and not failures:
        out.print("Nothing waits and nothing has failed.")


def _when(row: FailedRow) -> str:
    return row.completed_at.astimezone().strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which failed rows are meant; what is None or empty does not choose.

    Attributes:
        files: names, paths, or globs of either; of a document also its title.
    """

    ids: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    stage: str | None = None
    code: str | None = None
    everything: bool = False

    @property
    def by_name(self) -> bool:
        """Say whether single rows were named, whose absence has to be explained."""
        return bool(self.ids or self.files)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that was meant and is not tried again, and why, as a sentence."""

    id: int | None
    stage: str | None
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Retried:
    """New rows per queue, and what was left out."""

    new: Mapping[str, int]
    left_out: list[LeftOut]

    @property
    def in_vain(self) -> bool:
        """Say whether rows were left out and nothing was tried again."""
        return bool(self.left_out) and not any(self.new.values())

    def as_json(self) -> dict[str, object]:
        """Give the counts by queue, and `left_out`."""
        return {**self.new, "left_out": [asdict(row) for row in self.left_out]}


def retry(place: Place, choice: Choice) -> Retried:
    """Enqueue failed rows again, each as a new row: the failed one stays as it was (J08).

    Raises:
        KeyError: there is no such stage.
        RequestError: everything is asked for, and then only some of it.
    """
    if choice.everything and (choice.by_name or choice.code):
        raise RequestError(400, "wrong_use", "--all goes with --stage at most: leave out ID, --file and --code.")
    chosen = {queue: _chosen(place, queue, choice) for queue in _queues(choice.stage)}
    new: Counter[str] = Counter(dict.fromkeys(QUEUES, 0))
    left_out: list[LeftOut] = []
    for queue, rows in chosen.items():
        ready = [row.id for row in rows if row.later_id is None]
        new[queue] = _again(place, queue, ready)
        left_out += [_left(row) for row in rows if row.later_id is not None and _is_told(row, choice)]
        if new[queue] < len(ready):
            taken = f"{len(ready) - new[queue]} rows were put into the queue by somebody else at this moment."
            left_out.append(LeftOut(None, choice.stage, "", taken))
    left_out += _unknown(place, choice, [row for rows in chosen.values() for row in rows])
    return Retried(dict(new), left_out)


def _chosen(place: Place, queue: str, choice: Choice) -> list[FailedRow]:
    ids = list(choice.ids) or None
    rows = _failed(place, queue, choice.stage, choice.code, ids, newest_only=False)
    return [row for row in rows if not choice.files or any(map(is_named(row), choice.files))]


def is_named(row: FailedRow) -> Callable[[str], bool]:
    """Make the test whether a pattern names a row: by its name, its path, its file's name, or as a glob of these.

    A letter counts as the same however it is composed: macOS writes 한글 apart.
    """
    names = {normalize("NFC", name) for name in (row.name, row.filename or row.name)}

    def fits(pattern: str) -> bool:
        patterns = {normalize("NFC", each) for each in (pattern, str(Path(pattern).expanduser().absolute()))}
        return any(name == each or fnmatchcase(name, each) for name in names for each in patterns)

    return fits


def _again(place: Place, queue: str, ids: list[int]) -> int:
    if not ids:
        return 0
    asked = query(RETRY[queue])
    values = {"stage": None, "ids": ids, "code": None}
    return len(place.db.records(asked, *(values[name] for name in asked.args)))


def _is_told(row: FailedRow, choice: Choice) -> bool:
    """Of all that ever failed only what is in the queue again is worth a word; of what was named, everything."""
    return choice.by_name or row.later_status in ("pending", "processing")


def _left(row: FailedRow) -> LeftOut:
    match row.later_status:
        case "pending" | "processing":
            why = f"is in the queue again already, as row {row.later_id}"
        case "failed":
            why = f"failed again since: its newest try is row {row.later_id}"
        case "skipped":
            why = f"was skipped since, as row {row.later_id}: there was nothing to do"
        case _:
            why = f"has succeeded since, as row {row.later_id}"
    return LeftOut(row.id, row.stage, row.name, why)


def _unknown(place: Place, choice: Choice, found: Sequence[FailedRow]) -> Iterator[LeftOut]:
    """Say of ids and names that no failed row has, what is the matter with them."""
    for number in sorted(set(choice.ids).difference(row.id for row in found)):
        asked = [query("standing_of_rows").on(queue) for queue in _queues(choice.stage)]
        rows = [Standing(**row) for each in asked for row in place.db.records(each, [number])]
        here = [row for row in rows if choice.stage in (None, row.stage)]
        for row in here:
            yield LeftOut(number, row.stage, "", f"is {row.status}: only failed rows are tried again")
        if not here:
            yield LeftOut(number, choice.stage, "", "is no row that failed and was chosen: see `seodang queue ls`")
    for pattern in choice.files:
        if not any(is_named(row)(pattern) for row in found):
            yield LeftOut(None, choice.stage, pattern, "names nothing that failed: see `seodang queue ls`")


def show_retried(retried: Retried) -> None:
    """Say how many rows are in the queue again, and why others are not."""
    count = sum(retried.new.values())
    out.print("One row is in the queue again." if count == 1 else f"{count} rows are in the queue again.")
    for row in retried.left_out[:LEFT_OUT_SHOWN]:
        named = " ".join(str(part) for part in (row.stage, row.id, row.name) if part)
        out.print(f"{named}: {row.why}." if named else row.why, highlight=False, markup=False)
    if len(retried.left_out) > LEFT_OUT_SHOWN:
        out.print(f"… and {len(retried.left_out) - LEFT_OUT_SHOWN} more: see --json.")
