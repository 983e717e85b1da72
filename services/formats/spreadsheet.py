"""Spreadsheets (XLSX, XLSB, XLS, ODS) -> one page per sheet, hidden ones too, its rows as a Markdown table.

A sheet that is longer than a page may be goes on in the next pages, "Sheet (2)", each with the heading row again.
Formulas give the value they were saved with. Calamine reads the cells; what it leaves out (which numbers are
percentages, remarks, text boxes, headers) comes from `spreadsheet_xml`, and is lost in XLS and XLSB.
"""

import datetime
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from itertools import chain
from typing import BinaryIO

import python_calamine as calamine

from services.formats import archive, markup, parts, tables
from services.formats.page import FormatError, Header, Heading, Page
from services.formats.sniff import Family, sniff
from services.formats.source import Source
from services.formats.spreadsheet_xml import Looks, looks_of
from services.text.normalise import normalise

_PACKAGES = frozenset({Family.XLSX, Family.XLSB, Family.ODS})
_DIGITS = 15  # significant decimal digits that a double keeps; what follows is dust (0.1 + 0.2)
_SMALLEST, _LARGEST = 1e-9, 1e21  # outside of these a number is written with its exponent
_MAX_COLUMNS = 200  # a sheet wider than that is no table for the eye: empty cells are left out of its rows
_HEAD_SHARE = 4  # a heading row of more than a quarter of a page is not repeated
_TITLES = ("docProps/core.xml", "meta.xml")
_Line = tuple[str, bool]  # the text, and whether it is the heading row


def parse(source: Source) -> Iterator[Header | Page]:
    """Give a page per sheet. Raises FormatError: "encrypted", "corrupt", "too_large", "empty"."""
    family = sniff(source)
    with ExitStack() as stack:
        looks: Iterable[Looks] = ()
        title = ""
        if family in _PACKAGES:
            package = stack.enter_context(archive.open_zip(stack.enter_context(source.open())))
            archive.check(package, source.max_unpacked_bytes, doctypes=family is Family.ODS)
            looks, title = looks_of(package, family), _title(package)
        workbook = _open(stack.enter_context(source.open()))
        yield Header(family, title)
        yield from _with_text(_pages(workbook, looks))


def _open(file: BinaryIO) -> calamine.CalamineWorkbook:
    try:
        return calamine.CalamineWorkbook.from_filelike(file)
    except calamine.PasswordError as error:
        message = "The spreadsheet is locked by a password; save a copy without one and add that."
        raise FormatError("encrypted", message, repr(error)) from error
    except BaseException as error:
        if not _is_damage(error):
            raise
        raise archive.damaged(error) from error


def _is_damage(error: BaseException) -> bool:
    """Tell what calamine refuses, and what it panics at: a panic in Rust is no Exception."""
    return isinstance(error, calamine.CalamineError) or type(error).__name__ == "PanicException"


def _title(package: zipfile.ZipFile) -> str:
    for name in _TITLES:
        root = markup.optional(package, name)
        for element in markup.named(root, "title") if root is not None else ():
            return normalise(" ".join("".join(element.itertext()).split()))
    return ""


def _pages(workbook: calamine.CalamineWorkbook, looks: Iterable[Looks]) -> Iterator[Page]:
    number = 0
    more = chain(looks, iter(Looks, None))  # a sheet without looks is read without them
    for index, (name, look) in enumerate(zip(workbook.sheet_names, more, strict=False)):
        label = normalise(name)
        for turn, text in enumerate(_texts(_lines(_sheet(workbook, index), look)), start=1):
            number += 1
            shown = label if turn == 1 else f"{label} ({turn})"
            yield Page(number, shown, text, headings=(Heading(0, 1, label),) if text and turn == 1 else ())


def _sheet(workbook: calamine.CalamineWorkbook, index: int) -> calamine.CalamineSheet:
    try:
        return workbook.get_sheet_by_index(index)
    except BaseException as error:
        if not _is_damage(error):
            raise
        raise archive.damaged(error) from error


def _with_text(pages: Iterator[Page]) -> Iterator[Page]:
    """Hold empty sheets back until one has text, so that an empty workbook is refused before anything is given."""
    waiting: list[Page] = []
    found = False
    for page in pages:
        found = found or bool(page.text)
        waiting.append(page)
        if found:
            yield from waiting
            waiting.clear()
    if not found:
        raise FormatError("empty", "The spreadsheet holds no values; add it again when something is written in it.")


def _lines(sheet: calamine.CalamineSheet, look: Looks) -> Iterator[_Line]:
    """Give what stands above the table, then the table, then the remarks.

    A row of one cell before the first row of several is a title over the table, not its heading row.
    """
    begun = False
    for row in _rows(sheet, look):
        if not begun and sum(map(bool, row)) <= 1:
            yield next(filter(None, row), ""), False
        elif not begun:
            begun = True
            width = min(sheet.width, _MAX_COLUMNS)
            yield "\n".join(tables.markdown_rows([row + [""] * (width - len(row))])), True
        else:
            yield tables.markdown_row(row), False
    for number, remark in enumerate(look.remarks):
        yield "\n" * (number == 0) + normalise(remark), False


def _rows(sheet: calamine.CalamineSheet, look: Looks) -> Iterator[list[str]]:
    """Give the rows that hold something as a person sees their cells, without the empty cells at their ends."""
    if sheet.start is None:
        return
    left = sheet.start[1]
    for number, values in enumerate(sheet.iter_rows()):
        if values.count("") == len(values):
            continue  # a stray cell far below makes a million of them
        cells = [_shown(value, (number, column) in look.percents) for column, value in enumerate(values, start=left)]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells if sheet.width <= _MAX_COLUMNS else list(filter(None, cells))


def _shown(value: object, percent: bool) -> str:
    if isinstance(value, str):
        return " ".join(normalise(value).split()) if value else ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{_number(value * 100)}%" if percent else _number(value)
    return _moment(value)


def _moment(value: object) -> str:
    """Give a date, a time, or how long something lasts, as ISO 8601 writes days and clocks."""
    match value:
        case datetime.datetime():
            day = value.date().isoformat()
            return day if value.time() == datetime.time() else f"{day} {_time(value.time())}"
        case datetime.time():
            return _time(value)
        case datetime.timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return str(value)


def _time(value: datetime.time) -> str:
    return value.isoformat("seconds" if value.second else "minutes")


def _number(value: float) -> str:
    if abs(value) < _LARGEST and value == int(value):
        return str(int(value))
    short = f"{value:.{_DIGITS}g}"
    return f"{Decimal(short):f}" if "e" in short and _SMALLEST <= abs(value) < _LARGEST else short


def _texts(lines: Iterator[_Line]) -> Iterator[str]:
    """Fill pages of at most `parts.MAX_PART_CHARS` with lines, beginning each with the heading row; at least one."""
    head = ""
    page: list[str] = []
    size = 0
    for line, is_head in lines:
        if page and size + len(line) + 1 > parts.MAX_PART_CHARS:
            yield "\n".join(page)
            page = [head] if head else []
            size = len(head) + 1
        if is_head and len(line) * _HEAD_SHARE <= parts.MAX_PART_CHARS:
            head = line
        page.append(line)
        size += len(line) + 1
        if size > parts.MAX_PART_CHARS:  # a row of its own length
            *full, rest = [each.text for each in parts.split("\n".join(page), [])]
            yield from full
            page, size = [rest], len(rest) + 1
    yield "\n".join(page).strip("\n")
