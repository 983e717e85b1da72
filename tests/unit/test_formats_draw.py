"""Pages as pictures: what is drawn, where its pixels lie on the page, what is refused."""

import asyncio
import io
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.formats.limits import Limits
from services.formats.page import FormatError
from services.formats.picture import MAX_PIXELS, Picture
from services.formats.sandbox import Reader
from tests.fakes import pdf_writer
from tests.fakes.pdf_sheets import HEIGHT, WIDTH, Sheet, grey, sheets

SQUARE = b"0 g 100 200 50 30 re f\n"


def run(task: Coroutine[Any, Any, Picture]) -> Picture:
    return asyncio.run(asyncio.wait_for(task, 60))


async def drawn(content: bytes, page: int = 1, dpi: int = 72, limits: Limits | None = None, **more: int) -> Picture:
    async with Reader(limits) as reader:
        return await reader.draw(content, "a", page, dpi, **more)


def refusal(content: bytes, page: int = 1, limits: Limits | None = None) -> str:
    with pytest.raises(FormatError) as caught:
        run(drawn(content, page, 72, limits))
    return caught.value.code


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.png))
    assert (image.mode, image.size) == ("L", (picture.width, picture.height))
    return image


def dark_box(picture: Picture) -> tuple[float, ...]:
    """Give where the dark pixels lie on the page."""
    box = opened(picture).point(lambda shade: 255 if shade < 100 else 0).getbbox()
    assert box is not None
    return picture.box(*box)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_draw__shows_the_page_as_seen_and_knows_where_its_pixels_lie(rotate: int) -> None:
    picture = run(drawn(sheets([Sheet(paths=SQUARE, rotate=rotate)]), dpi=144))
    upright = (WIDTH * 2, HEIGHT * 2)
    assert (picture.width, picture.height) == (upright if rotate in (0, 180) else upright[::-1])
    assert picture.points_per_pixel == pytest.approx(0.5, abs=0.001)
    assert dark_box(picture) == pytest.approx((100, 200, 150, 230), abs=1)


def test_draw__knows_the_place_of_a_page_that_does_not_begin_at_nought() -> None:
    picture = run(drawn(sheets([Sheet(paths=SQUARE, box=(80, 150, 380, 450))])))
    assert (picture.width, picture.height) == (300, 300)
    assert dark_box(picture) == pytest.approx((100, 200, 150, 230), abs=1)


def test_draw__takes_the_page_that_was_asked_for_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(sheets([Sheet(), Sheet(paths=SQUARE)]))

    async def both() -> Picture:
        async with Reader() as reader:
            blank = await reader.draw(path, path.name, 1, 72)
            assert opened(blank).getextrema() == (255, 255)
            pid = reader.pid
            picture = await reader.draw(path, path.name, 2, 72)
            assert (await reader.read(b"text", "a.txt")).pages[0].text == "text"
            assert reader.pid == pid
            return picture

    assert dark_box(run(both())) == pytest.approx((100, 200, 150, 230), abs=1)


def test_draw__keeps_huge_pages_within_the_limit_of_pixels() -> None:
    plan = sheets([Sheet(paths=SQUARE, box=(0, 0, 9_000, 12_000))])
    picture = run(drawn(plan, dpi=300))
    assert 0.98 * MAX_PIXELS < picture.width * picture.height < 1.001 * MAX_PIXELS
    small = run(drawn(plan, dpi=300, max_pixels=1_000_000))
    assert small.width * small.height < 1_003_000
    assert dark_box(small) == pytest.approx((100, 200, 150, 230), abs=12)


def test_draw__refuses_pages_that_are_not_there_and_files_without_pages() -> None:
    content = sheets([Sheet(picture=grey())])
    assert refusal(content, 2) == "corrupt"
    assert refusal(b"some text") == "unsupported_format"
    assert refusal(pdf_writer.pdf([["a"]], locked=True)) == "encrypted"


def test_draw__ends_what_takes_too_long() -> None:
    assert refusal(pdf_writer.bomb(2**27), limits=Limits(time_s=0.2)) == "too_large"


def saved(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def spotted(mode: str, ground: Any, spot: Any) -> Image.Image:
    image = Image.new(mode, (60, 40), ground)
    image.paste(spot, (10, 5, 20, 15))
    return image


@pytest.mark.parametrize(
    "content",
    [
        saved(spotted("RGB", "white", "black")),
        saved(spotted("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))),
        saved(spotted("L", 255, 0).convert("1")),
        saved(spotted("I;16", 65_535, 0)),
        saved(spotted("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)), "TIFF"),
        saved(spotted("RGB", "white", "black"), "JPEG", quality=95),
        saved(spotted("L", 255, 0), "WEBP", lossless=True),
    ],
    ids=["colour", "transparent", "two shades", "16 bits", "cmyk", "jpeg", "webp"],
)
def test_draw__shows_any_kind_of_picture_in_grey_on_white(content: bytes) -> None:
    picture = run(drawn(content))
    assert (picture.width, picture.height) == (60, 40)
    assert dark_box(picture) == pytest.approx((10, 25, 20, 35), abs=1)
    assert opened(picture).getpixel((50, 30)) >= 250


def test_draw__sets_a_photograph_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned a quarter to the right
    picture = run(drawn(saved(spotted("RGB", "white", "black"), "JPEG", quality=95, exif=exif)))
    assert (picture.width, picture.height) == (40, 60)


def test_draw__takes_the_frame_that_was_asked_for() -> None:
    frames = [spotted("L", 255, shade) for shade in (250, 0, 250)]
    content = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert dark_box(run(drawn(content, page=2))) == pytest.approx((10, 25, 20, 35), abs=1)
    assert refusal(content, 4) == "corrupt"


def test_draw__makes_a_large_photograph_smaller_and_still_knows_its_places() -> None:
    image = Image.new("L", (3000, 2000), 255)
    image.paste(0, (1500, 1000, 2100, 1600))
    picture = run(drawn(saved(image), max_pixels=1_500_000))
    assert picture.width * picture.height <= 1_500_000
    assert dark_box(picture) == pytest.approx((1500, 400, 2100, 1000), abs=4)


def test_draw__refuses_pictures_that_are_damaged_or_unpack_to_too_much() -> None:
    whole = saved(spotted("RGB", "white", "black"))
    assert refusal(whole[: len(whole) // 2]) == "corrupt"
    assert refusal(saved(Image.new("1", (20_000, 20_000)))) == "too_large"
