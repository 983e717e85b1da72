"""Questions made from chunks, and the share that follows from how many of them vectors find."""

from random import Random

import pytest

from db.search_rows import SampleChunk
from services.search.weights import FEWEST, MOST_SHARE, QUESTIONS, question_of, share, trials_of

ENGLISH = (
    "The first sentence names the subject of it all. The second one says where {0} the old mill of the village stood."
)
KOREAN = "첫 문장은 무엇에 관한 것인지 말한다. 둘째 문장은 마을의 오래된 물레방아 {0} 어디에 서 있었는지 말해 준다."


def sample(texts: list[str]) -> list[SampleChunk]:
    return [SampleChunk(number, text, 1) for number, text in enumerate(texts, start=1)]


@pytest.mark.parametrize(
    ("found", "expected"), [(0.0, 0.0), (0.08, 0.0), (0.25, 0.0), (0.5, MOST_SHARE / 2), (0.91, MOST_SHARE)]
)
def test_share__is_nothing_for_vectors_that_find_nothing_and_bounded_for_those_that_do(
    found: float, expected: float
) -> None:
    assert share(found) == pytest.approx(expected)


@pytest.mark.parametrize("text", [ENGLISH, KOREAN])
def test_question__has_words_of_an_inner_sentence_and_not_all_of_them(text: str) -> None:
    text = text.format("exactly")
    question = question_of(text, Random(1))
    assert question is not None
    words, first = question.split(), text.split(". ")[0]
    assert 3 <= len(words) < len(text.split(". ")[1].split())
    assert all(word in text for word in words)
    assert question not in first


@pytest.mark.parametrize("text", ["", "One sentence alone, which is also the first one of its chunk.", "A b. C d."])
def test_question__is_not_made_of_what_has_no_inner_sentence(text: str) -> None:
    assert question_of(text, Random(1)) is None


def test_trials__are_by_language_bounded_and_left_out_where_they_are_few() -> None:
    texts = [ENGLISH.format(n) for n in range(QUESTIONS + 20)] + [KOREAN.format(n) for n in range(FEWEST - 1)]
    trials = trials_of(sample(texts), Random(1))
    assert {language: len(each) for language, each in trials.items()} == {"en": QUESTIONS}
    more = trials_of(sample([*texts, KOREAN.format("x")]), Random(1))
    assert len(more["ko"]) == FEWEST
