"""How large processes get, and which children they have: looked at from outside, many times a second."""

import threading
from collections.abc import Sequence
from contextlib import suppress

import psutil

LOOK_S = 0.1


class MemoryWatch:
    """Watches processes and their children from `start` to `stop`; what it has seen stays.

    Attributes:
        peaks: the largest resident size of each process, in bytes, by its id.
        child_peak: the largest of any child.
        children: all children that were seen.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self.peaks = dict.fromkeys(pids, 0)
        self.child_peak = 0
        self.children: set[psutil.Process] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *ending: object) -> None:
        self._over.set()
        self._thread.join()

    def left_over(self) -> list[psutil.Process]:
        """Give the children that still run."""
        return [child for child in self.children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]

    def _look_on(self) -> None:
        while not self._over.wait(LOOK_S):
            for pid in self.peaks:
                with suppress(psutil.Error):
                    self._look(psutil.Process(pid))

    def _look(self, process: psutil.Process) -> None:
        self.peaks[process.pid] = max(self.peaks[process.pid], process.memory_info().rss)
        for child in process.children(recursive=True):
            self.children.add(child)
            with suppress(psutil.Error):
                self.child_peak = max(self.child_peak, child.memory_info().rss)
