"""The second look: words together, in one sentence, at the beginning of words; never more than BM25 found."""

from services.search.second import Look, second_look
from services.text.order import ordered, unpacked
from services.text.terms import query_terms


def scores(question: str, *passages: str, titles: tuple[str, ...] = ()) -> list[float]:
    weights = dict.fromkeys(query_terms(question).values(), 1.0)
    named = titles or ("",) * len(passages)
    looks = [Look(unpacked(ordered(text)), title, 5.0) for text, title in zip(passages, named, strict=True)]
    return second_look(question, weights, looks)


def test_second_look__prefers_words_that_stand_together() -> None:
    together, apart = scores(
        "relief valve pressure",
        "The relief valve pressure is checked. A pump stands there.",
        "The pressure of a pump. A relief for the old valve stands there.",
    )
    assert together > apart


def test_second_look__prefers_the_sentence_that_has_the_number_asked_for() -> None:
    with_number, without = scores(
        "How many pumps does the boiler have?",
        "The boiler has 7 pumps. Valves are green and old.",
        "The boiler has pumps. Valves are 7 and green and old.",
    )
    assert with_number > without


def test_second_look__prefers_words_that_begin_as_the_question_s_do() -> None:
    word, inside = scores("기단의 위치", "기단은 이동한다. 위치가 변한다.", "석기단에 이동한다. 위치가 변한다.")
    assert word > inside


def test_second_look__counts_the_title() -> None:
    named, unnamed = scores("boiler pumps", "There are two pumps.", "There are two pumps.", titles=("Boiler", "Roof"))
    assert named > unnamed


def test_second_look__gives_a_score_for_each_and_none_below_zero() -> None:
    found = scores("boiler", "", "nothing of it", "boiler")
    assert len(found) == 3
    assert min(found) >= 0
    assert second_look("boiler", {}, []) == []
