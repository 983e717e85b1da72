"""What one listener of an ask is told: live words, the row, and a correction where the two differ."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from db.rows import AskRow
from services.answer.events import TOKENS, AskEvent, gate_event, status_event, token_events
from services.answer.told import Told

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
    assert said(Told(TOKENS + 9).replay(ROW)) == [("correction", ROW.answer)]
    kept = replace(ROW, trace={"steps": [], "corrected": False})
    assert "".join(text for _, text in said(Told(TOKENS + 9).replay(kept))) == "at 0.5 MPa [1]."


def test_words_behind_a_gap_wait_for_the_row() -> None:
    told = Told()
    assert list(told.live([AskEvent(TOKENS + 20, "token", {"text": "later", "start": 15})])) == []


@pytest.mark.parametrize("steps", [("answer", "check")])
def test_gate_events_stand_between_their_step_and_the_next(steps: tuple[str, str]) -> None:
    first, second = steps
    told = Told()
    events = [status_event(first), gate_event(first, "waits"), gate_event(first, "holds", 3.0), status_event(second)]
    assert list(told.live(events)) == events
