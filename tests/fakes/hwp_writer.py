"""HWP 5 documents with given words: the records a reader needs, in a compound file."""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.fakes.ole_writer import compound

COMPRESSED, LOCKED, DISTRIBUTED = 1, 2, 4
HEADS = {"body": 0, "bullet": 1, "number": 2, "number2": 3, "outline": 4, "outline2": 5}
"""Kinds of paragraphs and their shapes in DocInfo."""


@dataclass(frozen=True, slots=True)
class Control:
    """What stands in a paragraph besides words: four letters, and what gives its records at a level."""

    name: str
    build: Callable[[int], bytes]


_BITS = {"body": 0, "outline": 1, "number": 2, "bullet": 3}  # << 23
_UNITS = {"secd": 2, "tbl ": 11, "gso ": 11, "head": 16, "foot": 16, "fn  ": 17, "en  ": 17, "tcmt": 15}


def record(tag: int, level: int, data: bytes) -> bytes:
    """Give one record; `tag` counts from 0x10 as in Hancom's tables."""
    size = min(len(data), 0xFFF)
    longer = struct.pack("<I", len(data)) if size == 0xFFF else b""
    return struct.pack("<I", 0x10 + tag | level << 10 | size << 20) + longer + data


def paragraph(*pieces: str | Control, head: str = "body", level: int = 0) -> bytes:
    """Give the records of a paragraph of words and controls in order."""
    text, inner = b"", b""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece.replace("\n", "\x0a").encode("utf-16-le")
        else:
            name, build = piece.name, piece.build
            code = struct.pack("<H", _UNITS[name])
            text += code + name[::-1].encode() + bytes(8) + code
            rest = bytes(14) + b"\1" + bytes(25)  # of a section: its outline is numbered by the first list
            inner += record(55, level + 1, name[::-1].encode() + rest) + build(level + 2)
    text += "\r".encode("utf-16-le")
    header = struct.pack("<IIHBBHHHI", len(text) // 2, 0, HEADS[head], 0, 0, 1, 0, 0, 0)
    return record(50, level, header) + record(51, level + 1, text) + record(52, level + 1, bytes(8)) + inner


def control(name: str, *paragraphs: Sequence[str | Control]) -> Control:
    """Give a head, foot, fn, en, tcmt with its paragraphs, each the pieces of `paragraph`."""
    return Control(name.ljust(4), lambda level: _list(b"", paragraphs, level))


def text_box(*paragraphs: Sequence[str | Control]) -> Control:
    """Give a shape with words in it."""
    return Control("gso ", lambda level: record(60, level, bytes(8)) + _list(b"", paragraphs, level + 1))


def table(cells: Sequence[tuple[int, int, int, int, Sequence[str | Control]]]) -> Control:
    """Give a table of (row, column, rows, columns, pieces of one paragraph)."""

    def build(level: int) -> bytes:
        rows, columns = max(cell[0] for cell in cells) + 1, max(cell[1] for cell in cells) + 1
        counts = b"".join(struct.pack("<H", sum(cell[0] == row for cell in cells)) for row in range(rows))
        head = record(61, level, struct.pack("<IHHH8x", 0, rows, columns, 0) + counts + struct.pack("<HH", 0, 0))
        return head + b"".join(
            _list(struct.pack("<HHHHII8xH", column, row, wide, tall, 0, 0, 0), [pieces], level)
            for row, column, tall, wide, pieces in cells
        )

    return Control("tbl ", build)


def memo(*paragraphs: Sequence[str | Control]) -> bytes:
    """Give the records of a memo, which come after those of a section's last paragraph."""
    return record(77, 1, bytes(4)) + _list(b"", paragraphs, 1)


def document(
    *paragraphs: bytes,
    flags: int = COMPRESSED,
    numbering: Sequence[tuple[int, str]] = ((0, "^1."), (8, "^2.")),
    streams: Mapping[str, bytes] | None = None,
) -> bytes:
    """Give a whole file. `numbering` is (code of the form, pattern) by level."""
    body = paragraph(Control("secd", lambda level: b"")) + b"".join(paragraphs)
    head = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05010001, flags)
    parts = {"DocInfo": _info(numbering), "BodyText/Section0": body, **(streams or {})}
    if flags & COMPRESSED:
        parts = {name: _deflated(content) for name, content in parts.items()}
    return compound({"FileHeader": head.ljust(256, b"\0"), **parts})


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def _list(more: bytes, paragraphs: Sequence[Sequence[str | Control]], level: int) -> bytes:
    head = record(56, level, struct.pack("<II", len(paragraphs), 0) + more)
    return head + b"".join(paragraph(*pieces, level=level) for pieces in paragraphs)


def _info(numbering: Sequence[tuple[int, str]]) -> bytes:
    levels = [*numbering, *[(0, "")] * (7 - len(numbering))]
    rule = b"".join(
        struct.pack("<IHHIH", code << 5, 0, 50, 0xFFFFFFFF, len(pattern)) + pattern.encode("utf-16-le")
        for code, pattern in levels
    )
    lists = record(7, 1, rule + struct.pack("<H7I", 0, *[1] * 7)) * 2
    return record(0, 0, struct.pack("<7H3I", 1, 1, 1, 1, 1, 1, 1, 0, 0, 0)) + lists + b"".join(map(_shape, HEADS))


def _shape(head: str) -> bytes:
    bits = _BITS[head.rstrip("2")] << 23 | head.endswith("2") << 25
    return record(
        9, 1, struct.pack("<I6iHHH", bits, 0, 0, 0, 0, 0, 160, 0, 2 if "number" in head else 1, 0) + bytes(20)
    )
