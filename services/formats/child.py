"""The process that parses and draws: `python -m services.formats.child`, started by `sandbox.Reader` alone.

It takes jobs on stdin and answers on stdout (wire.py), one at a time, and ends when its parent does. It keeps
the memory limit by RLIMIT_AS; time, real memory (macOS ignores RLIMIT_AS) and the size of answers are kept by
the parent.
"""

import os
import queue
import re
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from services.formats import registry, wire
from services.formats.draw import draw
from services.formats.page import FormatError, Header, Page
from services.formats.picture import Picture
from services.formats.source import Source

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STACK_BYTES = 512 * 1024  # of the watching thread; the default of 8 MiB counts against RLIMIT_AS
_SHORT_SHARE = 0.5  # of the memory limit: tables grow by doubling, so a refusal may come this early
_TOO_LARGE = "Reading the file takes more memory than allowed; split it into smaller files."
_DAMAGED = "The file could not be read, it is probably damaged; open it, save it again and add that."

_Delivery = tuple[wire.Job, bytes]


def main() -> None:
    """Serve jobs until stdin ends."""
    answers = _private_stdout()
    _die_with_parent()
    jobs: queue.SimpleQueue[_Delivery] = queue.SimpleQueue()
    threading.stack_size(_STACK_BYTES)
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    while True:
        job, content = jobs.get()
        _serve(job, content, answers)


def _private_stdout() -> BinaryIO:
    """Keep the pipe to the parent for answers alone: what a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _die_with_parent() -> None:
    """Ask Linux for SIGKILL when the parent ends; elsewhere `_receive` sees it, unless a C call holds the
    lock."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _receive(jobs: queue.SimpleQueue[_Delivery]) -> None:
    """Read jobs ahead in a thread of its own, so that the parent's end is seen while a file is parsed."""
    while length := _exactly(wire.LENGTH_BYTES):
        job = wire.unpack_job(_exactly(int.from_bytes(length, "big")))
        jobs.put((job, _exactly(job.size)))


def _exactly(size: int) -> bytes:
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        os._exit(0)  # the parent is gone; nothing here is worth a clean end
    return data


def _serve(job: wire.Job, content: bytes, answers: BinaryIO) -> None:
    source = Source(Path(job.path) if job.path else content, job.filename, job.max_unpacked_bytes)
    _limit_memory(job.memory_bytes)
    peak_before = _peak_bytes()
    end = _opening(source) or _safely(lambda: _answer(source, job, answers))
    peak = _peak_bytes()
    if peak > peak_before and peak > _SHORT_SHARE * job.memory_bytes:
        end = _without_blame(end)
    if end is not None:
        answers.write(wire.pack(end))
    answers.flush()


def _without_blame(end: wire.Done | wire.Failure | None) -> wire.Done | wire.Failure | None:
    """Call "corrupt" at the edge of the memory what it is: lxml says only "unknown error" at its end."""
    if isinstance(end, wire.Failure) and end.code == "corrupt" and not end.errno:
        return wire.Failure("too_large", _TOO_LARGE, end.detail)
    return end


def _peak_bytes() -> int:
    """Give the largest address space this process ever had, 0 where the system does not tell (no Linux)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmPeak:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _opening(source: Source) -> wire.Failure | None:
    """Try to open the file, so that a missing right is told apart from damage."""
    try:
        source.head(1)
    except OSError as error:
        return wire.Failure("corrupt", error.strerror or "", "", error.errno or -1)
    return None


def _answer(source: Source, job: wire.Job, answers: BinaryIO) -> wire.Done | None:
    """Send what was asked for; gives what ends it."""
    if job.page:
        _send_drawing(draw(source, job.page, job.dpi, job.max_pixels), answers)
        return None
    for item in _measured(registry.parse(source), job.max_text_chars):
        answers.write(wire.pack(item))
    return wire.Done()


def _send_drawing(picture: Picture, answers: BinaryIO) -> None:
    answers.write(wire.pack(wire.Drawn(len(picture.png), picture.width, picture.height, picture.to_page)))
    answers.write(picture.png)


def _safely(answer: Callable[[], wire.Done | None]) -> wire.Done | wire.Failure | None:
    try:
        return answer()
    except FormatError as error:
        return wire.Failure(error.code, str(error), error.detail)
    except MemoryError as error:
        return wire.Failure("too_large", _TOO_LARGE, _place(error))
    except Exception as error:  # noqa: BLE001  the edge: libraries fail on damaged files in any way they like
        return wire.Failure("corrupt", _DAMAGED, _place(error))


def _measured(items: Iterator[Header | Page], max_text_chars: int) -> Iterator[Header | Page]:
    total = 0
    for item in items:
        total += len(item.text) if isinstance(item, Page) else 0
        if total > max_text_chars:
            message = f"The file holds more than {max_text_chars:,} characters; split it into smaller files."
            raise FormatError("too_large", message)
        yield item


def _limit_memory(size: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _place(error: BaseException) -> str:
    """Name the exception and the last lines it passed; of the document only what its message holds."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    passed = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__}: {str(error)[:200]} at {passed}"


if __name__ == "__main__":
    main()
