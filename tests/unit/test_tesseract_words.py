"""What tesseract printed -> text and places."""

import pytest

from services.formats.picture import Picture
from services.formats.tesseract_words import read_output

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
UPRIGHT = Picture(b"", 1000, 2000, (0.5, 0.0, 0.0, -0.5, 0.0, 1000.0))
TURNED = Picture(b"", 2000, 1000, (0.0, 0.5, 0.5, 0.0, 0.0, 0.0))  # of a page with /Rotate 90

Cell = tuple[int, str, int, int]


def printed(lines: list[list[Cell]], plain: str, heights: int = 40) -> str:
    """Write rows for lines of words (word number, text, left, width), 100 pixels apart, then the plain text."""
    rows = [HEAD, "1\t1\t0\t0\t0\t0\t0\t0\t1000\t2000\t-1\t"]
    for number, words in enumerate(lines, 1):
        rows.append(f"4\t1\t1\t1\t{number}\t0\t0\t{100 * number}\t900\t{heights}\t-1\t")
        for word, text, left, width in words:
            box = f"{left}\t{100 * number - 7}\t{width}\t{heights + 20}"
            rows.append(f"5\t1\t1\t1\t{number}\t{word}\t{box}\t91.5\t{text}")
    return "\n".join(rows) + "\n" + plain


def test_read_output__takes_the_text_from_the_text_and_the_places_from_the_words() -> None:
    words = [[(1, "점검", 100, 80), (2, "번", 200, 40), (3, "호는", 240, 80)], [(1, "A-1", 100, 60)]]
    text, lines = read_output(printed(words, "점검 번호는\nA-1\n\f"), UPRIGHT)
    assert text == "점검 번호는\nA-1"
    first, second = lines
    assert (first.start, first.end, second.start, second.end) == (0, 6, 7, 10)
    assert first.x == (50.0, 70.0, 90.0, 100.0, 120.0, 140.0, 160.0)
    assert (first.y0, first.y1) == (930.0, 950.0)
    assert second.x == (50.0, 60.0, 70.0, 80.0)


def test_read_output__keeps_one_blank_line_between_paragraphs() -> None:
    text, lines = read_output(printed([[(1, "one", 0, 30)], [(1, "two", 0, 30)]], "\none\n\n \ntwo\n\n\f"), UPRIGHT)
    assert text == "one\n\ntwo"
    assert [text[line.start : line.end] for line in lines] == ["one", "two"]


def test_read_output__goes_by_the_words_where_the_two_do_not_agree() -> None:
    words = [[(1, "one", 0, 30), (2, "word", 50, 40)], [(1, "next", 0, 40)]]
    text, lines = read_output(printed(words, "something else\n"), UPRIGHT)
    assert text == "one word\nnext"
    assert lines[0].x == (0.0, 5.0, 10.0, 15.0, 25.0, 30.0, 35.0, 40.0, 45.0)


def test_read_output__places_words_of_a_turned_page_one_by_one() -> None:
    text, lines = read_output(printed([[(1, "one", 100, 30), (2, "word", 150, 40)]], "one word\n"), TURNED)
    assert text == "one word"
    assert [(text[line.start : line.end], line.y0, line.y1) for line in lines] == [
        ("one", 50.0, 65.0),
        ("word", 75.0, 95.0),
    ]
    assert (lines[0].x[0], lines[0].x[-1]) == (50.0, 70.0)


@pytest.mark.parametrize("output", ["", HEAD, HEAD + "\n \n\f", "\f"])
def test_read_output__of_nothing_is_nothing(output: str) -> None:
    assert read_output(output, UPRIGHT) == ("", ())


def test_read_output__never_lets_the_edges_of_a_line_fall() -> None:
    words = [[(1, "가", 100, 60), (2, "나", 90, 30), (3, "다", 160, 20)]]
    text, (line,) = read_output(printed(words, "가나다\n"), UPRIGHT)
    assert text == "가나다"
    assert list(line.x) == sorted(line.x)


def test_read_output__gives_composed_text_with_as_many_edges() -> None:
    text, (line,) = read_output(printed([[(1, "\u1100\u1161나", 0, 90)]], "\u1100\u1161나\n"), UPRIGHT)
    assert text == "가나"
    assert len(line.x) == 3
