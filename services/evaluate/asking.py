"""The one place where the evaluation asks: what is measured is the pipeline of the synthesis daemon, in this process.

In: a question. Out: how its ask ended. No row of `asks` is written, nobody is told how it goes, and no stored answer is
given again. Calls take their turn at the gate in its last class; a call that fails ends its ask, which is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from db.gate import Priority
from services.answer.ask import Asking, Author, ask, writer_of
from services.answer.events import AskEvent
from services.answer.evidence import Evidence
from services.answer.grounding import check_numbers
from services.answer.publish import Publisher
from services.answer.result import Answer, Refusal
from services.answer.trace import Trace
from services.evaluate.choose import to_time
from services.evaluate.heard import Heard, hear
from services.evaluate.measure import TIMED, Tell, in_turn
from services.evaluate.reply import ANSWERED, FAILED, AskOne, Reply
from services.evaluate.sets import Question
from services.kit.errors import RequestError
from services.model.client import Call
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.search.filters import Filters
from services.text.normalise import normalise
from services.tools import Tools

NOBODY = 0
"""The number of an ask that has no row: its voice never speaks."""


def asker(tools: Tools) -> AskOne:
    """Give the ask of an evaluation, over the database and with the settings and models of the tools."""
    models = writer_of(tools)

    async def ask_one(question: Question) -> Reply:
        trace, voice = Trace(_tell_nobody), Publisher(tools.db, NOBODY)
        call = Call(Role.PRIMARY, Priority.BACKGROUND, f"synthesis eval:{question.set}/{question.id}")
        text = normalise(question.query)
        started = perf_counter()
        try:
            result, evidence, author = await ask(Asking(text, Filters(), tools, trace, voice, models, call))
        except (RequestError, ModelError) as error:
            return Reply(FAILED + error.code, _ms_since(started), trace.facts)
        took_ms = _ms_since(started)
        if isinstance(result, Refusal):
            return Reply(result.reason, took_ms, trace.facts)
        return _answered(text, result, evidence, author, trace, took_ms)

    return ask_one


def _answered(
    question: str, answer: Answer, evidence: Sequence[Evidence], author: Author, trace: Trace, took_ms: float
) -> Reply:
    passages = {each.chunk_id: each.text for each in evidence}
    cited = tuple(dict.fromkeys(passages.get(each.chunk_id, each.quote) for each in answer.citations))
    bad_numbers = any(each.strength == "strong" for each in check_numbers(answer.text, cited, question))
    return Reply(ANSWERED, took_ms, trace.facts, answer.text, cited, bad_numbers, author.model)


def _tell_nobody(event: AskEvent) -> None:
    """Hear a step, and say nothing."""


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000


@dataclass(frozen=True, slots=True)
class Replies:
    """By question how its ask ended; `timed` are those that were asked alone."""

    heard: dict[Question, Heard] = field(default_factory=dict)
    timed: list[Question] = field(default_factory=list)


async def ask_all(gold: Mapping[Question, Sequence[str]], ask_one: AskOne, tell: Tell, timed: int = TIMED) -> Replies:
    """Ask each question: those that are timed one at a time, then the others several at a time.

    Args:
        gold: for each question the texts of the passages that answer it; none for one that nothing answers.
        tell: is told how many questions are done.
    """
    done: dict[Question, Heard] = {}

    async def do(question: Question, watch: bool) -> None:
        done[question] = hear(question, gold[question], await ask_one(question))
        tell(len(done))

    watched = to_time(gold, timed)
    await in_turn(list(gold), set(watched), do)
    return Replies({question: done[question] for question in gold}, watched)
