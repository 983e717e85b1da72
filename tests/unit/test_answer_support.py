"""What `services.answer.support` and the words it looks for promise."""

import pytest

from services.answer.around import Around, among
from services.answer.evidence import Evidence
from services.answer.question import FULL_WEIGHT, Asked, read
from services.answer.support import Support
from services.answer.support_opposites import opposites
from services.answer.support_words import ALIKE, Wording, wanted, without_ending
from services.text.terms import query_terms

CRISIS = "The oil crisis began in October 1973. Prices rose quickly. Nobody was blamed."


def asked(question: str, weight: float = 9.0) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), weight))


def passage(text: str, title: str = "", n: int = 1, score: float = 9.0) -> Evidence:
    return Evidence(n, n, n, title, 1, 0, text, score, False)


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("crisis", "A crisis.", 1.0),
        ("write", "He wrote it.", 1.0),
        ("seven", "There are 7.", 1.0),
        ("Kharezmid", "the Khwarezmid emperor", ALIKE),
        ("tackels", "ten tackles", ALIKE),
        ("1973", "in 1974", 0.0),
        ("Rome", "romance", 0.0),
        ("다운증후군은", "다운 증후군의 치료", 1.0),
        ("안전밸브는", "안전장치가 있다", ALIKE / 2),
        ("버섯은", "밸브가 있다", 0.0),
    ],
)
def test_has__finds_a_word_in_other_dress(question: str, text: str, share: float) -> None:
    (word,) = wanted(asked(question))
    assert Wording("", text).has(word) == pytest.approx(share)


def test_has__takes_a_common_word_for_no_misspelling() -> None:
    (word,) = wanted(asked("tackels", weight=3.0))
    assert Wording("", "ten tickets").has(word) == 0


def test_wanted__names_each_word_once_with_what_it_is() -> None:
    words = wanted(asked("What kind of oil did Nixon buy, what oil?"))
    assert [(word.form, word.name, word.asking) for word in words] == [
        ("kind", False, True),
        ("oil", False, False),
        ("nixon", True, False),
        ("buy", False, False),
    ]


@pytest.mark.parametrize(
    ("word", "bare"), [("리코더는", "리코더"), ("강은", "강은"), ("사용되었는가", "사용"), ("밸브", "밸브")]
)
def test_without_ending__leaves_two_characters(word: str, bare: str) -> None:
    assert without_ending(word) == bare


@pytest.mark.parametrize(
    ("word", "other", "excludes"),
    [
        ("first", "last", True),
        ("last", "first", True),
        ("compat", "incompat", True),
        ("increas", "decreas", True),
        ("oil", "water", False),
    ],
)
def test_opposites__exclude_each_other(word: str, other: str, excludes: bool) -> None:
    assert (other in opposites(word)) is excludes


def test_passages__count_what_is_there_and_what_is_missing() -> None:
    support = Support(asked("Did Nixon fear the oil crisis?"), [passage(CRISIS)])
    (seen,) = support.passages()
    assert (seen.share, seen.words, seen.lacking) == (0.5, 0.5, 0.5)
    assert (seen.missing, seen.names) == (2.0, 1.0)
    assert (seen.score, seen.lead) == (0.25, 0.25)


def test_passages__tell_one_from_the_others() -> None:
    support = Support(asked("oil crisis"), [passage("oil crisis", score=9.0), passage("oil", n=2, score=6.0)])
    first, second = support.passages()
    assert (first.local * FULL_WEIGHT, second.local) == (4.5, 0)
    assert first.lead == -second.lead == pytest.approx(3 / 18)
    assert [first.margin, second.margin] == pytest.approx([1 / 3, -0.5])


def test_passages__look_for_the_topic_of_a_korean_question() -> None:
    support = Support(asked("리코더는 악기인가요?"), [passage("리코더는 목관 악기이다."), passage("악기가 있다.", n=2)])
    about, beside = support.passages()
    assert (about.topic, about.head, about.begins) == (0, 1, 1)
    assert (beside.topic > 0, beside.head, beside.begins) == (True, 0, 0)


