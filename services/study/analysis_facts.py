"""Count what became of a quiz, and say it in the reader's language: pure.

In: counts of answers, by topic, exam and tag, and the answer before each. Out: facts as lines, which a model may use
and add no number to, and from which an analysis is written where no model is set.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.study_note_rows import QuizChange, QuizFacts, QuizGroup
from services.text.figures import figures
from services.text.language import ReplyLanguage

WEAKEST = 3
"""So many tags are called the weakest."""
KINDS = {
    "topic": {"en": "Topic", "ko": "주제"},
    "exam": {"en": "Exam", "ko": "시험"},
    "tag": {"en": "Tag", "ko": "태그"},
}
STATES = {
    "chronic_wrong": {"en": "wrong again and again", "ko": "거듭 틀림"},
    "regressed": {"en": "known before and lost", "ko": "알다가 틀림"},
    "recovered": {"en": "recovered", "ko": "다시 맞힘"},
    "stable": {"en": "known for sure", "ko": "확실히 앎"},
    "unstable": {"en": "not yet sure", "ko": "아직 불안정"},
    "unsure": {"en": "unsure", "ko": "확신 없음"},
}
WORDS = {
    "en": {
        "all": "Of {questions} questions {answered} were answered: {right} right, {wrong} wrong, {unsure} unsure, "
        "{unknown} not known.",
        "share": "{share} % of the answers were right.",
        "time": "It took {minutes} min {seconds} s.",
        "group": "{kind} {name}: {right} of {answered} right, {wrong} wrong or not known, {unsure} unsure.",
        "weakest": "Weakest tags: {names}.",
        "change": "Since the answer before: {better} better, {worse} worse, {still} still not right, {first} answered "
        "for the first time.",
        "states": "How these questions stand now: {states}.",
        "again": "Read again",
        "groups": "One by one",
    },
    "ko": {
        "all": "{questions}문제 가운데 {answered}문제에 답했습니다: 정답 {right}, 오답 {wrong}, 확신 없음 {unsure}, "
        "모름 {unknown}.",
        "share": "답의 {share} %가 정답입니다.",
        "time": "걸린 시간은 {minutes}분 {seconds}초입니다.",
        "group": "{kind} {name}: {answered}문제 중 정답 {right}, 오답·모름 {wrong}, 확신 없음 {unsure}.",
        "weakest": "가장 약한 태그: {names}.",
        "change": "지난번 답과 견주면 나아진 문제 {better}, 나빠진 문제 {worse}, 여전히 못 맞힌 문제 {still}, "
        "처음 답한 문제 {first}.",
        "states": "지금 이 문제들의 상태: {states}.",
        "again": "다시 볼 곳",
        "groups": "하나씩 보면",
    },
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What became of a quiz."""

    quiz: QuizFacts
    groups: tuple[QuizGroup, ...]
    changes: tuple[QuizChange, ...]

    def weakest(self) -> list[QuizGroup]:
        """Give the tags with the least share of right answers, where any was not right; of equal ones the larger."""
        tags = [each for each in self.groups if each.kind == "tag" and each.right_answers < each.answered]
        return sorted(tags, key=lambda tag: (tag.right_answers / tag.answered, -tag.answered, tag.name))[:WEAKEST]

    def moved(self) -> Counter[str]:
        """Count the questions by what is different from the answer before: better, worse, still, same, first."""
        return Counter(map(_moved, self.changes))


def _moved(change: QuizChange) -> str:
    if change.before is None:
        return "first"
    before, after = change.before == "right", change.after == "right"
    if before == after:
        return "same" if after else "still"
    return "better" if after else "worse"


def told(facts: Facts, language: ReplyLanguage) -> list[str]:
    """Say the facts, a line each: all, share, time, weakest tags, changes, states, and those of each group."""
    return list(_told(facts, language))


def _told(facts: Facts, language: ReplyLanguage) -> Iterator[str]:
    words, quiz = WORDS[language], facts.quiz
    yield words["all"].format(
        questions=quiz.questions,
        answered=quiz.answered,
        right=quiz.right_answers,
        wrong=quiz.wrong_answers,
        unsure=quiz.unsure_answers,
        unknown=quiz.unknown_answers,
    )
    yield words["share"].format(share=round(100 * quiz.right_answers / max(quiz.answered, 1)))
    minutes, seconds = divmod(round(quiz.took_s), 60)
    yield words["time"].format(minutes=minutes, seconds=seconds)
    if weakest := facts.weakest():
        yield words["weakest"].format(names=", ".join(tag.name for tag in weakest))
    yield words["change"].format(**{name: facts.moved()[name] for name in ("better", "worse", "still", "first")})
    states = Counter(change.state for change in facts.changes if change.state in STATES)
    if states:
        said = ", ".join(f"{STATES[state][language]} {states[state]}" for state in STATES if states[state])
        yield words["states"].format(states=said)
    yield from by_group(facts, language)


def by_group(facts: Facts, language: ReplyLanguage) -> list[str]:
    """Say how each topic, exam and tag went, a line each."""
    return [_group(each, language) for each in facts.groups]


def _group(group: QuizGroup, language: ReplyLanguage) -> str:
    return WORDS[language]["group"].format(
        kind=KINDS[group.kind][language],
        name=group.name,
        answered=group.answered,
        right=group.right_answers,
        wrong=group.wrong_answers,
        unsure=group.unsure_answers,
    )


def figures_of(lines: Sequence[str]) -> set[str]:
    """Give the figures that an analysis may tell without a passage."""
    return {figure for line in lines for figure in figures(line)}
