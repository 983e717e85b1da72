"""Grow the tree of a document's chunks: the document, its sections by their headings, and the leaves that are searched.

In: pages, one after the other. Out: one row per chunk, leaves numbered 0, 1, … in reading order so that neighbours
differ by one, the nodes above them after the last leaf. A leaf is what services/text/chunks.py cuts, whatever sections
begin in it, and belongs to the section in which it begins: where passages end was measured, sections were not.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from db.rows import PageText
from services.text.chunks import split
from services.text.order import ordered
from services.text.outline import SEPARATOR, Mark, Section, marks_of, sections_of, settled
from services.text.terms import document_weights, sparsevec_text


@dataclass(frozen=True, slots=True)
class Leaf:
    """A passage: `text` is the page's text from `start` to `end`; `place` is where its section is looked up."""

    page: int
    start: int
    end: int
    place: int
    text: str
    terms: str
    lexical: str
    word_order: bytes


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is written; `end` counts on `end_page`, of a leaf (None) on `page`."""

    id: int
    parent: int | None
    index: int
    kind: str
    level: int
    page: int
    start: int
    end_page: int | None
    end: int
    text: str
    terms: str = "{}"
    lexical: str | None = None
    word_order: bytes | None = None


@dataclass(slots=True)
class Tree:
    """The chunks of one document, while its pages come.

    Args:
        title: the document's; its words count for every leaf.
        markdown: whether its pages have Markdown headings and tables.
        max_chars: longest leaf.
    """

    title: str
    markdown: bool
    max_chars: int
    leaves: list[Leaf] = field(default_factory=list)
    _marks: list[Mark] = field(default_factory=list)
    _lengths: list[tuple[int, int]] = field(default_factory=list)

    def add(self, page: PageText) -> None:
        """Take the next page in."""
        told = [(each["start"], each["level"], each["title"]) for each in page.headings or ()]
        marks = marks_of(page.number, page.text, told, markdown=self.markdown)
        for span in split(page.text, markdown=self.markdown, max_chars=self.max_chars):
            text = page.text[span.start : span.end]
            weights = document_weights(text, self.title)
            terms = "{" + ",".join(map(str, sorted(weights))) + "}"
            place = settled(page.text, span.start, span.end, marks)
            words = (terms, sparsevec_text(weights), ordered(text))
            self.leaves.append(Leaf(page.number, span.start, span.end, place, text, *words))
        self._marks += marks
        self._lengths.append((page.number, len(page.text)))

    def sections(self) -> list[Section]:
        """Nest what was found so far."""
        return sections_of(self._marks, self._lengths)

    def texts(self, sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
        """Give kind and text of each chunk, in the order in which `rows` wants their numbers."""
        if self._lengths:
            yield "document", self.title
            yield from (("section", SEPARATOR.join(section.path)) for section in sections)
            yield from (("leaf", leaf.text) for leaf in self.leaves)

    def rows(self, sections: Sequence[Section], ids: Sequence[int]) -> Iterator[ChunkRow]:
        """Give a row per chunk, parents before their children.

        Args:
            sections: of this tree.
            ids: a number for each of `texts`.
        """
        if not self._lengths:
            return
        (first, _), (last, length) = self._lengths[0], self._lengths[-1]
        count = len(self.leaves)
        yield ChunkRow(ids[0], None, count, "document", 0, first, 0, last, length, self.title)
        for place, section in enumerate(sections):
            parent = 0 if section.parent is None else 1 + section.parent
            yield _section_row(section, ids[1 + place], ids[parent], count + 1 + place)
        begins = [(section.page, section.start) for section in sections]
        for index, leaf in enumerate(self.leaves):
            # In reading order the last section that has begun is the innermost one.
            parent = bisect_right(begins, (leaf.page, leaf.place))
            level = 1 + (sections[parent - 1].level if parent else 0)
            yield _leaf_row(leaf, ids[1 + len(sections) + index], ids[parent], index, level)


def _section_row(section: Section, number: int, parent: int, index: int) -> ChunkRow:
    path = SEPARATOR.join(section.path)
    span = (section.page, section.start, section.end_page, section.end)
    return ChunkRow(number, parent, index, "section", section.level, *span, path)


def _leaf_row(leaf: Leaf, number: int, parent: int, index: int, level: int) -> ChunkRow:
    span = (leaf.page, leaf.start, None, leaf.end)
    return ChunkRow(number, parent, index, "leaf", level, *span, leaf.text, leaf.terms, leaf.lexical, leaf.word_order)
