"""How far one listener of an ask has been told: each event once, in order, none left out.

Words pass live only while they join on to those told before: behind a gap the row's replay tells the rest. Words that
a model wrote, and that the checks then changed, are taken back by one correction; where the ask ended in a refusal or
an error the correction is empty, and what was told is withdrawn. That the ask waits is told with its place, and again
whenever that changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from db.rows import AskRow
from services.answer.events import (
    CORRECTION,
    AskEvent,
    correction_event,
    events_of,
    gate_id,
    place_id,
    status_id,
    words_told,
)

LIVE = frozenset({"status", "gate"})
"""Events that only a live listener is told."""
AWAY = "No synthesis daemon is running: start it with `seodang up`."


@dataclass(frozen=True, slots=True)
class Place:
    """Who is before an ask that waits, by class; `waited_s` is how long it has waited, where the reading says so.

    `serving` False: nobody is there who could take it up.
    """

    before: Mapping[str, int]
    serving: bool = True
    waited_s: float | None = None

    def told(self) -> dict[str, Any]:
        """Give what listeners are told of it."""
        ahead = {"ahead": sum(self.before.values()), "before": {name: n for name, n in self.before.items() if n}}
        return ahead if self.serving else {**ahead, "serving": False, "message": AWAY}


class Told:
    """How far one client has been told, as the id of the last event."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self._text: str | None = "" if words_told(last) == 0 else None
        """The words told live; None for a client that came back, whose words only the row can judge."""
        self.priority = "foreground"
        self.waits: AskEvent | None = None
        """The wait that goes on now: told as soon as its place is known."""
        self._place: dict[str, Any] | None = None
        self._step, self._heard, self._late = "queued", False, False

    @property
    def queued(self) -> bool:
        """Whether it waits in the queue, and not at the gate."""
        return self.waits is not None and self.waits.data["step"] == "queued"

    @property
    def may_wait(self) -> bool:
        """Whether it is worth looking for the place of the ask."""
        return self.waits is not None or self._late

    @property
    def at_gate_unplaced(self) -> bool:
        """Whether it has come to wait for the model, and nobody has said where; in the queue a place can wait."""
        return self.waits is not None and self._place is None and not self.queued

    def live(self, heard: Iterable[AskEvent]) -> Iterator[AskEvent]:
        """Pass on steps, and words without a gap; all other events wait for the row, where nothing is missing."""
        for event in heard:
            if event.id <= self.last or not (event.name in LIVE or self._joins(event)):
                continue
            self._heard, self._late = True, False
            if event.data.get("state") == "waits":
                self.waits, self._place = event, None
            else:
                yield self._noted(event)

    def place(self, place: Place) -> Iterator[AskEvent]:
        """Tell where the ask stands in the queue or at the gate, unless that has been told."""
        said = place.told()
        wait = self.waits or (self._found_waiting(place) if self._late else None)
        number = place_id(wait.id, self.last) if wait is not None else None
        if wait is None or number is None or said == self._place:
            return
        waited_s = (datetime.now(UTC) - datetime.fromisoformat(wait.data["since"])).total_seconds()
        yield self._noted(AskEvent(number, "gate", {**wait.data, "waited_ms": round(max(0, waited_s) * 1000), **said}))
        self.waits, self._place = wait, said

    def replay(self, row: AskRow) -> Iterator[AskEvent]:
        """Pass on what the row says and the client has not seen."""
        self.priority = row.priority
        if self._taken_back(row):
            yield self._noted(correction_event(_answer_of(row)))
        for event in events_of(row):
            if event.id > self.last:
                yield self._noted(event)
        if row.completed_at is None and self.waits is None:
            self._look_for_wait(row)

    def _look_for_wait(self, row: AskRow) -> None:
        """Take an ask that nobody has taken up for one that waits, and listen for another only where it was joined in
        the middle, and nobody has told yet what it does."""
        if row.status == "pending":
            self._heard = False
            since = row.created_at.isoformat(timespec="milliseconds")
            data = {"step": "queued", "state": "waits", "since": since}
            self.waits = AskEvent(gate_id(status_id(1), 1, "waits"), "gate", data)
        else:
            self._late = not self._heard

    def _found_waiting(self, place: Place) -> AskEvent | None:
        if place.waited_s is None:
            return None
        since = datetime.fromtimestamp(datetime.now(UTC).timestamp() - place.waited_s, UTC)
        data = {"step": self._step, "state": "waits", "since": since.isoformat(timespec="milliseconds")}
        return AskEvent(self.last + 1, "gate", data)

    def _taken_back(self, row: AskRow) -> bool:
        """Say whether the client was told words that are not those of the answer."""
        if row.completed_at is None or not words_told(self.last):
            return False
        if not _answer_of(row):
            return True
        if self._text is None:
            return bool((row.trace or {}).get("corrected"))
        return not _answer_of(row).startswith(self._text)

    def _joins(self, event: AskEvent) -> bool:
        return event.name == "token" and self.last < CORRECTION and event.data["start"] == words_told(self.last)

    def _noted(self, event: AskEvent) -> AskEvent:
        self.last, self.waits, self._place = event.id, None, None
        if event.name == "token" and self._text is not None:
            self._text += event.data["text"]
        elif event.name == "status":
            self._step = event.data["step"]
        return event


def _answer_of(row: AskRow) -> str:
    """Give the text that takes the place of all words; none where the ask has no answer."""
    return row.answer or "" if row.status == "completed" and not row.refused else ""
