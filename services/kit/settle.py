"""From the outcome of a job to the ending of its row: pure, and the whole retry policy of the product."""

from typing import assert_never

from db.errors import DatabaseGone
from db.jobs import Ending, Job, Status
from services.kit.errors import JobError
from services.kit.outcome import Completed, Failed, Outcome, Retry, Skipped

MESSAGE_CHARS = 2000
"""Longest error message that is stored with a row."""


def outcome_of(error: Exception) -> Outcome:
    """Name the ending of a job whose stage raised; what has no name of its own is `unknown`, so no code is empty."""
    message = f"{type(error).__name__}: {error}"
    match error:
        case JobError(retryable=False):
            return Failed(error.code, str(error))
        case JobError():
            return Retry(error.code, message, error.after_s, error.counted)
        case DatabaseGone():
            return Retry("unknown", message, counted=False)
        case _:
            return Retry("unknown", message)


def settle(job: Job, outcome: Outcome, retry_after_s: float) -> Ending:
    """Decide how the row ends: a counted retry at the last attempt is a failure."""
    match outcome:
        case Completed():
            return Ending(job.id, job.claim, Status.COMPLETED, payload=outcome.payload)
        case Skipped():
            return Ending(
                job.id, job.claim, Status.SKIPPED, outcome.code, _short(outcome.message), payload=outcome.payload
            )
        case Failed():
            return Ending(
                job.id, job.claim, Status.FAILED, outcome.code, _short(outcome.message), payload=outcome.payload
            )
        case Retry():
            return _settle_retry(job, outcome, retry_after_s)
        case _:
            assert_never(outcome)


def _settle_retry(job: Job, outcome: Retry, retry_after_s: float) -> Ending:
    message = _short(outcome.message)
    if outcome.counted and job.attempts >= job.max_attempts:
        return Ending(job.id, job.claim, Status.FAILED, outcome.code, message, payload=outcome.payload)
    delay_s = retry_after_s if outcome.after_s is None else outcome.after_s
    refund = 0 if outcome.counted else 1
    return Ending(job.id, job.claim, Status.PENDING, outcome.code, message, delay_s or None, refund, outcome.payload)


def released(job: Job) -> Ending:
    """Give a row back as if it had not been claimed: asked to stop, the attempt does not count."""
    return Ending(job.id, job.claim, Status.PENDING, refund=1)


def _short(message: str) -> str | None:
    # Postgres takes no NUL, and no half of a character, as a file name on Linux may have it.
    storable = message.replace("\0", "").encode("utf-8", errors="replace").decode()
    return storable[:MESSAGE_CHARS] or None
