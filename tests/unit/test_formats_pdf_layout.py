"""PDF: reading order, turned pages, headers and footers, broken words, bookmarks; each with its places on the paper."""

from collections.abc import Sequence

import pytest

from services.formats import registry
from services.formats.page import Heading, Page
from services.formats.pdf_ink import LETTERLESS, PICTURE
from services.formats.source import Source
from tests.fakes.pdf_sheets import Mark, Sheet, Text, column, grey, sheets

SIZE = 9.0
LEFT_X, RIGHT_X = 50.0, 320.0
LEFT = [f"left column line {number} goes" for number in range(8)]
RIGHT = [f"right column line {number} end" for number in range(8)]
WHITE = b"1 g 0 0 595 842 re f\n"


def pages_of(content: bytes) -> list[Page]:
    _, *pages = registry.parse(Source(content, "a.pdf", 2**20))
    return [page for page in pages if isinstance(page, Page)]


def one(*texts: Text, rotate: int = 0) -> Page:
    (page,) = pages_of(sheets([Sheet(texts, rotate)]))
    return page


def side_by_side(left: Sequence[str], right: Sequence[str], drop: float = 0.0, top: float = 700) -> list[Text]:
    """Draw two columns line by line, the right one lower by `drop` points."""
    texts = []
    for number, (one_side, other) in enumerate(zip(left, right, strict=True)):
        y = top - 14 * number
        texts += [Text(LEFT_X, y, one_side, SIZE), Text(RIGHT_X, y - drop, other, SIZE)]
    return texts


def spot(page: Page, words: str) -> tuple[float, float, float, float]:
    """Give what a viewer would mark for words of a page: the union over all lines."""
    start = page.text.index(words)
    end = start + len(words)
    boxes = []
    for line in page.lines:
        begin, stop = max(start, line.start), min(end, line.end)
        if begin < stop:
            boxes.append((line.x[begin - line.start], line.y0, line.x[stop - line.start], line.y1))
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


# -- columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [0.0, 7.0], ids=["on one line", "taking turns"])
def test_parse__reads_columns_that_were_drawn_line_by_line_one_after_the_other(drop: float) -> None:
    page = one(*side_by_side(LEFT, RIGHT, drop))
    assert page.text.split("\n") == [*LEFT, *RIGHT]
    assert spot(page, RIGHT[2])[0] == RIGHT_X
    assert spot(page, LEFT[7])[0] == LEFT_X


def test_parse__reads_headings_across_the_columns_where_they_stand() -> None:
    heading = Text(LEFT_X, 560, "A heading that goes across both of the columns here", SIZE)
    texts = [
        Text(150, 740, "The title of the page in the middle", SIZE),
        *side_by_side(LEFT, RIGHT),
        heading,
        *side_by_side([f"lower {line}" for line in LEFT], [f"lower {line}" for line in RIGHT], top=530),
        Text(290, 60, "7", SIZE),
    ]
    expected = [texts[0].text, *LEFT, *RIGHT, heading.text]
    assert one(*texts).text.split("\n")[: len(expected)] == expected


def test_parse__leaves_columns_alone_that_were_drawn_one_after_the_other() -> None:
    texts = [*column(LEFT_X, LEFT, 700, SIZE, 14), *column(RIGHT_X, RIGHT, 700, SIZE, 14)]
    assert one(*texts).text.split("\n") == [*LEFT, *RIGHT]


def test_parse__reads_tables_and_forms_across() -> None:
    labels = [f"Item {number}" for number in range(10)]
    values = [f"the value of item {number} in words" for number in range(10)]
    page = one(*side_by_side(labels, values))
    assert page.text.split("\n") == [f"{label} {value}" for label, value in zip(labels, values, strict=True)]


def test_parse__leaves_a_page_with_few_lines_beside_one_another_alone() -> None:
    page = one(*side_by_side(LEFT[:4], RIGHT[:4]))
    assert page.text.split("\n")[0] == f"{LEFT[0]} {RIGHT[0]}"


# -- turned pages ------------------------------------------------------------------------------------------------------

