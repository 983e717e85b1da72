"""Pictures (PNG, JPEG, GIF, TIFF, BMP, WebP) -> one unread page per picture, for text recognition to read.

A TIFF has a page per picture in it, as scanners and fax machines write them; of an animation the first picture stands
for all. The first is decoded here, so that a damaged file is told at once.
"""

import warnings
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from services.formats import archive
from services.formats.image_draw import MAX_DECODED_PIXELS
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source

MAX_PICTURES = 5_000
"""Of one TIFF: a long fax roll; a file of empty entries would give millions."""
_FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
_MEDIA_TYPES = {"MPO": "image/jpeg"}  # a JPEG with a second view after it, as phones write them
_PAGED = frozenset({"TIFF"})
_NOTE = "This page is a picture; it needs text recognition (tesseract with kor+eng, or a model that sees)."
_DAMAGE = (UnidentifiedImageError, *archive.READ_ERRORS, SyntaxError, TypeError, IndexError, KeyError)


def parse(source: Source) -> Iterator[Header | Page]:
    """Give an unread page per picture. Raises FormatError: "corrupt", "too_large"."""
    with source.open() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are judged here
        image = _open(file)
        kind = image.format or ""
        yield Header(_MEDIA_TYPES.get(kind) or Image.MIME[kind], "")
        for number in range(1, _count(image) + 1):
            yield Page(number, str(number), "", origin="unread", note=_NOTE)


def _open(file: BinaryIO) -> Image.Image:
    try:
        image = Image.open(file, formats=_FORMATS)
        _check_size(image)
        image.draft("L", (1, 1))  # JPEG alone: as small as it decodes, yet to its end
        image.load()
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except _DAMAGE as error:
        raise archive.damaged(error) from error
    return image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise _too_large()


def _too_large() -> FormatError:
    return FormatError(
        "too_large", f"The picture has more than {MAX_DECODED_PIXELS:,} points; make it smaller or cut it."
    )


def _count(image: Image.Image) -> int:
    if image.format not in _PAGED:
        return 1
    number = 0
    try:
        for number in range(1, MAX_PICTURES + 1):
            image.seek(number)
            _check_size(image)
    except EOFError:
        return number
    except _DAMAGE as error:
        raise archive.damaged(error) from error
    raise FormatError("too_large", f"The file holds more than {MAX_PICTURES:,} pictures; split it.")
