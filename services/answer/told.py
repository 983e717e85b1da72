"""How far one listener of an ask has been told: each event once, in order, none left out.

Words pass live only while they join on to those told before: behind a gap the row's replay tells the rest. Words that
a model wrote, and that the checks then changed, are taken back by one correction.
"""

from collections.abc import Iterable, Iterator

from db.rows import AskRow
from services.answer.events import CORRECTION, TOKENS, AskEvent, correction_event, events_of

LIVE = frozenset({"status", "gate"})
"""Events that only a live listener is told."""


class Told:
    """How far one client has been told, as the id of the last event."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self._text: str | None = "" if last < TOKENS else None
        """The words told live; None for a client that came back, whose words only the row can judge."""

    def live(self, heard: Iterable[AskEvent]) -> Iterator[AskEvent]:
        """Pass on steps, and words without a gap; all other events wait for the row, where nothing is missing."""
        for event in heard:
            if event.id > self.last and (event.name in LIVE or self._joins(event)):
                yield self._noted(event)

    def replay(self, row: AskRow) -> Iterator[AskEvent]:
        """Pass on what the row says and the client has not seen."""
        if self._taken_back(row):
            yield self._noted(correction_event(row.answer or ""))
        for event in events_of(row):
            if event.id > self.last:
                yield self._noted(event)

    def _taken_back(self, row: AskRow) -> bool:
        """Say whether the client was told words that are not those of the answer."""
        if row.completed_at is None or row.refused or not TOKENS < self.last < CORRECTION:
            return False
        if self._text is None:
            return bool((row.trace or {}).get("corrected"))
        return not (row.answer or "").startswith(self._text)

    def _joins(self, event: AskEvent) -> bool:
        return event.name == "token" and TOKENS + int(event.data["start"]) == max(self.last, TOKENS)

    def _noted(self, event: AskEvent) -> AskEvent:
        self.last = event.id
        if event.name == "token" and self._text is not None:
            self._text += event.data["text"]
        return event
