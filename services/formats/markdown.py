"""Markdown: kept as it is, so that a quote is found in the file as it was written."""

import re
from collections.abc import Iterator

from services.formats import parts, plain
from services.formats.page import Header, Page
from services.formats.sniff import Family
from services.formats.source import Source

_FRONT_MATTER = re.compile(r"\A---\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.M | re.S)
_TITLE = re.compile(r"^title:(.*)$", re.M)


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the text in parts cut at headings. Raises FormatError: "corrupt", "empty"."""
    text = plain.decoded(source)
    marks = parts.headings(text)
    yield Header(Family.MARKDOWN, _title(text) or (marks[0][1] if marks else ""))
    yield from parts.split(text, marks)


def _title(text: str) -> str:
    """Read `title:` of YAML front matter, the only field of it that has a meaning here."""
    front = _FRONT_MATTER.match(text)
    found = _TITLE.search(front[1]) if front else None
    title = found[1].strip() if found else ""
    if len(title) > 1 and title[0] == title[-1] and title[0] in "\"'":
        title = title[1:-1].strip()
    return title[: parts.MAX_TITLE_CHARS]
