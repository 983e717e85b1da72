"""structlog, set up once per process: one line per event on standard error, colours on a terminal, JSON when not.

An event's name is a constant of `Event`; docs/events.md lists each with its fields and a test compares them. The text
of documents and questions is never logged above DEBUG.
"""

import logging
import os
import sys
from enum import StrEnum
from typing import TextIO, cast

import structlog


class Event(StrEnum):
    """Every event that the product logs."""

    API_STARTED = "api_started"
    ASK_ABANDONED = "ask_abandoned"
    CLAIM_LOST = "claim_lost"
    DATABASE_GONE = "database_gone"
    DATABASE_READY = "database_ready"
    DOCUMENTS_PURGED = "documents_purged"
    EXPLANATIONS_ENQUEUED = "explanations_enqueued"
    EXPLANATIONS_NOT_ENQUEUED = "explanations_not_enqueued"
    FILE_DELETED = "file_deleted"
    FILE_NOTICED = "file_noticed"
    FILE_UNREADABLE = "file_unreadable"
    GATE_ENTERED = "gate_entered"
    GATE_LEFT = "gate_left"
    GATE_QUEUED = "gate_queued"
    GATE_STARVED = "gate_starved"
    JOB_ENDED = "job_ended"
    JOB_CALLED_OFF = "job_called_off"
    JOB_CRASHED = "job_crashed"
    JOBS_COMPLETED = "jobs_completed"
    JOBS_RELEASED = "jobs_released"
    JOBS_RESCUED = "jobs_rescued"
    LEGS_MEASURED = "legs_measured"
    MIGRATION_APPLIED = "migration_applied"
    MODEL_ANSWERED = "model_answered"
    MODEL_FAILED = "model_failed"
    MODEL_FELL_BACK = "model_fell_back"
    MODEL_STOOD_IN = "model_stood_in"
    REACT_ROUND_ENDED = "react_round_ended"
    REACT_SEARCHED = "react_searched"
    REQUEST_FAILED = "request_failed"
    WATCH_STARTED = "watch_started"
    WORKER_STARTED = "worker_started"
    WORKER_STOPPED = "worker_stopped"


class StandardError:
    """Standard error as it is when a line is written: loggers are kept for the life of a process, and whoever puts
    something else in its place meanwhile, as a shell in a test does, takes that away again."""

    def write(self, text: str) -> int:
        """Write to what is standard error now."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush what is standard error now."""
        sys.stderr.flush()


def set_up_logging(level: str, form: str, process: str) -> None:
    """Configure structlog and the standard library's logging for this process.

    Args:
        form: "console", "json", or "auto" (by whether standard error is a terminal; the supervisor, which reads the
            daemons through a pipe, says by SEODANG_LOG_FORMAT what it writes to).
        process: bound to every line.
    """
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        # Plain: the traceback that rich draws shows the values of variables, and with them the text of documents.
        structlog.dev.ConsoleRenderer(pad_event_to=24, exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    before = [] if console else [structlog.processors.format_exc_info]
    standard_error = cast(TextIO, StandardError())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *before,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=standard_error),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process, pid=os.getpid())
    logging.basicConfig(level=logging.WARNING, stream=standard_error, format="%(message)s", force=True)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Give the logger that every module uses."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
