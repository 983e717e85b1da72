"""The analysis of a quiz: how it went, what was weakest, and what to read again, from counted facts and cited passages.

In: a row of `study_quiz_jobs`. Out: the analysis with its citations. It refuses a number that is neither one of the
facts nor in a passage that its sentence cites; without a model the facts speak for themselves.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from db.gate import Priority
from db.jobs import Job
from db.study_note_rows import Missed, QuizChange, QuizFacts, QuizGroup
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.kit.settle import outcome_of
from services.kit.stage import single
from services.model.budget import first_within, room_tokens
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.study.analysis_facts import WORDS, Facts, figures_of, told
from services.study.cited import Citation, Claim, Line, Passage, bound, faults, plain, read_lines
from services.study.note_sources import (
    LANGUAGES,
    Sources,
    gather,
    misquoted,
    quoted,
    written_misses,
    written_out,
)
from services.text.language import ReplyLanguage, reply_language
from services.text.summary import shortened
from services.text.terms import terms
from services.tools import Tools

PROMPT = "analysis"
BUILT_IN = ("builtin:extractive", "analysis_facts-1")
"""By whom and by which rules an analysis was made that no model spoke in."""
MISSED = 12
"""Questions that were not known of which the model is told."""
READ_AGAIN = 3
"""So many of them are shown with a passage where no model speaks."""
QUESTION_CHARS, QUOTE_CHARS = 80, 160
AGAIN_TEMPERATURE = 0.3


class Analysis(BaseModel):
    """The reply that prompts/analysis.md asks for; the counts show whether the facts were read."""

    model_config = ConfigDict(extra="ignore")

    analysis: str
    right: int
    wrong: int
    unsure: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What an analysis may rest on; `lines` are the facts in the reader's language."""

    facts: Facts
    sources: Sources
    language: ReplyLanguage
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An analysis as it is stored; `faults` say what does not hold in it."""

    text: str
    citations: tuple[Citation, ...]
    model: str
    prompt_version: str
    faults: tuple[str, ...] = ()


async def analyse(job: Job, tools: Tools) -> Outcome:
    """Analyse one quiz."""
    quiz = await tools.db.one(QuizFacts, "quiz_facts", job_id=job.id)
    if quiz is None or not quiz.answered:
        return Skipped("evidence_missing", "No question of this quiz was answered: there is nothing to analyse.")
    ground = await _ground(quiz, tools)
    models = tools.models
    try:
        if models is None or models.endpoint(Role.PRIMARY) is None:
            written = _by_rules(ground, tools.settings.study.analysis_chars)
        else:
            written = await _by_model(job, ground, models, tools.settings.study.analysis_chars)
    except ModelError as error:
        return outcome_of(error)
    wrong = [*written.faults, *(f"quote_not_on_page {each}" for each in await misquoted(written.citations, tools))]
    if wrong:
        return Retry("guard_fail", f"The analysis says what neither facts nor passages say: {', '.join(wrong)}.")
    return _saved(quiz, written)


run = single(analyse)


async def _ground(quiz: QuizFacts, tools: Tools) -> Ground:
    groups = await tools.db.many(QuizGroup, "quiz_groups", quiz_id=quiz.id)
    changes = await tools.db.many(QuizChange, "quiz_changes", quiz_id=quiz.id)
    missed = await tools.db.many(Missed, "quiz_misses", quiz_id=quiz.id, most=MISSED)
    topics = await tools.db.value("topics_of_quiz", quiz_id=quiz.id)
    language = reply_language(str(await tools.db.value("head_of_quiz", quiz_id=quiz.id)))
    facts = Facts(quiz, tuple(groups), tuple(changes))
    sources = await gather(topics, missed, tools) if missed else Sources((), {}, ())
    return Ground(facts, sources, language, tuple(plain(line) for line in told(facts, language)))


def _saved(quiz: QuizFacts, written: Written) -> Completed:
    saved = Write.once(
        "save_quiz_analysis",
        quiz_id=quiz.id,
        analysis=written.text,
        citations=[each.as_json() for each in written.citations],
        model=written.model,
        prompt_version=written.prompt_version,
        sources=quiz.sources,
    )
    return Completed((saved,), payload={"analysis_chars": len(written.text)})


def _by_rules(ground: Ground, most: int) -> Written:
    text, citations = bound(list(_lines(ground)), ground.sources.passages, most)
    return Written(text, citations, *BUILT_IN)


def _lines(ground: Ground) -> Iterator[Line]:
    """Write the facts, with what to read again before the groups, which may be many."""
    words, groups = WORDS[ground.language], len(ground.lines) - len(ground.facts.groups)
    parts = (("again", list(_read_again(ground.sources))), ("groups", list(_listed(ground.lines[groups:]))))
    yield Line("", tuple(Claim(line, ()) for line in ground.lines[:groups]))
    for name, lines in parts:
        if lines:
            yield Line("## ", (Claim(words[name], ()),))
            yield from lines


def _listed(said: Iterable[str]) -> Iterator[Line]:
    return (Line("- ", (Claim(each, ()),)) for each in said)


def _read_again(sources: Sources) -> Iterator[Line]:
    for each in sources.missed[:READ_AGAIN]:
        passage = _nearest(each, sources.passages)
        if passage is not None:
            said = f"{shortened(plain(each.text), QUESTION_CHARS)} → {shortened(plain(passage.title), QUOTE_CHARS)}"
            yield Line("- ", (Claim(said, (passage.n,)),))


def _nearest(missed: Missed, passages: Mapping[int, Passage]) -> Passage | None:
    """Find the passage that shares most words with a question and its answer; None where none shares any."""
    wanted = set(terms(f"{missed.text} {missed.answer}"))
    shared = {n: len(wanted.intersection(terms(each.text))) for n, each in passages.items()}
    best = max(shared, key=lambda n: (shared[n], -n), default=None)
    return passages[best] if best is not None and shared[best] else None


async def _by_model(job: Job, ground: Ground, models: ModelClient, most: int) -> Written:
    """Have the model write.

    Raises:
        ModelError: the call failed, or its reply cannot be read.
    """
    call = Call(Role.PRIMARY, Priority.BACKGROUND, f"analysis quiz:{ground.facts.quiz.id}")
    endpoint = models.endpoint(call.role)
    room = room_tokens(endpoint, _request(ground, (), most)) if endpoint is not None else None
    shown = first_within(written_out(ground.sources.passages.values()), room)
    temperature = AGAIN_TEMPERATURE if job.attempts > 1 else 0.0
    said = await models.chat(call, replace(_request(ground, shown.values(), most), temperature=temperature))
    reply = read_json(said.reply.text, Analysis)
    return _held(reply, ground, {n: ground.sources.passages[n] for n in shown}, most, said.model)


def _request(ground: Ground, shown: Iterable[str], max_chars: int) -> ChatRequest:
    prompt = load_prompt(PROMPT)
    parts = prompt.fill(
        facts="\n".join(quoted(line) for line in ground.lines),
        missed=written_misses(ground.sources.missed),
        passages="\n".join(shown) or "-",
        max_chars=max_chars,
        language=LANGUAGES[ground.language],
    )
    messages = tuple(Message(who, text) for who, text in parts)
    return ChatRequest(messages, prompt.header.max_tokens, shape=Analysis)


def _held(reply: Analysis, ground: Ground, shown: Mapping[int, Passage], most: int, model: str) -> Written:
    """Hold a reply against the facts and the passages that it was shown."""
    lines, allowed = read_lines(reply.analysis), figures_of(ground.lines)
    found = [each for line in lines for claim in line.claims for each in faults(claim, shown, allowed)]
    quiz = ground.facts.quiz
    counted = {"right": quiz.right_answers, "wrong": quiz.wrong_answers, "unsure": quiz.unsure_answers}
    found += [f"count_wrong {name}" for name, count in counted.items() if getattr(reply, name) != count]
    found += [] if lines else ["empty"]
    text, citations = ("", ()) if found else bound(lines, shown, most)
    return Written(text, citations, model, load_prompt(PROMPT).version, tuple(dict.fromkeys(found)))
