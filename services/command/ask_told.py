"""What a terminal is told while an ask runs: its words on standard output, the step it is at on standard error.

In: the events of an ask. Out: with `--stream` the words as they come; where standard error is a terminal one line that
says what goes on and since when, who is before it, which is rewritten and wiped at the end. A pipe gets no steps.
"""

import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from rich.live import Live
from rich.markup import escape
from rich.text import Text

from services.answer.events import AskEvent
from services.command.show import err, out
from services.web.strings import strings

DRAWN_PER_S = 4
TOLD_FROM_S = 1
"""What has just begun has no seconds yet."""
WORDS = strings("en")


class Step:
    """A step as a line says it: what goes on, and for how many seconds it has."""

    def __init__(self, text: str, waited_ms: float | None = None) -> None:
        self.text, self._waits = text, waited_ms is not None
        self._since_s = monotonic() - (waited_ms or 0) / 1000

    def __rich__(self) -> Text:
        """Give one line, cut where the terminal ends: what is wrapped could not be wiped."""
        seconds = round(monotonic() - self._since_s)
        told = WORDS["waited"].format(s=seconds) if self._waits else WORDS["took"].format(s=seconds)
        line = f"{self.text} · {told}" if seconds >= TOLD_FROM_S else f"{self.text} …"
        return Text(line, style="dim", no_wrap=True, overflow="ellipsis")


def step_of(event: AskEvent) -> Step | None:
    """Say what goes on since an event; None for one that begins no step."""
    said: Mapping[str, Any] = event.data
    if event.name == "gate" and said["state"] == "waits":
        return Step(_wait(said), said.get("waited_ms", 0))
    if event.name in ("status", "gate"):
        return Step(WORDS.get(f"step_{said['step']}", str(said["step"])))
    return None


def _wait(said: Mapping[str, Any]) -> str:
    """Say where an ask waits, and who is before it by class."""
    if said.get("serving") is False:
        return WORDS["nobody_serves"]
    where = WORDS["step_queued"] if said["step"] == "queued" else WORDS["gate_waits"]
    before = (WORDS.get(f"before_{name}", WORDS["before"]).format(n=n) for name, n in said.get("before", {}).items())
    return " · ".join([where, *before])


class Voice:
    """Tells a terminal of one ask; who has it closes it, and then the cursor stands at the start of a line."""

    def __init__(self, words: bool, steps: bool) -> None:
        self._words, self.steps = words, steps and sys.stderr.isatty() and err.is_terminal
        self._live: Live | None = None
        self._in_line = False

    def hear(self, event: AskEvent) -> None:
        """Take an event."""
        step = step_of(event) if self.steps else None
        if step is not None:
            self._show(step)
        elif self._words and event.name in ("token", "correction"):
            self._say(event)

    def _show(self, step: Step) -> None:
        if self._live is not None:
            self._live.update(step, refresh=True)
            return
        if out.is_terminal:  # the words stand on the same screen: what is drawn in their line would wipe it
            self._end_line()
        # Standard output stays as it is: it may be a file.
        self._live = Live(step, console=err, transient=True, refresh_per_second=DRAWN_PER_S, redirect_stdout=False)
        self._live.start(refresh=True)

    def _say(self, event: AskEvent) -> None:
        """Print what the answer says, as it comes; a correction on a line of its own."""
        self._wipe()
        text = event.data["text"]
        if event.name == "token":
            out.print(text, end="", highlight=False, markup=False)
            self._in_line = True
            return
        self._end_line()
        said = f"[yellow]Corrected after the checks:[/yellow] {escape(text)}"
        out.print(said if text else "[yellow]Withdrawn after the checks.[/yellow]", highlight=False)

    def close(self) -> None:
        """Wipe the step, end the line of the words."""
        self._wipe()
        self._end_line()

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _end_line(self) -> None:
        if self._in_line:
            out.print()
            self._in_line = False
