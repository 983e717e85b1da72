"""The facts of a quiz, counted and said."""

from db.study_note_rows import QuizChange, QuizFacts, QuizGroup
from services.study.analysis_facts import Facts, figures_of, told

QUIZ = QuizFacts(1, "", 5, 4, 1, 1, 1, 1, 125.4)


def tag(name: str, right: int, answered: int) -> QuizGroup:
    return QuizGroup("tag", name, answered, right, answered - right, 0)


def test_weakest__are_the_tags_with_the_least_share_and_none_that_is_all_right() -> None:
    groups = (
        tag("a", 1, 2),
        tag("b", 0, 1),
        tag("c", 3, 3),
        tag("d", 0, 4),
        tag("e", 2, 3),
        QuizGroup("topic", "t", 1, 0, 1, 0),
    )
    assert [each.name for each in Facts(QUIZ, groups, ()).weakest()] == ["d", "b", "a"]


def test_moved__compares_with_the_answer_before() -> None:
    pairs = [("wrong", "right"), ("right", "unsure"), ("dont_know", "wrong"), ("right", "right"), (None, "wrong")]
    changes = tuple(QuizChange(n, before, after, None) for n, (before, after) in enumerate(pairs))
    moved = Facts(QUIZ, (), changes).moved()
    assert dict(moved) == {"better": 1, "worse": 1, "still": 1, "same": 1, "first": 1}


def test_told__says_the_facts_in_both_languages_with_the_same_figures() -> None:
    changes = (QuizChange(1, "wrong", "right", "recovered"), QuizChange(2, None, "wrong", "unstable"))
    facts = Facts(QUIZ, (tag("압력 7", 1, 4),), changes)
    korean, english = told(facts, "ko"), told(facts, "en")
    assert english[:3] == [
        "Of 5 questions 4 were answered: 1 right, 1 wrong, 1 unsure, 1 not known.",
        "25 % of the answers were right.",
        "It took 2 min 5 s.",
    ]
    assert english[-2:] == [
        "How these questions stand now: recovered 1, not yet sure 1.",
        "Tag 압력 7: 1 of 4 right, 3 wrong or not known, 0 unsure.",
    ]
    assert korean[-1] == "태그 압력 7: 4문제 중 정답 1, 오답·모름 3, 확신 없음 0."
    assert figures_of(korean) == figures_of(english) == {"5", "4", "1", "25", "2", "0", "7", "3"}
