"""Families and their parsers: a new format is a new module and one line here."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from services.formats import parts
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import TEXTUAL, Family, sniff
from services.formats.source import Source


class Parser(Protocol):
    """Gives a header, then the pages in order. Raises FormatError."""

    def __call__(self, source: Source, /) -> Iterator[Header | Page]: ...


# Modules by name, loaded at first use: python-docx alone takes 0.2 s, and most children meet one family only.
MODULES = {
    Family.PDF: "services.formats.pdf",
    Family.DOCX: "services.formats.docx",
    Family.HTML: "services.formats.html",
    Family.MARKDOWN: "services.formats.markdown",
    Family.TEXT: "services.formats.plain",
    Family.XLSX: "services.formats.spreadsheet",
    Family.XLSB: "services.formats.spreadsheet",
    Family.XLS: "services.formats.spreadsheet",
    Family.ODS: "services.formats.spreadsheet",
    Family.PPTX: "services.formats.pptx",
    Family.ODT: "services.formats.odf",
    Family.ODP: "services.formats.odf",
    Family.EPUB: "services.formats.epub",
    Family.MAIL: "services.formats.mail",
    Family.IMAGE: "services.formats.image",
    Family.HWP: "services.formats.hwp",
    Family.HWPX: "services.formats.hwp",
}

_SAVE_AS_PDF = "save it as PDF or DOCX and add that"
_SENTENCES = {
    Family.OFFICE: "This is an Office file of a kind not read; save it as DOCX, XLSX or PPTX and add that.",
    Family.OFFICE_OLD: f"This is an old Office file (.doc, .ppt), which is not read; {_SAVE_AS_PDF}.",
    Family.OUTLOOK: "This is an Outlook message (.msg), which is not read; save it as .eml and add that.",
    Family.TNEF: "This is winmail.dat, a package only Outlook opens; ask the sender to send HTML or plain text.",
    Family.ODF: f"This is an OpenDocument file of a kind not read (a drawing, a formula?); {_SAVE_AS_PDF}.",
    Family.RTF: f"This is an RTF document, which is not read; {_SAVE_AS_PDF}.",
    Family.IMAGE_HEIF: "This is a picture of a kind not read (HEIC, AVIF); save it as JPEG or PNG and add that.",
    Family.MEDIA: "This is sound or film, which holds no text; add a transcript of it.",
    Family.ARCHIVE: "This is an archive; unpack it and add the files in it.",
    Family.PROGRAM: "This is a program, which holds no text to read; add its documentation.",
    Family.UNKNOWN: "The file is of no known kind; save its text as PDF, DOCX, HTML, Markdown or plain text.",
}
# Kinds that cannot be text: text under such a name is an error page or a failed download, not the document.
_NEVER_TEXT = frozenset(
    [
        ".pdf",
        ".docx",
        ".docm",
        ".doc",
        ".xlsx",
        ".xlsm",
        ".xlsb",
        ".xls",
        ".pptx",
        ".pptm",
        ".ppt",
        ".hwp",
        ".hwpx",
        ".odt",
        ".ods",
        ".odp",
        ".epub",
        ".zip",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".tif",
        ".tiff",
        ".bmp",
        ".webp",
    ]
)
# Many programs and sites give HTML under the name of an old Office file; then it says so, or it is a table.
_OFFICE_HTML_SUFFIXES = frozenset({".xls", ".doc"})
_OFFICE_HTML = re.compile(rb"<table\b|schemas-microsoft-com:office", re.I)
_HEAD_BYTES = 65_536


def parse(source: Source) -> Iterator[Header | Page]:
    """Tell the family by the content and parse. Raises FormatError with any code, OSError."""
    family = sniff(source)
    if family is Family.OFFICE_LOCKED:
        message = "The Office file is locked by a password; save a copy without one and add that."
        raise FormatError("encrypted", message)
    if family not in MODULES:
        raise FormatError("unsupported_format", _SENTENCES[family])
    if family in TEXTUAL and source.suffix in _NEVER_TEXT and not _is_office_html(family, source):
        raise FormatError("corrupt", _mismatch(family, source.suffix))
    parser = cast(Parser, import_module(MODULES[family]).parse)
    return _with_short_title(parser(source))


def _with_short_title(items: Iterator[Header | Page]) -> Iterator[Header | Page]:
    """Cut a title that is a whole text: every passage is weighed, and every page shown, with it."""
    for item in items:
        yield replace(item, title=item.title[: parts.MAX_TITLE_CHARS]) if isinstance(item, Header) else item


def _is_office_html(family: Family, source: Source) -> bool:
    if family is not Family.HTML or source.suffix not in _OFFICE_HTML_SUFFIXES:
        return False
    return _OFFICE_HTML.search(source.head(_HEAD_BYTES)) is not None


def _mismatch(family: Family, suffix: str) -> str:
    kind = "a web page" if family is Family.HTML else "plain text"
    return f"The file is named {suffix} but holds {kind}, perhaps the error page of a download; get it again."
