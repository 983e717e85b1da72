"""`seodang ask`: from the shell, by the same table as everybody else.

In: a question. Out: its row when that is final; meanwhile a voice hears what happens (services/command/ask_told.py).
Where no daemon answers, this process does it itself. Refuses what cannot be asked before anything is opened or written.
"""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

import anyio

from db.ask_rows import ChangedCitation
from db.notify import Bell, listen_for_ever
from db.pool import Database, open_pool
from db.rows import AskRow
from services.answer.events import CHANNEL, AskEvent, result_of
from services.answer.told import Told
from services.command.ask_told import Voice
from services.command.place import Place
from services.kit.errors import SeodangError, first_of
from services.kit.settings import Settings
from services.search.asked import check_asked
from services.web.pulse import Pulse
from services.web.waits import STAGE, Waits
from services.web.wire import clean

LOOK_S = 1.0


def readable(question: str, settings: Settings) -> str:
    """Give a question as `POST /api/search/ask` would keep it.

    Raises:
        RequestError: it is empty or too long.
    """
    cleaned = clean(question)
    check_asked(cleaned, settings.search)
    return cleaned


def ask_question(place: Place, question: str, background: bool, voice: Voice, debug: bool = False) -> dict[str, Any]:
    """Put a question into `asks` and give its result; the voice hears each event as it comes.

    Args:
        question: as `readable` gives it.
        debug: the result has the trace, too.
    Raises:
        SeodangError: the question could not be answered, or Ctrl-C was pressed; says what became of it.
    """
    priority = "background" if background else "foreground"
    values = {"question": question, "user_id": 1, "priority": priority, "filters": {}}
    ask_id = int(place.db.value("insert_ask", **values))
    try:
        row = anyio.run(_followed, place, ask_id, voice)
    except KeyboardInterrupt:
        if background:
            raise SeodangError(f"Stopped; question {ask_id} stays: `seodang ask --show {ask_id}` shows it.") from None
        place.db.value("cancel_ask", id=ask_id)  # nobody waits for it any more
        raise SeodangError("Stopped; the question was called off. Ask again when you like.") from None
    if row.status != "completed":
        why = f"{row.error_code}: {row.error_message}"
        raise SeodangError(f"The question could not be answered: {why} (`seodang ask --show {ask_id} --debug`)")
    return result_of(row) | ({"trace": row.trace} if debug else {})


def asked_before(place: Place, ask_id: int, debug: bool = False) -> dict[str, Any]:
    """Give an ask as it stands, with what changed since of the documents that it cites.

    Raises:
        SeodangError: there is no such ask.
    """
    row = place.db.one(AskRow, "ask_row", id=ask_id)
    if row is None:
        raise SeodangError(f"There is no ask {ask_id}.")
    changed = place.db.many(ChangedCitation, "changed_since", ask_id=ask_id)
    stale = {"stale": bool(changed), "changed": [asdict(each) for each in changed]}
    return result_of(row) | stale | ({"trace": row.trace} if debug else {})


class Follower:
    """Tells the events of one ask once each, live or from its row, whichever brings them first."""

    def __init__(self, ask_id: int, voice: Voice) -> None:
        self.ask_id, self.voice = ask_id, voice
        self.told = Told()
        self.bell = Bell()
        self.here = False
        """Whether this process answers it."""

    def heard(self, payload: str) -> None:
        """Take a notification; an empty one says that the connection is new: look at the row."""
        said = json.loads(payload) if payload else {}
        if said.get("ask") == self.ask_id and "seq" in said:
            self._tell(self.told.live([AskEvent(said["seq"], said["event"], said["data"])]))
            if not self.told.at_gate_unplaced:
                return
        self.bell.ring()

    def seen(self, row: AskRow) -> None:
        """Tell what the row adds."""
        self._tell(self.told.replay(row))

    async def look_for_place(self, waits: Waits) -> None:
        """Tell where the ask waits, to a voice that says so."""
        if not (self.voice.steps and self.told.may_wait):
            return
        place = await waits.place(self.ask_id, self.told.priority, self.told.queued)
        if place is not None:
            self._tell(self.told.place(replace(place, serving=place.serving or self.here)))

    def _tell(self, events: Iterable[AskEvent]) -> None:
        for event in events:
            self.voice.hear(event)


async def _followed(place: Place, ask_id: int, voice: Voice) -> AskRow:
    """Have an ask answered, and wait until it is final.

    Raises:
        SeodangError, DatabaseError: what went wrong in this process.
    """
    follower = Follower(ask_id, voice)
    try:
        async with open_pool(place.dsn, "ask", 1) as db, anyio.create_task_group() as tasks:
            tasks.start_soon(listen_for_ever, place.dsn, "ask", CHANNEL, follower.heard)
            async with _answering_here(place, follower):
                row = await _final(db, follower)
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:  # callers tell errors apart by their class
        raise first_of(group) from group
    return row


@asynccontextmanager
async def _answering_here(place: Place, follower: Follower) -> AsyncIterator[None]:
    """Answer in this process while the body runs, where no daemon does."""
    follower.here, ended = STAGE not in place.served(), anyio.Event()
    async with anyio.create_task_group() as work:
        if follower.here:
            work.start_soon(place.serve, STAGE, ended)
        yield
        ended.set()


async def _final(db: Database, follower: Follower) -> AskRow:
    waits = Waits(db, Pulse(db))
    while True:
        rings = follower.bell.rings
        row = await db.one(AskRow, "ask_row", id=follower.ask_id)
        if row is None:
            raise SeodangError(f"The question {follower.ask_id} was removed.")
        follower.seen(row)
        if row.completed_at is not None:
            return row
        await follower.look_for_place(waits)
        await follower.bell.wait(rings, LOOK_S)
