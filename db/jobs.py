"""The life of a job: its states, the verbs that move it, and nothing else moves it.

`TRANSITIONS` is the state machine as data. tests/db/test_queue_states.py tries every verb on every state against a
real queue, and docs/state-machine.md is drawn from it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The states of a row in a queue; the last three are final and carry `completed_at`."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.SKIPPED})


@dataclass(frozen=True, slots=True)
class Transition:
    """`verb` moves a row from `before` to `after`; `who` may say it, `effect` is what else changes."""

    verb: str
    before: Status
    after: Status
    who: str
    effect: str


P, W, C, F, S = Status
TRANSITIONS = (
    Transition("claim", P, W, "a daemon's lane", "claim + 1, attempts + 1, started_at, the former error is cleared"),
    Transition("complete", W, C, "the lane that holds the claim", "results and follow-up jobs in the same transaction"),
    Transition("skip", W, S, "the lane that holds the claim", "there was nothing to do; error_code says why"),
    Transition("fail", W, F, "the lane that holds the claim", "final; a new try is a new row"),
    Transition("retry", W, P, "the lane that holds the claim", "keeps the error; run_at when it is to wait"),
    Transition("release", W, P, "the lane that holds the claim", "put off or asked to stop: the attempt is given back"),
    Transition(
        "rescue", W, P, "any daemon of the stage", "its worker is dead or hangs: crashes + 1, attempt given back"
    ),
    Transition("give_up", W, F, "any daemon of the stage", "as rescue, at the setting queue.max_crashes"),
    Transition("promote", P, P, "any daemon of the stage", "run_at has come: the row is ready again"),
)


class Job(NamedTuple):
    """A row in hand: `id` and `claim` are the right to end it.

    A tuple, since it is made once per row of a drain; its first fields are the order of claiming.
    """

    urgency: int
    id: int
    claim: int
    attempts: int
    max_attempts: int
    queue_ms: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How a row in hand is to end, or to be given back (`status` pending).

    `delay_s` puts a pending row off; `refund` is 1 where the attempt does not count; `payload` is merged into the
    row's payload, key by key.
    """

    id: int
    claim: int
    status: Status
    code: str | None = None
    message: str | None = None
    delay_s: float | None = None
    refund: int = 0
    payload: dict[str, object] | None = None
