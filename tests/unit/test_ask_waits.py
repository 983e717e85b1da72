"""Who is before an ask: counted from a reading of the queue and of the gate."""

from typing import Any, cast

import anyio
import pytest

from db.gate_rows import GateSeat
from db.line_rows import AskInLine
from db.pool import Database
from services.web.pulse import Pulse
from services.web.waits import Lines, Waits

QUEUE = (
    AskInLine(1, "foreground", "processing"),
    AskInLine(2, "background", "processing"),
    AskInLine(5, "foreground", "pending"),
    AskInLine(6, "foreground", "pending"),
    AskInLine(3, "background", "pending"),
)


def seat(state: str, priority: str, label: str, seconds: float = 0.0, behind: int = 0, of: str = "a") -> GateSeat:
    return GateSeat(of, state, priority, 1, seconds, label, behind)


@pytest.mark.parametrize(
    ("ask_id", "before"),
    [(5, {"foreground": 1}), (6, {"foreground": 2}), (3, {"foreground": 3, "background": 1}), (1, None), (9, None)],
)
def test_queue__counts_those_before_and_no_background_before_a_person(
    ask_id: int, before: dict[str, int] | None
) -> None:
    place = Lines(QUEUE).in_queue(ask_id)
    assert (place and dict(place.before)) == before


SEATS = (
    seat("holds", "background", "deep deep_document:4"),
    seat("waits", "foreground", "primary_synthesis_ask:7", 9.0),
    seat("waits", "foreground", "primary_synthesis_ask:8", 4.0, behind=2),
    seat("waits", "study", "study", 3.0, behind=5),
    seat("waits", "background", "primary_synthesis_ask:70", 60.0),
    seat("holds", "foreground", "embed question", of="b"),
)


@pytest.mark.parametrize(
    ("ask_id", "before"),
    [
        (7, {"background": 1}),
        (8, {"background": 1, "foreground": 1}),
        (70, {"background": 1, "foreground": 4, "study": 6}),
        (99, {"background": 1, "foreground": 2}),
    ],
)
def test_gate__counts_holders_higher_classes_and_those_who_came_earlier(ask_id: int, before: dict[str, int]) -> None:
    place = Lines(seats=SEATS).at_gate(ask_id, "foreground")
    assert place is not None
    assert dict(place.before) == before


def test_gate__of_an_ask_that_has_the_model_is_no_wait() -> None:
    assert Lines(seats=(seat("holds", "foreground", "primary_synthesis_ask:7"),)).at_gate(7, "foreground") is None
    assert Lines().at_gate(7, "foreground") is None


def test_gate__knows_an_ask_by_what_is_left_of_its_label() -> None:
    cut = seat("waits", "foreground", "classifier_synthesis_ask:1234"[:28], 2.0)
    place = Lines(seats=(cut,)).at_gate(1234, "foreground")
    assert place is not None
    assert place.waited_s == 2.0
    other = Lines(seats=(cut,)).at_gate(99, "foreground")
    assert other is not None
    assert other.waited_s is None


@pytest.mark.anyio
async def test_waits__are_read_once_for_all_who_ask_together(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = 0

    async def read(_self: Waits) -> Lines:
        nonlocal readings
        readings += 1
        return Lines(QUEUE)

    monkeypatch.setattr(Waits, "_read", read)
    waits = Waits(cast(Database, None), cast(Pulse, None))
    found: list[Any] = []

    async def ask() -> None:
        found.append(await waits.place(6, "foreground", queued=True))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask)
    assert [dict(each.before) for each in found] == [{"foreground": 2}] * 50
    assert readings == 1
