"""What is logged is on the list, and the list is in the documents with its fields."""

import ast
import io
import logging
import re
import sys
from pathlib import Path

import pytest
import structlog

from services.kit.log import Event, get_logger, set_up_logging
from tests.rules.test_house import calls, sources

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log", "msg"}
ROW = re.compile(
    r"^\| `(?P<event>\w+)` \| (?P<level>[\w, ]+) \| (?P<fields>[^|]*) \| (?P<when>[^|]+) \|$", re.MULTILINE
)


def logged() -> list[tuple[str, ast.Call]]:
    """Find the calls of a logger."""
    return [
        (place, call)
        for place, tree in sources("services", "db")
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"log", "logger", "logging"}
    ]


def event_of(call: ast.Call) -> str | None:
    """Give the constant's name where a call names one."""
    first = call.args[0] if len(call.args) == 1 else None
    if isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Event":
        return first.attr
    return None


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Read docs/events.md: levels and fields of each event."""
    rows = ROW.finditer((ROOT / "docs" / "events.md").read_text(encoding="utf-8"))
    return {row["event"]: (set(row["level"].split(", ")), set(re.findall(r"`(\w+)`", row["fields"]))) for row in rows}


def test_log_calls__name_an_event_of_the_list() -> None:
    assert [(place, ast.unparse(call)) for place, call in logged() if event_of(call) is None] == []


def test_events__are_those_of_the_documents_and_no_others() -> None:
    assert set(documented()) == {event.value for event in Event}


def test_events__are_all_logged() -> None:
    assert {event_of(call) for _, call in logged()} == {event.name for event in Event}


def test_events__are_nouns_with_what_happened_to_them() -> None:
    for event in Event:
        assert event.value == event.name.lower()
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", event.value), event


def test_events__have_the_levels_and_fields_of_the_documents() -> None:
    said: dict[str, tuple[set[str], set[str]]] = {event.value: (set(), set()) for event in Event}
    for _, call in logged():
        levels, fields = said[Event[str(event_of(call))].value]
        assert isinstance(call.func, ast.Attribute)
        levels.add(call.func.attr)
        fields.update(word.arg for word in call.keywords if word.arg)
    assert said == documented()


SECRET = "the text of a document"


@pytest.mark.parametrize("form", ["console", "json"])
def test_log__shows_where_an_error_came_from_and_no_values(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, out = structlog.get_config(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    try:
        set_up_logging("info", form, "tests")
        log_a_crash(SECRET)
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
    assert "log_a_crash" in out.getvalue()
    assert "ZeroDivisionError" in out.getvalue()
    assert SECRET not in out.getvalue()


def log_a_crash(text: str) -> None:
    try:
        assert len(text) / 0
    except ZeroDivisionError as error:
        get_logger().warning(Event.JOB_CRASHED, job=1, exc_info=error)
