"""What calamine leaves out of a spreadsheet, from the XML of its sheets: percentages, remarks, boxes, margins.

In: an open XLSX or ODS package that was checked. Out: one `Looks` per sheet, in the order of the workbook. It refuses
nothing: cells are calamine's matter, and a sheet whose looks cannot be read is shown without them.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from xml.parsers import expat

from services.formats import archive, markup
from services.formats.sniff import Family

_Place = tuple[int, int]  # row and column, from 0
_Attributes = dict[str, str]
_PERCENT_IDS = frozenset({"9", "10"})  # numFmtId of 0% and 0.00% (ECMA-376 part 1, 18.8.30)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')  # in a number format: words, not signs
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
# Codes of headers and footers (ECMA-376 part 1, 18.3.1.46): section, font, size, colour, field.
_MARGIN_CODE = re.compile(r'&(?:"[^"]*"|\d+|K(?:[0-9A-F]{6}|\d\d[+-]\d{3})|[A-Za-z])')
_MARGIN = re.compile(rb"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)>([^<]*)</")
_SLICE_BYTES = 2**20  # headers and footers stand behind all cells, within the last of these
_THREADED = "[Threaded comment]"  # the copy for programs that know only old remarks
_MAX_REPEATS = 1_000  # a repeated row or cell beyond that is a filled column, not a table


@dataclass(slots=True)
class Looks:
    """How a sheet's values are shown, and what is written beside them."""

    percents: set[_Place] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def looks_of(package: zipfile.ZipFile, family: Family) -> Iterator[Looks]:
    """Give the looks of the sheets in their order; nothing for other families than XLSX and ODS."""
    if family is Family.XLSX:
        yield from _xlsx(package)
    elif family is Family.ODS:
        sheets = _OdsSheets()
        _scan(package, "content.xml", sheets.start, sheets.end, sheets.text)
        yield from sheets.found


def _xlsx(package: zipfile.ZipFile) -> Iterator[Looks]:
    book = next((name for _, kind, name in markup.relations(package, "") if kind == "officeDocument"), "")
    root = markup.optional(package, book)
    if root is None:
        return
    targets = {key: (kind, name) for key, kind, name in markup.relations(package, book)}
    percents = _percent_styles(package, next((name for kind, name in targets.values() if kind == "styles"), ""))
    for element in next(markup.named(root, "sheets"), ()):
        _, name = targets.get(markup.attribute(element, "id"), ("", ""))
        looks = Looks(remarks=list(_beside(package, name)))
        _read_sheet(package, name, percents, looks)
        yield looks


def _percent_styles(package: zipfile.ZipFile, name: str) -> frozenset[str]:
    """Give the numbers of the cell styles that show a number as a percentage."""
    root = markup.optional(package, name)
    if root is None:
        return frozenset()
    own = {
        each.get("numFmtId")
        for each in markup.named(root, "numFmt")
        if "%" in _QUOTED.sub("", each.get("formatCode") or "")
    }
    cells = next(markup.named(root, "cellXfs"), ())
    return frozenset(str(index) for index, each in enumerate(cells) if each.get("numFmtId") in own | _PERCENT_IDS)


def _read_sheet(package: zipfile.ZipFile, name: str, percents: frozenset[str], looks: Looks) -> None:
    """Look for cells of these styles, and for headers and footers, in the bytes: many times faster than a parser."""
    styles = "|".join(sorted(percents)).encode()
    cells = re.compile(rb'<(?:\w+:)?c [^>]*?\bs="(?:' + styles + rb')"[^>]*>') if percents else None
    rest = tail = b""
    try:
        with package.open(name) as file:
            while data := file.read(_SLICE_BYTES):
                whole, bracket, rest = (rest + data).rpartition(b"<")
                rest = bracket + rest
                looks.percents.update(_places(cells, whole) if cells else ())
                tail = (tail + data)[-_SLICE_BYTES:]
    except (*archive.READ_ERRORS, KeyError, RuntimeError):
        return  # what was found so far stands
    looks.remarks += dict.fromkeys(filter(None, map(_margin, _MARGIN.findall(tail))))


