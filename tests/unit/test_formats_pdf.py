"""PDF: pages, the place of each character, and what is refused."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.formats import registry
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source
from services.text.normalise import normalise
from tests.fakes import pdf_writer
from tests.fakes.pdf_writer import LEFT, SIZE


def parse(content: bytes, filename: str = "a.pdf") -> tuple[Header, list[Page]]:
    header, *pages = registry.parse(Source(content, filename, 2**20))
    assert isinstance(header, Header)
    return header, [page for page in pages if isinstance(page, Page)]


def refusal(content: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        parse(content)
    return caught.value.code


def test_parse__keeps_page_numbers_around_a_page_without_text() -> None:
    header, pages = parse(pdf_writer.pdf([[], ["점검 기준"], [], ["Pump Q-7"]], title="기준서.hwp"))
    assert header == Header("application/pdf", "기준서")
    assert [(page.number, page.label, page.text) for page in pages] == [
        (1, "1", ""),
        (2, "2", "점검 기준"),
        (3, "3", ""),
        (4, "4", "Pump Q-7"),
    ]


def test_parse__says_where_each_character_stands() -> None:
    _, pages = parse(pdf_writer.pdf([["밸브 A-1", "둘째 줄"]]))
    first, second = pages[0].lines
    assert pages[0].text[second.start : second.end] == "둘째 줄"
    assert first.x == tuple(float(LEFT + SIZE * place) for place in range(7))
    assert second.y0 < second.y1 <= first.y0 < pdf_writer.TOP < first.y1


def test_parse__places_a_composed_syllable_over_all_its_letters() -> None:
    _, pages = parse(pdf_writer.pdf([[unicodedata.normalize("NFD", "각") + "다"]]))
    assert pages[0].text == "각다"
    assert pages[0].lines[0].x == (LEFT, LEFT + 3 * SIZE, LEFT + 4 * SIZE)


def test_parse__keeps_places_right_after_a_character_beyond_the_bmp() -> None:
    _, pages = parse(pdf_writer.pdf([["가𠀀나"]]))
    line = pages[0].lines[0]
    assert pages[0].text == "가𠀀나"
    assert line.x[0] == LEFT
    assert line.x[-1] == LEFT + 3 * SIZE


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("가각나ab1\u1100\u1161\u11a8\u0301é\ufeff𠀀", min_size=1, max_size=12), min_size=1, max_size=4))
def test_parse__gives_lines_that_fit_their_text(lines: list[str]) -> None:
    try:
        _, pages = parse(pdf_writer.pdf([["start", *lines]]))
    except FormatError:
        return
    for page in pages:
        assert normalise(page.text) == page.text
        for line in page.lines:
            assert len(line.x) == line.end - line.start + 1
            assert page.text[line.start : line.end].strip()
            assert "\n" not in page.text[line.start : line.end]


def test_parse__tells_locked_broken_and_scanned_apart() -> None:
    whole = pdf_writer.pdf([["점검"]])
    assert refusal(pdf_writer.pdf([["점검"]], locked=True)) == "encrypted"
    assert refusal(whole[: len(whole) // 3]) == "corrupt"
    assert refusal(pdf_writer.pdf([[], []])) == "empty"
    loop = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 2/Kids[2 0 R 2 0 R]>>"]
    assert refusal(pdf_writer.assemble(loop)) == "corrupt"


def test_parse__reads_a_pdf_behind_garbage_and_under_another_name() -> None:
    content = b"HTTP/1.1 200 OK\r\n\r\n" + pdf_writer.pdf([["점검"]])
    header, pages = parse(content, "a.docx")
    assert (header.media_type, pages[0].text) == ("application/pdf", "점검")
