"""Work that is begun early: its result comes when it is asked for, its error as itself, and leaving ends it."""

import anyio
import anyio.lowlevel
import pytest

from services.kit.early import Later, begun

pytestmark = pytest.mark.anyio


async def test_begun__works_while_the_body_does_something_else() -> None:
    given: Later[int] = Later()

    async def work() -> int:
        return 2 * await given.get()

    async with begun(work) as result:
        given.set(21)
        assert await result.get() == 42
        assert await result.get() == 42


async def test_begun__error_is_raised_where_the_result_is_asked_for() -> None:
    async def work() -> int:
        raise LookupError("nothing there")

    async with begun(work) as result:
        await anyio.lowlevel.checkpoint()
        with pytest.raises(LookupError, match="nothing there"):
            await result.get()


async def test_begun__leaving_without_the_result_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("cancelled")

    async with begun(work):
        await anyio.lowlevel.checkpoint()
    assert ended == ["cancelled"]


async def test_begun__error_of_the_body_comes_out_as_itself() -> None:
    with pytest.raises(KeyError):
        async with begun(anyio.sleep_forever):
            raise KeyError
