"""The whole retry policy as tables: from an outcome, or an error, to the ending of a row."""

import pytest

from db.errors import Conflict, DatabaseGone, Refused
from db.jobs import Ending, Job, Status
from services.kit.errors import DocumentError, JobError
from services.kit.outcome import NOTHING_MORE, Completed, Failed, Outcome, Retry, Skipped
from services.kit.settle import MESSAGE_CHARS, outcome_of, released, settle


def job(attempts: int = 1, max_attempts: int = 2) -> Job:
    return Job(id=7, claim=3, attempts=attempts, max_attempts=max_attempts, urgency=100, queue_ms=0.0)


def ending(status: Status, *fields: object, **named: object) -> Ending:
    return Ending(7, 3, status, *fields, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["llm_timeout", "parse_fail", "unknown"])
@pytest.mark.parametrize(
    ("attempts", "max_attempts", "status"),
    [
        (1, 2, Status.PENDING),
        (2, 2, Status.FAILED),
        (3, 2, Status.FAILED),  # somebody lowered max_attempts meanwhile
        (1, 1, Status.FAILED),
        (2, 3, Status.PENDING),
    ],
)
def test_settle__retries_while_attempts_are_left_and_then_fails(
    code: str, attempts: int, max_attempts: int, status: Status
) -> None:
    ended = settle(job(attempts, max_attempts), Retry(code, "E: text"), retry_after_s=2.0)
    delay_s = 2.0 if status is Status.PENDING else None
    assert ended == ending(status, code, "E: text", delay_s)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NOTHING_MORE, ending(Status.COMPLETED)),
        (Completed(payload={"a": 1}), ending(Status.COMPLETED, payload={"a": 1})),
        (Skipped("evidence_missing"), ending(Status.SKIPPED, "evidence_missing", None)),
        (Failed("guard_fail", "two findings"), ending(Status.FAILED, "guard_fail", "two findings")),
    ],
)
def test_settle__ends_at_once_what_is_final(outcome: Outcome, expected: Ending) -> None:
    for attempts in (1, 2):
        assert settle(job(attempts), outcome, retry_after_s=2.0) == expected


@pytest.mark.parametrize(
    ("after_s", "delay_s"),
    [(None, 2.0), (30.0, 30.0), (0.0, None)],
)
def test_settle__waits_as_long_as_the_outcome_says(after_s: float | None, delay_s: float | None) -> None:
    assert settle(job(), Retry("x", after_s=after_s), retry_after_s=2.0).delay_s == delay_s


@pytest.mark.parametrize("attempts", [1, 2, 9])
def test_settle__puts_off_without_an_attempt_for_ever(attempts: int) -> None:
    ended = settle(job(attempts), Retry("model_unavailable", "down", counted=False), retry_after_s=2.0)
    assert ended == ending(Status.PENDING, "model_unavailable", "down", 2.0, 1)


def test_released__is_as_if_never_claimed() -> None:
    assert released(job()) == ending(Status.PENDING, refund=1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("no JSON"), Retry("unknown", "ValueError: no JSON")),
        (KeyError("k"), Retry("unknown", "KeyError: 'k'")),
        (Exception(), Retry("unknown", "Exception: ")),
        (JobError("llm_timeout", "300 s"), Retry("llm_timeout", "JobError: 300 s")),
        (JobError("guard_fail", "wrong", retryable=False), Failed("guard_fail", "wrong")),
        (DocumentError("encrypted", "It has a password."), Failed("encrypted", "It has a password.")),
        (DatabaseGone("away"), Retry("unknown", "DatabaseGone: away", counted=False)),
        (Refused("rule"), Retry("unknown", "Refused: rule")),
        (Conflict("rule"), Retry("unknown", "Conflict: rule")),
    ],
)
def test_outcome_of__gives_every_error_a_code(error: Exception, outcome: Outcome) -> None:
    assert outcome_of(error) == outcome


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        ("", None),
        ("a\0b", "ab"),
        ("half \udcff", "half ?"),
        ("가" * 3000, "가" * MESSAGE_CHARS),
    ],
)
def test_settle__stores_no_message_that_postgres_would_refuse(message: str, stored: str | None) -> None:
    for outcome in (Failed("x", message), Skipped("x", message), Retry("x", message)):
        assert settle(job(), outcome, retry_after_s=1.0).message == stored
