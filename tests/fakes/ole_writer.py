"""OLE compound files (MS-CFB, version 3) of given streams: the container of HWP 5 and old Office files."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTOR, _MINI, _CUTOFF = 512, 64, 4_096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_ROOT, _STORAGE, _STREAM = 5, 1, 2


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    children: list[int] = field(default_factory=list)
    start: int = _END
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE


@dataclass(slots=True)
class _Area:
    """Sectors of one size and the chains through them."""

    size: int
    content: bytearray = field(default_factory=bytearray)
    chain: list[int] = field(default_factory=list)

    def add(self, content: bytes) -> int:
        """Append `content` and give its first sector."""
        if not content:
            return _END
        first, count = len(self.chain), -(-len(content) // self.size)
        self.content += content.ljust(count * self.size, b"\0")
        self.chain += [*range(first + 1, first + count), _END]
        return first


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Give a file of these streams; a name like "BodyText/Section0" lies in a storage (one deep)."""
    entries = _tree(streams)
    sectors, minis = _Area(_SECTOR), _Area(_MINI)
    contents = [entry for entry in entries if entry.kind == _STREAM]
    for entry in contents:
        if len(entry.content) < _CUTOFF:
            entry.start = minis.add(entry.content)
    entries[0].content = bytes(minis.content)
    entries[0].start = sectors.add(entries[0].content)  # first, as small streams mostly lie in real files
    for entry in contents:
        if len(entry.content) >= _CUTOFF:
            entry.start = sectors.add(entry.content)
    mini_table = b"".join(struct.pack("<I", link) for link in minis.chain)
    mini_start = sectors.add(_padded(mini_table, b"\xff"))
    directory = sectors.add(b"".join(map(_packed, entries)).ljust(-(-len(entries) // 4) * _SECTOR, b"\0"))
    tables = _tables(sectors)
    return _header(sectors, tables, directory, mini_start, len(mini_table)) + bytes(sectors.content)


def _padded(content: bytes, filler: bytes) -> bytes:
    return content.ljust(-(-len(content) // _SECTOR) * _SECTOR, filler)


def _tree(streams: Mapping[str, bytes]) -> list[_Entry]:
    entries = [_Entry("Root Entry", _ROOT)]
    storages: dict[str, int] = {"": 0}
    for path, content in streams.items():
        folder, _, name = path.rpartition("/")
        if folder not in storages:
            storages[folder] = len(entries)
            entries[0].children.append(len(entries))
            entries.append(_Entry(folder, _STORAGE))
        entries[storages[folder]].children.append(len(entries))
        entries.append(_Entry(name, _STREAM, content))
    for entry in entries:
        entry.child = _balance(entries, sorted(entry.children, key=lambda place: _order(entries[place].name)))
    return entries


def _order(name: str) -> tuple[int, str]:
    return len(name), name.upper()


def _balance(entries: list[_Entry], places: list[int]) -> int:
    """Make a search tree of siblings and give its root; all nodes black, which readers take."""
    if not places:
        return _NONE
    middle = len(places) // 2
    entries[places[middle]].left = _balance(entries, places[:middle])
    entries[places[middle]].right = _balance(entries, places[middle + 1 :])
    return places[middle]


def _packed(entry: _Entry) -> bytes:
    name = (entry.name + "\0").encode("utf-16-le")
    head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name), entry.kind, 1)
    links = struct.pack("<3I", entry.left, entry.right, entry.child)
    start = 0 if entry.kind == _STORAGE else entry.start
    return head + links + bytes(36) + struct.pack("<IQ", start, len(entry.content))


def _tables(sectors: _Area) -> list[int]:
    """Append the allocation table, which lists itself, and give its sectors."""
    count = 1
    while count * 128 < len(sectors.chain) + count:
        count += 1
    first = len(sectors.chain)
    sectors.chain += [_FAT] * count
    sectors.content += _padded(b"".join(struct.pack("<I", link) for link in sectors.chain), b"\xff")
    return list(range(first, first + count))


def _header(sectors: _Area, tables: list[int], directory: int, mini_start: int, mini_bytes: int) -> bytes:
    mini_sectors = -(-mini_bytes // _SECTOR)
    start = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    middle = struct.pack("<IIIIIIIII", 0, len(tables), directory, 0, _CUTOFF, mini_start, mini_sectors, _END, 0)
    return (start + middle + b"".join(struct.pack("<I", table) for table in tables)).ljust(_SECTOR, b"\xff")
