"""A page of a PDF as a picture, through PDFium: as a person sees it, after /Rotate and cut to its crop box."""

import ctypes
import io
from math import sqrt
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from services.formats.page import FormatError
from services.formats.pdf_open import open_document, refusal
from services.formats.picture import MAX_EDGE_PIXELS, Matrix, Picture
from services.formats.source import Source

POINTS_PER_INCH = 72
_FAST = 1  # of zlib: the picture only goes from one process to the next; level 6 takes three times as long


def draw(source: Source, page: int, dpi: int, max_pixels: int) -> Picture:
    """Draw a page (1-based) in grey.

    Raises:
        FormatError: "encrypted"; "corrupt", also for a page that is not there or does not load.
    """
    document = open_document(source)
    try:
        if not 1 <= page <= len(document):
            raise FormatError("corrupt", f"The PDF has no page {page}; get it again from where it came from.")
        loaded = document[page - 1]
        try:
            return _drawn(loaded, scale_within(loaded.get_size(), dpi, max_pixels))
        finally:
            loaded.close()
    except pypdfium2.PdfiumError as error:
        raise refusal(error) from error
    finally:
        document.close()


def scale_within(size: tuple[float, float], dpi: int, max_pixels: int) -> float:
    """Give the pixels per point for a page of this size in points: of `dpi`, or less where that is too many."""
    width, height = (max(edge, 1.0) for edge in size)
    wanted = dpi / POINTS_PER_INCH
    return min(wanted, sqrt(max_pixels / (width * height)), MAX_EDGE_PIXELS / max(width, height))


def _drawn(page: Any, scale: float) -> Picture:
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        file = io.BytesIO()
        bitmap.to_pil().save(file, "PNG", compress_level=_FAST)
        return Picture(file.getvalue(), bitmap.width, bitmap.height, _to_page(page, bitmap.width, bitmap.height))
    finally:
        bitmap.close()


def _to_page(page: Any, width: int, height: int) -> Matrix:
    """Ask PDFium where three corners of the picture lie: it knows crop box, /Rotate and /UserUnit."""

    def place(x: int, y: int) -> tuple[float, float]:
        page_x, page_y = ctypes.c_double(), ctypes.c_double()
        pdfium.FPDF_DeviceToPage(page, 0, 0, width, height, 0, x, y, page_x, page_y)
        return page_x.value, page_y.value

    (e, f), (right_x, right_y), (low_x, low_y) = place(0, 0), place(width, 0), place(0, height)
    return (right_x - e) / width, (right_y - f) / width, (low_x - e) / height, (low_y - f) / height, e, f
