"""Terms in their order: what is packed comes back, sentence by sentence."""

from hypothesis import given
from hypothesis import strategies as st

from services.text.order import BEGINS_WORD, END, ID, NUMBER, ordered, unpacked
from services.text.terms import fold, term_id, worded_ids


def test_ordered__keeps_terms_words_and_sentences() -> None:
    codes = list(unpacked(ordered("The old boiler. 점검 주기는 62일이다.")))
    assert [code & ID for code in codes[:3]] == [term_id("old"), term_id("boiler"), END]
    assert codes[0] & BEGINS_WORD
    assert codes[-1] == END
    assert codes.count(END) == 2


def test_ordered__marks_numbers_and_the_beginning_of_words() -> None:
    first, second, number, _ = unpacked(ordered("안전밸 12"))
    assert first & BEGINS_WORD
    assert not second & BEGINS_WORD
    assert number & NUMBER
    assert not first & NUMBER


@given(st.text(max_size=300))
def test_ordered__has_every_term_of_a_text_in_its_order(text: str) -> None:
    ids = [ident for _, _, found in worded_ids(fold(text)) for ident in found]
    assert sorted(code & ID for code in unpacked(ordered(text)) if code) == sorted(ids)
