"""Files made to hurt: small on the disk, endless in memory, in depth or in time. None of them comes by chance.

`BOMBS` names a writer for each; a file is made when it is asked for and has a few megabytes at the most.
Nests are in `nests.py`.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.fakes.good_files import CONTAINER, members, odt_content, opf, packed
from tests.fakes.mutations import sound
from tests.fakes.pdf_writer import assemble, bomb, stream

GB = 10**9
BLOCK = 2**20
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BODY, SLIDE, CELLS = "word/document.xml", "ppt/slides/slide1.xml", "xl/worksheets/sheet1.xml"
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml">'


def with_member(kind: str, name: str, content: bytes | str) -> bytes:
    """Give a sound package of a kind with one member replaced or added."""
    return packed(members(sound(kind, 0)) | {name: content.encode() if isinstance(content, str) else content})


def filled(kind: str, name: str, size: int, fill: bytes = b"\0", before: str = "", after: str = "") -> bytes:
    """Give a package with a member of `size` bytes between two texts; it is written in blocks and never held."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for other, content in members(sound(kind, 0)).items():
            if other != name:
                package.writestr(zipfile.ZipInfo(other), content)
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        block = fill * (BLOCK // len(fill))
        with package.open(info, "w") as member:
            member.write(before.encode())
            for _ in range(size // len(block)):
                member.write(block)
            member.write(after.encode())
    return file.getvalue()


def _zeros_that_lie() -> bytes:
    """A gigabyte that calls itself 1,000 bytes in the table of contents and in its own record."""
    data = filled("docx", BODY, GB)
    return data.replace(struct.pack("<I", GB // BLOCK * BLOCK), struct.pack("<I", 1000))


def _entities(root: str, use: str = "&e9;") -> str:
    """A billion laughs."""
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    name = root.split()[0].strip("<>")
    return f'{XML}<!DOCTYPE {name} [<!ENTITY e0 "lol">{laughs}]>{root}{use}</{name}>'


def _one_long_entity(root: str) -> str:
    """Quadratic: no entity within an entity, but one of 100,000 characters 50,000 times."""
    name = root.split()[0].strip("<>")
    return f'{XML}<!DOCTYPE {name} [<!ENTITY e "{"a" * 100_000}">]>{root}{"&e;" * 50_000}</{name}>'


def _sheet(dimension: str, rows: str) -> str:
    return f'{XML}<worksheet {SHEET}><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'


def _far_cell() -> str:
    near, far = ('<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'.format(*place) for place in ((1, "A"), (2**20, "XFD")))
    return _sheet("A1:XFD1048576", near + far)


def _same_string_everywhere() -> bytes:
    """One string of 30,000 characters in 200,000 cells: 6 GB of text from a megabyte."""
    strings = f'{XML}<sst {SHEET} count="200000" uniqueCount="1"><si><t>{"가나다 " * 7500}</t></si></sst>'
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, 200_001))
    parts = members(sound("xlsx", 0)) | {CELLS: _sheet("A1:A200000", rows).encode()}
    return packed(parts | {"xl/sharedStrings.xml": strings.encode()})


def _chapters(count: int) -> bytes:
    names = [f"c{number}.xhtml" for number in range(count)]
    head = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "book.opf": opf(names, "many")}
    return packed(head | dict.fromkeys(names, f"{XHTML}<body><p>chapter</p></body></html>"))


def _chapters_that_are_one(count: int) -> bytes:
    """A book whose table of contents names one chapter of 2 MB so many times."""
    chapter = f"{XHTML}<body><p>{'word ' * 400_000}</p></body></html>"
    table = opf(["c.xhtml"] * count, "again")
    head = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "book.opf": table}
    return packed(head | {"c.xhtml": chapter})


