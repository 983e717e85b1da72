"""The files that bench/ingest reads: an office's mix of kinds and sizes, the same in every run.

Text is cut from the Korean Debian FAQ of samples/. Fonts and pictures, most of an office file's bytes, are stood in for
by bytes that do not shrink: they are carried and hashed, and read by nobody, as real ones are.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from random import Random

from services.kit.settings import CHECKOUT
from tests.fakes.good_files import KINDS, members, packed

SEED = 4
MEDIAN_CHARS, SPREAD = 12_000, 1.0
"""Of a lognormal: six printed pages in the middle, one file in forty with over forty."""
MIN_CHARS, MAX_CHARS = 1_000, 120_000
MIN_BYTES, MAX_BYTES = 50_000, 2_000_000
LINE_CHARS = 45
"""Of a Korean line of print."""
SHARES = {"pdf": 40, "docx": 25, "html": 12, "hwpx": 8, "xlsx": 5, "pptx": 4, "eml": 3, "md": 3}
"""In a hundred files."""
TEMPLATED = {
    "docx": ("word/document.xml",),
    "hwpx": ("Contents/section0.xml",),
    "xlsx": ("xl/sharedStrings.xml",),
    "pptx": ("ppt/slides/slide1.xml", "ppt/slides/slide2.xml", "ppt/slides/slide3.xml"),
}
SMALL_CHARS, TEMPLATE_LINES = 1_500, 30
OWN_WORDS = 30
"""Names and numbers that only one document has: without them no cache of words would ever be full."""
MEDIA = {
    "docx": "word/media/image1.png",
    "hwpx": "BinData/image1.png",
    "xlsx": "xl/media/image1.png",
    "pptx": "ppt/media/image1.png",
}


@dataclass(frozen=True, slots=True)
class Sized:
    """A file of the mix before it is written."""

    number: int
    kind: str
    chars: int
    size_bytes: int


def mix(count: int) -> list[Sized]:
    """Give a hundred files' shares of kinds in a shuffled order, with their sizes."""
    random = Random(SEED)
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    found: list[Sized] = []
    while len(found) < count:
        random.shuffle(kinds)
        found += [_sized(random, len(found) + place, kind) for place, kind in enumerate(kinds)]
    return found[:count]


def of_kind(kind: str, count: int) -> list[Sized]:
    """Give files of one kind with the sizes of the mix."""
    random = Random(f"{SEED} {kind}")
    return [_sized(random, number, kind) for number in range(count)]


def small(count: int) -> list[Sized]:
    """Give many small files of the mix's kinds: one or two printed pages, nothing that only takes room."""
    return [Sized(each.number, each.kind, SMALL_CHARS, 0) for each in mix(count)]


def _sized(random: Random, number: int, kind: str) -> Sized:
    chars = min(MAX_CHARS, max(MIN_CHARS, int(MEDIAN_CHARS * random.lognormvariate(0, SPREAD))))
    size = min(MAX_BYTES, max(MIN_BYTES, int(chars * random.uniform(4, 30))))
    return Sized(number, kind, chars, size)


def write(folder: Path, files: Sequence[Sized]) -> list[str]:
    """Write the files; gives their paths in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file in files:
        path = folder / f"{file.number}.{file.kind}"
        path.write_bytes(_filled_up(file, KINDS[file.kind](_lines(file))))
        paths.append(str(path))
    return paths


def write_small(folder: Path, files: Sequence[Sized]) -> list[str]:
    """Do the same for thousands: an Office package is made once for its kind, and its words are replaced in it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file in files:
        path = folder / f"{file.number}.{file.kind}"
        path.write_bytes(_from_template(file) if file.kind in TEMPLATED else KINDS[file.kind](_lines(file)))
        paths.append(str(path))
    return paths


def _from_template(file: Sized) -> bytes:
    parts = dict(_template(file.kind))
    for name in TEMPLATED[file.kind]:
        text = parts[name].decode()
        for place, line in enumerate(_lines(file)[:TEMPLATE_LINES]):
            text = text.replace(_blank(place), escape(line))
        parts[name] = text.encode()
    return packed(parts)


@cache
def _template(kind: str) -> dict[str, bytes]:
    return members(KINDS[kind]([_blank(place) for place in range(TEMPLATE_LINES)]))


def _blank(place: int) -> str:
    return f"line-{place:03}-"


@cache
def _text() -> str:
    return (CHECKOUT / "samples" / "debian-faq.ko.txt").read_text(encoding="utf-8")


def _lines(file: Sized) -> list[str]:
    """Give lines of print from a place of the text that depends on the number; the first is the file's own."""
    text = _text()
    start = file.number * 9_973 % len(text)
    cut = (text + text)[start : start + file.chars]
    lines = [line[first : first + LINE_CHARS] for line in cut.splitlines() for first in range(0, len(line), LINE_CHARS)]
    random = Random(f"{SEED} words {file.number}")
    own = [f"{_name(random)} {random.randrange(10**6)}" for _ in range(OWN_WORDS // 2)]
    return [
        f"문서 {file.number} document",
        " ".join(own[:8]),
        " ".join(own[8:]),
        *(each for each in lines if each.strip()),
    ]


def _name(random: Random) -> str:
    """Give a name that nobody has."""
    return "".join(chr(random.randrange(0xAC00, 0xD7A4)) for _ in range(3))


def _filled_up(file: Sized, content: bytes) -> bytes:
    missing = file.size_bytes - len(content)
    filler = _FILLERS.get(file.kind)
    return content if missing <= 0 or filler is None else filler(content, Random(file.number).randbytes(missing))


def _in_package(name: str) -> Callable[[bytes, bytes], bytes]:
    def fill(content: bytes, noise: bytes) -> bytes:
        file = io.BytesIO(content)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as package:
            package.writestr(zipfile.ZipInfo(name), noise)
        return file.getvalue()

    return fill


def _in_pdf(content: bytes, noise: bytes) -> bytes:
    """Put a stream that nothing points at before the table of places, which is found by its own place at the end."""
    table = content.rindex(b"xref\n0 ")
    stream = b"999999 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n" % (len(noise), noise)
    tail = content[table : content.rindex(b"startxref")]
    return content[:table] + stream + tail + b"startxref\n%d\n%%%%EOF" % (table + len(stream))


_FILLERS: dict[str, Callable[[bytes, bytes], bytes]] = {"pdf": _in_pdf} | {
    kind: _in_package(name) for kind, name in MEDIA.items()
}
