"""Families and their parsers: a new format is a new module and one line here."""

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast

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
}

_SAVE_AS_PDF = "save it as PDF or DOCX and add that"
_SENTENCES = {
    Family.XLSX: f"This is a spreadsheet, which is not read yet; {_SAVE_AS_PDF}.",
    Family.PPTX: f"This is a slide show, which is not read yet; {_SAVE_AS_PDF}.",
    Family.OFFICE: "This is an Office file of a kind not read (macros, a template?); save it as DOCX.",
    Family.OFFICE_OLD: f"This is an old Office file (.doc, .xls, .ppt), which is not read; {_SAVE_AS_PDF}.",
    Family.HWP: f"This is a Hangul document (HWP), which is not read yet; {_SAVE_AS_PDF}.",
    Family.HWPX: f"This is a Hangul document (HWPX), which is not read yet; {_SAVE_AS_PDF}.",
    Family.ODF: f"This is an OpenDocument file, which is not read yet; {_SAVE_AS_PDF}.",
    Family.EPUB: "This is an EPUB book, which is not read yet; convert it to PDF or HTML and add that.",
    Family.MAIL: "This is an e-mail, which is not read yet; save its text or its attachments and add those.",
    Family.RTF: f"This is an RTF document, which is not read; {_SAVE_AS_PDF}.",
    Family.IMAGE: "This is a picture; make a PDF with text of it (ocrmypdf -l kor+eng) and add that.",
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
        ".doc",
        ".xlsx",
        ".xls",
        ".pptx",
        ".ppt",
        ".hwp",
        ".hwpx",
        ".odt",
        ".epub",
        ".zip",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
    ]
)


def parse(source: Source) -> Iterator[Header | Page]:
    """Tell the family by the content and parse. Raises FormatError with any code, OSError."""
    family = sniff(source)
    if family is Family.OFFICE_LOCKED:
        message = "The Office file is locked by a password; save a copy without one and add that."
        raise FormatError("encrypted", message)
    if family not in MODULES:
        raise FormatError("unsupported_format", _SENTENCES[family])
    if family in TEXTUAL and source.suffix in _NEVER_TEXT:
        raise FormatError("corrupt", _mismatch(family, source.suffix))
    parser = cast(Parser, import_module(MODULES[family]).parse)
    return parser(source)


def _mismatch(family: Family, suffix: str) -> str:
    kind = "a web page" if family is Family.HTML else "plain text"
    return f"The file is named {suffix} but holds {kind}, perhaps the error page of a download; get it again."