def _many_members() -> bytes:
    return packed(members(sound("docx", 0)) | {f"word/media/{number}.png": b"" for number in range(50_000)})


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, rows: int) -> bytes:
    """A picture of one bit a pixel that claims a size and holds so many of its rows."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width // 8 + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _bmp(width: int, height: int) -> bytes:
    return (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0) + bytes(99)
    )


def _parts(count: int) -> bytes:
    part = "--b\r\nContent-Type: text/plain\r\n\r\npart {}\r\n"
    head = 'From: a@b.kr\r\nSubject: many\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return (head + "".join(part.format(number) for number in range(count)) + "--b--\r\n").encode()


def _endless_header() -> bytes:
    names = ", ".join(f"name{number}@example.org" for number in range(200_000))
    return f"From: a@b.kr\r\nTo: {names}\r\nSubject: {'=?utf-8?B?6rCA?= ' * 100_000}\r\n\r\ntext\r\n".encode()


def _filters_on_filters() -> bytes:
    """A page whose content is packed three times: 1 GB of operators in some kilobytes."""
    content = b"1 1 m 2 2 l S\n" * (BLOCK // 14)
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(content) for _ in range(900)) + packer.flush()
    thrice = zlib.compress(zlib.compress(once, 9), 9)
    head = b"<</Length %d/Filter[/FlateDecode/FlateDecode/FlateDecode]>>stream\n" % len(thrice)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, head + thrice + b"\nendstream"])


def _page_again_and_again() -> bytes:
    """A page tree that names one page 200,000 times, and that page draws a form that draws a form …"""
    kids = b" ".join([b"3 0 R"] * 200_000)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    pages = b"<</Type/Pages/Count 200000/Kids[%s]>>" % kids
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, stream(b"BT (x) Tj ET")])


BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros_1gb.docx": lambda: filled("docx", BODY, GB),
    "zeros_over_the_limit.docx": lambda: filled("docx", BODY, 2**30 + BLOCK),
    "zeros_beside.docx": lambda: filled("docx", "word/media/x.png", GB),
    "zeros_that_lie.docx": _zeros_that_lie,
    "one_word_of_900mb.docx": lambda: filled(
        "docx", BODY, 9 * 10**8, b"a", f"{XML}<w:document {WORD}>", "</w:document>"
    ),
    "paragraphs_of_500mb.docx": lambda: filled(
        "docx", BODY, 5 * 10**8, b"<w:p/>", f"{XML}<w:document {WORD}><w:body>", "</w:body></w:document>"
    ),
    "words_of_30mb.docx": lambda: filled(
        "docx",
        BODY,
        3 * 10**7,
        b"<w:p><w:r><w:t>a word</w:t></w:r></w:p>",
        f"{XML}<w:document {WORD}><w:body>",
        "</w:body></w:document>",
    ),
    "zeros.pptx": lambda: filled("pptx", SLIDE, GB // 2),
    "zeros.xlsx": lambda: filled("xlsx", CELLS, GB // 2),
    "zeros.odt": lambda: filled("odt", "content.xml", GB // 2),
    "zeros.epub": lambda: filled("epub", "chapter.xhtml", GB // 2),
    "entities.docx": lambda: with_member("docx", BODY, _entities(f"<w:document {WORD}>")),
    "entities.pptx": lambda: with_member("pptx", SLIDE, _entities("<sld>")),
    "entities.xlsx": lambda: with_member("xlsx", "xl/sharedStrings.xml", _entities(f"<sst {SHEET}>")),
    "entities.odt": lambda: with_member("odt", "content.xml", _entities("<content>")),
    "entities.epub": lambda: with_member("epub", "chapter.xhtml", _entities(XHTML)),
    "entities_in_contents.epub": lambda: with_member("epub", "book.opf", _entities("<package>")),
    "long_entity.odt": lambda: with_member("odt", "content.xml", _one_long_entity("<content>")),
    "long_entity.docx": lambda: with_member("docx", "word/styles.xml", _one_long_entity(f"<w:styles {WORD}>")),
    "entities.html": lambda: _entities("<html>").encode(),
    "far_cell.xlsx": lambda: with_member("xlsx", CELLS, _far_cell()),
    "declared_dimension.xlsx": lambda: with_member("xlsx", CELLS, _sheet("A1:XFD1048576", "")),
    "same_string_everywhere.xlsx": _same_string_everywhere,
    "chapters_50000.epub": lambda: _chapters(50_000),
    "one_chapter_5000_times.epub": lambda: _chapters_that_are_one(5_000),
    "members_50000.docx": _many_members,
    "pixels_declared.png": lambda: _png(100_000, 100_000, 0),
    "pixels_there.png": lambda: _png(60_000, 60_000, 60_000),
    "pixels_declared.bmp": lambda: _bmp(100_000, 100_000),
    "parts_20000.eml": lambda: _parts(20_000),
    "endless_header.eml": _endless_header,
    "flate.pdf": lambda: bomb(400 * BLOCK),
    "flate_thrice.pdf": _filters_on_filters,
    "one_page_200000_times.pdf": _page_again_and_again,
    "mimetype_alone.odt": lambda: packed({"mimetype": "application/vnd.oasis.opendocument.text"}),
    "nothing_in_text.odt": lambda: with_member("odt", "content.xml", odt_content("")),
}
"""Writers by the file's name."""
