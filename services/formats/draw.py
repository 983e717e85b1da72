"""A page of a file -> its picture, for recognition: the way to the module that draws this kind of file."""

from importlib import import_module
from typing import Protocol, cast

from services.formats.page import FormatError
from services.formats.picture import Picture
from services.formats.sniff import Family, sniff
from services.formats.source import Source


class Drawer(Protocol):
    """Draws a page (1-based) at `dpi`, with `max_pixels` at most. Raises FormatError."""

    def __call__(self, source: Source, page: int, dpi: int, max_pixels: int, /) -> Picture: ...


MODULES = {Family.PDF: "services.formats.pdf_draw", Family.IMAGE: "services.formats.image_draw"}


def draw(source: Source, page: int, dpi: int, max_pixels: int) -> Picture:
    """Tell the family by the content and draw. Raises FormatError with any code, OSError."""
    family = sniff(source)
    if family not in MODULES:
        raise FormatError("unsupported_format", "Only PDFs and pictures have pages that can be drawn.")
    drawer = cast(Drawer, import_module(MODULES[family]).draw)
    return drawer(source, page, dpi, max_pixels)
