"""Judge each part of a question by its own words: which parts the evidence bears, which it says nothing of. Pure.

In: a question, its evidence, and what the rules say of it as a whole. Out: the parts that can be answered, as questions
of their own, the words of the others, and the verdict that follows. A question of one part keeps its verdict; so does
one whose parts stand in the evidence as one name («Tom and Jerry»).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.answer.around import Neighbourhoods
from services.answer.decide import Verdict, decide
from services.answer.evidence import Evidence
from services.answer.parts import Part, cut
from services.answer.question import Asked, read
from services.answer.support_words import Wanted, Wording, wanted
from services.text.terms import fold

FOCUS = 4.0
"""So many times its weight counts a part's own word where the sentence is chosen that answers the part."""
HELD_FROM = 0.4
"""Share of the weight of a part's own words that one passage must have (docs/refusing.md says how it was found)."""
TOPIC_FROM = 0.5
"""Share of what the best passage has of the topic that this passage must have, too: the maker of another thing is no
answer."""
MOSTLY = 0.6
"""From how much of a word on it counts as there: 제조 is not 제조사."""
_LIGHT = """
이름 내용 정보 종류 방법 기준 경우 것은 정도 이유 각각 하는 있는 하고 하며
"""
LIGHT = frozenset(_LIGHT.split())
"""Korean words that say little of what is asked for; counted where a part has no others."""
_QUESTION_WORD = re.compile(r"(?:며칠|얼마|무엇|언제|누구|누가|어디|어떻게|왜)")
_VERB = re.compile(r"(?<=[가-힣]{2})(?:하|되|했|됐)\Z")
_TRAILING = re.compile(r"(?:[은는](?:요)?|이며|이고|인지[와,]?|그리고)\Z|[\s?!.,]+\Z")


@dataclass(frozen=True, slots=True)
class Held:
    """A part that the evidence bears: asked alone, and its own words."""

    asked: Asked
    own: tuple[Wanted, ...]

    @property
    def focused(self) -> Asked:
        """The part with its own words before those of the topic, for whoever looks for a sentence."""
        own = {term for word in self.own for term in word.terms}
        weights = {term: weight * (FOCUS if term in own else 1.0) for term, weight in self.asked.weights.items()}
        return replace(self.asked, weights=weights)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a question, judged; both empty for a question of one part.

    Attributes:
        missing: own words of the parts that nothing was found for, as the question has them.
    """

    held: tuple[Held, ...] = ()
    missing: tuple[str, ...] = ()


ONE = Parts()


def judge_parts(
    asked: Asked, evidence: Sequence[Evidence], rules: Verdict, near: Neighbourhoods | None = None
) -> tuple[Verdict, Parts]:
    """Judge a question by its parts, where it has several.

    Args:
        rules: what `decide` says of the whole. A clause must be enough alone; a noun of a list, which alone is hardly
            a question, where the whole is not.
        near: as `decide` takes it.
    Returns:
        `rules` and no parts for a question of one; else enough where one part at least is held.
    """
    cuts = cut(asked.text) if evidence else ()
    wordings = [Wording(each.title, each.text) for each in evidence] if cuts else []
    parts = _own_words(asked, _unless_named(cuts, wordings))
    if not parts:
        return rules, ONE
    held: list[Held] = []
    missing: list[str] = []
    coverage = rules.coverage
    for part, one in parts:
        if _is_held(part, one, wordings) and (alone := _verdict(part, one, evidence, rules, near)).enough:
            held.append(one)
            coverage = max(coverage, alone.coverage)
        else:
            missing.append(told(part.own))
    verdict = Verdict(True, coverage, "covered") if held else _refused(rules)
    return verdict, Parts(tuple(held), tuple(dict.fromkeys(missing)))


def _verdict(
    part: Part, one: Held, evidence: Sequence[Evidence], rules: Verdict, near: Neighbourhoods | None
) -> Verdict:
    return rules if part.listed and rules.enough else decide(one.asked, evidence, near)


def told(own: str) -> str:
    """Give the words of a part as a person is told that they are missing."""
    return _TRAILING.sub("", _TRAILING.sub("", own)).strip()


def _refused(rules: Verdict) -> Verdict:
    return replace(rules, enough=False, why="words_missing" if rules.enough else rules.why)


def _unless_named(parts: Sequence[Part], wordings: Sequence[Wording]) -> Sequence[Part]:
    """Leave parts together that stand side by side in the evidence: they are one name, or told in one breath."""
    listed = [part.own for part in parts if part.listed]
    joints = [_joint(one, other) for one, other in pairwise(listed)]
    texts = [fold(wording.whole) for wording in wordings]
    named = any(joint.search(text) for joint in joints for text in texts)
    return () if named else parts


def _joint(one: str, other: str) -> re.Pattern[str]:
    words, next_words = fold(one).split(), fold(other).split()
    right = re.sub(r"\A(?:the|a|an|its|their)\s", "", " ".join(next_words)).split()[:1] or next_words[:1]
    left, first = re.escape(words[-1]), re.escape(right[0])
    return re.compile(rf"{left}\s?(?:and|&|와|과|및|하고|,|·|ㆍ)\s?(?:the\s)?{first}")


def _own_words(asked: Asked, parts: Sequence[Part]) -> list[tuple[Part, Held]]:
    """Find the words that only one part has; no parts where one has none."""
    words = [_words(asked, part.own) for part in parts]
    found: list[tuple[Part, Held]] = []
    for at, part in enumerate(parts):
        others = {word.form for other, some in enumerate(words) if other != at for word in some}
        others |= {word.form for word in _words(asked, part.topic)}
        own = [word for word in words[at] if word.form not in others and not word.asking]
        own = [word for word in own if word.form not in LIGHT] or own
        if not own:
            return []
        found.append((part, Held(_alone(asked, part.text), tuple(own))))
    return found


def _words(asked: Asked, text: str) -> list[Wanted]:
    """Give the words of a part of the question that passages may have: stems of verbs, without words that only ask."""
    found = wanted(replace(asked, text=text)) if text else []
    return [replace(word, form=_VERB.sub("", word.form)) for word in found if not _QUESTION_WORD.match(word.form)]


def _alone(asked: Asked, text: str) -> Asked:
    """Ask a part alone, its words weighed as in the whole question."""
    forms = {term for word in _words(asked, text) for term in word.terms}
    return read(f"{text}?", {term: weight for term, weight in asked.weights.items() if term in forms}, asked.full)


def _is_held(part: Part, one: Held, wordings: Sequence[Wording]) -> bool:
    """Say whether a passage that is as much about the topic as any has enough of the part's own words."""
    topic = _words(one.asked, part.topic)
    about = [_share(topic, wording) for wording in wordings]
    least = TOPIC_FROM * max(about)
    pairs = zip(wordings, about, strict=True)
    return any(of >= least and _share(one.own, wording) >= HELD_FROM for wording, of in pairs)


def _share(words: Sequence[Wanted], wording: Wording) -> float:
    """Say how much of the weight of words is here, 0..1; 1 of no words."""
    weight = sum(word.weight for word in words)
    there = sum(word.weight for word in words if wording.has(word) >= MOSTLY)
    return there / weight if weight else 1.0
