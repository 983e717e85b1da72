"""What `services.text.slices` promises."""

from hypothesis import given
from hypothesis import strategies as st

from services.text.chunks import Span
from services.text.slices import MARK, Sizes, fitted, joined, places

SHIPPED = Sizes(over=260_000, head=120_000, middle=20_000, tail=120_000)
LENGTHS = st.integers(min_value=0, max_value=500)
SIZES = st.builds(Sizes, over=LENGTHS, head=LENGTHS, middle=LENGTHS, tail=LENGTHS)


def test_places__a_text_up_to_the_limit_is_whole() -> None:
    assert places(260_000, SHIPPED) == (Span(0, 260_000),)
    assert places(0, SHIPPED) == (Span(0, 0),)


def test_places__one_character_more_is_cut_to_head_middle_tail() -> None:
    head, middle, tail = places(260_001, SHIPPED)
    assert [span.end - span.start for span in (head, middle, tail)] == [120_000, 20_000, 120_000]
    assert (head.start, tail.end) == (0, 260_001)


def test_places__the_middle_is_in_the_middle() -> None:
    _, middle, _ = places(1_000_000, SHIPPED)
    assert middle == Span(490_000, 510_000)


@given(LENGTHS, SIZES)
def test_places__are_in_order_within_the_text_and_apart(chars: int, sizes: Sizes) -> None:
    spans = places(chars, sizes)
    assert len(spans) in {1, 3}
    ends = [edge for span in spans for edge in (span.start, span.end)]
    assert ends == sorted(ends)
    assert ends[0] == 0
    assert ends[-1] == chars


def test_joined__has_a_mark_between_two_slices() -> None:
    assert joined(["a", "b", "c"]) == f"a{MARK}b{MARK}c"
    assert joined(["whole"]) == "whole"


def test_fitted__what_fits_stays_as_it_is() -> None:
    assert fitted(["whole text"], SHIPPED, len, 10) == ("whole text",)
    assert fitted(["whole text"], SHIPPED, len, None) == ("whole text",)


@given(st.text(max_size=400), SIZES.filter(lambda sizes: sizes.head + sizes.middle + sizes.tail > 0), LENGTHS)
def test_fitted__takes_no_more_than_the_room(text: str, sizes: Sizes, room: int) -> None:
    spans = places(len(text), sizes)
    parts = fitted([text[span.start : span.end] for span in spans], sizes, len, room)
    assert len(joined(parts)) <= room or not any(parts)
    assert text.startswith(parts[0])
    assert text.endswith(parts[-1])
    assert all(part in text for part in parts)


def test_fitted__uses_most_of_the_room_and_keeps_the_shares() -> None:
    text = "".join(chr(0xAC00 + n % 11_000) for n in range(100_000))
    head, middle, tail = fitted([text], SHIPPED, len, 10_000)
    assert 7_000 < len(head + middle + tail) <= 10_000
    assert len(head) == len(tail) or abs(len(head) - len(tail)) < 10
    assert 5 < len(head) / len(middle) < 7
