"""What every format gives: a header, then pages. The words of this package; nothing here reads a file."""

from dataclasses import dataclass
from typing import Literal

Code = Literal["unsupported_format", "encrypted", "corrupt", "too_large", "empty"]


class FormatError(Exception):
    """Tell the user in one sentence why a file gives no text and what to do.

    `code` is one of contract.md section 5. `detail` is for the operator's log (exception and place), never
    for users.
    """

    def __init__(self, code: Code, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code: Code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Line:
    """Where a run of a page's text stands on the paper.

    `start`, `end` count code points of `Page.text`, half open. Lengths are PDF points (1/72 inch) in the
    page's own user space: origin bottom left, before /Rotate; it is the space `convertToViewportPoint` of
    pdf.js takes. A run that does not go from left to right (turned pages, Arabic) has a `Line` for each
    word, whose first character takes the word's whole width and the others none.
    """

    start: int
    end: int
    y0: float
    y1: float
    x: tuple[float, ...]  # left edge of each character, then the right edge of the last: end - start + 1 numbers


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a section begins that its text does not mark by itself (a bookmark of a PDF, a title of a slide).

    Markdown headings within a page's text are not told a second time here.
    """

    start: int  # offset in `Page.text` of the section's first character
    level: int  # 1 is the highest
    title: str


Origin = Literal["text", "ocr", "unread"]
"""How a page's text came: out of the file, by recognition from a picture, or not at all."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of paper, or the part of a document without pages that is cited as one."""

    number: int  # 1-based
    label: str  # what a person calls it: "12", "iv", a heading
    text: str  # normalised (services.text.normalise); "" when `origin` is "unread"
    lines: tuple[Line, ...] = ()  # only PDF and recognised pages fill it
    origin: Origin = "text"
    note: str = ""  # one sentence for the reader of an "ocr" or "unread" page: how it was read, or why it was not
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a document before its first page."""

    media_type: str  # told by the content, never by the name
    title: str  # the document's own, "" if it has none worth showing


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole document in memory; for long ones take the stream of `sandbox.Reader` instead."""

    media_type: str
    title: str
    pages: tuple[Page, ...]
