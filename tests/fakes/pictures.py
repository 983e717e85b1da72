"""Pictures of pages with text in a real font."""

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.fakes.pdf_sheets import HEIGHT, WIDTH, Grey

PIXELS_PER_POINT = 300 / 72


@cache
def korean_font() -> str:
    """Give the file of a font with Hangul; skips the test where there is none."""
    try:
        found = subprocess.run(["fc-match", "-f", "%{file}", "NanumGothic:lang=ko"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no fontconfig to ask for a Korean font")
    path = found.stdout.decode()
    if "anum" not in Path(path).name:
        pytest.skip("no Korean font is installed")
    return path


def drawn_page(lines: Sequence[str], size: float = 14) -> Grey:
    """Draw lines on an A4 page at 300 dpi, 72 points from the left, the first 72 from the top, 30 points apart."""
    font = ImageFont.truetype(korean_font(), round(size * PIXELS_PER_POINT))
    image = Image.new("L", (round(WIDTH * PIXELS_PER_POINT), round(HEIGHT * PIXELS_PER_POINT)), 255)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((72 * PIXELS_PER_POINT, (72 + 30 * number) * PIXELS_PER_POINT), line, font=font, fill=0)
    return Grey(image.width, image.height, image.tobytes())
