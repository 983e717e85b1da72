"""Sound files, broken: cut, flipped, shuffled, members gone, tables of contents that lie; always in the same way.

A mutant is known by its number alone: `mutant(n)` gives the same bytes in every run, so that a failing one can be
looked at by itself. Bombs and nests, which nobody gets by chance, are in `bombs.py`.
"""

import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.fakes.good_files import KINDS, PICTURES, members, packed

SEED = 4
VARIANTS = 3
"""Sound files of each kind that mutants are made of."""
WORDS = [
    "안전밸브",
    "작동",
    "압력",
    "점검",
    "기록",
    "배관",
    "용접",
    "report",
    "pressure",
    "valve",
    "제12조의2",
    "3.5 MPa",
]
BROKEN_KINDS = KINDS | PICTURES
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

Way = Callable[[Random, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken file: what was done to a file of which kind, and the name under which it is offered."""

    number: int
    kind: str
    way: str
    name: str
    content: bytes


def lines(random: Random, count: int) -> list[str]:
    """Give lines of words of both languages."""
    return [" ".join(random.choices(WORDS, k=random.randint(4, 12))) + "." for _ in range(count)]


@cache
def sound(kind: str, variant: int) -> bytes:
    """Give one of the files that mutants of a kind are made of."""
    random = Random(f"{SEED} {kind} {variant}")
    return BROKEN_KINDS[kind](lines(random, random.randint(20, 120)))


def mutant(number: int) -> Mutant:
    """Give the mutant of that number; kinds and ways take turns, so any hundred in a row has every kind."""
    random = Random(f"{SEED} {number}")
    kind = list(BROKEN_KINDS)[number % len(BROKEN_KINDS)]
    content = sound(kind, random.randrange(VARIANTS))
    ways = ANY_WAYS | (ZIP_WAYS if content.startswith(LOCAL) else TEXT_WAYS if kind in TEXTS else {})
    way = random.choice(list(ways))
    suffix = random.choice(list(BROKEN_KINDS)) if random.random() < 0.1 else kind
    return Mutant(number, kind, way, f"{number}-{kind}-{way}.{suffix}", ways[way](random, content))


def _place(random: Random, content: bytes | bytearray) -> int:
    return random.randrange(max(len(content), 1))


def _cut(random: Random, content: bytes) -> bytes:
    return content[: _place(random, content)]


def _cut_just_short(random: Random, content: bytes) -> bytes:
    return content[: -random.randint(1, 200)]


def _headless(random: Random, content: bytes) -> bytes:
    return content[random.randint(1, 2000) :]


def _flipped(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 5, 50, 1 + len(data) // 200])):
        data[_place(random, data)] ^= 1 << random.randrange(8)
    return bytes(data)


def _block(random: Random, content: bytes) -> tuple[int, int]:
    begin = _place(random, content)
    return begin, min(len(content), begin + random.choice([1, 16, 512, 4096]))


def _zeroed(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:begin] + bytes(end - begin) + content[end:]


def _noised(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:begin] + random.randbytes(end - begin) + content[end:]


def _lost(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:begin] + content[end:]


def _doubled(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:end] + content[begin:end] * random.choice([1, 2, 100]) + content[end:]


def _shuffled(random: Random, content: bytes) -> bytes:
    size = random.choice([64, 512, 4096])
    blocks = [content[first : first + size] for first in range(0, len(content), size)]
    random.shuffle(blocks)
    return b"".join(blocks)


def _junk_around(random: Random, content: bytes) -> bytes:
    return random.randbytes(random.randint(0, 3000)) + content + random.randbytes(random.randint(0, 3000))


def _twice(random: Random, content: bytes) -> bytes:
    return content + content


def _noise_alone(random: Random, content: bytes) -> bytes:
    return content[: random.choice([4, 8, 64])] + random.randbytes(random.randint(1, 5000))


def _numbers_changed(random: Random, content: bytes) -> bytes:
    """Lengths, offsets and counts as text (PDF) become others."""
    digits = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    data = bytearray(content)
    for place in random.sample(digits, min(len(digits), random.choice([1, 10, 100]))):
        data[place] = random.choice(b"0123456789-")
    return bytes(data)


ANY_WAYS: dict[str, Way] = {
    "cut": _cut,
    "cut_just_short": _cut_just_short,
    "headless": _headless,
    "flipped": _flipped,
    "zeroed": _zeroed,
    "noised": _noised,
    "lost": _lost,
    "doubled": _doubled,
    "shuffled": _shuffled,
    "junk_around": _junk_around,
    "twice": _twice,
    "noise_alone": _noise_alone,
    "numbers_changed": _numbers_changed,
}


def _repacked(change: Callable[[Random, dict[str, bytes], str], dict[str, bytes]]) -> Way:
    """Make a way of a change to the members: the package itself stays sound."""

    def way(random: Random, content: bytes) -> bytes:
        parts = members(content)
        return packed(change(random, parts, random.choice(list(parts))))

    return way


def _without(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {other: part for other, part in parts.items() if other != name}


def _renamed(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    new = random.choice(["../" + name, name.upper(), "", name * 400, "\n", "/etc/passwd", "word/문서.xml"])
    return {new if other == name else other: part for other, part in parts.items()}


def _broken_inside(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    way = ANY_WAYS[random.choice(list(ANY_WAYS))]
    return parts | {name: way(random, parts[name] or b"\0")}


def _exchanged(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    other = random.choice(list(parts))
    return parts | {name: parts[other], other: parts[name]}


def _emptied(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    return parts | {name: b""}


def _tags_lost(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    pieces = parts[name].split(b"<")
    kept = [piece for piece in pieces if random.random() > 0.02]
    return parts | {name: b"<".join(kept)}


def _values_changed(random: Random, parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    pieces = parts[name].split(b'"')
    for _ in range(random.choice([1, 5, 20])):
        wrong = random.choice([b"", b"-1", b"99999999999999999999", b"\xff", b"&#0;", "가".encode() * 5000])
        pieces[random.randrange(len(pieces))] = wrong
    return parts | {name: b'"'.join(pieces)}


def _field_changed(mark: bytes, offsets: tuple[int, ...], form: str) -> Way:
    """Make a way of a lie in one field of a zip's records."""

    def way(random: Random, content: bytes) -> bytes:
        data = bytearray(content)
        places = [place for place in range(len(data)) if data.startswith(mark, place)]
        size = struct.calcsize(form)
        most = 2 ** (8 * size) - 1
        for place in random.sample(places, min(len(places), random.choice([1, 3]))):
            at = place + random.choice(offsets)
            value = random.choice([0, 1, 8, 255, random.randint(0, most), most])
            data[at : at + size] = struct.pack(form, value & most)
        return bytes(data)

    return way


def _same_name_twice(random: Random, content: bytes) -> bytes:
    parts = members(content)
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        warnings.simplefilter("ignore")  # zipfile warns of the very thing that is wanted here
        for part in parts.values():
            package.writestr(zipfile.ZipInfo(next(iter(parts))), part)
    return file.getvalue()


ZIP_WAYS: dict[str, Way] = {
    "member_gone": _repacked(_without),
    "member_renamed": _repacked(_renamed),
    "member_broken": _repacked(_broken_inside),
    "members_exchanged": _repacked(_exchanged),
    "member_emptied": _repacked(_emptied),
    "tags_lost": _repacked(_tags_lost),
    "values_changed": _repacked(_values_changed),
    "directory_lies": _field_changed(CENTRAL, (20, 24, 42), "<I"),
    "directory_flags": _field_changed(CENTRAL, (8, 10, 28, 30, 32), "<H"),
    "record_lies": _field_changed(LOCAL, (14, 18, 22), "<I"),
    "record_flags": _field_changed(LOCAL, (6, 8, 26, 28), "<H"),
    "end_lies": _field_changed(END, (4, 8, 10, 20), "<H"),
    "end_offsets_lie": _field_changed(END, (12, 16), "<I"),
    "one_name": _same_name_twice,
}


def _wrong_bytes(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(random.choice([3, 30, len(data) // 20])):
        place = _place(random, data)
        data[place:place] = random.choice([b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80"])
    return bytes(data)


def _nuls(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(random.choice([1, 20, len(data) // 10])):
        data.insert(_place(random, data), 0)
    return bytes(data)


def _other_encoding(random: Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    name = random.choice(["utf-16", "utf-16-le", "utf-32", "cp949", "johab", "shift_jis", "latin-1", "utf-7"])
    half = len(text) // 2
    return text[:half].encode() + text[half:].encode(name, errors="replace")


TEXTS = frozenset({"txt", "cp949.txt", "md", "html", "eml"})
TEXT_WAYS: dict[str, Way] = {"wrong_bytes": _wrong_bytes, "nuls": _nuls, "other_encoding": _other_encoding}
