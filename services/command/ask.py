"""`seodang ask`: from the shell, by the same table as everybody else."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import anyio
from rich.markup import escape

from db.ask_rows import ChangedCitation
from db.notify import Bell, listen_for_ever
from db.pool import Database, open_pool
from db.rows import AskRow
from services.answer.events import CHANNEL, AskEvent, result_of
from services.answer.told import Told
from services.command.place import Place
from services.command.show import out
from services.kit.errors import SeodangError

LOOK_S = 1.0
Tell = Callable[[AskEvent], None]


def ask_question(
    place: Place, question: str, background: bool, tell: Tell | None, debug: bool = False
) -> dict[str, Any]:
    """Put a question into `asks` and give its result; `tell` hears each event as it comes, `debug` adds the trace.

    Raises:
        SeodangError: the question could not be answered; says why.
    """
    priority = "background" if background else "foreground"
    values = {"question": question, "user_id": 1, "priority": priority, "filters": {}}
    ask_id = int(place.db.value("insert_ask", **values))
    try:
        if "synthesis" not in place.served():
            place.drain(["synthesis"])
        row = anyio.run(_followed, place, ask_id, tell)
    except KeyboardInterrupt:  # nobody waits for it any more
        if not background:
            place.db.value("cancel_ask", id=ask_id)
        raise
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
    """Tells the events of one ask once each, live or from the finished row, whichever brings them first."""

    def __init__(self, ask_id: int, tell: Tell | None) -> None:
        self.ask_id, self.tell = ask_id, tell
        self.told = Told()
        self.bell = Bell()

    def heard(self, payload: str) -> None:
        """Take a notification; an empty one says that the connection is new: look at the row."""
        said = json.loads(payload) if payload else {}
        if said.get("ask") == self.ask_id and "seq" in said:
            self._tell_all(self.told.live([AskEvent(said["seq"], said["event"], said["data"])]))
        else:
            self.bell.ring()

    def ended(self, row: AskRow) -> None:
        """Tell what the finished row adds."""
        self._tell_all(self.told.replay(row))

    def _tell_all(self, events: Iterable[AskEvent]) -> None:
        for event in events:
            if self.tell is not None:
                self.tell(event)


async def _followed(place: Place, ask_id: int, tell: Tell | None) -> AskRow:
    """Wait until an ask is final."""
    follower = Follower(ask_id, tell)
    async with anyio.create_task_group() as tasks, open_pool(place.dsn, "ask", 1) as db:
        tasks.start_soon(listen_for_ever, place.dsn, "ask", CHANNEL, follower.heard)
        row = await _final(db, follower)
        tasks.cancel_scope.cancel()
    follower.ended(row)
    return row


async def _final(db: Database, follower: Follower) -> AskRow:
    while True:
        rings = follower.bell.rings
        row = await db.one(AskRow, "ask_row", id=follower.ask_id)
        if row is None:
            raise SeodangError(f"The question {follower.ask_id} was removed.")
        if row.completed_at is not None:
            return row
        await follower.bell.wait(rings, LOOK_S)


def print_event(event: AskEvent) -> None:
    """Print the answer of a stream as it comes."""
    if event.name == "token":
        out.print(event.data["text"], end="", highlight=False, markup=False)
    elif event.name == "correction" and not event.data["text"]:
        out.print("\n[yellow]Withdrawn after the checks.[/yellow]")
    elif event.name == "correction":
        out.print(f"\n[yellow]Corrected after the checks:[/yellow] {escape(event.data['text'])}", highlight=False)


def show_answer(result: dict[str, Any]) -> None:
    """Print an answer with its citations, or the refusal."""
    if result["refused"]:
        out.print(f"[yellow]No answer[/yellow] ({result['refuse_reason']}): {result['answer']}", highlight=False)
        return
    out.print(result["answer"], highlight=False, markup=False)
    show_citations(result)


def show_asked(result: dict[str, Any]) -> None:
    """Print an ask of earlier: the question, what became of it, and what no longer reads as it did."""
    out.print(f"[bold]{result['id']}.[/bold] {escape(result['question'])}", highlight=False)
    if result["status"] == "completed":
        show_answer(result)
    else:
        code = f": {result['error_code']}" if result["error_code"] else ""
        out.print(f"[yellow]{result['status']}{code}[/yellow]", highlight=False)
    for each in result["changed"]:
        out.print(f"[yellow]{each['what']} since[/yellow]: {escape(each['title'])}", highlight=False)
    if result["stale"]:
        out.print("The answer may no longer hold: ask again.")


def show_citations(result: dict[str, Any]) -> None:
    """Print the places that an answer, already on the screen, rests on."""
    if result["refused"]:
        show_answer(result)
        return
    out.print()
    for cited in result["citations"]:
        place = f"  [{cited['n']}] {cited['title']}, p. {cited['page']}: “{' '.join(cited['quote'].split())}”"
        out.print(place, highlight=False, markup=False, style="dim")
