"""Cut the text of one page into passages that a search returns and a citation opens.

In: a page's text. Out: spans of it, in order, apart from each other; what lies between them is white space.
Pages are cut one at a time, so no passage crosses a page.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from semantic_text_splitter import MarkdownSplitter, TextSplitter

MIN_CHARS = 200
"""A passage takes in the next paragraph until it is this long. On the four evaluation sets (Markdown, one
index, 800 questions a set) 200 to 800 are alike where a file is one document; where it holds twenty short
ones, 400 costs 1.6 and 800 costs 3.9 points of kobest-ko R@1."""

MAX_CHARS = 1200
"""A passage is never longer. On squad2-en 1000 to 1500 are alike; 800 gives one point of R@1 and takes one of
«answer in the top five»; on paragraphs run together 1200 is best of 600, 800, 1200 and 1500."""

BLOCK_CHARS = 20_000
"""A longer page is cut into blocks first: the splitter reads the rest of a paragraph again for every passage,
which makes 7 seconds of one line of 480,000 characters; in blocks it takes half a second."""

MAX_HEADING_CHARS = 200
"""A longer line behind a # is a paragraph."""

_HEADING = re.compile(r"#{1,6}\s")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, in characters: `text[start:end]`, end excluded."""

    start: int
    end: int


def split(
    page_text: str, *, markdown: bool = False, min_chars: int = MIN_CHARS, max_chars: int = MAX_CHARS
) -> list[Span]:
    """Cut a page at the highest borders that fit: headings, blank lines, lines, sentences, words, characters.

    Args:
        page_text: without lone surrogates (UnicodeEncodeError).
        markdown: read headings, lists, tables and code blocks as borders.
        min_chars: a passage that has reached this length takes in no further paragraph.
        max_chars: longest passage; only a heading that would stand alone goes in front of a full one.
    Returns:
        spans in order, not overlapping, without white space at their ends; every other character is in one.
    """
    spans = [
        Span(block.start + span.start, block.start + span.end)
        for block in _blocks(page_text, markdown)
        for span in _pieces(page_text[block.start : block.end], markdown, min(min_chars, max_chars), max_chars)
    ]
    whole = [span for part in _paragraphs(page_text, spans) for span in _balanced(part, max_chars)]
    return _join_headings(page_text, whole) if markdown else whole


def _blocks(text: str, markdown: bool) -> list[Span]:
    if len(text) <= BLOCK_CHARS:
        return [Span(0, len(text))]
    return _pieces(text, markdown, BLOCK_CHARS, BLOCK_CHARS)


def _pieces(text: str, markdown: bool, min_chars: int, max_chars: int) -> list[Span]:
    found = _splitter(markdown, min_chars, max_chars).chunk_indices(text)
    spans = (_trimmed(text, start, start + len(piece)) for start, piece in found)
    return [span for span in spans if span.start < span.end]


@lru_cache(maxsize=16)
def _splitter(markdown: bool, min_chars: int, max_chars: int) -> TextSplitter | MarkdownSplitter:
    return (MarkdownSplitter if markdown else TextSplitter)((min_chars, max_chars))


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def _paragraphs(text: str, spans: list[Span]) -> list[list[Span]]:
    """Group the spans that no blank line parts."""
    groups: list[list[Span]] = []
    for span in spans:
        if groups and text.count("\n", groups[-1][-1].end, span.start) < 2:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _balanced(part: list[Span], max_chars: int) -> list[Span]:
    # The splitter stops at min_chars inside a long paragraph too; there, few and even passages are better.
    length = part[-1].end - part[0].start
    enough = length / math.ceil(length / max_chars)
    joined = part[:1]
    for span in part[1:]:
        start = joined[-1].start
        if joined[-1].end - start < enough and span.end - start <= max_chars:
            joined[-1] = Span(start, span.end)
        else:
            joined.append(span)
    return joined


def _join_headings(text: str, spans: list[Span]) -> list[Span]:
    # A heading alone is short and full of the title's words: BM25 would rank it above the passage it heads.
    joined: list[Span] = []
    for span in spans:
        if joined and _is_heading(text[joined[-1].start : joined[-1].end]):
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _is_heading(piece: str) -> bool:
    lines = [line for line in piece.splitlines() if line.strip()]
    return all(_HEADING.match(line) and len(line) <= MAX_HEADING_CHARS for line in lines)
