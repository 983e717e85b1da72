"""DOCX -> parts, in document order: paragraphs with their automatic numbers, tables as Markdown rows, headings as
`#` lines, notes and comments.

A DOCX has no pages before it is laid out: a part begins at a heading of level 1 or 2, at a page break the
author set, and after about 3,000 characters. Headers and footers of all sections come last, as a part of
their own. python-docx opens the package and knows the styles; the text is walked in the XML, because its own
`.text` leaves out insertions under review, content controls and text boxes. Deletions under review are left
out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from docx.opc.exceptions import PackageNotFoundError
from docx.opc.part import PartFactory
from docx.oxml import parse_xml
from docx.package import Package
from docx.parts.document import DocumentPart

from services.formats import archive, docx_numbering, tables
from services.formats.page import FormatError, Header, Page
from services.formats.parts import MAX_LABEL_CHARS
from services.formats.sniff import OTHER_DOCX, Family
from services.formats.source import Source
from services.text.normalise import normalise

PART_CHARS = 3_000  # about two printed pages: what a citation of "a page" means elsewhere
_SPLIT_LEVEL = 2
_PAGE_BREAK = "\f"  # inside a paragraph; normalise makes a line end of it where no part can begin
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # repeats its Choice
_DROPPED = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}pPr", f"{_W}rPr", f"{_W}rt", _FALLBACK})
_WORDS = (f"{_W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t")
_SIGNS = {f"{_W}tab": "\t", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-", f"{_W}ptab": "\t"}
_HEADING_STYLE = re.compile(r"(?:heading|제목) ?([1-9])$", re.I)
_NOTE_PARTS = (
    ("footnotes", f"{_W}footnote", "f"),
    ("endnotes", f"{_W}endnote", "e"),
    ("comments", f"{_W}comment", "c"),
)
_REFERENCES = (f"{_W}footnoteReference", f"{_W}endnoteReference")
_COMMENT = f"{_W}commentReference"
_MOST_SPAN = 63  # columns of a table in Word; a cell can claim any number
_Element = Any  # lxml has no types
PartFactory.part_type_for.update(dict.fromkeys(OTHER_DOCX, DocumentPart))  # kinds that python-docx does not know


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    level: int = 0  # of a heading, 1-9
    breaks: bool = False  # the author starts a page here


@dataclass(slots=True)
class _Style:
    """What a walk needs besides the body: heading levels by style id, notes by their mark, numbers."""

    levels: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    numbering: docx_numbering.Numbering = field(default_factory=docx_numbering.Numbering)


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the document in parts. Raises FormatError: "encrypted", "corrupt", "too_large", "empty"."""
    with source.open() as file:
        with archive.open_zip(file) as package:
            archive.check(package, source.max_unpacked_bytes)
        file.seek(0)
        document = _open(file)
    styles = {element.get(f"{_W}styleId"): element for element in document.styles.element.iter(f"{_W}style")}
    rules = docx_numbering.read(next(_related(document, "numbering"), None), styles)
    style = _Style(_levels(styles), dict(_notes(document)), rules)
    blocks = list(_blocks(document.element.body, style))
    margins = "\n".join(_margins(document, style))
    if not margins and not any(block.text for block in blocks):
        raise FormatError("empty", "The document holds no text; if it holds pictures of text, it needs OCR first.")
    yield Header(Family.DOCX, _title(document, blocks))
    yield from _pages(blocks, margins)


def _open(file: Any) -> Any:
    try:
        document = Package.open(file).main_document_part
        document.element.body.tag  # noqa: B018  a part of another kind has no element, an empty one no body
    except (
        *archive.READ_ERRORS,
        PackageNotFoundError,
        KeyError,
        AttributeError,
        SyntaxError,
    ) as error:
        raise archive.damaged(error) from error
    return document


def _title(document: Any, blocks: list[_Block]) -> str:
    title = " ".join(normalise(document.core_properties.title).split())
    if title and title.lower() not in ("word document", "untitled"):  # what libraries write by themselves
        return title
    return next((block.text.lstrip("# ") for block in blocks if block.level), "")


def _levels(styles: dict[str, _Element]) -> dict[str, int]:
    """Map style ids to heading levels, by name (kept in English in the file) or by outline level."""
    found: dict[str, int] = {}
    for style_id in styles:
        level = _style_level(styles, style_id)
        if level:
            found[style_id] = level
    return found


def _style_level(styles: dict[str, _Element], style_id: str) -> int:
    seen: set[str] = set()
    while style_id in styles and style_id not in seen:  # basedOn may run in a circle
        seen.add(style_id)
        element = styles[style_id]
        name = _value(element, "name")
        match = _HEADING_STYLE.match(name)
        if match or name == "Title":
            return int(match[1]) if match else 1
        outline = _value(element, f"pPr/{_W}outlineLvl")
        if outline.isdigit():
            return (int(outline) + 1) % 10  # 9 means body text
        style_id = _value(element, "basedOn")
    return 0


def _value(element: _Element, path: str) -> str:
    found = element.find(_W + path)
    return "" if found is None else found.get(f"{_W}val") or ""


def _notes(document: Any) -> Iterator[tuple[str, str]]:
    """Give foot- and endnotes and comments as (mark, text), the mark like `f2`."""
    for name, tag, kind in _NOTE_PARTS:
        for root in _related(document, name):
            for note in root.iter(tag):
                text = " ".join(_text(note, _Style()).split())
                if text:
                    yield kind + (note.get(f"{_W}id") or ""), normalise(text)


