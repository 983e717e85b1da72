"""The stored form of text, and where each of its characters came from."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from services.text.normalise import _composes_backwards, align, normalise

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60) | st.text(
    st.sampled_from("a\r\n\x00\f\ufeff\u0301\u0327각ᄀ각\ud83d\ude00\ufffe"), max_size=30
)


def test_normalise__gives_one_line_end_and_no_controls() -> None:
    assert normalise("a\r\nb\rc\fd\x00e\x07\tf\x7f\u0085g") == "a\nb\nc\nde\tf\ng"


def test_normalise__composes_decomposed_hangul() -> None:
    assert normalise(unicodedata.normalize("NFD", "점검 완료")) == "점검 완료"


def test_normalise__replaces_lone_surrogates_joins_pairs_and_drops_noncharacters() -> None:
    assert normalise("a\ud800b\ud83d\ude00\ufeff\ufffe\U0010ffff\ufdd0c") == "a\ufffdb😀c"


def test_normalise__leaves_private_use_characters_that_no_hangul_stands_beside() -> None:
    assert normalise("\ue0bc\uf8f7") == "\ue0bc\uf8f7"
    assert normalise("\uf105 메뉴") == "\uf105 메뉴"  # an arrow of an icon font


def test_normalise__writes_private_use_hangul_as_jamo() -> None:
    assert normalise("나랏말\uebd4미") == "나랏말\u110a\u119e미"
    assert align("말\uebd4미") == ("말\u110a\u119e미", [0, 1, 1, 2])


@given(ANY_TEXT)
def test_normalise__is_idempotent_and_storable(text: str) -> None:
    result = normalise(text)
    assert normalise(result) == result
    assert unicodedata.is_normalized("NFC", result)
    assert "\x00" not in result
    result.encode("utf-8")


@given(ANY_TEXT)
def test_align__gives_the_same_text_with_an_origin_for_each_character(text: str) -> None:
    result, origins = align(text)
    assert result == normalise(text)
    assert len(origins) == len(result)
    assert origins == sorted(origins)
    assert all(0 <= origin < len(text) for origin in origins)


def test_align__puts_a_composed_syllable_at_its_first_letter() -> None:
    assert align("x\x00\u1100\u1161나") == ("x가나", [0, 2, 4])


def test_composes_backwards__covers_every_starter_that_nfc_joins_to_an_earlier_one() -> None:
    seconds = set()
    for point in range(sys.maxunicode):
        parts = unicodedata.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(chr(int(parts[1], 16)))
    composing = {char for char in seconds if unicodedata.normalize("NFC", char) == char}
    assert all(_composes_backwards(char) for char in composing)
