"""The child process: limits, deaths, cancellation, and files bent at random."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import docx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.formats import sandbox, wire
from services.formats.limits import Limits
from services.formats.page import FormatError, Header, Line, Page
from services.formats.sandbox import Reader
from tests.fakes import pdf_writer
from tests.fakes.docx_writer import part, saved, with_part

ROOT = Path(__file__).resolve().parents[2]
LONG = pdf_writer.pdf([[f"쪽 {number}"] * 20 for number in range(400)])
DEADLINE_S = 20.0


def run(task: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(task, 90))


async def refusal(reading: Awaitable[object]) -> str:
    with pytest.raises(FormatError) as caught:
        await reading
    return caught.value.code


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110  a process of the system sets no event
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def child_of(reader: Reader) -> int:
    assert reader.pid is not None
    return reader.pid


def test_read__takes_paths_and_bytes_and_keeps_the_child(tmp_path: Path) -> None:
    async def check() -> None:
        path = tmp_path / "점검.txt"
        path.write_text("점검 완료")
        async with Reader() as reader:
            assert (await reader.read(path, path.name)).pages[0].text == "점검 완료"
            pid = child_of(reader)
            parsed = await reader.read(pdf_writer.pdf([["점검"], ["둘"]]), "a.pdf")
            assert (parsed.media_type, len(parsed.pages)) == ("application/pdf", 2)
            assert await refusal(reader.read(b"\x7fELF\x02\x01\x01" + bytes(64), "a.out")) == "unsupported_format"
            assert reader.pid == pid
        assert gone(pid)

    run(check())


def test_read__works_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text("# 제목")
    parsed = asyncio.run(sandbox.read(Path("a.md"), "a.md", Limits()))
    assert parsed.title == "제목"


def test_read__replaces_the_child_after_its_share_of_files() -> None:
    async def check() -> None:
        async with Reader(files_per_child=2) as reader:
            await reader.read(b"a", "a.txt")
            first = child_of(reader)
            await reader.read(b"b", "a.txt")
            await reader.read(b"c", "a.txt")
            assert child_of(reader) != first

    run(check())


def test_read__raises_oserror_for_what_is_no_readable_file(tmp_path: Path) -> None:
    async def check() -> None:
        os.mkfifo(tmp_path / "pipe")
        async with Reader() as reader:
            for name in ("missing", "pipe", ""):
                with pytest.raises(OSError, match=r"missing|regular"):
                    await reader.read(tmp_path / name, name)

    run(check())


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        (b"a" * 101, Limits(max_bytes=100)),
        (b"a" * 101, Limits(max_text_chars=100)),
        (pdf_writer.pdf([["a" * 60], ["b" * 60]]), Limits(max_text_chars=100)),
        (pdf_writer.bomb(2**27), Limits(memory_bytes=200 * 2**20)),
        (pdf_writer.bomb(2**26), Limits(time_s=0.2)),
    ],
    ids=["bytes", "characters", "characters of pages", "memory", "time"],
)
def test_read__calls_a_file_over_a_limit_too_large(content: bytes, limits: Limits) -> None:
    async def check() -> None:
        async with Reader(limits) as reader:
            assert await refusal(reader.read(content, "a")) == "too_large"
            assert reader.pid is None  # a child that met a limit is not used again

    run(check())


def test_read__calls_a_docx_whose_tree_outgrows_memory_too_large() -> None:
    package = saved(docx.Document())
    body = part(package, "word/document.xml").replace(b"<w:sectPr", b"<w:p/>" * 3_000_000 + b"<w:sectPr", 1)
    bomb = with_part(package, "word/document.xml", body)
    assert len(bomb) < 2**17
    assert asyncio.run(refusal(sandbox.read(bomb, "a.docx", Limits(memory_bytes=2**28)))) == "too_large"


async def second_page(items: AsyncIterator[Header | Page]) -> None:
    async for item in items:
        if isinstance(item, Page) and item.number == 2:
            return


def test_stream__says_corrupt_when_the_child_is_killed_and_the_next_file_works() -> None:
    async def check() -> None:
        async with Reader() as reader:
            async with aclosing(reader.stream(LONG, "a.pdf")) as items:
                await second_page(items)
                os.kill(child_of(reader), signal.SIGKILL)
                assert await refusal(anext_until_end(items)) == "corrupt"
            assert (await reader.read(b"next", "a.txt")).pages[0].text == "next"

    run(check())


async def anext_until_end(items: AsyncIterator[Header | Page]) -> None:
    async for _ in items:
        pass


def test_read__says_too_large_when_the_child_hangs_and_the_next_file_works() -> None:
    async def check() -> None:
        async with Reader(Limits(time_s=3.0)) as reader:
            await reader.read(b"warm", "a.txt")
            stopped = child_of(reader)
            os.kill(stopped, signal.SIGSTOP)
            begin = time.monotonic()
            assert await refusal(reader.read(b"hangs", "a.txt")) == "too_large"
            assert time.monotonic() - begin < DEADLINE_S
            assert gone(stopped)
            assert (await reader.read(b"next", "a.txt")).pages[0].text == "next"

    run(check())


def test_read__kills_the_child_when_it_is_cancelled() -> None:
    async def check() -> None:
        async with Reader() as reader:
            await reader.read(b"warm", "a.txt")
            pid = child_of(reader)
            os.kill(pid, signal.SIGSTOP)
            reading = asyncio.create_task(reader.read(b"hangs", "a.txt"))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert gone(pid) or reader.pid == pid  # cancelled before its turn: nothing was begun

            reading = asyncio.create_task(reader.read(b"hangs", "a.txt"))
            await asyncio.sleep(0.2)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            assert gone(pid)
            assert (await reader.read(b"next", "a.txt")).pages[0].text == "next"

    run(check())


def test_stream__gives_the_turn_back_when_it_is_left_early() -> None:
    async def check() -> None:
        async with Reader() as reader:
            async with aclosing(reader.stream(LONG, "a.pdf")) as items:
                await second_page(items)
                waiting = asyncio.create_task(reader.read(b"next", "a.txt"))
            assert (await waiting).pages[0].text == "next"

    run(check())


PARENT = """
import asyncio, sys
from services.formats.sandbox import Reader
async def main():
    reader = Reader()
    await reader.read(b"warm", "a.txt")
    print(reader.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_child__ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    run(until(lambda: gone(pid)))


def test_child__sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEODANG_DATABASE_URL", "postgres://secret")

    async def check() -> None:
        async with Reader() as reader:
            await reader.read(b"a", "a.txt")
            assert "SEODANG_DATABASE_URL" not in psutil.Process(child_of(reader)).environ()

    run(check())


def test_wire__gives_back_what_it_packed() -> None:
    page = Page(3, "iv", "가\n나", (Line(0, 1, 1.5, 2.5, (72.1, 84.0)),))
    for answer in (page, Header("text/plain", "제목"), wire.Done(), wire.Failure("empty", "a", "b", 2)):
        assert wire.unpack(wire.pack(answer)[wire.LENGTH_BYTES :]) == answer
    drawn = wire.Drawn(3, 2, 1, (0.24, 0.0, 0.0, -0.24, 0.5, 842.0))
    assert wire.unpack(wire.pack(drawn)[wire.LENGTH_BYTES :]) == drawn
    for job in (wire.Job("/a", 0, "가.pdf", 1, 2, 3), wire.job_of(b"abc", "a", Limits(), page=2, dpi=300)):
        assert wire.unpack_job(wire.pack_job(job)[wire.LENGTH_BYTES :]) == job


def small_docx() -> bytes:
    document = docx.Document()
    document.add_heading("제목", 1)
    document.add_paragraph("본문")
    return saved(document)


SEEDS = {
    "a.pdf": pdf_writer.pdf([["점검 Q-1", "둘"], ["셋"]]),
    "a.docx": small_docx(),
    "a.html": "<!doctype html><html><body><h1>제목</h1><table><tr><td>a<td>b</table></body></html>".encode(),
}


@st.composite
def bent(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(SEEDS[name])
    for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] ^= 1 << draw(st.integers(0, 7))
    return name, bytes(content[: draw(st.integers(0, len(content)))])


@pytest.mark.slow
def test_read__meets_bent_files_with_nothing_but_formaterror() -> None:
    with asyncio.Runner() as runner:
        reader = Reader(Limits(time_s=20.0))

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(bent())
        def bend(file: tuple[str, bytes]) -> None:
            with suppress(FormatError):
                runner.run(reader.read(file[1], file[0]))

        bend()
        runner.run(reader.aclose())
