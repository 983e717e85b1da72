"""Whether a page of a PDF without usable text shows something all the same, so that recognition would help.

A page is blank when nothing is drawn on it; a page whose fonts do not say which letters they draw has text that is
none, and counts as a picture.
"""

import re
from typing import Any

import pypdfium2.raw as pdfium

from services.text.normalise import normalise

PICTURE = (
    "This page is a picture without text; it needs text recognition (tesseract with kor+eng, or a model that sees)."
)
LETTERLESS = (
    "This page draws letters without saying which they are; it needs text recognition (tesseract with kor+eng, or a "
    "model that sees)."
)
# What a glyph without a Unicode value becomes: private use, replacement, or its bare number. PDFium's own marks for a
# hyphen (U+0002, U+FFFE) are none of these.
_NO_LETTER = re.compile("[\x00\x01\x03-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufffc\ufffd\U000f0000-\U0010fffd]")
_LETTER = re.compile("[^\\s\x00-\x1f\x7f-\x9f\ufeff\ufffe]")
_BARE = re.compile("[\x00\x01\x03-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_MIN_CHARS = 20  # a page with fewer may be one of symbols, bullets and arrows, in a font of its own
_JUNK_SHARE = 0.5  # pages of honest text have some: icons, pieces of formulas, dingbats
_LOOK_SCALE = 0.25  # 18 dpi: a hairline still leaves a grey pixel
_WHITE_SPAN = 2  # shades between the lightest and the darkest pixel of a page with nothing on it


def missing(page: Any, characters: str) -> str:
    """Say in a sentence why a page has no usable text, "" when it has, or when there is nothing on it.

    Args:
        page: of PDFium, loaded.
        characters: of it, as PDFium gives them.
    """
    if is_junk(characters):
        return LETTERLESS
    if _LETTER.search(characters):
        return ""
    return PICTURE if _shows_something(page) else ""


def is_junk(characters: str) -> bool:
    """Say whether most of a text is no letters at all; a short one is given the benefit of the doubt."""
    signs = len("".join(characters.split()))
    if signs < _MIN_CHARS or len(_NO_LETTER.findall(characters)) <= _JUNK_SHARE * signs:
        return False
    # Old Korean letters stand in private use, too; normalised they are letters.
    return len(_NO_LETTER.findall(normalise(_BARE.sub("\ufffd", characters)))) > _JUNK_SHARE * signs


def _shows_something(page: Any) -> bool:
    count = pdfium.FPDFPage_CountObjects(page)
    if count == 0:
        return False
    kinds = {pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, index)) for index in range(count)}
    return pdfium.FPDF_PAGEOBJ_IMAGE in kinds or _has_ink(page)


def _has_ink(page: Any) -> bool:
    """Draw the page small: paths may be a white ground, forms may be empty, glyphs may be spaces."""
    bitmap = page.render(scale=_LOOK_SCALE, grayscale=True)
    try:
        shades = bytes(bitmap.buffer)
        rows = (shades[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height))
        seen = [(min(row), max(row)) for row in rows if row]
    finally:
        bitmap.close()
    return max(high for _, high in seen) - min(low for low, _ in seen) >= _WHITE_SPAN
