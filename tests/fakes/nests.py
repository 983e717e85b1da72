"""Files that go deep, in circles, or on and on without a border: what recursion and back-tracking die of.

`NESTS` names a writer for each, as `bombs.BOMBS` does.
"""

import base64
import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from tests.fakes import hwp_writer, hwpx_writer
from tests.fakes.bombs import BODY, CELLS, SHEET, SLIDE, WORD, XHTML, XML, with_member
from tests.fakes.good_files import members, odt_content, packed
from tests.fakes.mutations import sound
from tests.fakes.pdf_writer import assemble, pdf, stream

DEEP = 100_000
LONG = 2_000_000
DRAWING = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


def _deep(tag: str, inside: str = "", times: int = DEEP) -> str:
    return f"<{tag}>" * times + inside + f"</{tag.split()[0]}>" * times


def _html(again: str, times: int, between: str = "", after: str = "") -> bytes:
    """Give a page that says one thing again and again, then one other, then a third as often."""
    begin = {"title ": "<html><title>", "word ": "<html><body><h1>", "<td>a": "<html><body><table><tr>"}
    return (begin.get(again, "<html><body>") + again * times + between + after * times).encode()


def _deep_docx(times: int) -> bytes:
    words = "<w:p><w:r><w:t>deep</w:t></w:r></w:p>"
    nest = "<w:sdt><w:sdtContent>" * times + words + "</w:sdtContent></w:sdt>" * times
    return with_member("docx", BODY, f"{XML}<w:document {WORD}><w:body>{nest}</w:body></w:document>")


def _deep_tables_docx(times: int) -> bytes:
    row = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a|b</w:t></w:r></w:p></w:tc><w:tc>"
    nest = row * times + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * times
    return with_member("docx", BODY, f"{XML}<w:document {WORD}><w:body>{nest}</w:body></w:document>")


def _deep_pptx() -> bytes:
    tree = f"<p:cSld><p:spTree>{_deep('p:grpSp')}</p:spTree></p:cSld>"
    return with_member("pptx", SLIDE, f"{XML}<p:sld {DRAWING}>{tree}</p:sld>")


def _deep_odt(times: int) -> bytes:
    return with_member("odt", "content.xml", odt_content(_deep("text:section", "<text:p>deep</text:p>", times)))


def _deep_hwpx(times: int) -> bytes:
    """Text boxes in text boxes; what is between the marks is replaced, so that only the nest is long."""
    begin, end = hwpx_writer.text_box("<here/>").split("<here/>")
    paragraph = hwpx_writer.paragraph(begin + "<here/>" + end)
    head, tail = paragraph.split("<here/>")
    return hwpx_writer.document(head * times + hwpx_writer.paragraph("deep") + tail * times)


def _deep_hwp(times: int) -> bytes:
    box: Any = "deep"
    for _ in range(times):
        box = hwp_writer.table([(0, 0, 1, 1, ["a|b", box])])
    return hwp_writer.document(hwp_writer.paragraph(box))


def _deep_xlsx() -> bytes:
    return with_member("xlsx", CELLS, f"{XML}<worksheet {SHEET}>{_deep('extLst')}</worksheet>")


def _deep_zip(times: int) -> bytes:
    content = sound("docx", 0)
    for _ in range(times):
        content = packed({"inner.docx": content})
    return content


def _deep_mail(times: int) -> bytes:
    mail = b"From: a@b.kr\r\nSubject: deepest\r\n\r\nthe end\r\n"
    for number in range(times):
        head = f"From: a@b.kr\r\nSubject: {number}\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
        mail = head.encode() + mail
    return mail


def _deep_parts(times: int) -> bytes:
    head = "From: a@b.kr\r\nSubject: deep\r\nMIME-Version: 1.0\r\n"
    levels = (f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(times))
    return (head + "".join(levels) + "Content-Type: text/plain\r\n\r\ndeepest\r\n").encode()


def _mail_with(name: str, content: bytes) -> bytes:
    head = 'From: a@b.kr\r\nSubject: see\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    part = f"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename={name}\r\n"
    body = base64.encodebytes(content).decode()
    return f"{head}{part}Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n".encode()


def _page(rest: bytes = b"") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%s>>" % rest


ROOT = b"<</Type/Catalog/Pages 2 0 R%s>>"


