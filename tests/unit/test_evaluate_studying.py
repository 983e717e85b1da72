"""Shares of explanations, and which choice a copied text fits."""

from services.evaluate.sets import EvaluationSet, Question
from services.evaluate.studying import Explained, fits_other, shares, term_ids, with_choices


def asked(number: int, choices: tuple[str, ...] = ("in April", "in June"), correct: int | None = 0) -> Question:
    return Question(
        str(number), "s", "en", "When is the valve tested?", "answerable", (), choices, False, (), correct=correct
    )


def test_with_choices__leaves_out_what_the_bank_does_not_take() -> None:
    questions = (asked(1), asked(2, ()), asked(3, ("one",)), asked(4, correct=None), asked(5, correct=2))
    one = EvaluationSet("s", (), questions, "", "")
    assert [each.id for each in with_choices(one, None)] == ["1"]


def test_with_choices__samples_the_same_ones() -> None:
    one = EvaluationSet("s", (), tuple(map(asked, range(50))), "", "")
    assert len(with_choices(one, 7)) == 7
    assert with_choices(one, 7) == with_choices(one, 7)


def test_shares__tell_endings_apart() -> None:
    ended = [
        Explained("ready", None, cites=True, cites_gold=True, fits_other=False),
        Explained("ready", None, elsewhere=True, cites=True, cites_gold=False),
        Explained("ready", None),
        Explained("failed", "guard_fail"),
        Explained("failed", "parse_fail"),
        Explained("skipped", "evidence_missing"),
        Explained("pending", None),
        Explained("failed", "guard_fail"),
    ]
    assert shares(ended) == {
        "n": 8, "ready": 0.375, "guard_fail": 0.25, "skipped": 0.125, "failed": 0.125, "open": 0.125,
        "elsewhere": 1, "cites": 0.6667, "gold": 0.5, "fits_other": 0.0,
    }  # fmt: skip


def test_fits_other__goes_by_the_words_that_only_a_choice_has() -> None:
    question = asked(1)
    weights = dict.fromkeys(term_ids([question]), 1.0)
    assert not fits_other("The valve is tested in April.", question, weights)
    assert fits_other("The valve is tested in June.", question, weights)
    assert not fits_other("Nothing is said here.", question, weights)
