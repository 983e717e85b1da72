"""PDF -> pages with the place of every character, through PDFium; one page in memory at a time.

The text stays as PDFium gives it, line by line: in some Korean PDFs lines break inside words, in others only
at spaces, and no rule joins both right (measured). PDFium is not thread-safe: one
document at a time in one process.
"""

import ctypes
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from services.formats.page import FormatError, Header, Line, Page
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import align, normalise

# A prototype of our own, for two reasons: integers instead of structures, and the interpreter lock kept,
# halve the cost of a call (0.43 us a character, nearly all of it ctypes; the plain way takes 0.9 us).
_box = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(pdfium.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)
_FLOATS = 4  # of FS_RECTF: left, top, right, bottom
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-"})  # PDFium's marks for a hyphen at the end of a line
_LINE_END = re.compile(r"\r\n?|\n")
_WORTHLESS_TITLE = re.compile(r"\(?(untitled|anonymous|unspecified|제목 ?없음)\)?|.*[/\\].*", re.I)
_PRODUCER = re.compile(r"^Microsoft \w+ - |\.(docx?|hwpx?|pptx?|xlsx?|pdf|tex|dvi|indd)$", re.I)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Edges of each PDFium character in points; what PDFium adds (spaces, line ends) has no width."""

    lefts: list[float]
    tops: list[float]
    rights: list[float]
    bottoms: list[float]


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the pages in order; a scanned page among others has the text "".

    Raises:
        FormatError: "encrypted"; "corrupt", also for a page that does not load; "empty": no page has text.
    """
    document = _open(source)
    try:
        yield Header(Family.PDF, _title(document))
        yield from _with_text(_page(document, index) for index in range(len(document)))
    except pypdfium2.PdfiumError as error:
        raise _refusal(error) from error
    finally:
        document.close()


def _open(source: Source) -> Any:
    content = source.content
    try:
        return pypdfium2.PdfDocument(content if isinstance(content, bytes) else Path(content))
    except pypdfium2.PdfiumError as error:
        raise _refusal(error) from error


def _refusal(error: Exception) -> FormatError:
    reason = str(error).lower()
    if "password" in reason or "security" in reason:
        message = "The PDF is locked by a password; save a copy without one and add that."
        return FormatError("encrypted", message, repr(error))
    message = "The PDF is cut off or damaged; get it again from where it came from."
    return FormatError("corrupt", message, repr(error))


def _title(document: Any) -> str:
    raw = " ".join(normalise(document.get_metadata_value("Title")).split())
    title = _PRODUCER.sub("", _PRODUCER.sub("", raw))
    return "" if _WORTHLESS_TITLE.fullmatch(title) else title


def _with_text(pages: Iterator[Page]) -> Iterator[Page]:
    """Hold empty pages back until one has text, so that a scan is refused before anything is given."""
    waiting: list[Page] = []
    found = False
    for page in pages:
        found = found or bool(page.text.strip())
        waiting.append(page)
        if found:
            yield from waiting
            waiting.clear()
    if not found:
        message = "The PDF has no text, it is probably a scan: it needs OCR (ocrmypdf -l kor+eng) first."
        raise FormatError("empty", message)


def _page(document: Any, index: int) -> Page:
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            text, lines = _lines(_characters(text_page), _boxes(text_page))
        finally:
            text_page.close()
    finally:
        page.close()
    return Page(index + 1, normalise(document.get_page_label(index)) or str(index + 1), text, lines)


def _characters(text_page: Any) -> str:
    """Give the page's text with exactly one code point per PDFium character, so that both count alike."""
    count = text_page.count_chars()
    text: str = text_page.get_text_range() if count else ""
    if len(text) != count or (count and pdfium.FPDFText_GetTextIndexFromCharIndex(text_page, count - 1) != count - 1):
        # PDFium left out or added some (no Unicode value, beyond the BMP): ask one by one.
        points = (pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count))
        text = "".join(chr(point) if point <= 0x10FFFF else "\ufffd" for point in points)
    return text.translate(_HYPHENS)


def _boxes(text_page: Any) -> _Boxes:
    count = text_page.count_chars()
    boxes = (ctypes.c_float * (_FLOATS * count))()
    first, size = ctypes.addressof(boxes), ctypes.sizeof(ctypes.c_float) * _FLOATS
    handle = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    places = range(first, first + size * count, size)
    deque(map(_box, repeat(handle), range(count), places), maxlen=0)  # a loop in C
    lefts, tops, rights, bottoms = (boxes[edge::_FLOATS] for edge in range(_FLOATS))
    return _Boxes(lefts, tops, rights, bottoms)


def _lines(characters: str, boxes: _Boxes) -> tuple[str, tuple[Line, ...]]:
    """Normalise line by line, and keep for every character left over the edge of the one it came from."""
    texts: list[str] = []
    lines: list[Line] = []
    offset = 0
    for begin, end in _spans(characters):
        text, origins = align(characters[begin:end])
        if text.strip():
            y0, y1 = min(boxes.bottoms[begin:end]), max(boxes.tops[begin:end])
            x = [round(boxes.lefts[begin + origin], 1) for origin in origins]
            x.append(round(boxes.rights[begin + origins[-1]], 1))
            lines.append(Line(offset, offset + len(text), round(y0, 1), round(y1, 1), tuple(x)))
        texts.append(text)
        offset += len(text) + 1
    return "\n".join(texts), tuple(lines)


def _spans(characters: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _LINE_END.finditer(characters):
        yield begin, match.start()
        begin = match.end()
    yield begin, len(characters)
