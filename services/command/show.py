"""How commands speak: a table for a person, one JSON value for a program; everything else goes to standard error."""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200
"""Columns where standard output is no terminal: a table must not be cut for a program that reads it."""

out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, soft_wrap=True)


def emit(value: Any, as_json: bool, render: Callable[[Any], None]) -> None:
    """Give a result: as JSON on standard output, or by `render`."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=_plain))  # noqa: T201 - the command's result
    else:
        render(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], to: Console = out) -> None:
    """Print rows under a title; nothing where there are none."""
    if not rows:
        return
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    to.print(shown)


def duration(seconds: float | None) -> str:
    """Write an age as a person says it."""
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
