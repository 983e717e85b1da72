"""A frame of a picture file as a picture for recognition: upright, in grey, on white, within the limit of pixels."""

import io
import warnings
from math import sqrt

from PIL import Image, ImageOps, UnidentifiedImageError

from services.formats.page import FormatError
from services.formats.picture import MAX_EDGE_PIXELS, Picture
from services.formats.source import Source

MAX_DECODED_PIXELS = 200_000_000
"""A larger picture is not unpacked: in colour it would take 600 MB."""
_FAST = 1  # of zlib, as in pdf_draw
_ERRORS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)  # what Pillow says of a damaged file


def draw(source: Source, page: int, dpi: int, max_pixels: int) -> Picture:
    """Give frame `page` (1-based) in grey.

    Raises:
        FormatError: "too_large"; "corrupt", also for a frame that is not there.
    """
    Image.MAX_IMAGE_PIXELS = None  # the limit is kept below, before anything is unpacked
    try:
        with warnings.catch_warnings(), source.open() as file, Image.open(file) as image:
            warnings.simplefilter("ignore")
            image.seek(page - 1)
            if image.width * image.height > MAX_DECODED_PIXELS:
                raise FormatError("too_large", "The picture has too many pixels; save it smaller and add that.")
            image.draft("L", image.size)  # JPEG alone: decoded to grey at once, in a third of the memory
            return _drawn(_grey(_upright(image)), max_pixels)
    except _ERRORS as error:
        message = "The picture is cut off or damaged; get it again from where it came from."
        raise FormatError("corrupt", message, repr(error)) from error


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) or image


def _grey(image: Image.Image) -> Image.Image:
    """Give shades of grey; what is transparent is white, as on a page."""
    if image.mode.startswith(("I", "F")):
        low, high = image.getextrema()
        span = max(float(high) - float(low), 1.0)  # type: ignore[arg-type]  # one band: two numbers
        return image.convert("F").point(lambda value: value * (255 / span) - float(low) * 255 / span).convert("L")  # type: ignore[arg-type]
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    seen = image.convert("RGBA")
    ground = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(ground, seen).convert("L")


def _drawn(image: Image.Image, max_pixels: int) -> Picture:
    shrink = min(1.0, sqrt(max_pixels / (image.width * image.height)), MAX_EDGE_PIXELS / max(image.size))
    drawn = image if shrink == 1.0 else image.resize((_scaled(image.width, shrink), _scaled(image.height, shrink)))
    file = io.BytesIO()
    drawn.save(file, "PNG", compress_level=_FAST)
    across, down = image.width / drawn.width, image.height / drawn.height
    to_page = (across, 0.0, 0.0, -down, 0.0, float(image.height))
    return Picture(file.getvalue(), drawn.width, drawn.height, to_page)


def _scaled(edge: int, shrink: float) -> int:
    return max(int(edge * shrink), 1)
