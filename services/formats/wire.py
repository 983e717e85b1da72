"""What parent and child say to each other: frames of a 4-byte length (big endian) and JSON in UTF-8.

JSON and not pickle: a child that a file has taken over must not be able to run code in its parent.
Parent to child: one `Job`, after it `size` raw bytes of the file unless it is given by path.
Child to parent: one Header, Pages, then Done; or, of a page to be drawn, one Drawn and after it the `size` raw bytes of
its PNG; or a Failure at any point.
"""

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from services.formats.limits import Limits
from services.formats.page import Code, Header, Heading, Line, Page
from services.formats.picture import Matrix

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 2**20  # a page of 2 million characters with all their places
_TENTHS = 10  # places travel as whole tenths of a point: shorter and four times faster to write than floats


@dataclass(frozen=True, slots=True)
class Job:
    """One file to parse; `path` is "" when its `size` bytes follow.

    With a `page` (1-based) this page is drawn at `dpi`, with `max_pixels` at most, and nothing is parsed.
    """

    path: str
    size: int
    filename: str
    memory_bytes: int
    max_unpacked_bytes: int
    max_text_chars: int
    page: int = 0
    dpi: int = 0
    max_pixels: int = 0


def job_of(
    source: Path | bytes, filename: str, limits: Limits, page: int = 0, dpi: int = 0, max_pixels: int = 0
) -> Job:
    """Give the job of a file: to parse it, or with a `page` to draw this one."""
    content = source if isinstance(source, bytes) else b""
    path = "" if isinstance(source, bytes) else str(source.absolute())  # the child has another working directory
    limited = (limits.memory_bytes, limits.max_unpacked_bytes, limits.max_text_chars)
    return Job(path, len(content), filename, *limited, page, dpi, max_pixels)


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


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page is drawn; the `size` bytes of its PNG follow."""

    size: int
    width: int
    height: int
    to_page: Matrix


Answer = Header | Page | Done | Failure | Drawn


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
        case Header() | Done() | Failure() | Drawn():
            return _frame([type(answer).__name__.lower(), *astuple(answer)])


def unpack(body: bytes) -> Answer:
    """Read an answer from a frame's body. Raises ValueError, TypeError or KeyError for anything else."""
    kind, *values = json.loads(body)
    if kind == "page":
        number, label, text, lines, origin, note, headings = values
        places = tuple(_unpack_line(line) for line in lines)
        return Page(number, label, text, places, origin, note, tuple(Heading(*heading) for heading in headings))
    if kind == "drawn":
        size, width, height, (a, b, c, d, e, f) = values
        return Drawn(size, width, height, (a, b, c, d, e, f))
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
