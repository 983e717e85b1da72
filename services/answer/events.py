"""The events of one ask, as a pure function of how far it has come.

The synthesis daemon publishes them while it works (NOTIFY on `CHANNEL`, no row is written); the facade passes
them on, and makes the same events again from the finished row for whoever comes later or comes back. Ids grow
within an ask: a reader that names the last one it saw gets the rest, once. Up to CORRECTION an id says how many
characters of the answer were told before it, so that steps may come before, between and after the words.

    CHAR * told + STEP * n       status of the n-th step, when `told` characters had been told
      + CALL * c + 1 …           gate: the c-th call of that step waits, told anew when its place changes
      + CALL * c + HOLDS         gate: it holds the model
    CHAR * end                   token, `end` = characters told so far
    CORRECTION                   the text that takes the place of all tokens
    CITATIONS + n, REFUSAL, ERROR, DONE
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from db.rows import AskRow

CHANNEL = "seodang_ask_events"
STEPS = ("queued", "retrieve", "evidence", "decide", "answer", "check", "verify")
"""Steps in their usual order; one that is not here is told all the same."""
CHAR, STEP, CALL, HOLDS = 10**8, 10**6, 10**4, 9_999
CORRECTION, CITATIONS, REFUSAL, ERROR, DONE = (n * 10**14 for n in (1, 2, 3, 4, 5))
END = "end"
"""Name of the notification that the row has reached a final status; carries no data, the row has it all."""
Wait = Literal["waits", "holds"]


@dataclass(frozen=True, slots=True)
class AskEvent:
    """One event of an ask."""

    id: int
    name: str
    data: dict[str, Any] = field(default_factory=dict)


def words_told(event_id: int) -> int:
    """Say how many characters of the answer a reader was told whose last event has this id; 0 behind all of them."""
    return event_id // CHAR if event_id < CORRECTION else 0


def place_id(wait_id: int, last: int) -> int | None:
    """Give the id under which the place of a wait is told behind the event `last`; None when its ids are used up."""
    number = max(wait_id, last + 1)
    return number if number < wait_id + HOLDS - 1 else None


def status_id(nth: int, told: int = 0) -> int:
    """Give the id of the nth step, counted from 1."""
    return told * CHAR + min(nth, CHAR // STEP - 1) * STEP


def gate_id(step: int, call: int, state: Wait) -> int:
    """Give the id with which the wait of a step's call begins, counted from 1, or ends."""
    return step + min(call, STEP // CALL - 1) * CALL + (1 if state == "waits" else HOLDS)


def status_event(step: str) -> AskEvent:
    """Say which step runs; its number is that of its usual place."""
    return AskEvent(status_id(_place(step)), "status", {"step": step})


def _place(step: str) -> int:
    return 1 + (STEPS.index(step) if step in STEPS else len(STEPS))


def gate_event(step: str, state: Wait, **more: object) -> AskEvent:
    """Say that the ask waits for the model at a step, or has it."""
    return AskEvent(gate_id(status_id(_place(step)), 1, state), "gate", {"step": step, "state": state, **more})


def correction_event(text: str) -> AskEvent:
    """Put a text in place of what was told while the model wrote; an empty one takes it back altogether."""
    return AskEvent(CORRECTION, "correction", {"text": text})


def token_events(text: str, told: int = 0) -> Iterator[AskEvent]:
    """Cut a text into words with the white space behind them; `told` characters of the answer came before."""
    for word in re.finditer(r"\S+\s*|\s+", text):
        yield AskEvent((told + word.end()) * CHAR, "token", {"text": word.group(), "start": told + word.start()})


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
        "missing": (row.trace or {}).get("missing", []),
        "confirmed_items": (row.trace or {}).get("confirmed_items", []),
        "verified": (row.trace or {}).get("verified"),
    }


def events_of(row: AskRow) -> list[AskEvent]:
    """Make the events of an ask again from its row, in order; a row that is not final has said no more than a
    step."""
    if row.completed_at is None:
        return _steps(STEPS[: 1 if row.status == "pending" else 2])
    events = _steps((row.trace or {}).get("steps", STEPS[:1]))
    if row.status != "completed":
        events.append(AskEvent(ERROR, "error", {"code": row.error_code, "message": row.error_message}))
    elif row.refused:
        events.append(AskEvent(REFUSAL, "refusal", {"reason": row.refuse_reason, "message": row.answer}))
    else:
        events += token_events(row.answer or "")
        events += [AskEvent(CITATIONS + cited["n"], "citation", cited) for cited in row.citations or []]
    return [*events, AskEvent(DONE, "done", result_of(row))]


def _steps(names: Sequence[str]) -> list[AskEvent]:
    return [AskEvent(status_id(nth), "status", {"step": step}) for nth, step in enumerate(names, start=1)]
