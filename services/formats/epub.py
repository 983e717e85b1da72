"""EPUB -> one page per chapter (an item of the spine, in reading order); long chapters are cut.

A page is called as the book's table of contents calls it. The page of that table itself is left out, as are items
without words (covers, pictures). Whether a book is locked is told by what is encrypted, for fonts often are.
"""

import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser

from services.formats import archive, html, markup, parts
from services.formats.decode import decode
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import normalise

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONT_KEYS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})  # fonts, not text
_NCX = "application/x-dtbncx+xml"
_CHAPTER_SUFFIXES = (".xhtml", ".html", ".htm", ".xml")
# XML may close an element at once, which HTML reads as opened for good: `<title/>` would swallow the chapter.
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_CLOSED = re.compile(rf"<(?!(?:{_VOID})\b)([A-Za-z][\w:.-]*)(\s[^<>]*)?/>")
_MISSING = "This chapter is missing in the file of the book; get the book again from where it came from."


@dataclass(frozen=True, slots=True)
class _Book:
    title: str
    chapters: tuple[str, ...]  # names of members in reading order
    labels: dict[str, str]  # by the chapter's name: what the table of contents calls it


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the book by chapters. Raises FormatError: "encrypted", "corrupt", "too_large", "empty"."""
    with source.open() as file, archive.open_zip(file) as package:
        archive.check(package, source.max_unpacked_bytes, doctypes=True)
        _refuse_locked(package)
        book = _book(package)
        number = 0
        for number, page in enumerate(_pages(package, book), start=1):
            if number == 1:
                yield Header(Family.EPUB, book.title)
            yield replace(page, number=number, label=page.label or str(number))
        if not number:
            message = "The book holds no text, perhaps only pictures of its pages; it needs OCR first."
            raise FormatError("empty", message)


def _refuse_locked(package: zipfile.ZipFile) -> None:
    if _ENCRYPTION not in package.namelist():
        return
    root = markup.root(package, _ENCRYPTION)
    for data in markup.named(root, "EncryptedData"):
        method = next(markup.named(data, "EncryptionMethod"), None)
        if method is None or method.get("Algorithm") not in _FONT_KEYS:
            message = "The book is locked by its shop (DRM); add a copy without a lock, or the text you may copy."
            raise FormatError("encrypted", message)


class _Members:
    """The names in a package; references to them differ in case and in the form of their letters."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._names = {_folded(name): name for name in package.namelist()}

    def find(self, base: str, reference: str) -> str:
        """Give the member that `reference` in the member `base` means; where there is none, what it says."""
        name = markup.beside(base, reference)
        return self._names.get(_folded(name), name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _book(package: zipfile.ZipFile) -> _Book:
    members = _Members(package)
    rootfile = next(markup.named(markup.root(package, _CONTAINER), "rootfile"), None)
    opf = members.find("", (rootfile.get("full-path") or "") if rootfile is not None else "")
    root = markup.root(package, opf)
    items = {each.get("id"): members.find(opf, each.get("href") or "") for each in markup.named(root, "item")}
    spine = [items[each.get("idref")] for each in markup.named(root, "itemref") if each.get("idref") in items]
    navs = [each for each in markup.named(root, "item") if "nav" in (each.get("properties") or "").split()]
    tables = [items[each.get("id")] for each in navs]
    labels = _ncx_labels(package, members, root, items)
    for name in tables:
        labels |= _nav_labels(package, members, name)
    chapters = tuple(name for name in spine if name.lower().endswith(_CHAPTER_SUFFIXES) and name not in tables)
    title = next((" ".join("".join(each.itertext()).split()) for each in markup.named(root, "title")), "")
    return _Book(normalise(title), chapters, labels)


def _ncx_labels(
    package: zipfile.ZipFile, members: _Members, root: markup.Element, items: dict[str, str]
) -> dict[str, str]:
    """Read the table of contents of EPUB 2."""
    labels: dict[str, str] = {}
    for item in markup.named(root, "item"):
        name = items[item.get("id")]
        ncx = markup.optional(package, name) if item.get("media-type") == _NCX else None
        for point in markup.named(ncx, "navPoint") if ncx is not None else ():
            words = next((" ".join((each.text or "").split()) for each in markup.named(point, "text")), "")
            content = next(markup.named(point, "content"), None)
            if words and content is not None:
                labels.setdefault(members.find(name, content.get("src") or ""), normalise(words))
    return labels


def _nav_labels(package: zipfile.ZipFile, members: _Members, name: str) -> dict[str, str]:
    """Read the table of contents of EPUB 3, a web page whose links in `nav` are the chapters."""
    labels: dict[str, str] = {}
    try:
        page = LexborHTMLParser(_markup(package, name))
    except FormatError:
        return labels
    for link in page.css("nav a[href]"):
        words = " ".join(link.text().split())
        if words:
            labels.setdefault(members.find(name, link.attributes.get("href") or ""), normalise(words))
    return labels


def _markup(package: zipfile.ZipFile, name: str) -> str:
    text = decode(markup.content(package, name)) or ""
    return _CLOSED.sub(r"<\1\2></\1>", text)


def _pages(package: zipfile.ZipFile, book: _Book) -> Iterator[Page]:
    """Give the pages of all chapters; their numbers are not yet those of the book."""
    present = set(package.namelist())
    for name in book.chapters:
        label = book.labels.get(name, "")[: parts.MAX_LABEL_CHARS]
        if name not in present:
            yield Page(1, label or posixpath.basename(name), "", origin="unread", note=_MISSING)
            continue
        text = html.readable(_markup(package, name))[1]
        marks = parts.headings(text)
        label = label or (marks[0][1][: parts.MAX_LABEL_CHARS] if marks else "")
        for page in parts.split(text, marks) if text.strip() else ():
            yield replace(page, label=_label(label, page))


def _label(chapter: str, page: Page) -> str:
    """Call the first page as the chapter, the others by the heading they begin with, or by their place in it.

    "" where there is nothing to call it by.
    """
    if page.number == 1 or not chapter:
        return chapter
    return f"{chapter} ({page.number})" if page.label == str(page.number) else page.label
