"""What a Hangul document holds, before it is text: paragraphs and tables in order, and what stands in the margins.

`hwp_binary`, `hwp_xml` and `hwp_native` make these; `hwp` writes them as Markdown. Nothing here reads a file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.formats import tables
from services.formats.numbering import MOST_LEVELS, Counter, ordinal
from services.formats.page import FormatError
from services.text.normalise import normalise

MOST_CELLS = 200_000  # of one table's grid, filled or not
_HEADING_CHARS = 80  # outline numbers also stand before whole sentences, which are no headings
_SENTENCE_END = re.compile(r"[.;:。]\s*$")
_LEVEL_SIGN = re.compile(r"\^(\d+|[nN])")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; its lines end in LF."""

    text: str
    number: str = ""  # the automatic number or sign before it: "제3조", "가.", "-"
    level: int = 0  # of the outline, 1 the highest; 0 is body text


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, by the row and column in which it begins; what it spans besides stays empty."""

    row: int
    column: int
    blocks: "Sequence[Block]"


@dataclass(frozen=True, slots=True)
class Table:
    """The cells that are there; covered places have none."""

    cells: Sequence[Cell]


Block = Paragraph | Table


@dataclass(slots=True)
class Story:
    """A document's blocks, and the paragraphs of its headers and footers."""

    blocks: list[Block] = field(default_factory=list)
    margins: list[Block] = field(default_factory=list)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a list numbers its levels: the form and the pattern (`^1.^2.`) of each."""

    forms: Sequence[str]
    patterns: Sequence[str]
    starts: Sequence[int]


@dataclass(slots=True)
class Numbers:
    """The counters of all numberings of a document, by their ids."""

    numberings: Mapping[int, Numbering]
    counters: dict[int, Counter] = field(default_factory=dict)

    def step(self, numbering_id: int, level: int) -> str:
        """Count one paragraph at `level` (0-based); give what is printed before it, "" when nothing tells."""
        rule = self.numberings.get(numbering_id)
        if rule is None or not 0 <= level < len(rule.patterns):
            return ""
        starts = [*rule.starts, *[1] * (MOST_LEVELS - len(rule.starts))]
        counter = self.counters.setdefault(numbering_id, Counter(starts, begins_passed=True))
        return _filled(rule, level, counter.step(level))


def _filled(rule: Numbering, level: int, numbers: Sequence[int]) -> str:
    def sign(match: re.Match[str]) -> str:
        if match[1] in "nN":  # the whole path
            return ".".join(str(number) for number in numbers) + ("." if match[1] == "N" else "")
        place = int(match[1]) - 1
        return ordinal(rule.forms[place], numbers[place]) if 0 <= place <= level else ""

    return _LEVEL_SIGN.sub(sign, rule.patterns[level]).strip()


# The names of HWPML and, by place, the codes of HWP 5 (Hancom, "한글 문서 파일 구조 5.0", numbering formats).
NUMBER_FORMS = {
    "DIGIT": "digit",
    "CIRCLED_DIGIT": "circled",
    "ROMAN_CAPITAL": "ROMAN",
    "ROMAN_SMALL": "roman",
    "LATIN_CAPITAL": "LATIN",
    "LATIN_SMALL": "latin",
    "CIRCLED_LATIN_CAPITAL": "circled LATIN",
    "CIRCLED_LATIN_SMALL": "circled latin",
    "HANGUL_SYLLABLE": "geoneodeo",
    "CIRCLED_HANGUL_SYLLABLE": "circled ganada",
    "HANGUL_JAMO": "jamo",
    "CIRCLED_HANGUL_JAMO": "circled jamo",
    "HANGUL_PHONETIC": "sino",
    "IDEOGRAPH": "hanja",
    "CIRCLED_IDEOGRAPH": "circled hanja",
    "DECAGON_CIRCLE": "stems",
    "DECAGON_CIRCLE_HANJA": "stems hanja",
}
NUMBER_CODES = tuple(NUMBER_FORMS.values())


def markdown(blocks: Sequence[Block]) -> list[str]:
    """Write blocks as Markdown, one string for each, normalised; empty ones are left out."""
    return [text for block in blocks for text in _written(block) if text.strip()]


def _written(block: Block) -> Iterator[str]:
    if isinstance(block, Table):
        yield from _table(block)
        return
    text = normalise(block.text).strip("\n")
    if not text.strip():
        return
    if block.level and len(text) <= _HEADING_CHARS and not _SENTENCE_END.search(text):
        yield "#" * min(block.level, 6) + " " + " ".join(f"{block.number} {text}".split())
    else:
        yield f"{block.number} {text}" if block.number else text


def _table(table: Table) -> Iterator[str]:
    """Give a table of one column as its blocks, which it only frames, else its rows, then the tables in it."""
    if len({cell.column for cell in table.cells}) <= 1:
        for cell in table.cells:
            yield from markdown(cell.blocks)
        return
    inner: list[Table] = []
    grid = _grid(table)
    rows, columns = _places(cell.row for cell in table.cells), _places(cell.column for cell in table.cells)
    for cell in table.cells:
        grid[rows[cell.row]][columns[cell.column]] = " ".join(_words(cell.blocks, inner))
    yield "\n".join(tables.markdown_rows(grid))
    for nested in inner:
        yield from _table(nested)


def _grid(table: Table) -> list[list[str]]:
    rows, columns = len({cell.row for cell in table.cells}), len({cell.column for cell in table.cells})
    if rows * columns > MOST_CELLS:
        raise FormatError("too_large", f"A table has more than {MOST_CELLS:,} cells; add it as a spreadsheet.")
    return [[""] * columns for _ in range(rows)]


def _places(claimed: Iterable[int]) -> dict[int, int]:
    """Number the rows (or columns) in which a cell begins: a span can claim 65,535 of them for nothing."""
    return {place: number for number, place in enumerate(sorted(set(claimed)))}


def _words(blocks: Sequence[Block], inner: list[Table]) -> Iterator[str]:
    """Give the words of a cell; a table of several columns in it comes after the outer one, a frame here."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield f"{block.number} {normalise(block.text)}".strip()
        elif len({cell.column for cell in block.cells}) > 1:
            inner.append(block)
        else:
            for cell in block.cells:
                yield from _words(cell.blocks, inner)


def words(blocks: Sequence[Block]) -> str:
    """Give everything said in the blocks on one line, for a note or a comment."""
    return " ".join(_said(blocks))


def _said(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from f"{block.number} {block.text}".split()
        else:
            for cell in block.cells:
                yield from _said(cell.blocks)
