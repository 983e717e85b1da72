"""The streams of an HWP 5 file -> its records, as trees.

Layout by Hancom's "한글 문서 파일 구조 5.0": every stream is a row of records, each with a tag and a level; a record
belongs to the last one before it of a lower level.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.formats.page import FormatError

PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER = 0x42, 0x43, 0x47, 0x48
TABLE, EQUATION = 0x4D, 0x58
_READ = frozenset({PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER, TABLE, EQUATION})
_LEAVES = frozenset({0x44, 0x45, 0x46})  # of a paragraph: its character shapes, lines and ranges
_MOST_LEVELS = 200  # of records; a table in a table takes two, and the walk below is recursive


@dataclass(slots=True)
class Record:
    """One record and those that belong to it; `data` is empty where it only holds others."""

    tag: int
    data: bytes
    children: list["Record"] = field(default_factory=list)

    @property
    def control(self) -> bytes:
        """Give the four letters of a control, which the file keeps backwards."""
        return self.data[3::-1]


@dataclass(slots=True)
class Streams:
    """The streams of an opened OleFileIO, unpacked as long as the whole stays small enough."""

    file: Any
    compressed: bool
    left: int  # bytes that may still be unpacked

    def records(self, name: str) -> Iterator[tuple[int, int, bytes]]:
        """Give the records of a stream as (tag, level, data).

        Raises:
            FormatError: "too_large".
            OSError, struct.error, ValueError, zlib.error: missing, cut or damaged.
        """
        content, place = self._unpacked(name), 0
        while place + 4 <= len(content):
            (head,) = struct.unpack_from("<I", content, place)
            size, place = head >> 20, place + 4
            if size == 0xFFF:
                (size,) = struct.unpack_from("<I", content, place)
                place += 4
            if place + size > len(content):
                raise ValueError(f"a record of {name} runs over its end")
            yield head & 0x3FF, head >> 10 & 0x3FF, content[place : place + size]
            place += size

    def _unpacked(self, name: str) -> bytes:
        packed: bytes = self.file.openstream(name).read()
        if len(packed) < self.file.get_size(name):
            raise ValueError(f"{name} is cut off")
        if not self.compressed:
            return packed
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflater.decompress(packed, self.left + 1)
        self.left -= len(content)
        if self.left < 0:
            raise FormatError("too_large", "The Hangul document unpacks to more than allowed; split it.")
        if not inflater.eof:
            raise ValueError(f"{name} ends early")
        return content


def trees(records: Iterator[tuple[int, int, bytes]]) -> Iterator[Record]:
    """Give each record of level 0 with those below it; what holds neither words nor records is left out.

    Raises ValueError when they stand too deep.
    """
    path: list[tuple[int, Record]] = []
    for tag, level, data in records:
        if tag in _LEAVES:
            continue
        if level > _MOST_LEVELS:
            raise ValueError(f"records stand {level} levels deep")
        if path and path[0][0] >= level:
            yield path[0][1]
            path.clear()
        while path and path[-1][0] >= level:
            path.pop()
        record = Record(tag, data if tag in _READ else b"")  # the rest only holds others: shapes, groups
        if path:
            path[-1][1].children.append(record)
        path.append((level, record))
    if path:
        yield path[0][1]
