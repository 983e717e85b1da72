"""A terminal for a command: a pseudo-terminal whose other end is read, and what a person sees on it at the end."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ

COLUMNS, LINES = 100, 40
_PIECE = re.compile(
    r"\x1b\[(?P<n>\d*)(?P<what>[A-Za-z])|\x1b\[\?25(?P<cursor>[hl])"
    r"|(?P<end>\r|\n)|(?P<text>[^\x1b\r\n]+)"
)


class Terminal:
    """What a command writes to its terminal."""

    def __init__(self, child_end: int, own_end: int) -> None:
        self.child_end, self._own_end = child_end, own_end
        self._said = b""

    @property
    def said(self) -> str:
        """Everything that was written so far, with its control sequences."""
        while select.select([self._own_end], [], [], 0)[0]:
            try:
                piece = os.read(self._own_end, 65536)
            except OSError:  # the last process has left the other end
                break
            if not piece:
                break
            self._said += piece
        return self._said.decode(errors="replace")

    @property
    def screen(self) -> str:
        """The lines that a person sees, without empty ones at the end."""
        return screen_of(self.said)

    def ends(self, process: "subprocess.Popen[str]", within_s: float = 60) -> int:
        """Read until a process has ended; gives its exit code."""
        end = time.monotonic() + within_s
        while process.poll() is None:
            assert time.monotonic() < end, self.said
            select.select([self._own_end], [], [], 0.05)
            _ = self.said
        return process.returncode


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Open a terminal of 100 columns."""
    own_end, child_end = pty.openpty()
    ioctl(child_end, TIOCSWINSZ, pack("HHHH", LINES, COLUMNS, 0, 0))
    try:
        yield Terminal(child_end, own_end)
    finally:
        for end in (own_end, child_end):
            with suppress(OSError):
                os.close(end)


def screen_of(said: str) -> str:
    """Give what stands on a screen after some writing: of the sequences only those that move up, wipe and colour."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(said):
        if (text := piece["text"]) is not None:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
        elif piece["end"] == "\r":
            column = 0
        elif piece["end"] == "\n":  # the terminal's driver sends \r before it
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif piece["what"] == "A":
            row -= int(piece["n"] or 1)
        elif piece["what"] == "K":
            lines[row] = ""
        else:
            assert piece["what"] in (None, "m"), piece.group()
    return "\n".join(lines).rstrip()