def test_sentence__looks_at_the_best_one() -> None:
    best = Support(asked("When did the oil crisis begin?"), [passage(CRISIS)]).sentence(0)
    assert best.text == "The oil crisis began in October 1973."
    assert (best.signs.window, best.signs.kind, best.signs.negation) == (1, 0, 0)


def test_twist__sees_what_was_turned_round() -> None:
    best = Support(asked("Why did the 1979 oil crisis not end only in October?"), [passage(CRISIS)]).sentence(0)
    twist = best.twist
    assert (twist.opposite, twist.numbers, twist.denied, twist.negation, twist.restricts) == (1, 1, 1, 1, 1)


def test_twist__sees_nothing_in_a_straight_question() -> None:
    twist = Support(asked("When did the oil crisis begin?"), [passage(CRISIS)]).sentence(0).twist
    assert (twist.opposite, twist.numbers, twist.denied, twist.negation, twist.restricts) == (0, 0, 0, 0, 0)


def test_passages__measure_weights_by_the_size_of_the_corpus() -> None:
    small = read("Nixon", {"nixon": 2.0}, full=2.0)
    (seen,) = Support(small, [passage(CRISIS)]).passages()
    assert seen.missing == 1


def test_rarity__is_high_for_what_stands_in_few_chunks_around() -> None:
    near = Around(10, {"oil": 10, "crisi": 2})
    assert 0 < near.rarity("oil") < near.rarity("crisi") < near.rarity("nixon")


def test_passages__count_a_word_more_that_is_rare_around() -> None:
    question, evidence = asked("oil crisis"), [passage("The oil."), passage("The crisis.", n=2)]
    near = dict.fromkeys((1, 2), Around(10, {"oil": 10, "crisi": 1}))
    topic, telling = Support(question, evidence, near).passages()
    assert topic.apart < telling.apart


def test_among__keeps_documents_apart() -> None:
    one, other = passage("oil crisis"), passage("oil", n=2)
    near = among([one, other])
    assert (near[1].chunks, near[1].holding["oil"], near[2].holding.get("crisi", 0)) == (1, 1, 0)


def test_sentence__knows_phrases_and_what_is_rare_around() -> None:
    near = {1: Around(10, {"oil": 10, "crisi": 1, "octob": 1, "began": 1, "price": 3})}
    straight, turned = (
        Support(asked(question), [passage(CRISIS)], near).sentence(0).signs
        for question in ("The oil crisis began in October.", "October oil prices in the crisis")
    )
    assert (straight.phrases, straight.apart > turned.apart) == (1.0, True)
    assert turned.phrases < 0.5


def test_twist__sees_what_stands_elsewhere_around() -> None:
    near = {1: Around(10, {"oil": 10, "crisi": 1, "embargo": 4})}
    question = asked("When did the oil crisis of embargo begin?")
    twist = Support(question, [passage(CRISIS)], near).sentence(0).twist
    assert (twist.elsewhere, twist.bound, twist.words) == (1.0, 1.0, 0.3)
    assert twist.rarity == pytest.approx(sum(near[1].rarity(term) for term in ("oil", "crisi", "embargo")))


def test_ahead__is_not_lessened_by_what_says_the_same() -> None:
    copy, other = CRISIS.replace("quickly", "fast"), "Ferries cross the sound."
    question = asked("When did the oil crisis begin?")

    def ahead(second: str, score: float = 9.0) -> float:
        return Support(question, [passage(CRISIS, score=score), passage(second, n=2, score=6.0)]).passages()[0].ahead

    assert ahead(CRISIS) == 1
    assert 0.9 < ahead(copy) < 1
    assert ahead(other) == pytest.approx(1 / 3)
    assert ahead("") == pytest.approx(1 / 3)
    assert ahead(other, score=0.0) == ahead(other, score=-2.0) == 0
