"""Small PDFs written by hand: each character 1 em wide, its Unicode value told by a ToUnicode map.

Characters stand in a row, so a test knows where each must be: the character `i` of a line begins at
`LEFT + SIZE * i` points.
"""

import zlib
from collections.abc import Sequence

LEFT, TOP, SIZE, LEADING = 72, 720, 12, 20
FONT_OBJECTS = (
    b"<</Type/Font/Subtype/Type0/BaseFont/None/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>",
    b"<</Type/Font/Subtype/CIDFontType2/BaseFont/None/DW 1000/FontDescriptor<</Type/FontDescriptor"
    b"/FontName/None/Flags 4/Ascent 800/Descent -200/FontBBox[0 -200 1000 800]>>"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
)
"""Objects 3 and 4 of every file here: a font without glyphs; its map is object 5."""


def pdf(pages: Sequence[Sequence[str]], *, title: str = "", locked: bool = False) -> bytes:
    """Give a PDF with these lines on its pages; a page without lines is blank."""
    codes = {char: number for number, char in enumerate(sorted({*"".join("".join(page) for page in pages)}), 1)}
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
        *FONT_OBJECTS,
        stream(unicode_map(codes)),
    ]
    for number, lines in enumerate(pages):
        objects.append(_page(7 + 2 * number))
        objects.append(stream(_content(lines, codes)))
    return assemble(objects, title=title, locked=locked)


def assemble(objects: Sequence[bytes], *, title: str = "", locked: bool = False) -> bytes:
    """Number the objects from 1 (the catalogue) and write header, bodies, table and trailer around them."""
    body, places = b"%PDF-1.7\n", []
    info = f"<</Title<{title.encode('utf-16').hex()}>>>".encode()
    for number, content in enumerate([*objects, info], 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    lock = b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"1" * 64, b"2" * 64)
    count = len(places)
    trailer = b"trailer<</Root 1 0 R/Info %d 0 R/Size %d%s>>\n" % (count, count + 1, lock if locked else b"")
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count + 1, table)
        + trailer
        + b"startxref\n%d\n%%%%EOF" % len(body)
    )


def stream(content: bytes) -> bytes:
    """Give a stream object, compressed."""
    packed = zlib.compress(content, 9)
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed)


def bomb(size: int) -> bytes:
    """Give a PDF of one page whose content unpacks to `size` bytes of path operators."""
    content = b"1 1 m 2 2 l S\n" * (size // 14)
    return assemble(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", _page(4), stream(content)]
    )


def _page(content: int) -> bytes:
    resources = b"" if content == 4 else b"/Resources<</Font<</F 3 0 R>>>>"
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s/Contents %d 0 R>>" % (resources, content)


def _content(lines: Sequence[str], codes: dict[str, int]) -> bytes:
    rows = []
    for number, line in enumerate(lines):
        shown = "".join(f"{codes[char]:04x}" for char in line)
        rows.append(f"BT /F {SIZE} Tf {LEFT} {TOP - LEADING * number} Td <{shown}> Tj ET")
    return "\n".join(rows).encode()


def unicode_map(codes: dict[str, int]) -> bytes:
    """Give the map that says which character each code stands for."""
    pairs = "".join(
        f"1 beginbfchar <{code:04x}> <{char.encode('utf-16-be').hex()}> endbfchar\n" for char, code in codes.items()
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{pairs}endcmap end end"
    ).encode()