PLACES = {0: (100.0, 700.0), 90: (100.0, 100.0), 180: (500.0, 100.0), 270: (300.0, 700.0)}
DOWN = {0: (0, -20), 90: (20, 0), 180: (0, 20), 270: (-20, 0)}


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_parse__reads_turned_text_and_places_its_words(angle: int, rotate: int) -> None:
    lines = [f"line {number} of the page" for number in range(6)]
    (x, y), (right, up) = PLACES[angle], DOWN[angle]
    page = one(*(Text(x + right * n, y + up * n, line, 10, angle) for n, line in enumerate(lines)), rotate=rotate)
    assert page.text.split("\n") == lines
    for number in (0, 5):
        left, bottom, far, top = spot(page, f"line {number} of the page")
        across, along = (far - left, top - bottom) if angle in (0, 180) else (top - bottom, far - left)
        assert across == pytest.approx(10 * 18, abs=0.5)
        assert along == pytest.approx(10, abs=0.5)
    word, line = spot(page, "5"), spot(page, "line 5")
    assert word != line
    assert line[0] <= word[0] <= word[2] <= line[2]
    assert line[1] <= word[1] <= word[3] <= line[3]


# -- headers and footers -----------------------------------------------------------------------------------------------


def book(pages: int, header: str = "Safety handbook", start: int = 1) -> list[Sheet]:
    """Give pages with a header, text that differs, and a page number."""
    return [
        Sheet(
            [
                Text(200, 800, header.format(n=number), 10),
                *column(72, [f"Paragraph {number}-{line} tells of {'abcdefgh'[line]}" for line in range(5)], size=10),
                Text(290, 40, str(number + start), 10),
            ]
        )
        for number in range(pages)
    ]


def test_parse__leaves_out_headers_and_page_numbers_after_their_first_appearance() -> None:
    pages = pages_of(sheets(book(13)))
    assert pages[0].text.startswith("Safety handbook\nParagraph 0-0")
    assert pages[0].text.endswith("\n1")
    for page in pages[1:]:
        assert page.text.startswith(f"Paragraph {page.number - 1}-0 tells")
        assert page.text.endswith("tells of e")
        first = page.lines[0]
        assert page.text[first.start : first.end] == f"Paragraph {page.number - 1}-0 tells of a"


def test_parse__leaves_out_headers_of_left_and_right_pages() -> None:
    left, right = book(12, "Safety handbook"), book(12, "Chapter two")
    pages = pages_of(sheets([(left if number % 2 else right)[number] for number in range(12)]))
    assert sum("Safety handbook" in page.text for page in pages) == 1
    assert sum("Chapter two" in page.text for page in pages) == 1


def test_parse__keeps_a_number_at_the_foot_that_does_not_count_with_the_pages() -> None:
    totals = ["17", "940", "3", "512", "86", "71"]
    pages = [Sheet([*page.texts[:-1], Text(290, 40, totals[n], 10)]) for n, page in enumerate(book(6))]
    assert [page.text.rsplit("\n", 1)[1] for page in pages_of(sheets(pages))] == totals


def test_parse__keeps_numbered_headings_below_a_header() -> None:
    pages = [
        Sheet([*page.texts[:1], Text(72, 780, f"{number + 1}. Duties", 10), *page.texts[1:]])
        for number, page in enumerate(book(8))
    ]
    for page in pages_of(sheets(pages)):
        assert f"{page.number}. Duties" in page.text


def test_parse__keeps_headings_that_are_larger_than_the_text() -> None:
    pages = [Sheet([Text(72, 800, "Notice", 16), *page.texts[1:]]) for page in book(8)]
    assert all(page.text.startswith("Notice") for page in pages_of(sheets(pages)))


def test_parse__keeps_lines_that_stand_in_the_text_elsewhere() -> None:
    said = "The record is kept for three years"
    pages = [Sheet([*page.texts[:-1], Text(72, 60, said, 10)]) for page in book(8)]
    pages[3] = Sheet([*pages[3].texts[:4], Text(72, 660, said, 10), *pages[3].texts[5:]])
    found = pages_of(sheets(pages))
    assert [page.number for page in found if page.text.endswith(said)] == list(range(1, 9))


def test_parse__asks_for_three_pages_with_the_same_header() -> None:
    assert all("Safety handbook" in page.text for page in pages_of(sheets(book(2))))


def test_parse__keeps_pages_that_hold_nothing_but_what_repeats() -> None:
    pages = pages_of(sheets([Sheet([Text(200, 800, "Left blank on purpose", 10)])] * 5))
    assert all(page.text == "Left blank on purpose" for page in pages)


# -- broken words ------------------------------------------------------------------------------------------------------


