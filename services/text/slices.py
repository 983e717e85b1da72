"""Cut a long text to head, middle and tail, for a reader who takes only so much.

In: how long a text is, and how long the slices may be; or the slices, and a measure that they must pass. Out: the
stretches to read, or shorter slices. Nothing is put together that did not stand together: a mark stands between two
slices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.text.chunks import Span

TIGHTER = 0.9
"""At least a tenth goes at each cut, so that cutting ends soon whatever the measure says."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in characters: a text up to `over` stays whole, a longer one is cut to three slices."""

    over: int
    head: int
    middle: int
    tail: int

    def scaled(self, total_chars: int) -> "Sizes":
        """Give slices that share `total_chars` as these do, for a text of any length."""
        whole = self.head + self.middle + self.tail
        head, middle = total_chars * self.head // whole, total_chars * self.middle // whole
        return Sizes(total_chars, head, middle, total_chars - head - middle)


def places(chars: int, sizes: Sizes) -> tuple[Span, ...]:
    """Say which stretches of a text of `chars` characters to read: all of it, or its head, middle and tail.

    Returns:
        one span, or three in order, not overlapping; slices that would cover all of the text are not cut.
    """
    if chars <= max(sizes.over, sizes.head + sizes.middle + sizes.tail):
        return (Span(0, chars),)
    between = (sizes.head + chars - sizes.tail - sizes.middle) // 2
    return (Span(0, sizes.head), Span(between, between + sizes.middle), Span(chars - sizes.tail, chars))


def joined(parts: Sequence[str]) -> str:
    """Write slices one after the other, with a mark between two."""
    return MARK.join(parts)


MARK = "\n\n[…]\n\n"
"""Stands where text was left out; the prompts name it."""


def fitted(parts: Sequence[str], sizes: Sizes, measure: Callable[[str], int], room: int | None) -> tuple[str, ...]:
    """Shorten slices until they fit, each in proportion, head and tail at their outer ends.

    Args:
        parts: a whole text, or its three slices.
        sizes: gives the shares of head, middle and tail where a whole text must be cut.
        measure: how much room a text takes, for example its tokens; the mark is measured with it.
        room: how much there is; None is all that is wanted.
    Returns:
        what fits; three empty slices where not even the mark does.
    """
    fit = tuple(parts)
    while room is not None and (taken := measure(joined(fit))) > room and any(fit):
        keep = min(room / taken, 1.0) * TIGHTER
        fit = _shortened(fit, int(sum(map(len, fit)) * keep), sizes)
    return fit


def _shortened(parts: tuple[str, ...], chars: int, sizes: Sizes) -> tuple[str, ...]:
    smaller = sizes.scaled(chars)
    if len(parts) == 1:
        spans = places(len(parts[0]), smaller)
        return tuple(parts[0][span.start : span.end] for span in spans)
    head, middle, tail = parts
    off = max(len(middle) - smaller.middle, 0) // 2
    return head[: smaller.head], middle[off : off + smaller.middle], tail[max(len(tail) - smaller.tail, 0) :]
