"""Rows that tell how the questions stand in line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AskInLine:
    """An ask that is being worked on, or waits to be taken up; in the order in which that happens."""

    id: int
    priority: str
    status: str
