"""From the bytes of an event stream to its events, whatever pieces the bytes come in: pure.

Kept to the standard (WHATWG HTML, 9.2.6): lines end with CR, LF or both, `:` begins a comment, `data` lines of one
event are joined. One kindness beyond it: an event that the end of the stream cuts off before its empty line counts,
since `data: [DONE]` without a line end still proves a whole reply.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.model.errors import ReplyBroken

LINE_END = re.compile(rb"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"
MAX_EVENT_BYTES = 16 * 2**20
"""An answer of two million characters, escaped as \\uXXXX and sent in one piece, still fits."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream; `kind` is empty where the server names none."""

    kind: str
    data: str


class EventReader:
    """Takes bytes as they come, gives events as they are whole."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._kind = b""
        self._bytes = 0
        self._after_return = False
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Give the events that this piece completes.

        Raises:
            ReplyBroken: a line is not UTF-8, or an event is larger than any answer we take.
        """
        if not piece:
            return
        if self._after_return and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_return = False
            if not piece:
                return
        self._after_return = piece.endswith(b"\r")
        *ended, rest = LINE_END.split(piece)
        for line in ended:
            self._grow(line)
            yield from self._take_line()
        self._grow(rest)

    def close(self) -> Iterator[Event]:
        """Give the event that the end of the stream cut off before its empty line, if there is one."""
        if self._line:
            yield from self._take_line()
        yield from self._dispatch()

    def _grow(self, part: bytes) -> None:
        self._line += part
        self._bytes += len(part)
        if self._bytes > MAX_EVENT_BYTES:
            raise ReplyBroken(
                f"The model server sent an event of more than {MAX_EVENT_BYTES} bytes.",
                "Look at what answers at this address: it does not behave like a model server.",
            )

    def _take_line(self) -> Iterator[Event]:
        line = bytes(self._line)
        self._line.clear()
        if not self._begun:
            self._begun, line = True, line.removeprefix(BOM)
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._kind = value.removeprefix(b" ")
        if not self._data:
            self._bytes = 0

    def _dispatch(self) -> Iterator[Event]:
        data, kind = b"\n".join(self._data), self._kind
        had_data = bool(self._data)
        self._data, self._kind, self._bytes = [], b"", 0
        if had_data:
            yield Event(_decode(kind), _decode(data))


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ReplyBroken(
            "The model server's stream is not UTF-8.", "Update the model server, or look at what stands before it."
        ) from error
