"""Begin something that takes its time, and go on; its result, or its error, is asked for later."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import anyio

T = TypeVar("T")


class Later(Generic[T]):
    """A value that is not there yet: awaited by any number, set once to a value or an error."""

    def __init__(self) -> None:
        self._there = anyio.Event()
        self._value: T
        self._error: Exception | None = None

    def set(self, value: T) -> None:
        """Give the value to all who wait."""
        self._value = value
        self._there.set()

    def fail(self, error: Exception) -> None:
        """Raise an error in all who wait."""
        self._error = error
        self._there.set()

    async def get(self) -> T:
        """Wait for the value.

        Raises:
            Exception: what it was failed with.
        """
        await self._there.wait()
        if self._error is not None:
            raise self._error
        return self._value


@asynccontextmanager
async def companion(
    work: Callable[[], Coroutine[Any, Any, None]], end: Callable[[anyio.CancelScope], None]
) -> AsyncIterator[None]:
    """Run `work` beside the body; when that ends, `end` ends it, by its scope or otherwise.

    An error of the body comes out as itself, and not in a group: callers tell errors apart by their class.
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
        end(tasks.cancel_scope)
    if failure is not None:
        raise failure


@asynccontextmanager
async def begun(work: Callable[[], Awaitable[T]]) -> AsyncIterator[Later[T]]:
    """Run `work` beside the body, which may ask for its result; whoever leaves without it cancels it."""
    result: Later[T] = Later()

    async def run() -> None:
        try:
            result.set(await work())
        except Exception as error:  # noqa: BLE001 - raised in whoever asks for the result
            result.fail(error)

    async with companion(run, lambda scope: scope.cancel()):
        yield result
