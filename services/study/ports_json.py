"""Questions as JSON: a list, an object with "questions", or an object a line (JSON Lines).

In: bytes. Out: rows by field; back, an object with the topic and its questions, the right choice as `answer` from 1.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from services.formats.decode import decode
from services.study.bank import Complaint, ImportRefused, Question, RawRow, Sheet, field_named

SHAPES = 'a list of questions, {"questions": […]}, or one object a line'


def read_json(content: bytes) -> Sheet:
    """Read questions; a line or an item that is none is refused by its number and stops no other.

    Raises:
        ImportRefused: the file is none of the three shapes.
    """
    text = (decode(content) or "").removeprefix("\ufeff")
    try:
        items = _listed(json.loads(text))
    except (ValueError, RecursionError) as error:
        if not _is_lines(text):
            raise ImportRefused(f"The file is no JSON ({error}): give {SHAPES}.") from error
        return _sheet(_lines(text))
    return _sheet(enumerate(items, 1))


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("questions"), list):
        return list(value["questions"])
    if isinstance(value, dict) and any(field_named(name) == "question" for name in value):
        return [value]  # one line of JSON Lines
    if isinstance(value, list):
        return value
    raise ImportRefused(f"The JSON holds no questions: give {SHAPES}.")


def _is_lines(text: str) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and any(line.startswith("{") and line.endswith("}") for line in lines)


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    # Only LF ends a line here: other line ends of Unicode may stand inside a string.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, error


def _sheet(items: Iterator[tuple[int, Any]] | enumerate[Any]) -> Sheet:
    rows: list[RawRow] = []
    refused: list[Complaint] = []
    ignored: dict[str, None] = {}
    for number, item in items:
        if isinstance(item, Exception):
            refused.append(Complaint(number, "", f"is no JSON ({item}): mend the line."))
        elif not isinstance(item, dict):
            refused.append(Complaint(number, "", 'is no object: write {"question": …, "choices": […], "answer": 1}.'))
        else:
            values = _values(item)
            ignored.update(dict.fromkeys(name for name in item if field_named(name) is None))
            rows.append(RawRow(number, values))
    return Sheet(rows, tuple(ignored), refused)


def _values(item: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in item.items():
        if field := field_named(name):
            values.setdefault(field, value)
    return values


def write_json(questions: Sequence[Question], topic: str) -> bytes:
    """Write the questions of a topic; what a question does not have is left out."""
    items = [
        {
            "id": each.key,
            "question": each.text,
            "choices": list(each.choices),
            "answer": each.correct,
            "explanation": each.explanation,
            "exam": each.exam_name,
            "round": each.exam_round,
            "number": each.exam_number,
            "tags": list(each.tags) or None,
        }
        for each in questions
    ]
    said = [{name: value for name, value in item.items() if value is not None} for item in items]
    return json.dumps({"topic": topic, "questions": said}, ensure_ascii=False, indent=1).encode() + b"\n"
