"""HWPX (a zip of XML, KS X 6101) -> the story of a Hangul document.

Elements are told by their local names: the namespaces have carried three years so far (2011, 2016, 2024).
Deletions under review are left out; a note or a comment stands below its paragraph.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from services.formats import hwp_blocks
from services.formats.hwp_blocks import NUMBER_FORMS, Block, Cell, Numbering, Numbers, Paragraph, Story, Table

_SECTION = re.compile(r"Contents/section(\d+)\.xml$")
_SIGNS = {"tab": "\t", "lineBreak": "\n", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
_MARGINS = frozenset({"header", "footer"})
_NOTES = {"footNote": "f", "endNote": "e"}
_COUNTED = frozenset({"TABLE", "PICTURE", "EQUATION"})  # a caption's number; those of pages and notes are no text
_SPOKEN = {"compose": "composeText", "textart": "text"}  # objects whose words stand in an attribute
_SILENT = frozenset(
    {"secPr", "linesegarray", "parameters", "default", "shapeComment", "metaTag"}
)  # default repeats case
_PARSER = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
_Element = Any  # lxml is used without its stubs


@dataclass(slots=True)
class _Shapes:
    """What the header tells of paragraphs: the kind of head, its numbering and level, by the shape's id."""

    heads: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=lambda: Numbers({}))


@dataclass(slots=True)
class _Reader:
    """Where a walk stands: what it writes to, what is counted, whether it is inside a deletion."""

    shapes: _Shapes
    story: Story
    outline: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    deleted: bool = False
    inside: int = 0  # cells, notes and margins around: an outline counts only in the body


def read(package: zipfile.ZipFile) -> Story:
    """Give the story of a checked package. Raises lxml's XMLSyntaxError, KeyError, ValueError, OSError."""
    names = [name for name in package.namelist() if _SECTION.match(name)]
    sections = sorted(names, key=lambda name: int((_SECTION.match(name) or [0, 0])[1]))
    if not sections:
        raise KeyError("Contents/section0.xml")
    story = Story(title=_title(package))
    reader = _Reader(_shapes(_root(package, "Contents/header.xml")), story)
    for name in sections:
        for element in _root(package, name):
            if _name(element) == "p":
                story.blocks.extend(_paragraph(element, reader))
    return story


def _root(package: zipfile.ZipFile, name: str) -> _Element:
    return etree.fromstring(package.read(name), etree.XMLParser(**_PARSER))


