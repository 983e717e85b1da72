"""How a stage says that a job ended: as a value, never by raising for the expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Write:
    """A named statement of db/sql to be run with the end of the job, once per entry of `rows`."""

    name: str
    rows: tuple[Values, ...]

    @classmethod
    def once(cls, name: str, **values: object) -> "Write":
        """A statement that is run one time."""
        return cls(name, (values,))


@dataclass(frozen=True, slots=True)
class Completed:
    """Done. `writes` run in order, in the transaction that ends the job; `subject` is what the next stages get."""

    writes: tuple[Write, ...] = ()
    subject: int | None = None
    payload: dict[str, object] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Skipped:
    """There was nothing to do; final."""

    code: str
    message: str = ""
    writes: tuple[Write, ...] = ()
    payload: dict[str, object] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Failed:
    """Cannot be done, and trying again would not help; final."""

    code: str
    message: str = ""
    writes: tuple[Write, ...] = ()
    payload: dict[str, object] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Retry:
    """Did not work this time. `counted` False puts the job off without costing it an attempt; `writes` are kept."""

    code: str
    message: str = ""
    after_s: float | None = None
    counted: bool = True
    writes: tuple[Write, ...] = ()
    payload: dict[str, object] | None = field(default=None)


Outcome = Completed | Skipped | Failed | Retry

NOTHING_MORE = Completed()
"""Completed with nothing to write: batches of it are ended and followed in one round trip."""
