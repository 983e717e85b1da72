"""HWP 5 (an OLE file of compressed records) -> the story of a Hangul document.

Layout by Hancom's "한글 문서 파일 구조 5.0"; hwp_records.py has the container. Not read: what needs a key (see `hwp`),
and tracked changes of HWP 5, which the layout does not tell.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.formats import hwp_blocks
from services.formats.hwp_blocks import NUMBER_CODES, Block, Cell, Numbering, Numbers, Paragraph, Story, Table
from services.formats.hwp_records import (
    CTRL_HEADER,
    EQUATION,
    LIST_HEADER,
    PARA_HEADER,
    PARA_TEXT,
    TABLE,
    Record,
    Streams,
    trees,
)

COMPRESSED, LOCKED, DISTRIBUTED, DRM = 0x1, 0x2, 0x4, 0x10  # of the properties in FileHeader
CERTIFIED = 0x100 | 0x400  # encryption and DRM by a certificate
_PROPERTIES_AT = 36

_NUMBERING, _PARA_SHAPE = 0x17, 0x19

_EXTENDED = frozenset({1, 2, 3, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23})  # stand for a control, 8 units wide
_INLINE = frozenset({4, 5, 6, 7, 8, 9, 19, 20})  # 8 units wide as well
_SIGNS = {9: "\t", 10: "\n", 24: "-", 30: " ", 31: " "}
_CONTROL_UNITS = 8

_MARGINS = (b"head", b"foot")
_NOTES = {b"fn  ": "f", b"en  ": "e"}
_COMMENT, _SECTION, _TABLE_ID, _AUTO, _RUBY, _EQUATION_ID = b"tcmt", b"secd", b"tbl ", b"atno", b"tdut", b"eqed"
_COUNTED = (3, 4, 5)  # kinds of automatic numbers: picture, table, equation; those of pages and notes are no text
_HEADS = ("", "outline", "number", "bullet")


@dataclass(slots=True)
class _Reader:
    """Where a walk stands; `shapes` are (kind of head, numbering, level) in the order of their ids."""

    shapes: Sequence[tuple[str, int, int]]
    numbers: Numbers
    story: Story
    outline: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    inside: int = 0  # cells, notes and margins around: an outline counts only in the body


def properties(file: Any) -> int:
    """Give the bits of FileHeader of an opened OleFileIO. Raises OSError, struct.error."""
    return int(struct.unpack_from("<I", file.openstream("FileHeader").read(), _PROPERTIES_AT)[0])


def read(file: Any, max_unpacked_bytes: int) -> Story:
    """Give the story of an opened OleFileIO.

    Raises:
        FormatError: "too_large" when the streams unpack to more than allowed; "corrupt" when one ends early.
        OSError, struct.error, ValueError, zlib.error: damaged.
    """
    streams = Streams(file, bool(properties(file) & COMPRESSED), max_unpacked_bytes)
    story = Story()
    reader = _shaped(streams.records("DocInfo"), story)
    sections = [path for path in file.listdir() if path[0] == "BodyText" and path[-1].startswith("Section")]
    if not sections:
        raise ValueError("no section")
    for path in sorted(sections, key=lambda path: int(path[-1][7:])):
        for record in trees(streams.records("/".join(path))):
            if record.tag == PARA_HEADER:
                story.blocks.extend(_paragraph(record, reader))
    return story


def _shaped(records: Iterator[tuple[int, int, bytes]], story: Story) -> _Reader:
    shapes: list[tuple[str, int, int]] = []
    numberings: dict[int, Numbering] = {}
    for tag, _, data in records:
        if tag == _NUMBERING:
            numberings[len(numberings) + 1] = _numbering(data)
        elif tag == _PARA_SHAPE:
            (bits,) = struct.unpack_from("<I", data)
            numbering = struct.unpack_from("<H", data, 30)[0] if len(data) >= 32 else 0
            shapes.append((_HEADS[bits >> 23 & 3], numbering, bits >> 25 & 7))
    return _Reader(shapes, Numbers(numberings), story)


def _numbering(data: bytes) -> Numbering:
    """Read seven levels of (bits, widths, character shape, pattern), then where they start."""
    forms, patterns, place = [], [], 0
    for _ in range(7):
        bits, units = struct.unpack_from("<I8xH", data, place)
        code, place = bits >> 5 & 0xF, place + 14
        forms.append(NUMBER_CODES[code])
        patterns.append(data[place : place + 2 * units].decode("utf-16-le", "replace"))
        place += 2 * units
    starts = struct.unpack_from("<7I", data, place + 2) if len(data) >= place + 30 else (1,) * 7
    return Numbering(forms, patterns, starts)


def _paragraph(record: Record, reader: _Reader) -> Iterator[Block]:
    """Give the paragraph, then the tables, boxes and notes anchored in it."""
    after: list[Block] = []
    controls = iter([child for child in record.children if child.tag == CTRL_HEADER])
    text = next((child.data for child in record.children if child.tag == PARA_TEXT), b"")
    words = "".join(_words(text, controls, reader, after))
    for control in controls:  # more controls than places for them: nothing of them is lost
        _control(control, reader, after)
    yield _headed(words, record, reader)
    yield from after
    yield from _memos([child for child in record.children if child.tag != CTRL_HEADER], reader)


def _memos(records: list[Record], reader: _Reader) -> Iterator[Paragraph]:
    """Give the memos, which a section keeps in lists below its last paragraph."""
    for block in _inner(Record(PARA_HEADER, b"", records), reader):
        if said := hwp_blocks.words([block]):
            yield Paragraph(f"[comment] {said}")


def _headed(text: str, record: Record, reader: _Reader) -> Paragraph:
    shape = struct.unpack_from("<H", record.data, 8)[0]
    kind, numbering, level = reader.shapes[shape] if shape < len(reader.shapes) else ("", 0, 0)
    if kind == "bullet":
        return Paragraph(text, "-")
    if kind == "number":
        return Paragraph(text, reader.numbers.step(numbering, level))
    if kind == "outline":
        return Paragraph(text, reader.numbers.step(reader.outline, level), 0 if reader.inside else level + 1)
    return Paragraph(text)


def _words(data: bytes, controls: Iterator[Record], reader: _Reader, after: list[Block]) -> Iterator[str]:
    """Give the pieces of a text in order; where a control stands, what it says in the line."""
    units, place, start = memoryview(data[: len(data) // 2 * 2]).cast("H"), 0, 0
    while place < len(units):
        code = units[place]
        if code >= 32:
            place += 1
            continue
        yield bytes(units[start:place]).decode("utf-16-le", "replace")
        if code in _EXTENDED:
            control = next(controls, None)
            yield _control(control, reader, after) if control else ""
        yield _SIGNS.get(code, "")
        place += _CONTROL_UNITS if code in _EXTENDED or code in _INLINE else 1
        start = place
    yield bytes(units[start:place]).decode("utf-16-le", "replace")


def _control(record: Record, reader: _Reader, after: list[Block]) -> str:
    """Give what a control says in the line; what stands beside the line goes to `after` or to the margins."""
    name = record.control
    if name == _SECTION:
        reader.outline = struct.unpack_from("<H", record.data, 18)[0] if len(record.data) >= 20 else 0
        return ""  # below it only what every page repeats without words of the text: its master pages
    if name in _MARGINS:
        reader.story.margins.extend(_inner(record, reader))
        return ""
    if name in _NOTES:
        return _note(record, _NOTES[name], reader, after)
    if name == _COMMENT:
        words = hwp_blocks.words(list(_inner(record, reader)))
        after.extend([Paragraph(f"[comment] {words}")] if words else [])
        return ""
    return _object(record, name, reader, after)


def _object(record: Record, name: bytes, reader: _Reader, after: list[Block]) -> str:
    if name == _AUTO:
        bits, number = struct.unpack_from("<IH", record.data, 4)
        return str(number) if bits & 0xF in _COUNTED else ""
    if name == _RUBY:
        return _counted(record.data, 4)
    if name == _EQUATION_ID:
        found = next((child.data for child in record.children if child.tag == EQUATION), b"")
        return f" {_counted(found, 4)} "
    after.extend(_table(record, reader) if name == _TABLE_ID else _inner(record, reader))
    return ""


def _counted(data: bytes, place: int) -> str:
    """Read a text that stands after its count of units."""
    if len(data) < place + 2:
        return ""
    (units,) = struct.unpack_from("<H", data, place)
    return data[place + 2 : place + 2 + 2 * units].decode("utf-16-le", "replace")


def _inner(record: Record, reader: _Reader) -> Iterator[Block]:
    """Give every paragraph below, through shapes and groups of shapes, in order."""
    reader.inside += 1
    for child in record.children:
        if child.tag == PARA_HEADER:
            yield from _paragraph(child, reader)
        elif child.children:
            yield from _inner(child, reader)
    reader.inside -= 1


def _note(record: Record, kind: str, reader: _Reader, after: list[Block]) -> str:
    words = hwp_blocks.words(list(_inner(record, reader)))
    if not words:
        return ""
    reader.notes[kind] = reader.notes.get(kind, 0) + 1
    mark = f"[^{kind}{reader.notes[kind]}]"
    after.append(Paragraph(f"{mark}: {words}"))
    return mark


def _table(record: Record, reader: _Reader) -> Iterator[Block]:
    """Give the caption, then the table: lists before the record of the table itself are the caption."""
    cells: list[tuple[int, int, list[Block]]] = []
    seen = False
    reader.inside += 1
    for child in record.children:
        if child.tag == TABLE:
            seen = True
        elif child.tag == LIST_HEADER and seen:
            column, row = struct.unpack_from("<HH", child.data, 8)
            cells.append((row, column, []))
        elif child.tag == PARA_HEADER:
            blocks = list(_paragraph(child, reader))
            if cells:
                cells[-1][2].extend(blocks)
            else:
                yield from blocks
    reader.inside -= 1
    if cells:
        yield Table([Cell(row, column, blocks) for row, column, blocks in cells])