def _circle_of_pages() -> bytes:
    pages = b"<</Type/Pages/Count 9/Kids[3 0 R]/Parent 3 0 R>>"
    return assemble([ROOT % b"", pages, b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]/Parent 2 0 R>>"])


def _deep_array() -> bytes:
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    return assemble([ROOT % (b"/X " + b"[" * DEEP + b"]" * DEEP), pages, _page(), stream(b"[" * DEEP)])


def _deep_page_tree() -> bytes:
    """A tree of 20,000 storeys with one page at its end."""
    storeys = [b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (number + 3) for number in range(20_000)]
    return assemble([ROOT % b"", *storeys, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


def _form_in_itself() -> bytes:
    head = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>/Length 12>>"
    form = head + b"stream\n/F Do /F Do \nendstream"
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    page = _page(b"/Resources<</XObject<</F 5 0 R>>>>")
    return assemble([ROOT % b"", pages, page, stream(b"/F Do"), form])


def _outline_in_a_circle() -> bytes:
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    item = b"<</Title(a)/Parent 5 0 R/Next 6 0 R/Prev 6 0 R/First 5 0 R/Dest[3 0 R/Fit]>>"
    return assemble([ROOT % b"/Outlines 5 0 R", pages, _page(), stream(b""), b"<</First 6 0 R/Last 6 0 R>>", item])


def _outline_of(count: int) -> bytes:
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    items = [b"<</Title(%d)/Parent 5 0 R/Next %d 0 R/Dest[3 0 R/Fit]>>" % (n, n + 7) for n in range(count)]
    root = ROOT % b"/Outlines 5 0 R"
    return assemble([root, pages, _page(), stream(b""), b"<</First 6 0 R/Last 6 0 R/Count %d>>" % count, *items])


def _line_of(word: str) -> bytes:
    return (word * (LONG // len(word))).encode()


def _no_spaces() -> bytes:
    """Words of a thousand syllables, no two alike: what a cache of words swells from."""
    random = Random(LONG)
    return "".join(chr(random.randrange(0xAC00, 0xD7A4)) for _ in range(LONG)).encode()


def _long_title_docx() -> bytes:
    properties = members(sound("docx", 0))["docProps/core.xml"].decode()
    title = f"<dc:title>{'title ' * 200_000}</dc:title></cp:coreProperties>"
    properties = re.sub(r"<dc:title>.*?</dc:title>", "", properties).replace("</cp:coreProperties>", title)
    return with_member("docx", "docProps/core.xml", properties)


def _marks_out_of_order() -> bytes:
    """Combining marks in the order that canonical ordering has to turn round: quadratic in most libraries."""
    return ("a" + "\u0315\u0300" * 100_000).encode()


NESTS: dict[str, Callable[[], bytes]] = {
    "deep_100000.docx": lambda: _deep_docx(DEEP),
    "deep_120.docx": lambda: _deep_docx(120),
    "deep_tables.docx": lambda: _deep_tables_docx(80),
    "deep_100000.pptx": _deep_pptx,
    "deep_100000.odt": lambda: _deep_odt(DEEP),
    "deep_200.odt": lambda: _deep_odt(200),
    "deep_100000.xlsx": _deep_xlsx,
    "deep_100000.hwpx": lambda: _deep_hwpx(DEEP),
    "deep_80.hwpx": lambda: _deep_hwpx(80),
    "deep_tables.hwp": lambda: _deep_hwp(60),
    "deep_100000.epub": lambda: with_member(
        "epub", "chapter.xhtml", f"{XHTML}<body>{_deep('div', 'deep')}</body></html>"
    ),
    "deep_100000.html": partial(_html, "<div>", DEEP, "deep", "</div>"),
    "deep_inline.html": partial(_html, "<b>", DEEP, "deep", "</b>"),
    "deep_tables.html": partial(_html, "<table><tr><td>a|b</td><td>", 20_000),
    "deep_lists.html": partial(_html, "<ul><li>item", 50_000),
    "wide_and_high_table.html": partial(_html, "<td>a", 20_000, "<tr>", "<td>b<tr>"),
    "long_title.html": partial(_html, "title ", 200_000, "</title><p>words</p>"),
    "long_heading.html": partial(_html, "word ", 200_000, "</h1><p>words</p>"),
    "surrogates.html": partial(_html, "&#xD800;&#0;&#xFFFF;&#x10FFFF;&#x1F600;", 9_999),
    "deep_zip_200.docx": lambda: _deep_zip(200),
    "deep_200.eml": lambda: _deep_mail(200),
    "deep_5000.eml": lambda: _deep_mail(5_000),
    "deep_parts_5000.eml": lambda: _deep_parts(5_000),
    "mail_in_attachment.eml": lambda: _mail_with("inner.eml", _deep_mail(50)),
    "bomb_in_attachment.eml": lambda: _mail_with("inner.docx", _deep_docx(DEEP)),
    "long_title.docx": _long_title_docx,
    "long_title.pdf": lambda: pdf([["a word"]] * 20, title="title " * 200_000),
    "long_subject.eml": lambda: (
        b"From: a@b.kr\nTo: c@d.kr\nSubject: " + b"title " * 200_000 + b"\n\n" + b"word " * 20_000
    ),
    "circle_of_pages.pdf": _circle_of_pages,
    "deep_array.pdf": _deep_array,
    "deep_page_tree.pdf": _deep_page_tree,
    "form_in_itself.pdf": _form_in_itself,
    "outline_in_a_circle.pdf": _outline_in_a_circle,
    "outline_50000.pdf": lambda: _outline_of(50_000),
    "many_characters.pdf": lambda: pdf([["가" * 5_000] * 40]),
    "quotes.md": lambda: b">" * DEEP + b" deep",
    "brackets.md": lambda: b"[" * LONG,
    "headings.md": lambda: b"# a\n" * (LONG // 4),
    "heading_of_signs.md": lambda: b"# a" + b" #" * (LONG // 2) + b" b",
    "heading_of_spaces.md": lambda: b"# a" + b" " * LONG + b"b",
    "fences.md": lambda: b"```\na\n```\n" * (LONG // 10),
    "fence_without_end.md": lambda: b"`" * LONG,
    "fences_without_end.md": lambda: b"```a\n\n" * (LONG // 6),
    "front_matter_without_end.md": lambda: b"---\n" + b"title: a\n" * (LONG // 9),
    "blank_lines.md": lambda: b"\n \t" * (LONG // 3) + b"a",
    "one_line.txt": partial(_line_of, "가나다라마바사"),
    "no_spaces.txt": _no_spaces,
    "one_character.txt": partial(_line_of, "a"),
    "spaces.txt": lambda: b"a" + b" " * LONG + b"b",
    "numbers.txt": partial(_line_of, "1,234"),
    "digits.txt": partial(_line_of, "제1조의1"),
    "marks.txt": partial(_line_of, "\u0301"),
    "marks_out_of_order.txt": _marks_out_of_order,
    "joiners.txt": partial(_line_of, "\u200d\U0001f469"),
    "ligatures.txt": partial(_line_of, "\ufdfa"),
    "mail_like.txt": lambda: b"From: a\nTo: b\n" + b" x\n" * (LONG // 3),
}
"""Writers by the file's name."""
