"""`seodang queue`: what waits, what failed and why; again, or now."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.queries import query
from db.queue import QUEUES
from db.rows import FailedJob, QueueCount
from services.command.place import Place
from services.command.show import duration, out, table
from services.stages import STAGES, stage_named

FAILED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class QueueList:
    """What is active and what has failed."""

    active: list[QueueCount]
    failed: list[FailedJob]


def active_counts(place: Place, stage: str | None = None) -> list[QueueCount]:
    """Count what waits and what is worked on, per stage."""
    rows = [row for name in QUEUES for row in place.db.records(query("queue_active").on(name), stage)]
    return [QueueCount(**row) for row in rows]


def list_queue(place: Place, stage: str | None, code: str | None) -> QueueList:
    """Give active counts and the newest failures."""
    rows = [
        row for name in QUEUES for row in place.db.records(query("queue_failed").on(name), stage, code, FAILED_SHOWN)
    ]
    return QueueList(active_counts(place, stage), [FailedJob(**row) for row in rows])


def show_queue(found: QueueList) -> None:
    """Print what waits and what failed."""
    rows = [(row.stage, row.status, row.count, duration(row.oldest_seconds)) for row in found.active]
    table("Active", ("stage", "status", "count", "oldest"), rows)
    failures = [(row.id, row.stage, row.error_code, row.error_message) for row in found.failed]
    table("Failed", ("id", "stage", "code", "reason"), failures)
    if not rows and not failures:
        out.print("Nothing waits and nothing has failed.")


def retry(place: Place, ids: Sequence[int], stage: str | None, code: str | None) -> dict[str, int]:
    """Enqueue failed rows again, each as a new row; counts the new rows per queue."""
    queue = stage_named(stage).queue if stage else None
    some = list(ids) or None
    new = {}
    if queue in (None, "inbox"):
        new["inbox"] = len(place.db.records(query("retry_inbox"), some, code))
    if queue in (None, "document_jobs"):
        new["document_jobs"] = len(place.db.records(query("retry_document_jobs"), stage, some, code))
    if queue in (None, "asks"):
        new["asks"] = len(place.db.records(query("retry_asks"), some, code))
    return new


def drain(place: Place, stage: str | None) -> dict[str, int]:
    """Do the ready work of one stage, or of all in the order of the corridor, in this process."""
    return place.drain([stage_named(stage).name] if stage else [each.name for each in STAGES])