def _related(document: Any, name: str) -> Iterator[_Element]:
    """Give the root elements of the parts with a relation of this kind (header, footnotes, ...)."""
    for relation in document.rels.values():
        if not relation.is_external and relation.reltype.endswith("/" + name):
            yield parse_xml(relation.target_part.blob)


def _margins(document: Any, style: _Style) -> Iterator[str]:
    """Give each different line of the headers and footers once."""
    roots = chain(_related(document, "header"), _related(document, "footer"))
    blocks = chain.from_iterable(_blocks(root, style) for root in roots)
    yield from dict.fromkeys(block.text for block in blocks if block.text)


def _blocks(parent: _Element, style: _Style) -> Iterator[_Block]:
    """Walk the block level in document order, through content controls and other wrappers."""
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, style)
        elif child.tag == f"{_W}tbl":
            yield _Block(normalise("\n".join(tables.markdown_rows(_rows(child, style)))))
            yield from _below(child, style)
        elif child.tag not in _DROPPED and isinstance(child.tag, str):
            yield from _blocks(child, style)


def _paragraph(element: _Element, style: _Style) -> Iterator[_Block]:
    level = _level(element, style)
    prefix = _prefix(element, style)
    for number, piece in enumerate(_text(element, style).split(_PAGE_BREAK)):
        yield _block(normalise(piece), level, prefix, breaks=number > 0 or _starts_page(element))
        prefix = "" if piece.strip() else prefix
    yield from _below(element, style)


def _prefix(element: _Element, style: _Style) -> str:
    number = style.numbering.step(element)
    return f"{number} " if number else ""


def _below(element: _Element, style: _Style) -> Iterator[_Block]:
    """Give the notes and comments whose marks stand in a paragraph or a table."""
    for reference in element.iter(*_REFERENCES, _COMMENT):
        mark = _mark(reference)
        if mark in style.notes and not any(each.tag in _DROPPED for each in reference.iterancestors()):
            sign = "[comment]" if reference.tag == _COMMENT else f"[^{mark}]:"
            yield _Block(f"{sign} {style.notes[mark]}")


def _block(text: str, level: int, prefix: str, *, breaks: bool) -> _Block:
    if not text.strip():
        return _Block("", breaks=breaks)
    if level:
        return _Block("#" * min(level, 6) + " " + " ".join((prefix + text).split()), level, breaks)
    return _Block(prefix + text.strip("\n"), breaks=breaks)


def _level(element: _Element, style: _Style) -> int:
    outline = _value(element, f"pPr/{_W}outlineLvl")
    if outline.isdigit():
        return (int(outline) + 1) % 10
    return style.levels.get(_value(element, f"pPr/{_W}pStyle"), 0)


def _starts_page(element: _Element) -> bool:
    before = element.find(f"{_W}pPr/{_W}pageBreakBefore")
    return before is not None and before.get(f"{_W}val") not in ("0", "false")


def _mark(reference: _Element) -> str:
    return f"{reference.tag[len(_W)]}{reference.get(f'{_W}id') or ''}"


def _rows(table: _Element, style: _Style) -> list[list[str]]:
    rows = (row for row in table.iter(f"{_W}tr") if _owner(row) is table)
    return [[text for cell in _cells(row) for text in _spread(cell, style)] for row in rows]


def _spread(cell: _Element, style: _Style) -> list[str]:
    """Give the words of a cell, and nothing for each further column that it spans."""
    columns = _value(cell, f"tcPr/{_W}gridSpan")
    return [_text(cell, style), *[""] * (min(int(columns), _MOST_SPAN) - 1 if columns.isdecimal() else 0)]


def _cells(row: _Element) -> Iterator[_Element]:
    for cell in row.iter(f"{_W}tc"):
        if next(cell.iterancestors(f"{_W}tr")) is row:
            yield cell


def _owner(row: _Element) -> _Element:
    return next(row.iterancestors(f"{_W}tbl"))


def _text(element: _Element, style: _Style) -> str:
    """Give the words in order; paragraphs inside (cells, text boxes) end in LF. Nesting has no limit."""
    pieces: list[str] = []
    stack: list[_Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item)
        elif item.tag in _WORDS:
            pieces.append(item.text or "")
        elif item.tag not in _DROPPED:
            pieces.append(_sign(item, style))
            if item.tag == f"{_W}p" and item is not element:
                pieces.append(_prefix(item, style))
                stack.append("\n")
            stack.extend(reversed(item))
    return "".join(pieces)


def _sign(element: _Element, style: _Style) -> str:
    if element.tag == f"{_W}br":
        return _PAGE_BREAK if element.get(f"{_W}type") == "page" else "\n"
    if element.tag in _REFERENCES:
        mark = _mark(element)
        return f"[^{mark}]" if mark in style.notes else ""
    return _SIGNS.get(element.tag, "")


def _pages(blocks: list[_Block], margins: str) -> Iterator[Page]:
    number = 0
    for group in _groups(blocks):
        text = "\n".join(block.text for block in group if block.text)
        if text.strip():
            number += 1
            yield Page(number, _label(group) or str(number), text)
    if margins:
        yield Page(number + 1, "header and footer", margins)


def _groups(blocks: list[_Block]) -> Iterator[list[_Block]]:
    group: list[_Block] = []
    size = 0
    for block in blocks:
        if group and (0 < block.level <= _SPLIT_LEVEL or block.breaks or size >= PART_CHARS):
            yield group
            group, size = [], 0
        group.append(block)
        size += len(block.text)
    yield group


def _label(group: list[_Block]) -> str:
    first = next((block for block in group if block.text), None)
    return first.text.lstrip("# ")[:MAX_LABEL_CHARS] if first is not None and first.level else ""
