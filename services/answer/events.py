"""The events of one ask, as a pure function of how far it has come.

The synthesis daemon publishes them while it works (NOTIFY on `CHANNEL`, no row is written); the facade passes
them on, and makes the same events again from the finished row for whoever comes later or comes back. Ids grow
within an ask and mean the same in both: a reader that names the last one it saw gets the rest, once.

    10 * step          status, one per step      10 * step + 1, 2    gate: waits for the model, holds it
    1 000 + end        token, `end` = characters told so far
    90 000             correction: the text that takes the place of all tokens
    100 000 + n        citation n                200 000 / 210 000   refusal / error       300 000   done
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from db.rows import AskRow

CHANNEL = "seodang_ask_events"
STEPS = ("queued", "retrieve", "evidence", "decide", "answer", "check")
TOKENS, CORRECTION, CITATIONS, REFUSAL, ERROR, DONE = 1_000, 90_000, 100_000, 200_000, 210_000, 300_000
END = "end"
"""Name of the notification that the row has reached a final status; carries no data, the row has it all."""


@dataclass(frozen=True, slots=True)
class AskEvent:
    """One event of an ask."""

    id: int
    name: str
    data: dict[str, Any] = field(default_factory=dict)


def status_event(step: str) -> AskEvent:
    """Say which step runs."""
    return AskEvent(_place(step), "status", {"step": step})


def _place(step: str) -> int:
    return 10 * (1 + STEPS.index(step))


def gate_event(step: str, state: Literal["waits", "holds"], wait_ms: float | None = None) -> AskEvent:
    """Say that the ask waits for the model at a step, or has it."""
    waited = {} if wait_ms is None else {"wait_ms": wait_ms}
    return AskEvent(_place(step) + 1 + (state == "holds"), "gate", {"step": step, "state": state, **waited})


def correction_event(text: str) -> AskEvent:
    """Put the answer in place of what was told while the model wrote."""
    return AskEvent(CORRECTION, "correction", {"text": text})


def token_events(text: str, told: int = 0) -> Iterator[AskEvent]:
    """Cut a text into words with the white space behind them; `told` characters of the answer came before."""
    for word in re.finditer(r"\S+\s*|\s+", text):
        yield AskEvent(TOKENS + told + word.end(), "token", {"text": word.group(), "start": told + word.start()})


def result_of(row: AskRow) -> dict[str, Any]:
    """Give the public form of an ask, finished or not."""
    took_ms = round((row.completed_at - row.created_at).total_seconds() * 1000) if row.completed_at else None
    return {
        "id": row.id,
        "question": row.question,
        "status": row.status,
        "answer": row.answer,
        "completeness": row.completeness,
        "refused": row.refused,
        "refuse_reason": row.refuse_reason,
        "confidence": row.confidence,
        "citations": row.citations or [],
        "model": row.model,
        "error_code": row.error_code,
        "gate_wait_ms": (row.trace or {}).get("gate_wait_ms", 0),
        "took_ms": took_ms,
    }


def events_of(row: AskRow) -> list[AskEvent]:
    """Make the events of an ask again from its row, in order; a row that is not final has said no more than a
    step."""
    if row.completed_at is None:
        return [status_event("queued")] if row.status == "pending" else [status_event("retrieve")]
    events = [status_event(step) for step in (row.trace or {}).get("steps", STEPS[:1])]
    if row.status == "failed":
        events.append(AskEvent(ERROR, "error", {"code": row.error_code, "message": row.error_message}))
    elif row.refused:
        events.append(AskEvent(REFUSAL, "refusal", {"reason": row.refuse_reason, "message": row.answer}))
    else:
        events += token_events(row.answer or "")
        events += [AskEvent(CITATIONS + cited["n"], "citation", cited) for cited in row.citations or []]
    return [*events, AskEvent(DONE, "done", result_of(row))]
