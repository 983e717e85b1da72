"""Asks the questions: some one at a time, with a watch, the others several at a time.

In: questions with the passages that answer them, and a search. Out: ranks of all, times of some. The
timed ones come first, so that no cache of search has heard them; other questions warm the connections before.
"""

from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from services.evaluate.choose import to_time
from services.evaluate.overlap import rank_of
from services.evaluate.seen import Look
from services.evaluate.sets import Question

TIMED = 300
"""Questions that are timed: the 95th percentile then rests on fifteen slower ones."""
WARM_UP = 20
AT_ONCE = 4
"""Connections that ask side by side; more than the server has processors do not make it faster."""

Ranks = dict[str, int | None]
"""Of one question, by leg; a leg that had no part in it is not there."""
Tell = Callable[[int], None]
Do = Callable[[Question, bool], Awaitable[None]]
"""What is done for a question; with True it is one of those that are timed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """By question: the rank in each leg, and for the timed ones the milliseconds of each leg."""

    ranks: dict[Question, Ranks] = field(default_factory=dict)
    took_ms: dict[Question, dict[str, float]] = field(default_factory=dict)


async def measure(gold: Mapping[Question, Sequence[str]], look: Look, tell: Tell, timed: int = TIMED) -> Measured:
    """Search for each question.

    Args:
        gold: for each question the texts of the passages that answer it.
        tell: is told how many questions are done.
    """
    asking = _Asking(gold, look, tell)
    watched = set(to_time(gold, timed))
    others = [question for question in gold if question not in watched]
    for question in (others or list(gold))[:WARM_UP]:
        await look(question.query, True)
    await in_turn(list(gold), watched, asking.ask)
    return Measured({question: asking.done.ranks[question] for question in gold}, asking.done.took_ms)


async def in_turn(questions: Sequence[Question], watched: Container[Question], do: Do) -> None:
    """Do something for each question: first for the watched ones, one at a time, then for the others side by side."""
    for question in questions:
        if question in watched:
            await do(question, True)
    left = (question for question in questions if question not in watched)

    async def work() -> None:
        for question in left:  # the workers share the iterator; none awaits while it takes the next
            await do(question, False)

    async with anyio.create_task_group() as workers:
        for _ in range(AT_ONCE):
            workers.start_soon(work)


@dataclass(slots=True)
class _Asking:
    gold: Mapping[Question, Sequence[str]]
    look: Look
    tell: Tell
    done: Measured = field(default_factory=Measured)

    async def ask(self, question: Question, watch: bool) -> None:
        seen = await self.look(question.query, watch)
        self.done.ranks[question] = {leg: rank_of(texts, self.gold[question]) for leg, texts in seen.texts.items()}
        if watch:
            self.done.took_ms[question] = seen.took_ms
        self.tell(len(self.done.ranks))
