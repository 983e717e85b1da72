"""Questions as a table of text: CSV, in the ways that spreadsheets and people write it.

In: bytes in any character set that the formats know, separated by comma, semicolon or tab, the first row with names.
Out: rows by field; back, the same table in UTF-8 with a byte order mark, which a spreadsheet needs to show Korean.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence

from services.formats.decode import decode
from services.study.bank import (
    COUNTED,
    FIELDS,
    MAX_CHOICES,
    Complaint,
    ImportRefused,
    Question,
    RawRow,
    Sheet,
    field_named,
)

SEPARATORS = (",", ";", "\t")
BYTE_ORDER_MARK = "\ufeff"
MAX_CELL_CHARS = 1_000_000
"""Of a longer cell a quotation mark is open somewhere above; the module's own limit would not let that be told."""


def read_csv(content: bytes) -> Sheet:
    """Read a table.

    Raises:
        ImportRefused: it is no text, or its first row does not name a question, its choices and an answer.
    """
    text = decode(content)
    if text is None:
        raise ImportRefused("The file is no text: save it as CSV (UTF-8), or give JSON or an Anki package.")
    text = text.removeprefix(BYTE_ORDER_MARK)
    separator = max(SEPARATORS, key=lambda each: len(_fields(_header(text, each))))
    header = _header(text, separator)
    fields = _fields(header)
    _check_names(fields)
    rows: list[RawRow] = []
    refused: list[Complaint] = []
    for number, cells in _cells(text, separator, refused):
        if number == 1 or not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            refused.append(Complaint(number, "", f"has {len(cells)} cells under {len(header)} names: put text that "
                                                 "holds the separator into quotation marks."))  # fmt: skip
            continue
        rows.append(RawRow(number, {name: cells[at] for name, at in fields.items() if at < len(cells)}))
    ignored = [name for at, name in enumerate(header) if name.strip() and at not in fields.values()]
    return Sheet(rows, ignored, refused)


def _header(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return []  # no table has such a first row


def _fields(header: Sequence[str]) -> dict[str, int]:
    """Give the column of each field; of two columns with one meaning the first counts."""
    found: dict[str, int] = {}
    for at, name in enumerate(header):
        if field := field_named(name):
            found.setdefault(field, at)
    return found


def _check_names(fields: dict[str, int]) -> None:
    choices = [name for name in fields if name.startswith("choice_")]
    lacking = [
        said
        for said, there in (
            ("question (문제)", "question" in fields),
            ("choice_1, choice_2, … (보기1, 보기2, …)", len(choices) > 1),
            ("answer (정답)", "answer" in fields or COUNTED in fields),
        )
        if not there
    ]
    if lacking:
        raise ImportRefused(f"The first row has no column {', no column '.join(lacking)}: name the columns so.")


def _cells(text: str, separator: str, refused: list[Complaint]) -> Iterator[tuple[int, list[str]]]:
    """Give the cells of each row under its number; a row that the reader gives up does not end the others.

    Strict, because the reader would else take all that follows an open quotation mark for one cell, and say nothing.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    former = csv.field_size_limit(MAX_CELL_CHARS)
    try:
        while True:
            number += 1
            try:
                yield number, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                refused.append(
                    Complaint(
                        number, "", f"cannot be read ({error}): close its quotation mark, it may hold the rows below."
                    )
                )
    finally:
        csv.field_size_limit(former)


def write_csv(questions: Sequence[Question]) -> bytes:
    """Write a table that `read_csv` and spreadsheets read; the answer is the number of the choice from 1."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    for each in questions:
        choices = [*each.choices, *[""] * (MAX_CHOICES - len(each.choices))]
        exam = (each.exam_name, each.exam_round, each.exam_number)
        writer.writerow([each.key, each.text, *choices, each.correct, each.explanation, *exam, tags_cell(each.tags)])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def tags_cell(tags: Sequence[str]) -> str:
    """Write tags into one cell: between semicolons, or as a JSON list where a tag holds a separator itself."""
    if any(set(tag) & set(",;[") for tag in tags):
        return json.dumps(list(tags), ensure_ascii=False)
    return "; ".join(tags)
