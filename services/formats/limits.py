"""What reading one file may cost, and the time that is left of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Measured values are of Linux x86-64."""

    max_bytes: int = 200 * 2**20  # the largest file taken: a scanned book of 600 pages has about 150 MiB
    memory_bytes: int = 2**30  # of the child: a PDF bomb of 400 KB took 558 MB, a DOCX bomb 1.7 GB and more
    time_s: float = 120.0  # spent waiting for the child: 100 times the slowest honest sample (1.7 s, 872 pages)
    max_text_chars: int = 50_000_000  # 25,000 full pages; all laws of Korea are about this long
    max_unpacked_bytes: int = 2**30  # sum of a zip's members: pictures barely shrink, so honest files stay near 200 MiB


class Budget:
    """Time spent waiting for the child; what the caller does between two pages is not the file's fault."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time inside."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.left_s -= time.monotonic() - begin
