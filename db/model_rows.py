"""Rows about the model servers (db/sql/models.sql)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a role's breaker stands.

    Attributes:
        failures: in a row, over all processes.
        opened_at: since when nobody calls; None: it is closed.
        wait_s: until one call may probe; 0 when it may now, or when the breaker is closed.
        last_error: of the last failure ever, also when calls have succeeded since.
    """

    role: str
    failures: int
    opened_at: datetime | None
    last_error: str | None
    updated_at: datetime
    wait_s: float
