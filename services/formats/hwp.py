"""Hangul documents (HWP 5, HWPX) -> parts, in document order: paragraphs, tables as Markdown, notes.

Pages are laid out only when a Hangul document is shown, so parts are cut at its headings (parts.py). Automatic
numbers are written out; headers and footers come last, as a part of their own. Refused with a sentence: locked
documents, distribution copies (배포용), whose body is only a notice that an older program shows, and HWP 3.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import olefile
from lxml.etree import XMLSyntaxError

from services.formats import archive, hwp_binary, hwp_blocks, hwp_native, hwp_xml, parts
from services.formats.hwp_blocks import Story
from services.formats.page import FormatError, Header, Heading, Page
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import normalise

_ZIP, _OLD = b"PK\x03\x04", b"HWP Document File"  # what came before HWP 5 has no container
_READ_ERRORS = (*archive.READ_ERRORS, XMLSyntaxError, struct.error, KeyError, IndexError, RecursionError)
_STRANGE = (struct.error, KeyError, IndexError, OSError)  # perhaps only a layout not known here
_DISTRIBUTED = (
    "This is a distribution copy (배포용) of a Hangul document, which only shows a notice: "
    "get the editable original, or print it to PDF and add that."
)
_LOCKED = "The Hangul document is locked by a password or by rights management; save an open copy and add that."
_TOO_OLD = "This is a Hangul document of a version before 2002 (HWP 3 or older); save it as HWPX or PDF and add that."
_EMPTY = "The Hangul document holds no text; if it holds pictures of text, print it to PDF and add that."
_NOTICE = re.compile(r"상위\s*버전의\s*배포용\s*문서입니다")
_NOTICE_CHARS = 400  # the notice has about 80; a text of more than this only speaks of it
_MARGINS = "header and footer"
_SUMMARY, _SUMMARY_BYTES, _MOST_PROPERTIES = "\x05HwpSummaryInformation", 65_536, 100
_TITLE, _WIDE_TEXT = 2, 0x1F  # PIDSI_TITLE, VT_LPWSTR
# Divisions of rules and contracts, which hardly any writer marks as headings. A line of a table of contents ends
# in the number of its page.
_DIVISION = re.compile(r"^제 ?\d{1,3} ?([편장절관])(?:의 ?\d+)?(?![가-힣]).{0,60}$(?<!\d)", re.M)
_ARTICLE = re.compile(r"^제 ?\d{1,4} ?조(?:의 ?\d+)? ?(?:\([^()\n]{1,60}\)|(?=\n|\Z))", re.M)
_LEVELS = {"편": 1, "장": 2, "절": 3, "관": 4}
_ARTICLE_LEVEL = 5


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the document in parts.

    Raises:
        FormatError: "encrypted" (also a distribution copy), "corrupt", "too_large", "empty", and
            "unsupported_format" for the versions before HWP 5.
    """
    head = source.head(len(_OLD))
    if head.startswith(_OLD):
        raise FormatError("unsupported_format", _TOO_OLD)
    story = _packed(source) if head.startswith(_ZIP) else _binary(source)
    text = "\n\n".join(hwp_blocks.markdown(story.blocks))
    margins = "\n".join(dict.fromkeys(line for line in hwp_blocks.markdown(story.margins) if re.search(r"\w", line)))
    if len(text) < _NOTICE_CHARS and _NOTICE.search(text):
        raise FormatError("encrypted", _DISTRIBUTED, "by its notice")
    if not text.strip() and not margins:
        raise FormatError("empty", _EMPTY)
    marks = parts.headings(text)
    title = " ".join(normalise(story.title).split()) or (marks[0][1] if marks else "")
    yield Header(Family.HWPX if head.startswith(_ZIP) else Family.HWP, title)
    yield from _pages(text, marks, margins)


def _packed(source: Source) -> Story:
    with source.open() as file, archive.open_zip(file) as package:
        archive.check(package, source.max_unpacked_bytes)
        if _is_locked(package):
            raise FormatError("encrypted", _LOCKED, "HWPX manifest")
        try:
            return hwp_xml.read(package)
        except _STRANGE as error:
            return _otherwise(source, error)
        except _READ_ERRORS as error:
            raise archive.damaged(error) from error


def _is_locked(package: zipfile.ZipFile) -> bool:
    try:
        manifest = package.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in package.namelist() else b""
    except archive.READ_ERRORS as error:
        raise archive.damaged(error) from error
    return b"encryption-data" in manifest


def _binary(source: Source) -> Story:
    try:
        with source.open() as file, olefile.OleFileIO(file) as document:
            _refuse_closed(hwp_binary.properties(document))
            story = hwp_binary.read(document, source.max_unpacked_bytes)
            return replace(story, title=_title(document))
    except _STRANGE as error:
        return _otherwise(source, error)
    except (*_READ_ERRORS, zlib.error) as error:
        raise archive.damaged(error) from error


def _refuse_closed(bits: int) -> None:
    if bits & hwp_binary.DISTRIBUTED:
        raise FormatError("encrypted", _DISTRIBUTED, f"FileHeader {bits:#x}")
    if bits & (hwp_binary.LOCKED | hwp_binary.DRM | hwp_binary.CERTIFIED):
        raise FormatError("encrypted", _LOCKED, f"FileHeader {bits:#x}")


def _title(document: Any) -> str:
    """Give the title of the summary, which many a writer leaves out or damages."""
    try:
        return _summary_title(document.openstream(_SUMMARY).read(_SUMMARY_BYTES))
    except (OSError, struct.error):
        return ""


def _summary_title(content: bytes) -> str:
    """Read one property of a property set (MS-OLEPS); olefile counts as long as a damaged one claims."""
    (section,) = struct.unpack_from("<I", content, 44)
    (count,) = struct.unpack_from("<I", content, section + 4)
    for place in range(section + 8, section + 8 + 8 * min(count, _MOST_PROPERTIES), 8):
        name, offset = struct.unpack_from("<II", content, place)
        if name == _TITLE:
            kind, units = struct.unpack_from("<II", content, section + offset)
            text = content[section + offset + 8 : section + offset + 8 + 2 * min(units, _SUMMARY_BYTES)]
            return text.decode("utf-16-le", "replace").partition("\x00")[0] if kind == _WIDE_TEXT else ""
    return ""


def _otherwise(source: Source, error: Exception) -> Story:
    """Ask the other reader; when it gives nothing either, the file is damaged."""
    try:
        story = hwp_native.read(source.read())
    except FormatError as other:
        raise (archive.damaged(error) if other.code == "corrupt" else other) from error
    if not hwp_blocks.markdown(story.blocks):
        raise archive.damaged(error) from error
    return story


def _pages(text: str, marks: list[tuple[int, str]], margins: str) -> Iterator[Page]:
    number = 0
    if text.strip():
        divisions = [
            (match.start(), match[0].strip()) for match in (*_DIVISION.finditer(text), *_ARTICLE.finditer(text))
        ]
        for page in parts.split(text, sorted({**dict(divisions), **dict(marks)}.items())):
            number = page.number
            yield replace(page, headings=tuple(_headings(page.text)))
    if margins:
        yield Page(number + 1, _MARGINS, margins)


def _headings(text: str) -> Iterator[Heading]:
    """Give the divisions and articles that stand as plain lines."""
    found = [(match.start(), _LEVELS[match[1]], match[0].strip()) for match in _DIVISION.finditer(text)]
    found += [(match.start(), _ARTICLE_LEVEL, match[0].strip()) for match in _ARTICLE.finditer(text)]
    for start, level, title in sorted(found):
        yield Heading(start, level, title)