def test_parse__joins_an_english_word_that_a_hyphen_breaks_and_marks_both_lines() -> None:
    page = one(*column(72, ["the yearly inspec-", "tion of the pump", "in the boiler room"], leading=16))
    assert page.text == "the yearly inspection of the pump\nin the boiler room"
    first, second, _ = page.lines
    assert page.text[first.start : first.end] == "the yearly inspec"
    assert page.text[second.start : second.end] == "tion of the pump"
    assert (first.y0, second.x[0]) == (pytest.approx(second.y0 + 16, abs=0.2), 72.0)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["made by Weiss-", "Konrad and sons"], "made by Weiss-Konrad and sons"),
        (["pressure 12-", "34 bar"], "pressure 12-\n34 bar"),
        (["an x-", "ray of it"], "an x-ray of it"),
        (["a well-known pump, as well-", "known as any"], "a well-known pump, as well-known as any"),
        (["and then -", "nothing"], "and then -\nnothing"),
        (["가나-", "다라"], "가나-다라"),
    ],
)
def test_parse__keeps_hyphens_that_are_not_at_the_break_of_a_word(lines: list[str], text: str) -> None:
    assert one(*column(72, lines, leading=16)).text == text


def wrapped(text: str, width: int, drop_spaces: bool = False) -> list[str]:
    """Break at every `width` characters, as word processors do with Korean; or at spaces, and drop them."""
    if not drop_spaces:
        return [text[start : start + width] for start in range(0, len(text), width)]
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += f"{word} "
    return lines


KOREAN = "안전밸브의 작동 압력은 최고사용압력의 이하로 하고 점검은 두 사람이 함께 하며 결과를 그날 적는다 " * 6


def test_parse__joins_korean_lines_where_the_document_breaks_them_inside_words() -> None:
    page = one(*column(50, wrapped(KOREAN, 20), top=780, leading=16))
    assert "".join(page.text.split("\n")).split() == KOREAN.split()
    assert set(page.text.replace("\n", " ").split()) <= set(KOREAN.split())
    for line in page.lines:
        assert len(line.x) == line.end - line.start + 1
        assert line.x[0] == 50.0


def test_parse__leaves_korean_lines_that_break_at_spaces() -> None:
    lines = [line.rstrip() for line in wrapped(KOREAN, 20, drop_spaces=True)]
    assert one(*column(50, lines, top=780, leading=16)).text == "\n".join(lines)


# -- bookmarks ---------------------------------------------------------------------------------------------------------


def test_parse__gives_bookmarks_as_headings_at_the_lines_they_lead_to() -> None:
    pages = [
        Sheet(column(72, ["Front matter", "1. Scope", "It applies to all.", "2. Terms", "A valve is a valve."])),
        Sheet(column(72, ["3. Duties", "The owner inspects."])),
        Sheet(picture=grey()),
    ]
    inner = [Mark("Terms in short", 1, 672)]
    marks = [Mark("1. Scope", 1, 712), Mark("2. Terms", 1, None, inner), Mark("3. Duties", 2), Mark("Plate", 3)]
    first, second, third = pages_of(sheets(pages, marks))
    text = first.text
    assert first.headings == (
        Heading(text.index("1. Scope"), 1, "1. Scope"),
        Heading(text.index("2. Terms"), 1, "2. Terms"),
        Heading(text.index("2. Terms"), 2, "Terms in short"),
    )
    assert second.headings == (Heading(0, 1, "3. Duties"),)
    assert (third.origin, third.headings) == ("unread", (Heading(0, 1, "Plate"),))


# -- pages without text ------------------------------------------------------------------------------------------------


def test_parse__tells_pictures_from_blank_pages() -> None:
    drawn = Sheet(paths=b"0 g 100 100 200 200 re f\n")
    pages = pages_of(
        sheets([Sheet([Text(72, 720, "text")]), Sheet(picture=grey()), Sheet(), Sheet(paths=WHITE), drawn])
    )
    assert [(page.origin, page.note) for page in pages] == [
        ("text", ""),
        ("unread", PICTURE),
        ("text", ""),
        ("text", ""),
        ("unread", PICTURE),
    ]


def test_parse__gives_a_scan_as_unread_pages() -> None:
    assert [page.origin for page in pages_of(sheets([Sheet(picture=grey())] * 3))] == ["unread"] * 3


def test_parse__takes_letters_that_no_font_names_for_a_picture() -> None:
    (page,) = pages_of(
        sheets([Sheet(column(72, ["the valve opens at 1.2 MPa", "안전밸브의 작동 압력"]))], mapped=False)
    )
    assert (page.text, page.origin, page.note) == ("", "unread", LETTERLESS)


def test_parse__leaves_a_few_private_signs_in_a_text_alone() -> None:
    page = one(*column(72, ["\uf0b7 first of the points", "\uf0b7 second of the points"]))
    assert page.origin == "text"
    assert "second of the points" in page.text
