"""What one listener of an ask is told: live words, the row, and a correction where the two differ."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import anyio
import pytest

from db.pool import Database
from db.rows import AskRow
from services.answer.events import CHAR, AskEvent, gate_event, status_event, token_events, words_told
from services.answer.publish import Publisher
from services.answer.told import Place, Told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = AskRow(
    id=1, question="?", user_id=1, priority="foreground", mode="ask", filters={}, status="completed",
    answer="It opens at 0.5 MPa [1].", completeness="full", refused=False, refuse_reason=None, confidence="high",
    citations=[{"n": 1}], trace={"steps": ["queued", "answer"], "corrected": True}, prompt_version="v", model="m",
    error_code=None, error_message=None, created_at=NOW, started_at=NOW, completed_at=NOW,
)  # fmt: skip


def said(events: Any) -> list[tuple[str, Any]]:
    return [(event.name, event.data.get("text")) for event in events if event.name in {"token", "correction"}]


def test_live_words_of_the_answer_are_told_once() -> None:
    told = Told()
    live = list(told.live([status_event("answer"), *token_events("It opens ")]))
    rest = list(told.replay(ROW))
    assert "".join(event.data["text"] for event in [*live, *rest] if event.name == "token") == ROW.answer
    assert [event.name for event in rest][-2:] == ["citation", "done"]


def test_words_that_the_checks_changed_are_taken_back_once() -> None:
    told = Told()
    list(told.live(token_events("It opens at 5 MPa")))
    assert said(told.replay(ROW)) == [("correction", ROW.answer)]
    assert said(told.replay(ROW)) == []


def test_a_client_that_comes_back_is_put_right_by_the_row() -> None:
    assert said(Told(9 * CHAR).replay(ROW)) == [("correction", ROW.answer)]
    kept = replace(ROW, trace={"steps": [], "corrected": False})
    assert "".join(text for _, text in said(Told(9 * CHAR).replay(kept))) == "at 0.5 MPa [1]."


def test_words_behind_a_gap_wait_for_the_row() -> None:
    told = Told()
    assert list(told.live([AskEvent(20 * CHAR, "token", {"text": "later", "start": 15})])) == []


def test_gate_events_stand_between_their_step_and_the_next() -> None:
    told = Told()
    waits = gate_event("answer", "waits", since=NOW.isoformat())
    first = list(told.live([status_event("answer"), waits]))
    placed = [*told.place(Place({"foreground": 2})), *told.place(Place({"foreground": 1}))]
    after = list(told.live([gate_event("answer", "holds", wait_ms=3.0), status_event("check")]))
    assert [event.data.get("ahead") for event in [*first, *placed, *after]] == [None, 2, 1, None, None]
    ids = [event.id for event in [*first, *placed, *after]]
    assert ids == sorted(set(ids))


def test_place__is_told_when_it_changes_and_not_after_the_wait() -> None:
    told = Told()
    list(told.live([status_event("answer"), gate_event("answer", "waits", since=NOW.isoformat())]))
    (placed,) = told.place(Place({"foreground": 1, "background": 0}))
    assert placed.data["before"] == {"foreground": 1}
    assert list(told.place(Place({"foreground": 1}))) == []
    list(told.live([gate_event("answer", "holds", wait_ms=3.0)]))
    assert list(told.place(Place({}))) == []
    assert not told.may_wait


def test_queue__says_that_nobody_serves() -> None:
    told, waiting = Told(), replace(ROW, status="pending", completed_at=None, started_at=None)
    assert [event.data for event in told.replay(waiting)] == [{"step": "queued"}]
    (event,) = told.place(Place({}, serving=False))
    assert (event.name, event.data["step"], event.data["ahead"], event.data["serving"]) == ("gate", "queued", 0, False)
    assert "seodang up" in event.data["message"]
    assert event.data["waited_ms"] > 0


def test_steps_after_the_words_are_told_and_keep_the_words() -> None:
    """What runs behind the writing has an id behind the words, which still says how many were told."""
    told, voice = Told(), Voice()
    voice.publish(status_event("answer"))
    voice.words("It opens ")
    voice.publish(status_event("verify"))
    voice.publish(gate_event("verify", "holds", wait_ms=1.0))
    live = list(told.live(voice.said))
    assert [event.name for event in live] == ["status", "token", "status", "gate"]
    assert words_told(told.last) == len("It opens ")
    rest = list(Told(told.last).replay(replace(ROW, trace={"steps": [], "corrected": False})))
    assert "".join(event.data["text"] for event in rest if event.name == "token") == "at 0.5 MPa [1]."


REFUSED: dict[str, Any] = {
    "refused": True,
    "refuse_reason": "answer_ungrounded",
    "answer": "No.",
    "completeness": "insufficient",
}
FAILED = {"status": "failed", "answer": None, "error_code": "llm_timeout", "error_message": "late"}
CANCELLED = {"status": "skipped", "answer": None, "error_code": "cancelled", "error_message": "gone"}


@pytest.mark.parametrize(("ending", "name"), [(REFUSED, "refusal"), (FAILED, "error"), (CANCELLED, "error")])
@pytest.mark.parametrize("back", [False, True])
def test_words_of_an_ask_without_an_answer_are_withdrawn_once(ending: dict[str, Any], name: str, back: bool) -> None:
    told = Told()
    live = list(told.live(token_events("It opens at 5 MPa")))
    told = Told(live[-1].id) if back else told
    row = replace(ROW, **ending)
    rest = list(told.replay(row))
    assert [(event.name, event.data.get("text")) for event in rest[:1]] == [("correction", "")]
    assert [event.name for event in rest[1:]] == [name, "done"]
    assert [event.name for event in Told(rest[0].id).replay(row)] == [name, "done"]


def test_nothing_is_withdrawn_of_which_nothing_was_told() -> None:
    assert "correction" not in [event.name for event in Told().replay(replace(ROW, **REFUSED))]


def test_steps_that_nobody_knows_are_told_in_their_order() -> None:
    voice = Voice()
    steps = ["retrieve", "sniff", "answer", "answer", "dream"]
    for step in steps:
        voice.publish(status_event(step))
    assert [event.data["step"] for event in Told().live(voice.said)] == steps
    ids = [event.id for event in voice.said]
    assert ids == sorted(set(ids))


class Voice(Publisher):
    """A publisher whose events are kept."""

    def __init__(self) -> None:
        super().__init__(cast(Database, None), 1)

    @property
    def said(self) -> list[AskEvent]:
        return self._unsent

    def words(self, text: str) -> None:
        anyio.run(self.heard, f'{{"answer": "{text}')