def _places(cells: re.Pattern[bytes], data: bytes) -> Iterator[_Place]:
    for cell in cells.finditer(data):
        if place := _REFERENCE.search(cell[0]):
            yield int(place[2]) - 1, _column(place[1].decode())


def _margin(raw: bytes) -> str:
    """Give the words of a header or footer without their codes; `&&` is a plain `&`."""
    pieces = unescape(raw.decode(errors="replace")).split("&&")
    return " ".join("&".join(_MARGIN_CODE.sub(" ", each) for each in pieces).split())


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _beside(package: zipfile.ZipFile, name: str) -> Iterator[str]:
    """Give the remarks of a sheet with their cells, then the words of its text boxes and charts."""
    for _, kind, part in markup.relations(package, name):
        root = markup.optional(package, part)
        if root is None:
            continue
        if kind in ("comments", "threadedComment"):
            for remark in [*markup.named(root, "comment"), *markup.named(root, "threadedComment")]:
                words = _words(remark)
                if words and not words.startswith(_THREADED):
                    yield f"{remark.get('ref') or ''}: {words}"
        elif kind == "drawing":
            charts = [markup.optional(package, chart) for _, each, chart in markup.relations(package, part)]
            for each in [root, *(chart for chart in charts if chart is not None)]:
                yield from filter(None, map(_words, markup.named(each, "p")))


def _words(element: markup.Element) -> str:
    runs = (each.text or "" for each in element.iter() if markup.local(each) in ("t", "text"))
    return " ".join("".join(runs).split())


class _OdsSheets:
    """Walks the elements of an OpenDocument spreadsheet."""

    def __init__(self) -> None:
        self.found: list[Looks] = []
        self._row = self._column = 0
        self._rows = 1  # how often the row at hand is repeated
        self._remark: list[str] | None = None

    def start(self, name: str, attributes: _Attributes) -> None:
        if name == "table":
            self.found.append(Looks())
            self._row, self._rows = 0, 0
        elif name == "table-row":
            self._row, self._column = self._row + self._rows, 0
            self._rows = int(attributes.get("number-rows-repeated", 1))
        elif name in ("table-cell", "covered-table-cell"):
            self._cell(int(attributes.get("number-columns-repeated", 1)), attributes.get("value-type", ""))
        elif name == "annotation":
            self._remark = []

    def _cell(self, repeats: int, kind: str) -> None:
        if kind == "percentage" and self.found:
            rows = range(self._row, self._row + min(self._rows, _MAX_REPEATS))
            columns = range(self._column, self._column + min(repeats, _MAX_REPEATS))
            self.found[-1].percents.update((row, column) for row in rows for column in columns)
        self._column += repeats

    def text(self, words: str) -> None:
        if self._remark is not None:
            self._remark.append(words)

    def end(self, name: str) -> None:
        if name == "annotation" and self._remark is not None:
            if self.found and (words := " ".join("".join(self._remark).split())):
                self.found[-1].remarks.append(words)
            self._remark = None
        elif name in ("p", "date", "creator") and self._remark is not None:
            self._remark.append(" ")


def _scan(
    package: zipfile.ZipFile,
    name: str,
    start: Callable[[str, _Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Walk a member without building its tree: a sheet of a million rows would not fit."""

    def begin(tag: str, attributes: _Attributes) -> None:
        start(_local(tag), {_local(key): value for key, value in attributes.items()})

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda tag: end(_local(tag))
    parser.CharacterDataHandler = text
    try:
        with package.open(name) as file:
            parser.ParseFile(file)
    except (*archive.READ_ERRORS, expat.ExpatError, LookupError, RuntimeError):
        return  # what was found so far stands


def _local(name: str) -> str:
    return name.rpartition(":")[2]
