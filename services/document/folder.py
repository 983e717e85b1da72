"""What changed in the watched folder: a comparison of what lies there with what is known, and a wait until it is quiet.

In: a folder, the files the database knows. Out: files to read, files that are gone. Nothing here asks for events: they
only tell when it is worth comparing.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TEMPORARY_SUFFIXES = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", "~")
TEMPORARY_NAMES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a change of a file is seen; None in place of a mark means that the file is gone."""

    size_bytes: int
    modified_ns: int


Marks = Mapping[str, Mark]


def scan(root: Path) -> dict[str, Mark]:
    """Look at every file below a folder that a person would call a document.

    Raises:
        FileNotFoundError: the folder itself is not there, for example because its disk is not mounted.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"The watched folder is not there: {root}")
    return dict(_walk(str(root)))


def _walk(folder: str) -> Iterator[tuple[str, Mark]]:
    for entry in _entries(folder):
        if is_temporary(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file() and is_storable(entry.path):
            status = entry.stat()
            yield entry.path, Mark(status.st_size, status.st_mtime_ns)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # went away, or may not be read: what lies below is not known, the next scan looks again
        return []


def is_temporary(name: str) -> bool:
    """Say whether a name is that of a hidden, half-loaded or lock file."""
    lower = name.lower()
    return lower.startswith((".", "~$")) or lower.endswith(TEMPORARY_SUFFIXES) or lower in TEMPORARY_NAMES


def is_storable(path: str) -> bool:
    """Say whether Postgres can hold a path: bytes that are no UTF-8 come as lone surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def changes(seen: Marks, known: Marks, refused: Marks) -> dict[str, Mark | None]:
    """Compare a scan with the database.

    Args:
        known: the files of documents.
        refused: the files whose last reading failed, as they were then; they are offered again when they change.
    Returns:
        by path: the mark of a new or changed file, None for one that is gone.
    """
    new = {path: mark for path, mark in seen.items() if known.get(path) != mark and refused.get(path) != mark}
    gone = {path: None for path in known if path not in seen}
    return {**new, **gone}


def forgotten(settled: Mapping[str, Mark | None], changed: Mapping[str, Mark | None], known: Marks) -> list[str]:
    """Tell which paths may be forgotten: those that are gone, but for one whose file is about to be read elsewhere.

    A moved file keeps its size and time. Its document stays as it is until the new place is noted, and is not deleted
    and made again between the two.
    """
    arriving = {mark for mark in changed.values() if mark is not None}
    return [path for path, mark in settled.items() if mark is None and known.get(path) not in arriving]


@dataclass(slots=True)
class Settling:
    """Holds changes back until they have stayed the same for `quiet_s`: a file that is still being written waits."""

    quiet_s: float
    _since: dict[str, tuple[Mark | None, float]] = field(default_factory=dict)

    def settled(self, changed: Mapping[str, Mark | None], now_s: float) -> dict[str, Mark | None]:
        """Give the changes that are quiet; call it after every comparison with all that differs."""
        fresh = (None, now_s)
        self._since = {
            path: self._since[path]
            if self._since.get(path, fresh)[0] == mark and path in self._since
            else (mark, now_s)
            for path, mark in changed.items()
        }
        return {path: mark for path, (mark, since) in self._since.items() if now_s - since >= self.quiet_s}

    @property
    def waiting(self) -> bool:
        """Say whether some change is still being held back or was not taken."""
        return bool(self._since)
