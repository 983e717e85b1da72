"""unhwp (a native library) -> the story of a Hangul document whose layout `hwp_binary` or `hwp_xml` does not know.

Asked last: of HWPX it drops footers, notes and captions, and it keeps deletions under review as text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import unhwp

from services.formats.hwp_blocks import Block, Cell, Paragraph, Story, Table
from services.formats.page import FormatError

_KINDS = unhwp.ErrorKind
_LOCKED = (_KINDS.ENCRYPTED, _KINDS.DISTRIBUTION_RESTRICTED)
_UNKNOWN = (_KINDS.UNKNOWN_FORMAT, _KINDS.UNSUPPORTED_FORMAT)
_Json = Mapping[str, Any]


def read(content: bytes) -> Story:
    """Give the story of a whole file. Raises FormatError: "encrypted", "unsupported_format", "corrupt"."""
    try:
        with unhwp.parse_bytes(content) as result:
            document = json.loads(result.json)
    except unhwp.UnhwpError as error:
        raise _refusal(error) from error
    story = Story(title=str(document.get("metadata", {}).get("title") or ""))
    for section in document.get("sections", ()):
        story.blocks.extend(_blocks(section.get("content", ())))
    return story


def _refusal(error: unhwp.UnhwpError) -> FormatError:
    detail = f"unhwp {int(error.kind)}: {str(error)[:200]}"
    if error.kind in _LOCKED:
        message = "The Hangul document is locked; save a copy without a password and add that."
        return FormatError("encrypted", message, detail)
    if error.kind in _UNKNOWN:
        message = "This is a Hangul document of a version not read; save it as HWPX or PDF and add that."
        return FormatError("unsupported_format", message, detail)
    return FormatError("corrupt", "The Hangul document is cut off or damaged; get it again.", detail)


def _blocks(content: Sequence[_Json]) -> Iterator[Block]:
    for item in content:
        if "Paragraph" in item:
            yield _paragraph(item["Paragraph"])
        elif "Table" in item:
            yield _table(item["Table"])


def _paragraph(item: _Json) -> Paragraph:
    style = item.get("style", {})
    return Paragraph("".join(map(_words, item.get("content", ()))), level=style.get("heading_level") or 0)


def _words(run: str | _Json) -> str:
    """Give the words of a run; runs without words are signs by name."""
    if isinstance(run, str):
        return "\n" if run == "LineBreak" else ""
    for value in run.values():
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return str(value.get("text") or value.get("script") or "")
    return ""


def _table(item: _Json) -> Table:
    cells: list[Cell] = []
    covered: set[tuple[int, int]] = set()
    for number, row in enumerate(item.get("rows", ())):
        column = 0
        for cell in row.get("cells", ()):
            while (number, column) in covered:
                column += 1
            inner = [_table(nested) for nested in cell.get("nested_tables", ())]
            cells.append(Cell(number, column, [*map(_paragraph, cell.get("content", ())), *inner]))
            _cover(covered, number, column, cell)
            column += min(int(cell.get("colspan") or 1), _MOST_SPAN)
    return Table(cells)


_MOST_SPAN = 256  # columns or rows; a damaged file claims any number


def _cover(covered: set[tuple[int, int]], row: int, column: int, cell: _Json) -> None:
    rows, columns = (min(int(cell.get(name) or 1), _MOST_SPAN) for name in ("rowspan", "colspan"))
    covered.update((row + down, column + right) for down in range(1, rows) for right in range(columns))