def _name(element: _Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _title(package: zipfile.ZipFile) -> str:
    if "Contents/content.hpf" not in package.namelist():
        return ""
    found = (each for each in _root(package, "Contents/content.hpf").iter() if _name(each) == "title")
    return next((each.text or "" for each in found), "")


def _shapes(header: _Element) -> _Shapes:
    shapes = _Shapes()
    numberings: dict[int, Numbering] = {}
    for element in header.iter():
        if _name(element) == "numbering":
            numberings[_int(element, "id")] = _numbering(element)
        elif _name(element) == "paraPr":
            head = next((each for each in element.iter() if _name(each) == "heading"), None)
            if head is not None:
                place = (head.get("type") or "NONE", _int(head, "idRef"), _int(head, "level"))
                shapes.heads[element.get("id") or ""] = place
    shapes.numbers = Numbers(numberings)
    return shapes


def _numbering(element: _Element) -> Numbering:
    heads = [each for each in element if _name(each) == "paraHead"]
    heads.sort(key=lambda head: _int(head, "level"))
    return Numbering(
        [NUMBER_FORMS.get(head.get("numFormat") or "", "digit") for head in heads],
        [head.text or "" for head in heads],
        [_int(head, "start", 1) for head in heads],
    )


def _int(element: _Element, name: str, otherwise: int = 0) -> int:
    value = element.get(name) or ""
    return int(value) if value.isdecimal() else otherwise


def _paragraph(element: _Element, reader: _Reader) -> Iterator[Block]:
    """Give the paragraph, then the tables, boxes and notes anchored in it."""
    pieces: list[str] = []
    after: list[Block] = []
    for run in element:
        if _name(run) == "run":
            _walk(run, reader, pieces, after)
    yield _headed("".join(pieces), element.get("paraPrIDRef") or "", reader)  # one without words counts too
    yield from after


def _headed(text: str, shape: str, reader: _Reader) -> Paragraph:
    kind, numbering, level = reader.shapes.heads.get(shape, ("NONE", 0, 0))
    if kind == "BULLET":
        return Paragraph(text, "-")
    if kind == "NUMBER":
        return Paragraph(text, reader.shapes.numbers.step(numbering, level))
    if kind == "OUTLINE":
        return Paragraph(text, reader.shapes.numbers.step(reader.outline, level), 0 if reader.inside else level + 1)
    return Paragraph(text)


def _walk(parent: _Element, reader: _Reader, pieces: list[str], after: list[Block]) -> None:
    for element in parent:
        name = _name(element)
        if name == "secPr":
            reader.outline = _int(element, "outlineShapeIDRef")
        elif name == "t":
            _text(element, reader, pieces)
        elif name in _MARGINS:
            reader.story.margins.extend(_inner(element, reader))
        elif name in _NOTES:
            _note(element, _NOTES[name], reader, pieces, after)
        elif name == "tbl":
            after.extend(_table(element, reader))
        elif name == "subList":
            after.extend(_inner(element, reader))
        else:
            _object(element, name, reader, pieces, after)


def _object(element: _Element, name: str, reader: _Reader, pieces: list[str], after: list[Block]) -> None:
    """Take what speaks by itself, else look inside; not into what only repeats or sets."""
    if name == "autoNum" and element.get("numType") in _COUNTED:
        pieces.append(element.get("num") or "")
    elif name == "script":
        pieces.append(" " + (element.text or "") + " ")
    elif name == "mainText":
        pieces.append(element.text or "")
    elif name in _SPOKEN:
        pieces.append(element.get(_SPOKEN[name]) or "")
    elif name in ("hiddenComment", "fieldBegin"):
        words = hwp_blocks.words(list(_inner(element, reader)))
        after.extend([Paragraph(f"[comment] {words}")] if words else [])
    elif name not in _SILENT and name:
        _walk(element, reader, pieces, after)


def _text(element: _Element, reader: _Reader, pieces: list[str]) -> None:
    """Take the words of a `t`, between which signs and marks of review stand."""
    _say(element.text, reader, pieces)
    for child in element:
        name = _name(child)
        if name in ("deleteBegin", "deleteEnd"):
            reader.deleted = name == "deleteBegin"
        else:
            _say(_SIGNS.get(name), reader, pieces)
        _say(child.tail, reader, pieces)


def _say(text: str | None, reader: _Reader, pieces: list[str]) -> None:
    if text and not reader.deleted:
        pieces.append(text)


def _inner(element: _Element, reader: _Reader) -> Iterator[Block]:
    """Give the blocks of the lists right below; what stands around them stands still."""
    deleted, reader.deleted = reader.deleted, False
    reader.inside += 1
    lists = [element] if _name(element) == "subList" else [each for each in element if _name(each) == "subList"]
    for each in lists:
        for paragraph in each:
            if _name(paragraph) == "p":
                yield from _paragraph(paragraph, reader)
    reader.inside -= 1
    reader.deleted = deleted


def _note(element: _Element, kind: str, reader: _Reader, pieces: list[str], after: list[Block]) -> None:
    if reader.deleted:
        return
    words = hwp_blocks.words(list(_inner(element, reader)))
    if words:
        reader.notes[kind] = reader.notes.get(kind, 0) + 1
        mark = f"[^{kind}{reader.notes[kind]}]"
        pieces.append(mark)
        after.append(Paragraph(f"{mark}: {words}"))


def _table(element: _Element, reader: _Reader) -> Iterator[Block]:
    """Give the caption, then the table."""
    cells: list[Cell] = []
    for number, child in enumerate(element):
        if _name(child) == "caption":
            yield from _inner(child, reader)
        elif _name(child) == "tr":
            cells.extend(_cell(each, number, reader) for each in child if _name(each) == "tc")
    if cells:
        yield Table(cells)


def _cell(element: _Element, row: int, reader: _Reader) -> Cell:
    address = next((each for each in element if _name(each) == "cellAddr"), None)
    column = len(list(element.itersiblings(element.tag, preceding=True)))
    blocks = list(_inner(element, reader))
    if address is None:
        return Cell(row, column, blocks)
    return Cell(_int(address, "rowAddr", row), _int(address, "colAddr", column), blocks)
