"""What `services.text.chunks` promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.chunks import BLOCK_CHARS, MAX_CHARS, Span, split

PAGES = st.text(
    alphabet=st.one_of(
        st.sampled_from("가나다 .\n\n#-|`*\t\r\u3000\u0085ab1"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=600,
)
PARAGRAPH = "안전밸브는 설계 압력 이하에서 작동하여야 한다. " * 18


def texts(page: str, spans: list[Span]) -> list[str]:
    return [page[span.start : span.end] for span in spans]


@given(PAGES, st.booleans(), st.integers(1, 80), st.integers(20, 80))
def test_split__puts_every_character_in_one_span(page: str, markdown: bool, low: int, high: int) -> None:
    spans = split(page, markdown=markdown, min_chars=low, max_chars=high)
    held = [index for span in spans for index in range(span.start, span.end)]
    assert held == sorted(set(held))
    assert {index for index, char in enumerate(page) if not char.isspace()} <= set(held)


@given(PAGES, st.booleans())
def test_split__trims_its_spans(page: str, markdown: bool) -> None:
    for piece in texts(page, split(page, markdown=markdown, min_chars=10, max_chars=40)):
        assert piece
        assert piece == piece.strip()


@given(PAGES, st.integers(1, 80), st.integers(20, 80))
def test_split__keeps_to_the_limit(page: str, low: int, high: int) -> None:
    assert all(len(piece) <= high for piece in texts(page, split(page, min_chars=low, max_chars=high)))


def test_split__cuts_a_line_without_borders() -> None:
    page = "가" * (3 * MAX_CHARS + 1)
    assert len(split(page)) == 4


def test_split__leaves_natural_passages_apart() -> None:
    page = f"{PARAGRAPH.strip()}\n\n{PARAGRAPH.strip()}\n\n{PARAGRAPH.strip()}"
    assert texts(page, split(page, markdown=True)) == [PARAGRAPH.strip()] * 3


def test_split__joins_short_paragraphs() -> None:
    page = "하나.\n\n둘.\n\n셋."
    assert split(page) == [Span(0, len(page))]


@pytest.mark.parametrize("heading", ["# 제목", "# 제목\n\n## 작은 제목"])
def test_split__never_leaves_a_heading_alone(heading: str) -> None:
    body = "가" * MAX_CHARS
    page = f"{heading}\n\n{body}"
    assert split(page, markdown=True) == [Span(0, len(page))]


def test_split__counts_from_the_page_beyond_a_block() -> None:
    page = "\n\n".join(f"{index} {PARAGRAPH}" for index in range(2 * BLOCK_CHARS // len(PARAGRAPH)))
    pieces = texts(page, split(page, markdown=True))
    assert [int(piece.split()[0]) for piece in pieces] == list(range(len(pieces)))


def test_split__of_blank_text_is_empty() -> None:
    assert split(" \n\t ") == []


def test_split__refuses_a_lone_surrogate() -> None:
    with pytest.raises(UnicodeEncodeError):
        split("a\ud800")
