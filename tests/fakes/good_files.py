"""Sound files of every kind, written from lines of text: mutations begin with them, and between mutants they are found.

The same lines give the same bytes, in every run and on every machine.
"""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

import docx
import xlsxwriter
from PIL import Image, ImageDraw
from pptx import Presentation

from tests.fakes import hwp_writer, hwpx_writer, office_writer
from tests.fakes.docx_writer import saved
from tests.fakes.pdf_writer import pdf

LINES_A_PAGE = 30
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

Lines = Sequence[str]

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def packed(members: Mapping[str, bytes | str]) -> bytes:
    """Give a zip with these members in their order; `mimetype`, if there is one, is stored and not compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(info, content)
    return file.getvalue()


def members(package: bytes) -> dict[str, bytes]:
    """Give the members of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _txt(lines: Lines) -> bytes:
    return "\n".join(lines).encode()


def _cp949(lines: Lines) -> bytes:
    return "\r\n".join(lines).encode("cp949")


def _md(lines: Lines) -> bytes:
    return ("# " + "\n\n".join(lines)).encode()


def _html(lines: Lines) -> bytes:
    rows = "".join(f"<tr><td>{number}</td><td>{escape(line)}</td></tr>" for number, line in enumerate(lines[:5]))
    body = "".join(f"<p>{escape(line)}</p>\n" for line in lines)
    return f"<!DOCTYPE html><html><body><h1>{escape(lines[0])}</h1>{body}<table>{rows}</table></body></html>".encode()


def _pdf(lines: Lines) -> bytes:
    return pdf([lines[first : first + LINES_A_PAGE] for first in range(0, len(lines), LINES_A_PAGE)])


def _docx(lines: Lines) -> bytes:
    document = docx.Document()
    document.add_heading(lines[0], 1)
    for line in lines[1:]:
        document.add_paragraph(line)
    table = document.add_table(2, 2)
    table.cell(1, 1).text = lines[-1]
    return packed(members(saved(document)))


def _pptx(lines: Lines) -> bytes:
    show = Presentation()
    for first in range(0, len(lines), 10):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = lines[first]
        slide.placeholders[1].text = "\n".join(lines[first + 1 : first + 10])
    file = io.BytesIO()
    show.save(file)
    return packed(members(file.getvalue()))


def _xlsx(lines: Lines) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": LONG_AGO})
        sheet = book.add_worksheet()
        for row, line in enumerate(lines):
            sheet.write_row(row, 0, [row, line, row * 1.5])
    return packed(members(file.getvalue()))


def _eml(lines: Lines) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "kim@example.org", "lee@example.org", lines[0]
    mail["Date"] = LONG_AGO
    mail.set_content("\n".join(lines))
    mail.add_alternative(_html(lines).decode(), subtype="html")
    mail.set_boundary("=_one")
    return mail.as_bytes()


def _epub(lines: Lines) -> bytes:
    chapter = "".join(f"<p>{escape(line)}</p>" for line in lines)
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>{chapter}</body></html>'
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "book.opf": opf(["chapter.xhtml"], lines[0]),
            "chapter.xhtml": page,
        }
    )


def opf(chapters: Sequence[str], title: str) -> str:
    """Give the table of contents of an EPUB with these chapters."""
    kind = "application/xhtml+xml"
    items = "".join(f'<item id="c{n}" href="{name}" media-type="{kind}"/>' for n, name in enumerate(chapters))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
        f'<dc:identifier id="id">1</dc:identifier></metadata><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )


def _odt(lines: Lines) -> bytes:
    words = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
    kind = "application/vnd.oasis.opendocument.text"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0" manifest:version="1.3"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/><manifest:file-entry manifest:full-path="content.xml" '
        'manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return packed({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": odt_content(words)})


def odt_content(words: str) -> str:
    """Give the main part of an ODT around the XML of its text."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{OFFICE}:office:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0" office:version="1.3"><office:body><office:text>{words}</office:text>'
        "</office:body></office:document-content>"
    )


def _hwp(lines: Lines) -> bytes:
    return hwp_writer.document(*(hwp_writer.paragraph(line) for line in lines))


def _hwpx(lines: Lines) -> bytes:
    package = hwpx_writer.document(*(hwpx_writer.paragraph(line) for line in lines), title=lines[0])
    return packed(members(package))


def _xls(lines: Lines) -> bytes:
    return office_writer.xls("Sheet1", [[float(row), line] for row, line in enumerate(lines)])


def _ods(lines: Lines) -> bytes:
    return packed(members(office_writer.ods("Sheet1", [[str(row), line] for row, line in enumerate(lines)])))


def _odp(lines: Lines) -> bytes:
    return packed(members(office_writer.odp([(line, line, "") for line in lines])))


def picture(form: str) -> Callable[[Lines], bytes]:
    """Make a writer of pictures of words; they are not found without text recognition."""

    def write(lines: Lines) -> bytes:
        image = Image.new("L", (600, 400), 255)
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(lines[:20]):
            pen.text((10, 10 + 18 * number), line.encode("ascii", "ignore").decode(), fill=0)
        file = io.BytesIO()
        image.save(file, form)
        return file.getvalue()

    return write


KINDS: dict[str, Callable[[Lines], bytes]] = {
    "txt": _txt,
    "cp949.txt": _cp949,
    "md": _md,
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "eml": _eml,
    "epub": _epub,
    "odt": _odt,
    "odp": _odp,
    "ods": _ods,
    "xls": _xls,
    "hwp": _hwp,
    "hwpx": _hwpx,
}
"""Writers by the ending of the file's name."""
PICTURES = {"png": picture("PNG"), "jpg": picture("JPEG"), "tiff": picture("TIFF"), "gif": picture("GIF")}
