"""Office files with known words in known places: workbooks, slide shows, OpenDocument packages."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import xlsxwriter
from pptx import Presentation

from tests.fakes.ole_writer import compound

_NAMESPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("presentation", "presentation"),
        ("style", "style"),
        ("manifest", "manifest"),
    )
)
_BLANK_LAYOUT, _TITLE_ONLY_LAYOUT = 6, 5


def packed(members: Mapping[str, bytes | str]) -> bytes:
    """Give a zip of these members, in their order."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return file.getvalue()


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """Give a workbook of these sheets; a cell may be a pair (value, number format)."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    value, shown = cell if isinstance(cell, tuple) else (cell, "General")
                    sheet.write(row, column, value, book.add_format({"num_format": shown}))
    return file.getvalue()


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def xls(name: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    """Give an Excel 97 workbook of one sheet (MS-XLS: BOF, BOUNDSHEET, LABEL, NUMBER, EOF)."""
    title = struct.pack("<BB", len(name), 1) + name.encode("utf-16-le")
    begin = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + _record(0x42, struct.pack("<H", 1200))
    place = len(begin) + 4 + 6 + len(title) + 4
    book = begin + _record(0x85, struct.pack("<IH", place, 0) + title) + _record(0x0A)
    sheet = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            where = struct.pack("<HHH", row, column, 0)
            if isinstance(cell, str):
                sheet += _record(0x204, where + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
            else:
                sheet += _record(0x203, where + struct.pack("<d", cell))
    return compound({"Workbook": (book + sheet + _record(0x0A)).ljust(4_096, b"\0")})


def pptx(slides: Sequence[tuple[str, str, str]]) -> bytes:
    """Give a show of these slides: title, words of a text box, notes; each may be "" for none."""
    show = Presentation()
    for title, words, notes in slides:
        slide = show.slides.add_slide(show.slide_layouts[_TITLE_ONLY_LAYOUT if title else _BLANK_LAYOUT])
        if title:
            slide.shapes.title.text = title
        if words:
            slide.shapes.add_textbox(0, 0, 9_000_000, 900_000).text_frame.text = words
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    return shown(show)


def shown(show: Any) -> bytes:
    """Give the bytes of a python-pptx presentation."""
    file = io.BytesIO()
    show.save(file)
    return file.getvalue()


def odf(kind: str, body: str, styles: str = "", *, mimetype: bool = True, entry: str = "") -> bytes:
    """Give an OpenDocument package: `kind` is "text", "presentation" or "spreadsheet", `body` the XML inside.

    `entry` is XML that the manifest says of the package.
    """
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    members = {"mimetype": media_type} if mimetype else {}
    members["content.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES} office:version="1.3">'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    members["styles.xml"] = f"<office:document-styles {_NAMESPACES}>{styles}</office:document-styles>"
    entry = (
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}">{entry}</manifest:file-entry>'
    )
    members["META-INF/manifest.xml"] = f"<manifest:manifest {_NAMESPACES}>{entry}</manifest:manifest>"
    return packed(members)


def odt(paragraphs: Sequence[str]) -> bytes:
    """Give a text of these paragraphs, the first a heading."""
    first, *rest = (escape(each) for each in paragraphs)
    head = f'<text:h text:outline-level="1">{first}</text:h>'
    return odf("text", head + "".join(f"<text:p>{each}</text:p>" for each in rest))


def odp(slides: Sequence[tuple[str, str, str]]) -> bytes:
    """Give slides as `pptx` does: title, words, notes."""
    pages = (
        f'<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{escape(title)}</text:p>'
        f"</draw:text-box></draw:frame><draw:g><draw:frame><draw:text-box><text:p>{escape(words)}</text:p></draw:text-box></draw:frame>"
        f'</draw:g><presentation:notes><draw:frame presentation:class="notes"><draw:text-box><text:p>{escape(notes)}'
        "</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>"
        for title, words, notes in slides
    )
    return odf("presentation", "".join(pages))


def ods(name: str, rows: Sequence[Sequence[str]]) -> bytes:
    """Give a spreadsheet of one sheet with cells of text, or of any kind when they are XML of a cell."""
    lines = "".join(f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>" for row in rows)
    return odf("spreadsheet", f'<table:table table:name="{escape(name)}">{lines}</table:table>')


def _cell(words: str) -> str:
    if words.startswith("<"):
        return words
    return f'<table:table-cell office:value-type="string"><text:p>{escape(words)}</text:p></table:table-cell>'
