"""What parent and child say to each other: frames of a 4-byte length (big endian) and JSON in UTF-8.

JSON and not pickle: a child that a file has taken over must not be able to run code in its parent.
Parent to child: one `Job`, after it `size` raw bytes of the file unless it is given by path.
Child to parent: one Header, Pages, then Done; or a Failure at any point.
"""

import json
from dataclasses import astuple, dataclass
from typing import Any

from services.formats.page import Code, Header, Heading, Line, Page

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 2**20  # a page of 2 million characters with all their places
_TENTHS = 10  # places travel as whole tenths of a point: shorter and four times faster to write than floats


@dataclass(frozen=True, slots=True)
class Job:
    """One file to parse; `path` is "" when its `size` bytes follow."""

    path: str
    size: int
    filename: str
    memory_bytes: int
    max_unpacked_bytes: int
    max_text_chars: int


@dataclass(frozen=True, slots=True)
class Done:
    """The document is complete."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The document cannot be read; `errno` is set when the file could not even be opened."""

    code: Code
    message: str
    detail: str
    errno: int = 0


Answer = Header | Page | Done | Failure


def pack_job(job: Job) -> bytes:
    """Give the frame of a job."""
    return _frame(list(astuple(job)))


def unpack_job(body: bytes) -> Job:
    """Read a job from a frame's body."""
    return Job(*json.loads(body))


def pack(answer: Answer) -> bytes:
    """Give the frame of an answer."""
    match answer:
        case Page():
            lines = [_pack_line(line) for line in answer.lines]
            headings = [astuple(heading) for heading in answer.headings]
            page = [answer.number, answer.label, answer.text, lines, answer.origin, answer.note, headings]
            return _frame(["page", *page])
        case Header() | Done() | Failure():
            return _frame([type(answer).__name__.lower(), *astuple(answer)])


def unpack(body: bytes) -> Answer:
    """Read an answer from a frame's body. Raises ValueError, TypeError or KeyError for anything else."""
    kind, *values = json.loads(body)
    if kind == "page":
        number, label, text, lines, origin, note, headings = values
        places = tuple(_unpack_line(line) for line in lines)
        return Page(number, label, text, places, origin, note, tuple(Heading(*heading) for heading in headings))
    kinds: dict[str, type[Header | Done | Failure]] = {"header": Header, "done": Done, "failure": Failure}
    return kinds[kind](*values)


def _frame(value: list[Any]) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def _pack_line(line: Line) -> list[Any]:
    return [line.start, line.end, line.y0, line.y1, [round(edge * _TENTHS) for edge in line.x]]


def _unpack_line(values: list[Any]) -> Line:
    start, end, y0, y1, x = values
    return Line(start, end, y0, y1, tuple([edge / _TENTHS for edge in x]))
