"""An ask held against what is known of its question: pure.

In: a question, the passages that answer it, how its ask ended. Out: what figures are made of, small enough to keep for
every question of a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.evaluate.gold import has_answer, without_markers
from services.evaluate.overlap import is_hit
from services.evaluate.refusing import Score
from services.evaluate.reply import ANSWERED, FAILED, Reply
from services.evaluate.sets import ANSWERABLE, Question


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one ask; None where nothing is known.

    Attributes:
        kind: of the question.
        ended: as in Reply.
        score: the judgement of the rules, higher where an answer is more likely.
        right: whether the answer holds a string of the right answers; a refusal does not.
        in_cited: whether the answer or a passage that it cites does.
        cited_gold: whether a passage that it cites is one that answers the question; None without an answer.
        chars: length of the answer with its markers.
        tokens_in, tokens_out: as the server counted; None where it told no call's.
        re_gate: the name of the decision (docs/refusal.md), also where that was to refuse.
    """

    kind: str
    ended: str
    took_ms: float
    score: Score
    right: bool | None
    in_cited: bool | None
    cited_gold: bool | None
    bad_numbers: bool | None
    chars: int | None
    calls: int
    tokens_in: int | None
    tokens_out: int | None
    author: str
    re_gate: str | None

    @property
    def answered(self) -> bool:
        return self.ended == ANSWERED

    @property
    def failed(self) -> bool:
        return self.ended.startswith(FAILED)

    @property
    def refused(self) -> bool:
        return not self.answered and not self.failed

    @property
    def as_wished(self) -> bool:
        """Say whether it ended as it should: in a right answer, or, where nothing is known to answer, in a refusal.

        Where no strings of right answers are known, one that cites a right passage counts.
        """
        if self.kind != ANSWERABLE:
            return self.refused
        return self.answered and bool(self.cited_gold if self.right is None else self.right)


def hear(question: Question, passages: Sequence[str], reply: Reply) -> Heard:
    """Hold an ask against the passages that answer its question."""
    answered = reply.ended == ANSWERED
    strings = question.answers if question.kind == ANSWERABLE else ()
    right = has_answer(without_markers(reply.text), strings) if strings else None
    calls = reply.facts.get("calls") or []
    return Heard(
        kind=question.kind,
        ended=reply.ended,
        took_ms=reply.took_ms,
        score=reply.facts.get("coverage"),
        right=right,
        in_cited=(right or has_answer("\n".join(reply.cited), strings)) if strings else None,
        cited_gold=any(is_hit(cited, gold) for cited in reply.cited for gold in passages) if answered else None,
        bad_numbers=reply.bad_numbers,
        chars=len(reply.text) if answered else None,
        calls=len(calls),
        tokens_in=_told(calls, "tokens_in"),
        tokens_out=_told(calls, "tokens_out"),
        author=reply.author,
        re_gate=reply.facts.get("re_gate"),
    )


def _told(calls: Sequence[dict[str, Any]], name: str) -> int | None:
    told = [call[name] for call in calls if call.get(name) is not None]
    return sum(told) if told or not calls else None
