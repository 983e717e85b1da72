"""HWPX documents with given words, as small as Hangul and other readers take them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"
_HS = "http://www.hancom.co.kr/hwpml/2011/section"
_HH = "http://www.hancom.co.kr/hwpml/2011/head"
_START = '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>'
HEADS = {"body": 0, "bullet": 1, "number": 2, "number2": 3, "outline": 4, "outline2": 5}
"""Kinds of paragraphs and their shapes in the header."""

_SHAPES = (("NONE", 0, 0), ("BULLET", 1, 0), ("NUMBER", 2, 0), ("NUMBER", 2, 1), ("OUTLINE", 0, 0), ("OUTLINE", 0, 1))
_CONTAINER = (
    f'{_START}<ocf:container xmlns:ocf="urn:oasis:names:tc:opendocument:xmlns:container"><ocf:rootfiles>'
    '<ocf:rootfile full-path="Contents/content.hpf" media-type="application/hwpml-package+xml"/>'
    "</ocf:rootfiles></ocf:container>"
)
_MANIFEST = f'{_START}<odf:manifest xmlns:odf="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">%s</odf:manifest>'


def run(text: str) -> str:
    """Give a run of words."""
    return f'<hp:run charPrIDRef="0"><hp:t>{escape(text)}</hp:t></hp:run>'


def paragraph(content: str, head: str = "body") -> str:
    """Give a paragraph of words, or of ready XML."""
    inner = content if content.startswith("<") else run(content)
    return f'<hp:p id="0" paraPrIDRef="{HEADS[head]}" styleIDRef="0">{inner}</hp:p>'


def control(name: str, *paragraphs: str, attributes: str = "") -> str:
    """Give a header, footer, footNote, endNote, hiddenComment, ... with its paragraphs, as a run."""
    return (
        f'<hp:run charPrIDRef="0"><hp:ctrl><hp:{name} {attributes}>{_list(paragraphs)}</hp:{name}></hp:ctrl></hp:run>'
    )


def text_box(*paragraphs: str) -> str:
    """Give a rectangle with words in it, as a run."""
    return f'<hp:run charPrIDRef="0"><hp:rect><hp:drawText>{_list(paragraphs)}</hp:drawText></hp:rect></hp:run>'


Cell = tuple[str, int, int]
"""Content (words or paragraphs), rows and columns that it spans."""


def table(rows: Sequence[Sequence[str | Cell]], caption: str = "") -> str:
    """Give a table as a run; a cell of several rows or columns covers the places after it."""
    covered: set[tuple[int, int]] = set()
    lines = "".join(f"<hp:tr>{_row(number, row, covered)}</hp:tr>" for number, row in enumerate(rows))
    above = f"<hp:caption>{_list([paragraph(caption)])}</hp:caption>" if caption else ""
    return f'<hp:run charPrIDRef="0"><hp:tbl rowCnt="{len(rows)}" colCnt="0">{above}{lines}</hp:tbl></hp:run>'


def document(
    *paragraphs: str, title: str = "", locked: bool = False, numbering: Sequence[tuple[str, str]] = (), **parts: bytes
) -> bytes:
    """Give a whole file. `numbering` is (numFormat, pattern) by level; `parts` go to BinData."""
    entry = "<odf:file-entry><odf:encryption-data/></odf:file-entry>" if locked else ""
    files: Mapping[str, str | bytes] = {
        "version.xml": f'{_START}<hv:HCFVersion xmlns:hv="http://www.hancom.co.kr/hwpml/2011/version" major="5"/>',
        "META-INF/container.xml": _CONTAINER,
        "META-INF/manifest.xml": _MANIFEST % entry,
        "Contents/content.hpf": _package(title),
        "Contents/header.xml": _header(numbering or (("DIGIT", "^1."), ("HANGUL_SYLLABLE", "^2."))),
        "Contents/section0.xml": _section(paragraphs),
        **{f"BinData/{name}": content for name, content in parts.items()},
    }
    return packed(files)


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """Give the package of these members behind the media type."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/hwp+zip", zipfile.ZIP_STORED)
        for name, content in files.items():
            package.writestr(name, content)
    return result.getvalue()


def _list(paragraphs: Sequence[str]) -> str:
    inner = "".join(each if each.startswith("<hp:p ") else paragraph(each) for each in paragraphs)
    return f'<hp:subList id="" textDirection="HORIZONTAL">{inner}</hp:subList>'


def _row(number: int, row: Sequence[str | Cell], covered: set[tuple[int, int]]) -> str:
    cells, column = "", 0
    for cell in row:
        content, rows, columns = cell if isinstance(cell, tuple) else (cell, 1, 1)
        while (number, column) in covered:
            column += 1
        covered |= {(number + down, column + right) for down in range(rows) for right in range(columns)}
        cells += (
            f'<hp:tc name="">{_list([content])}<hp:cellAddr colAddr="{column}" rowAddr="{number}"/>'
            f'<hp:cellSpan colSpan="{columns}" rowSpan="{rows}"/></hp:tc>'
        )
    return cells


def _section(paragraphs: Sequence[str]) -> str:
    setting = '<hp:run charPrIDRef="0"><hp:secPr outlineShapeIDRef="1"/></hp:run>'
    first = f'<hp:p id="0" paraPrIDRef="0" styleIDRef="0">{setting}</hp:p>'
    return f'{_START}<hs:sec xmlns:hs="{_HS}" xmlns:hp="{_HP}">{first}{"".join(paragraphs)}</hs:sec>'


def _header(numbering: Sequence[tuple[str, str]]) -> str:
    heads = "".join(
        f'<hh:paraHead start="1" level="{level}" numFormat="{form}">{pattern}</hh:paraHead>'
        for level, (form, pattern) in enumerate(numbering, 1)
    )
    lists = "".join(f'<hh:numbering id="{number}" start="0">{heads}</hh:numbering>' for number in (1, 2))
    shapes = "".join(
        f'<hh:paraPr id="{number}"><hh:heading type="{kind}" idRef="{list_id}" level="{level}"/></hh:paraPr>'
        for number, (kind, list_id, level) in enumerate(_SHAPES)
    )
    return (
        f'{_START}<hh:head xmlns:hh="{_HH}" version="1.4" secCnt="1"><hh:refList>'
        f'<hh:numberings itemCnt="2">{lists}</hh:numberings>'
        f'<hh:bullets itemCnt="1"><hh:bullet id="1" char="•"/></hh:bullets>'
        f'<hh:paraProperties itemCnt="{len(_SHAPES)}">{shapes}</hh:paraProperties></hh:refList></hh:head>'
    )


def _package(title: str) -> str:
    return (
        f'{_START}<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata><opf:title>{escape(title)}'
        "</opf:title></opf:metadata><opf:manifest>"
        '<opf:item id="header" href="Contents/header.xml" media-type="application/xml"/>'
        '<opf:item id="section0" href="Contents/section0.xml" media-type="application/xml"/></opf:manifest>'
        '<opf:spine><opf:itemref idref="section0"/></opf:spine></opf:package>'
    )
