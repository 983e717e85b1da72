"""Pictures: their real type, a page per frame of a TIFF, nothing read yet; bombs and damage."""

import io
import struct

import pytest
from PIL import Image

from services.formats.image_draw import MAX_DECODED_PIXELS
from tests.fakes.parsing import parse, refusal


def picture(kind: str, frames: int = 1) -> bytes:
    file = io.BytesIO()
    first, *others = (Image.new("L", (40, 30), shade) for shade in range(frames))
    first.save(file, kind, **({"save_all": True, "append_images": others} if others else {}))
    return file.getvalue()


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "bmp", "webp"])
def test_parse__gives_an_unread_page(kind: str) -> None:
    header, pages = parse(picture(kind), "a.bin")
    assert (header.media_type, header.title) == (f"image/{kind}", "")
    assert [(page.number, page.text, page.origin) for page in pages] == [(1, "", "unread")]
    assert "text recognition" in pages[0].note


def test_parse__gives_a_page_per_frame_of_a_tiff_and_one_of_an_animation() -> None:
    assert [page.number for page in parse(picture("tiff", 3))[1]] == [1, 2, 3]
    assert len(parse(picture("gif", 3))[1]) == 1


def test_parse__refuses_bombs_by_their_size() -> None:
    file = bytearray(picture("bmp"))
    file[18:26] = struct.pack("<ii", MAX_DECODED_PIXELS // 1_000 + 1, 1_000)
    assert refusal(bytes(file)) == "too_large"


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp"])
def test_parse__tells_a_cut_picture(kind: str) -> None:
    file = picture(kind)
    assert refusal(file[: len(file) * 6 // 10]) == "corrupt"


def test_parse__refuses_kinds_that_phones_alone_read() -> None:
    assert refusal(b"\0\0\0\x18ftypheic" + bytes(99), "a.heic") == "unsupported_format"
