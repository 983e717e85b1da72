"""Text recognition by an installed tesseract, a process of its own for each picture, limited in time and memory.

In: a picture. Out: text with the places of its lines. Refuses, by `Unrecognised`, what takes too long or breaks it.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from functools import cache

import anyio

from services.formats.picture import MAX_PIXELS, Picture, Recognised, Unrecognised
from services.formats.tesseract_words import read_output

READ = "Read by text recognition (tesseract); check numbers against the picture."
NOTHING = "Text recognition (tesseract) made out no text on this page."
WANTED = ("kor", "eng")
"""What is taken of what is there when the languages of the setting are not."""

_MEMORY_KIB = 2 * 2**20  # of address space; 40 million pixels with kor+eng had 190 MiB in memory
_REAP_S = 5.0
_ASK_S = 10.0
# One thread: with its own choice a page took 5 to 7 s instead of 1.5, and three times the processor's time (two busy
# cores, tesseract 5.3). Nothing else of our own environment, which holds passwords.
_ENVIRONMENT = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C"}
# The shell sets the limits and becomes tesseract; where a system knows no such limit it goes on without.
_LIMITED = 'ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; shift 2; exec "$@"'


class Tesseract:
    """A recogniser; `label` names it with every page that it read."""

    def __init__(self, program: str, languages: str, dpi: int, limit_s: float) -> None:
        self.label = f"tesseract {languages}"
        self.dpi, self.max_pixels = dpi, MAX_PIXELS
        self._limit_s = limit_s
        limits = (str(_MEMORY_KIB), str(int(limit_s) + 1))
        words = (program, "stdin", "stdout", "-l", languages, "--psm", "3", "txt", "tsv")
        self._command = ("/bin/sh", "-c", _LIMITED, "sh", *limits, *words)

    async def recognise(self, picture: Picture) -> Recognised:
        """Give the text of a picture.

        Raises:
            Unrecognised: tesseract took too long, or failed.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_ENVIRONMENT, start_new_session=True
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(picture.png), self._limit_s)
        except TimeoutError as error:
            raise Unrecognised(f"tesseract took longer than {self._limit_s:g} s") from error
        finally:
            await _end(process)
        if process.returncode != 0:
            raise Unrecognised(f"tesseract failed with exit {process.returncode}")
        text, lines = read_output(output.decode(errors="replace"), picture)
        return Recognised(text, lines, READ if text else NOTHING)


async def _end(process: Process) -> None:
    """Kill the group if it still runs, and reap it, also when the caller is being cancelled."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with anyio.move_on_after(_REAP_S, shield=True):
        await process.wait()


def installed(languages: str, dpi: int, limit_s: float) -> Tesseract | None:
    """Give the tesseract of this machine, None where there is none that reads Korean or English.

    Args:
        languages: as `-l` takes them; those that are not installed are left out, and without any of them those of kor
            and eng that are.
    """
    program = shutil.which("tesseract")
    there = _languages_of(program) if program else frozenset()
    chosen = [language for language in languages.split("+") if language in there]
    chosen = chosen or [language for language in WANTED if language in there]
    return Tesseract(program, "+".join(chosen), dpi, limit_s) if program and chosen else None


@cache
def _languages_of(program: str) -> frozenset[str]:
    try:
        told = subprocess.run(
            [program, "--list-langs"], env=_ENVIRONMENT, capture_output=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(told.stdout.decode(errors="replace").split())
