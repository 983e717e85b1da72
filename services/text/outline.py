"""Find the sections of a document: by Markdown headings, by what its format told, by the parts and articles of a law.

In: the text of one page after another, with the headings that the format told. Out: marks, where a section begins, and
from all marks of a document its sections, in reading order. Refuses to guess: a short line, or a bold one, is none.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

SEPARATOR = " > "
"""Stands between the headings of a path."""
MAX_TITLE_CHARS = 200
"""A longer line behind a # is a paragraph (the same number as in chunks.py)."""
LEAST_LAW_MARKS = 3
"""A text with fewer articles is no law: it quotes one."""

Told = tuple[int, int, str]
"""A heading that the format told: offset in the page, level from 1, title."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a section begins: `start` counts characters of its page; ranks only compare, the lowest stands highest."""

    page: int
    start: int
    rank: int
    title: str
    of_law: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A section with all below it, to `end` (excluded) on `end_page`.

    Attributes:
        level: 1 is the highest; one more than the section it lies in.
        parent: index of that section in the list; None at the top.
        path: the titles from the top to this one.
    """

    level: int
    page: int
    start: int
    end_page: int
    end: int
    parent: int | None
    path: tuple[str, ...]


# Nothing here goes back over what it has taken: a line of 20,000 blanks or backticks took seconds.
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+([^\n]*+)", re.M)
_FENCE = re.compile(r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}\1[`~]*+[ \t]*+$|\Z)", re.M | re.S)

# Lines of Korean laws, rules and contracts. A line of running text may begin alike, where a reference to an article
# falls behind a line break: it goes on with a particle or a conjunction, or the line before it is open.
_BLANK = r"[ \t\u00a0\u3000]"
_REFERS = r"(?:및|또는|내지|부터|까지|에서|에게|에|의|을|를|과|와|로|으로|중)(?=\s|따|의|도|서)"
_POINTS = rf"{_BLANK}*제\s?\d+\s?[조항호]"
_ARTICLE = re.compile(
    rf"^{_BLANK}*(제\s?\d{{1,4}}\s?조(?:의\s?\d{{1,3}})?)\s?"
    rf"(?:[(（〔【\[]([^\n()（）〔〕【】\[\]]{{1,60}})[)）〕】\]]"
    rf"(?={_BLANK}*(?:$|[①-⑳<〈\[])|{_BLANK}+)(?!{_POINTS}|\s*{_REFERS})|{_BLANK}+(삭제)(?={_BLANK}*[<〈\[.(]|{_BLANK}*$))",
    re.M,
)
_PART = re.compile(
    rf"^{_BLANK}*(제\s?(?:\d{{1,4}}|[일이삼사오육칠팔구십백]{{1,5}})\s?(편|장|절|관)(?:의\s?\d{{1,3}})?)"
    rf"(?:{_BLANK}+(?!{_REFERS})([^\n]{{1,60}}?))?{_BLANK}*$",
    re.M,
)
_ADDENDA = re.compile(rf"^{_BLANK}*(부{_BLANK}{{0,3}}칙)(?:{_BLANK}*[<〈(（\[][^\n]{{0,80}})?{_BLANK}*$", re.M)
_ANNEX = re.compile(
    rf"^{_BLANK}*(?:■[^\n\[]{{0,60}})?"
    rf"(?:[\[〔【<〈](별표(?:\s?\d{{1,3}})?(?:의\s?\d{{1,3}})?)[\]〕】>〉]{_BLANK}*([^\n]{{0,80}}?)"
    rf"|(별표(?:\s?\d{{1,3}})?(?:의\s?\d{{1,3}})?)){_BLANK}*$",
    re.M,
)
_PROSE_END = re.compile(r"[.,;:다]$|[.·…]{3,}|…")
_OPEN_LINE = re.compile(r"(?:[」』,·]|및|또는)[ \t]*\n\Z")
_ABOVE_LAW = 6
"""Ranks of Markdown and of formats go so far; the lines of a law stand below them."""
_LAW_RANKS = {"편": 1, "장": 2, "절": 3, "관": 4, "조": 5}
_TOP_OF_LAW = 1


def marks_of(page: int, text: str, told: Iterable[Told] = (), *, markdown: bool = False) -> list[Mark]:
    """Find where sections begin on a page, in reading order.

    Args:
        page: its number.
        told: what the format says; a title that the text shows as a heading, too, counts once, where the text has it.
        markdown: read `#` headings, and nothing inside code fences.
    """
    shown = [*(_markdown(page, text) if markdown else ()), *_law(page, text, markdown)]
    found = {mark.start: mark for mark in reversed(shown)}
    by_name = {_name(mark.title): mark for mark in reversed(shown)}
    for start, level, title in told:
        clean = " ".join(title.split())[:MAX_TITLE_CHARS]
        same = by_name.get(_name(clean))
        place = same.start if same else max(0, min(start, len(text)))
        if clean and (same is None or same.of_law):
            found[place] = Mark(page, place, max(1, min(level, _ABOVE_LAW)), clean)
    return sorted(found.values(), key=lambda mark: mark.start)


def _name(title: str) -> str:
    """Reduce a title to what two spellings of it share."""
    article = re.match(r"제\d+조(?:의\d+)?", (bare := re.sub(r"\s", "", title)))
    return article[0] if article else bare


def _fences(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _FENCE.finditer(text)]


def _outside(matches: Iterable[re.Match[str]], spans: Sequence[tuple[int, int]]) -> Iterator[re.Match[str]]:
    """Leave out what begins inside the spans; both in order."""
    place = 0
    for match in matches:
        while place < len(spans) and spans[place][1] <= match.start():
            place += 1
        if place == len(spans) or match.start() < spans[place][0]:
            yield match


def _markdown(page: int, text: str) -> Iterator[Mark]:
    for match in _outside(_HEADING.finditer(text), _fences(text)):
        title = _unclosed(match[2]).strip("*_` \t")
        if title and len(title) <= MAX_TITLE_CHARS:
            yield Mark(page, match.start(), len(match[1]), title)


def _unclosed(words: str) -> str:
    """Leave out the signs that may end a heading as they begin it."""
    bare = words.rstrip(" \t")
    words = bare.rstrip("#")
    return words if words.endswith((" ", "\t")) else bare


def _law(page: int, text: str, markdown: bool) -> Iterator[Mark]:
    fences = _fences(text) if markdown else []
    for pattern, rank_and_title in ((_ARTICLE, _article), (_PART, _part), (_ADDENDA, _addenda), (_ANNEX, _annex)):
        for match in _outside(pattern.finditer(text), fences):
            found = rank_and_title(match)
            if found is not None and not _OPEN_LINE.search(text, max(0, match.start() - 8), match.start()):
                rank, title = found
                yield Mark(page, match.start(), _ABOVE_LAW + rank, " ".join(title.split()), of_law=True)


def _article(match: re.Match[str]) -> tuple[int, str] | None:
    return _LAW_RANKS["조"], f"{match[1]} 삭제" if match[3] else f"{match[1]}({match[2].strip()})"


def _part(match: re.Match[str]) -> tuple[int, str] | None:
    if match[3] and _PROSE_END.search(match[3]):  # running text, or a line of the table of contents
        return None
    return _LAW_RANKS[match[2]], f"{match[1]} {match[3] or ''}"


def _addenda(match: re.Match[str]) -> tuple[int, str] | None:
    return _TOP_OF_LAW, match[0].replace(match[1], "부칙")


def _annex(match: re.Match[str]) -> tuple[int, str] | None:
    return _TOP_OF_LAW, f"{match[1] or match[3]} {match[2] or ''}"


def settled(text: str, start: int, end: int, marks: Sequence[Mark]) -> int:
    """Give the place in a passage at which its section is looked up: behind the headings that it begins with.

    Args:
        text: of the page on which the passage stands from `start` to `end`.
        marks: of that page, in reading order.
    """
    place = start
    for number in range(bisect_right(marks, start, key=_start), bisect_left(marks, end, key=_start)):
        mark = marks[number]
        # Between two headings one below the other lies one line: the first of them.
        if "\n" not in text[place : mark.start].strip() and _is_mark(place, marks):
            place = mark.start
    return place


def _is_mark(place: int, marks: Sequence[Mark]) -> bool:
    begun = bisect_right(marks, place, key=_start)
    return begun > 0 and place <= marks[begun - 1].start + 3


def _start(mark: Mark) -> int:
    return mark.start


def sections_of(marks: Sequence[Mark], lengths: Sequence[tuple[int, int]]) -> list[Section]:
    """Nest the marks of a document, each below the last one of a higher rank before it.

    Args:
        marks: of all pages, in reading order.
        lengths: number and characters of each page, in reading order; not empty where there are marks.
    """
    if sum(mark.of_law for mark in marks) < LEAST_LAW_MARKS:
        marks = [mark for mark in marks if not mark.of_law]
    page_before = {page: former for former, (page, _) in pairwise(lengths)}
    sections: list[Section] = []
    open_ones: list[int] = []
    for mark in marks:
        while open_ones and marks[open_ones[-1]].rank >= mark.rank:
            ended = open_ones.pop()
            sections[ended] = _ending(sections[ended], mark, page_before)
        parent = open_ones[-1] if open_ones else None
        path = (*(sections[parent].path if parent is not None else ()), mark.title)
        open_ones.append(len(sections))
        sections.append(Section(len(path), mark.page, mark.start, *lengths[-1], parent, path))
    return sections


def _ending(section: Section, following: Mark, page_before: dict[int, tuple[int, int]]) -> Section:
    """End a section where another begins: at the top of a page that is the end of the page before."""
    end_page, end = following.page, following.start
    if end == 0 and section.page < end_page:
        end_page, end = page_before[end_page]
    return replace(section, end_page=end_page, end=end)
