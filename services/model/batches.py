"""Texts in requests of a size that the server takes: split before, halve on refusal, and remember what went through.

In: any number of texts. Out: one result per text, in their order. Servers differ (TEI takes 32 texts and 2 MB as it
ships, infinity 2,048, llama.cpp as many tokens as its physical batch has) and say so only by refusing.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.model.errors import RequestRefused

T = TypeVar("T")

REQUEST_CHARS = 200_000
"""Most characters of one request, unless a single text has more: 600 kB of Korean, far below TEI's 2 MB."""
LEAST_CHARS = 64
"""A text this short is not refused for its length, whatever the server says."""


class BatchTooLarge(RequestRefused):
    """The server takes fewer or shorter texts at once; half of them may do."""


class Batches:
    """Splits texts into requests, one gated call each, so that a person can go in between.

    Args:
        size: texts of one request; becomes smaller as the server shows that it takes fewer.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.cut = 0
        """Texts whose second half (or more) was left out, because the server refused them whole."""
        self._refused = 0

    async def each(self, texts: Sequence[str], send: Callable[[list[str]], Awaitable[list[T]]]) -> list[T]:
        """Give one result per text, in their order.

        Args:
            send: one request; gives exactly one result per text, or raises.
        Raises:
            BatchTooLarge: a text of under LEAST_CHARS characters was refused by itself.
        """
        # Some servers refuse an empty text, and with it all others of the request.
        given = [text or " " for text in texts]
        found: list[T] = []
        while len(found) < len(given):
            found += await self._send(self._fitting(given, len(found)), send)
        return found

    def _fitting(self, texts: list[str], start: int) -> list[str]:
        """Give the texts from there on that make one request: at least one."""
        part = texts[start : start + self.size]
        chars = 0
        for number, text in enumerate(part):
            chars += len(text)
            if chars > REQUEST_CHARS and number:
                return part[:number]
        return part

    async def _send(self, texts: list[str], send: Callable[[list[str]], Awaitable[list[T]]]) -> list[T]:
        if len(texts) <= self.size:
            try:
                return await send(texts)
            except BatchTooLarge:
                self._refused += 1
                if len(texts) == 1:
                    return await self._send_cut(texts[0], send)
        half, refused = (len(texts) + 1) // 2, self._refused
        found = await self._send(texts[:half], send) + await self._send(texts[half:], send)
        if self._refused == refused:
            # Both halves went through as they were, so it was the number; else it was a single long text.
            self.size = min(self.size, half)
        return found

    async def _send_cut(self, text: str, send: Callable[[list[str]], Awaitable[list[T]]]) -> list[T]:
        """Leave out the end of a text until the server takes it: better than to fail a whole document for it."""
        self.cut += 1
        while True:
            text = text[: len(text) // 2]
            try:
                return await send([text])
            except BatchTooLarge:
                if len(text) <= LEAST_CHARS:
                    raise
