"""Which words of a question name candidates, alone and two together."""

from hypothesis import given
from hypothesis import strategies as st

from services.search.lexical import NO_PAIR, PAIRED, PAIRS, choose_candidates

ROWS = 700


def test_candidates__are_named_by_the_rarest_until_there_are_enough() -> None:
    chosen = choose_candidates([1, 2, 3, 4], {1: 650, 2: 5, 3: 60, 4: 900}, ROWS)
    assert chosen.terms == [2, 3, 1]
    assert chosen.pairs == [NO_PAIR] * len(PAIRS)


def test_candidates__of_common_words_have_two_of_them() -> None:
    docs = {1: 5, 2: 2000, 3: 3000, 4: 4000, 5: 5000, 6: 6000}
    chosen = choose_candidates([6, 5, 4, 3, 2, 1], docs, ROWS)
    assert chosen.terms == [1]
    assert chosen.pairs == [[2, 3], [2, 4], [2, 5], [3, 4], [3, 5], [4, 5]]


def test_candidates__of_one_common_word_have_it() -> None:
    assert choose_candidates([7], {7: 10**6}, ROWS).terms == [7]
    assert choose_candidates([7, 8], {7: 10**6, 8: 10**7}, ROWS).terms == [7]


DOCS = st.dictionaries(st.integers(1, 40), st.integers(0, 1000), min_size=1, max_size=20)


@given(DOCS, st.integers(1, 2000))
def test_candidates__leave_out_no_word_before_a_commoner_one(docs: dict[int, int], rows: int) -> None:
    chosen = choose_candidates([*docs, *docs], docs, rows)
    named = set(chosen.terms).union(*chosen.pairs) - {0}
    assert len(chosen.pairs) == len(PAIRS)
    assert len(named) >= min(len(docs), len(chosen.terms) + PAIRED) - 1
    assert all(docs[one] <= docs[other] for one in chosen.terms for other in docs if other not in chosen.terms)
    assert sum(docs[term] for term in chosen.terms[:-1]) < max(rows, 100 * len(docs))
