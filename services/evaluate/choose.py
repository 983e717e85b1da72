"""Which questions are asked, and which of them are timed: the same ones in every run, on every machine. Pure."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from services.evaluate.sets import ANSWERABLE, EvaluationSet, Question, SetError


def named(sets: Sequence[EvaluationSet], names: str | None) -> list[EvaluationSet]:
    """Give the sets that are asked; `names` with commas, None for all.

    Raises:
        SetError: there is no such set.
    """
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    known = [one.name for one in sets]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise SetError(f"There is no set {', '.join(unknown)}: the folder has {', '.join(known)}.")
    return [one for one in sets if not wanted or one.name in wanted]


def answerable(one: EvaluationSet, sample: int | None) -> list[Question]:
    """Give the questions of a set that a passage answers, in the order of the file.

    Args:
        sample: so many of them at most, chosen by the hash of their ids; None for all.
    """
    return _of_kind(one, ANSWERABLE, sample)


def to_ask(one: EvaluationSet, sample: int | None) -> list[Question]:
    """Give the questions of a set that are asked: of each kind so many at most, chosen as above; None for all.

    A question of another kind than the answerable is to be refused, whatever the kind is called.
    """
    kinds = dict.fromkeys((ANSWERABLE, *sorted({question.kind for question in one.questions})))
    return [question for kind in kinds for question in _of_kind(one, kind, sample)]


def to_time(questions: Iterable[Question], most: int) -> list[Question]:
    """Choose so many at most for the timing, by the hash of their ids: each set in proportion, about."""
    return _spread(list(questions), most)


def _of_kind(one: EvaluationSet, kind: str, sample: int | None) -> list[Question]:
    questions = [each for each in one.questions if each.kind == kind and (each.gold or kind != ANSWERABLE)]
    return questions if sample is None else _spread(questions, sample)


def _spread(questions: Sequence[Question], most: int) -> list[Question]:
    first = set(sorted(questions, key=_place)[:most])
    return [question for question in questions if question in first]


def _place(question: Question) -> tuple[str, str]:
    return sha256(f"pick:{question.id}".encode()).hexdigest(), question.set
