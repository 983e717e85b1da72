"""HTML -> readable text: headings as `#` lines, list items, tables as Markdown; no menus, no scripts.

The bytes are decoded before they are parsed, since the meta charset may lie.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.formats import parts, plain, tables
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import normalise

_SKIPPED = frozenset(
    [
        "script",
        "style",
        "nav",
        "noscript",
        "template",
        "head",
        "iframe",
        "object",
        "embed",
        "svg",
        "canvas",
        "audio",
        "video",
        "select",
        "textarea",
        "button",
        "dialog",
        "datalist",
        "-comment",
    ]
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
) | frozenset(_HEADINGS)
_PREFIXES = {**_HEADINGS, "li": "- "}
_TABLES_DEEP = 3  # each level escapes the bars of all below it: text and time grow with the square and the cube


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the visible text in parts cut at headings. Raises FormatError: "corrupt", "empty"."""
    title, text = readable(plain.decoded(source))
    marks = parts.headings(text)
    yield Header(Family.HTML, title or (marks[0][1] if marks else ""))
    yield from _parts(text, marks)


def readable(markup: str) -> tuple[str, str]:
    """Give the title ("" for none) and the visible text of a page as normalised Markdown; it refuses nothing."""
    tree = LexborHTMLParser(markup)
    writer = _Writer()
    if tree.body is not None:
        _walk(tree.body, writer)
    return _title(tree), normalise("\n\n".join(writer.blocks))


def _parts(text: str, marks: list[tuple[int, str]]) -> Iterator[Page]:
    if not text.strip():
        message = "The web page holds no visible text, perhaps a script draws it; save it as PDF and add that."
        raise FormatError("empty", message)
    yield from parts.split(text, marks)


def _title(tree: LexborHTMLParser) -> str:
    node = tree.css_first("head > title")
    return normalise(" ".join(node.text().split()))[: parts.MAX_TITLE_CHARS] if node else ""


@dataclass(slots=True)
class _Table:
    rows: list[list[list[str]]] = field(default_factory=list)  # rows of cells of blocks


@dataclass(slots=True)
class _Writer:
    """Collects blocks; inside a table they go to its last cell. Tables within tables within tables are only blocks."""

    blocks: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    prefix: str = ""
    depth: int = 0  # of tables, those that are only blocks counted too

    def sink(self) -> list[str]:
        rows = self.tables[-1].rows if self.tables else []
        return rows[-1][-1] if rows and rows[-1] else self.blocks

    def flush(self, *, keep_spaces: bool = False) -> None:
        raw = "".join(self.inline)
        lines = raw.split("\n") if keep_spaces else [" ".join(line.split()) for line in raw.split("\v")]
        text = "\n".join(line for line in lines if keep_spaces or line).strip("\n")
        if text.strip():
            self.sink().append(self.prefix + text)
            self.prefix = ""
        self.inline.clear()

    def enter(self, tag: str) -> None:
        self.flush()
        self.prefix = _PREFIXES.get(tag, self.prefix)
        if tag == "table":
            self.depth += 1
            if self.depth <= _TABLES_DEEP:
                self.tables.append(_Table())
        elif self.depth > _TABLES_DEEP:
            return
        elif tag == "tr" and self.tables:
            self.tables[-1].rows.append([])
        elif tag in ("td", "th") and self.tables:
            self._cells().append([])

    def leave(self, tag: str) -> None:
        self.flush(keep_spaces=tag == "pre")
        if tag in _PREFIXES:
            self.prefix = ""
        if tag == "table":
            self.depth -= 1
            if self.depth < _TABLES_DEEP:
                rows = self.tables.pop().rows
                self.sink().extend(_table_blocks(rows))

    def _cells(self) -> list[list[str]]:
        rows = self.tables[-1].rows
        if not rows:
            rows.append([])
        return rows[-1]


def _table_blocks(rows: list[list[list[str]]]) -> list[str]:
    if all(len(row) <= 1 for row in rows):  # a table of one column only places things: its blocks are the page's
        return [block for row in rows for cell in row for block in cell]
    lines = tables.markdown_rows([[" ".join(cell) for cell in row] for row in rows])
    return ["\n".join(lines)]


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Visit all nodes in document order; iterative, for pages may nest deeper than Python's stack."""
    stack: list[tuple[LexborNode, bool]] = [(root, False)]
    while stack:
        node, left = stack.pop()
        tag = node.tag or ""
        if left:
            writer.leave(tag)
            continue
        if node is not root and node.next is not None:
            stack.append((node.next, False))
        if _visit(node, tag, writer):
            if tag in _BLOCKS:
                stack.append((node, True))
            if node.child is not None:
                stack.append((node.child, False))
    writer.flush()


def _visit(node: LexborNode, tag: str, writer: _Writer) -> bool:
    """Write what the node itself says and tell whether its children are to be seen."""
    if tag == "-text":
        writer.inline.append(node.text_content or "")
        return False
    if tag == "br":
        writer.inline.append("\v")  # told apart from LF, which is only a space in HTML
        return False
    if tag in _SKIPPED or _is_hidden(node):
        return False
    if tag in _BLOCKS:
        writer.enter(tag)
    return True


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "hidden" in attributes or "display:none" in style
