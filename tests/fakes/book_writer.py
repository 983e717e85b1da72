"""EPUB books of known chapters, with the table of contents of either version."""

from collections.abc import Mapping, Sequence
from html import escape

from tests.fakes.office_writer import packed

_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
    'full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
_XHTML = "application/xhtml+xml"
_DOCTYPE = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'


def epub(
    title: str,
    chapters: Sequence[tuple[str, str]],
    *,
    toc: str = "nav",
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Give a book of chapters (name in the table of contents, XML of the body); `toc` is "nav", "ncx" or ""."""
    files = [f"c{number}.xhtml" for number in range(1, len(chapters) + 1)]
    items = "".join(f'<item id="{file}" href="{file}" media-type="{_XHTML}"/>' for file in files)
    if toc == "nav":
        items += f'<item id="nav" href="nav.xhtml" media-type="{_XHTML}" properties="nav"/>'
        files.insert(0, "nav")
    elif toc == "ncx":
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    spine = "".join(f'<itemref idref="{file}"/>' for file in files)
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": _CONTAINER,
        "EPUB/book.opf": (
            '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{escape(title)}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
        ),
        "EPUB/nav.xhtml": _nav(chapters),
        "EPUB/toc.ncx": _ncx(chapters),
    }
    for number, (_, body) in enumerate(chapters, start=1):
        page = f'{_DOCTYPE}<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{body}</body></html>'
        members[f"EPUB/c{number}.xhtml"] = page
    return packed({**members, **(more or {})})


def _nav(chapters: Sequence[tuple[str, str]]) -> str:
    links = "".join(f'<li><a href="c{n}.xhtml#top">{escape(name)}</a></li>' for n, (name, _) in enumerate(chapters, 1))
    return (
        f'<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Contents</h1><nav><ol>{links}</ol></nav></body></html>'
    )


def _ncx(chapters: Sequence[tuple[str, str]]) -> str:
    points = "".join(
        f'<navPoint><navLabel><text>{escape(name)}</text></navLabel><content src="c{n}.xhtml"/></navPoint>'
        for n, (name, _) in enumerate(chapters, 1)
    )
    return f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'
