"""OpenDocument text (ODT) -> parts as of a DOCX; slides (ODP) -> one page per slide, hidden ones too.

Headings become `#` lines, lists `-` lines, tables Markdown rows; notes, remarks and text boxes stand after their
paragraph. What was deleted under review is left out. Headers and footers of an ODT come last, as a part of their own.
Spreadsheets (ODS) are read by `spreadsheet`.
"""

import zipfile
from collections.abc import Iterator

from services.formats import archive, markup, parts, tables
from services.formats.markup import Element, attribute, local, named
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import Family, sniff
from services.formats.source import Source
from services.text.normalise import normalise

PART_CHARS = 3_000
"""About two printed pages, as in a DOCX."""
_MARGINS = ("header", "header-left", "header-first", "footer", "footer-left", "footer-first")
_DROPPED = frozenset(["tracked-changes", "sequence-decls", "forms", "variable-decls", "user-field-decls"])
_BESIDE = frozenset(["note", "annotation", "frame", "custom-shape", "rect", "g"])  # stand in a line, are read after it
_UNSPOKEN = frozenset({"page-number", "page"})  # placeholders: the slide's number, on notes its small picture
_MAX_REPEATS = 200  # of a cell or a space; more of them only fill a line


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the parts or the slides. Raises FormatError: "encrypted", "corrupt", "too_large", "empty"."""
    family = sniff(source)
    with source.open() as file, archive.open_zip(file) as package:
        archive.check(package, source.max_unpacked_bytes, doctypes=True)
        _refuse_locked(package)
        body = next(markup.named(markup.root(package, "content.xml"), "body"), None)
        pages = [] if body is None else list(_slides(body) if family is Family.ODP else _parts(package, body))
        if not any(page.text for page in pages):
            message = "The document holds no text; if it holds pictures of text, save it as PDF and add that."
            raise FormatError("empty", message)
        yield Header(family, _title(package) or _first_heading(pages))
        yield from pages


def _refuse_locked(package: zipfile.ZipFile) -> None:
    manifest = markup.optional(package, "META-INF/manifest.xml")
    if manifest is not None and next(named(manifest, "encryption-data"), None) is not None:
        raise FormatError("encrypted", "The document is locked by a password; save a copy without one and add that.")


def _title(package: zipfile.ZipFile) -> str:
    meta = markup.optional(package, "meta.xml")
    found = next(named(meta, "title"), None) if meta is not None else None
    return "" if found is None else " ".join(normalise("".join(found.itertext())).split())


def _first_heading(pages: list[Page]) -> str:
    return next((marks[0][1] for page in pages if (marks := parts.headings(page.text))), "")


def _parts(package: zipfile.ZipFile, body: Element) -> Iterator[Page]:
    text = normalise("\n".join(_blocks(body)))
    number = 0
    for page in parts.split(text, parts.headings(text), PART_CHARS) if text.strip() else ():
        number = page.number
        yield page
    styles = markup.optional(package, "styles.xml")
    margins = [each for each in styles.iter() if local(each) in _MARGINS] if styles is not None else []
    lines = dict.fromkeys(normalise(block) for margin in margins for block in _blocks(margin))
    if lines:
        yield Page(number + 1, "header and footer", "\n".join(lines))


def _slides(body: Element) -> Iterator[Page]:
    for number, slide in enumerate(named(body, "page"), start=1):
        title = next(
            (words for each in slide if attribute(each, "class") == "title" and (words := _line(each))),
            "",
        )
        blocks = [f"# {title}"] if title else []
        blocks += ["\n".join(_blocks(each)) for each in slide if _is_spoken(each) and not _is_title(each, title)]
        blocks += [
            f"Notes: {words}" for each in slide if local(each) == "notes" and (words := "\n".join(_spoken(each)))
        ]
        text = normalise("\n\n".join(filter(None, blocks)))
        yield Page(number, title[: parts.MAX_LABEL_CHARS] or str(number), text)


def _is_spoken(shape: Element) -> bool:
    return local(shape) != "notes" and attribute(shape, "class") not in _UNSPOKEN


def _is_title(shape: Element, title: str) -> bool:
    return bool(title) and attribute(shape, "class") == "title" and _line(shape) == title


def _spoken(notes: Element) -> Iterator[str]:
    for shape in notes:
        if _is_spoken(shape):
            yield from _blocks(shape)


def _line(element: Element) -> str:
    return " ".join(normalise(" ".join(_blocks(element))).split())


def _blocks(element: Element) -> Iterator[str]:
    """Give the paragraphs, headings, list items and tables below `element` that hold words, in order."""
    for child in element:
        yield from filter(str.strip, _block(child))


def _block(element: Element) -> Iterator[str]:
    kind = local(element)
    if kind == "h":
        level = attribute(element, "outline-level")
        words = " ".join(_words(element).split())
        yield "#" * min(int(level) if level.isdigit() else 1, 6) + f" {words}" if words else ""
        yield from _beside(element)
    elif kind == "p":
        yield _words(element)
        yield from _beside(element)
    elif kind == "list":
        yield from _items(element)
    elif kind == "table":
        yield "\n".join(tables.markdown_rows([list(_cells(row)) for row in _rows(element)]))
    elif kind == "annotation":
        yield "Comment: " + " ".join(_blocks(element))
    elif kind == "note":
        bodies = (each for each in element if local(each) == "note-body")
        yield f"[^{_mark(element)}]: " + " ".join(words for body in bodies for words in _blocks(body))
    elif kind not in _DROPPED:
        yield from _blocks(element)


def _items(element: Element) -> Iterator[str]:
    for item in element:
        for number, block in enumerate(_blocks(item)):
            lead = "- " if number == 0 and not block.startswith("- ") else "  "
            yield lead + block.replace("\n", "\n  ")


def _rows(table: Element) -> Iterator[Element]:
    for child in table:
        if local(child) == "table-row":
            yield child
        elif local(child) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(child)


def _cells(row: Element) -> Iterator[str]:
    for cell in row:
        if local(cell) in ("table-cell", "covered-table-cell"):
            words = "\n".join(_blocks(cell))
            yield from [words] * _repeats(cell, "number-columns-repeated")


def _repeats(element: Element, name: str) -> int:
    value = attribute(element, name)
    return min(int(value), _MAX_REPEATS) if value.isdigit() else 1


def _mark(note: Element) -> str:
    return next(("".join(each.itertext()).strip() for each in note if local(each) == "note-citation"), "")


def _words(element: Element) -> str:
    """Give the words of a paragraph without what stands beside them; libxml2 keeps the nesting below 256."""
    pieces = [element.text or ""]
    for child in element:
        pieces.append(_sign(child) if local(child) not in _BESIDE else _reference(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _sign(element: Element) -> str:
    kind = local(element)
    if kind == "s":
        return " " * _repeats(element, "c")
    if kind in ("tab", "line-break"):
        return "\t" if kind == "tab" else "\n"
    return "" if kind in _DROPPED or kind.startswith("annotation") else _words(element)


def _reference(element: Element) -> str:
    return f"[^{_mark(element)}]" if local(element) == "note" else ""


def _beside(element: Element) -> Iterator[str]:
    for child in element:
        if local(child) in _BESIDE:
            yield from _block(child)
        else:
            yield from _beside(child)
