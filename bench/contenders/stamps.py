"""Start times that cross the process border for the price of one clock read and two stores.

A worker writes into a mapped file, the benchmark reads the same pages: no pipe, no lock, no system call in
the handler, and the same for every contender. `time.perf_counter_ns` is CLOCK_MONOTONIC, which all processes
of a machine share.
"""

import mmap
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.contenders.contract import Mark

CELL_BYTES = 8


class Stamps:
    """A mapped file of int64 cells: how many there are, then the start times in ns, oldest first."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._cells = memoryview(self._map).cast("q")

    @classmethod
    def create(cls, path: Path, capacity: int) -> Self:
        """Make an empty file with room for `capacity` stamps and map it."""
        path.write_bytes(bytes(CELL_BYTES * (capacity + 1)))
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cells.release()
        self._map.close()

    @property
    def count(self) -> int:
        """How many jobs the worker has started."""
        return self._cells[0]

    def times(self) -> list[int]:
        """Return the start times noted so far, in ns, in order."""
        return self._cells[1 : self.count + 1].tolist()

    def marker(self) -> Mark:
        """Return the function that notes "now"; what comes after the last cell is not noted."""
        cells = self._cells
        room = len(cells) - 1
        clock = time.perf_counter_ns
        count = 0

        def mark() -> None:
            nonlocal count
            if count < room:
                count += 1
                cells[count] = clock()
                # After the stamp: who reads the count finds the stamp written.
                cells[0] = count

        return mark
