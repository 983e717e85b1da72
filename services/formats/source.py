"""The file to be parsed, by path or as bytes, so that parsers need not care which."""

import io
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Source:
    """One file and the limits its parser must keep by itself (memory and time are kept from outside)."""

    content: Path | bytes
    filename: str
    max_unpacked_bytes: int

    @property
    def suffix(self) -> str:
        """Give the name's ending in lower case with its dot, "" if there is none."""
        return Path(self.filename).suffix.lower()

    def open(self) -> BinaryIO:
        """Open for reading at the first byte; the caller closes. Raises OSError."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def head(self, size: int) -> bytes:
        """Read the first `size` bytes, fewer if the file is shorter."""
        with self.open() as file:
            return file.read(size)

    def read(self) -> bytes:
        """Read the whole file."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def contains(self, pattern: bytes) -> bool:
        """Say whether `pattern` stands anywhere in the (not empty) file, without loading it."""
        if isinstance(self.content, bytes):
            return pattern in self.content
        with self.content.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return view.find(pattern) >= 0
