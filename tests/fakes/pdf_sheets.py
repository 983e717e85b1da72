"""PDFs drawn piece by piece: text at any place and angle, turned pages, pictures, white grounds, bookmarks.

Each character is as wide as its line's size, as in pdf_writer.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin

from tests.fakes.pdf_writer import FONT_OBJECTS, assemble, stream, unicode_map

WIDTH, HEIGHT = 595, 842


@dataclass(frozen=True)
class Text:
    """A run of text; `angle` turns it left, in degrees."""

    x: float
    y: float
    text: str
    size: float = 12
    angle: float = 0


@dataclass(frozen=True)
class Grey:
    """A picture in grey, spread over the whole page: `pixels` holds rows from the top."""

    width: int
    height: int
    pixels: bytes


@dataclass(frozen=True)
class Sheet:
    """A page; `paths` are operators that go before everything."""

    texts: Sequence[Text] = ()
    rotate: int = 0
    picture: Grey | None = None
    paths: bytes = b""
    box: tuple[int, int, int, int] = (0, 0, WIDTH, HEIGHT)


@dataclass(frozen=True)
class Mark:
    """A bookmark that leads to a height of a page (1-based); None leads to the page as a whole."""

    title: str
    page: int
    y: float | None = None
    inner: Sequence["Mark"] = field(default=())


def column(x: float, lines: Sequence[str], top: float = 720, size: float = 12, leading: float = 20) -> list[Text]:
    """Give lines below one another."""
    return [Text(x, top - leading * number, line, size) for number, line in enumerate(lines)]


def grey(shade: int = 128) -> Grey:
    """Give a picture of one shade with a dark spot."""
    return Grey(4, 4, bytes([shade] * 15 + [0]))


def sheets(pages: Sequence[Sheet], marks: Sequence[Mark] = (), *, mapped: bool = True) -> bytes:
    """Give a PDF; without `mapped` its font does not say which letters its glyphs are."""
    letters = sorted({*"".join(text.text for page in pages for text in page.texts)})
    codes = {char: number for number, char in enumerate(letters, 1)}
    first = 7  # after catalogue, pages, font, its map, and one that keeps the count even
    kids = " ".join(f"{first + 3 * number} 0 R" for number in range(len(pages)))
    outline = first + 3 * len(pages)
    font, *rest = FONT_OBJECTS
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % (b"/Outlines %d 0 R" % outline if marks else b""),
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
        font if mapped else font.replace(b"/ToUnicode 5 0 R", b""),
        *rest,
        stream(unicode_map(codes)),
        b"null",
    ]
    for number, page in enumerate(pages):
        objects += _sheet(page, first + 3 * number, codes)
    if marks:
        objects += _outline(marks, outline, first)
    return assemble(objects)


def _sheet(page: Sheet, number: int, codes: dict[str, int]) -> list[bytes]:
    shown = b"q %d 0 0 %d 0 0 cm /I Do Q\n" % (WIDTH, HEIGHT) if page.picture else b""
    runs = "\n".join(_run(text, codes) for text in page.texts).encode()
    head = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[%d %d %d %d]/Rotate %d/Resources<</Font<</F 3 0 R>>"
        % (*page.box, page.rotate)
        + (b"/XObject<</I %d 0 R>>" % (number + 2) if page.picture else b"")
        + b">>/Contents %d 0 R>>" % (number + 1)
    )
    return [head, stream(page.paths + shown + runs), _picture(page.picture) if page.picture else b"null"]


def _run(text: Text, codes: dict[str, int]) -> str:
    across, up = cos(radians(text.angle)), sin(radians(text.angle))
    shown = "".join(f"{codes[char]:04x}" for char in text.text)
    matrix = f"{across:.4f} {up:.4f} {-up:.4f} {across:.4f} {text.x:.2f} {text.y:.2f}"
    return f"BT /F {text.size} Tf {matrix} Tm <{shown}> Tj ET"


def _picture(picture: Grey) -> bytes:
    packed = zlib.compress(picture.pixels)
    kind = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8"
    size = b"/Width %d/Height %d/Filter/FlateDecode/Length %d" % (picture.width, picture.height, len(packed))
    return b"<<%s%s>>stream\n%s\nendstream" % (kind, size, packed)


def _outline(marks: Sequence[Mark], root: int, first_page: int) -> list[bytes]:
    """Number the bookmarks in the order of a walk, parents before children."""
    objects: list[bytes] = [b""]

    def add(level: Sequence[Mark], parent: int) -> list[int]:
        numbers = []
        for mark in level:
            number = root + len(objects)
            numbers.append(number)
            objects.append(b"")
            inner = add(mark.inner, number)
            objects[number - root] = _mark(mark, parent, inner, first_page)
        for place, number in enumerate(numbers):
            links = b"/Prev %d 0 R" % numbers[place - 1] if place else b""
            links += b"/Next %d 0 R" % numbers[place + 1] if place + 1 < len(numbers) else b""
            objects[number - root] = objects[number - root].replace(b"/LINKS", links)
        return numbers

    top = add(marks, root)
    objects[0] = b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % (top[0], top[-1], len(top))
    return objects


def _mark(mark: Mark, parent: int, inner: Sequence[int], first_page: int) -> bytes:
    place = b"/Fit" if mark.y is None else b"/XYZ 0 %d 0" % mark.y
    page = first_page + 3 * (mark.page - 1)
    children = b"/First %d 0 R/Last %d 0 R/Count %d" % (inner[0], inner[-1], len(inner)) if inner else b""
    title = mark.title.encode("utf-16").hex().encode()
    return b"<</Title<%s>/Parent %d 0 R/LINKS/Dest[%d 0 R %s]%s>>" % (title, parent, page, place, children)
