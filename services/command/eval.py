"""`seodang eval`: how good search and answers are on questions whose passages are known, compared with the run before.

In: a folder of sets. Out: recall, rank, gain and times, by leg, set, language and kind of question; how asks ended and
what they cost. The user's own documents are neither searched nor changed: the sets are read into a database beside
theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from db.eval_rows import EvalRun, ListedRun
from db.locks import SEODANG, Lock
from services.command.eval_bar import shown
from services.command.eval_corpus import corpus_tools, opened_corpus, schema_version
from services.command.eval_show import show_run, show_runs
from services.command.eval_study import evaluate_study, landed_wrong, show_study
from services.command.place import Place, opened_place
from services.command.show import emit
from services.document.embed import CHUNKER
from services.evaluate.asked_figures import ask_figures, ask_latency
from services.evaluate.asking import Replies, ask_all, asker
from services.evaluate.choose import answerable, named, to_ask
from services.evaluate.measure import Measured, measure
from services.evaluate.probe import Options, probe
from services.evaluate.result import Change, LegFigures, asks_of, changed, figures_of, latency_of, results_of
from services.evaluate.seen import Look
from services.evaluate.sets import EvaluationSet, Question, SetError, read_sets
from services.kit.errors import SeodangError
from services.kit.log import set_up_logging
from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.model.endpoint import configured, endpoint_of
from services.model.prompt import PROMPTS_DIR, load_prompt
from services.stages import stage_named
from services.tools import Tools

LISTED = 20
ASK_SAMPLE = 300
"""Questions of a set and kind that are asked unless said otherwise: a share of them has a standard error below .03."""
ALL = "all"
SETTINGS = ("search", "answer", "embed")
"""Parts of the settings that are kept with a run."""
group = typer.Typer(no_args_is_help=True, help="How good search and answers are, on sets of questions.")


class Switch(StrEnum):
    """An option that is said out loud either way, so that the line of a run tells what it was."""

    TRUE = "true"
    FALSE = "false"


AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Sets = Annotated[str | None, typer.Option("--sets", help="Ask only these sets, with commas; all are in the index.")]
Sample = Annotated[
    int | None, typer.Option("--sample", min=1, help="At most so many questions a set, always the same.")
]
Analyze = Annotated[Switch, typer.Option("--analyze", help="Have the model analyse each question.")]
Rerank = Annotated[Switch, typer.Option("--rerank", help="Have the reranker order the hits.")]
Study = Annotated[Switch, typer.Option("--study", help="Explain multiple-choice questions, in place of searching.")]
Ask = Annotated[Switch, typer.Option("--ask", help="Also ask: have questions answered or refused.")]
AskSample = Annotated[
    str, typer.Option("--ask-sample", metavar="N|all", help="At most so many asks a set and kind, always the same.")
]
Most = Annotated[int, typer.Option("--limit", min=1, help="At the most so many, newest first.")]


Gold = dict[Question, list[str]]
"""Questions, each with the texts of the passages that answer it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asks: all sets of the index, those that are asked, how many questions of each, with which help.

    `sample` is a set's share of searches, `ask_sample` one kind's of asks; None for all.
    """

    indexed: list[EvaluationSet]
    sets: list[EvaluationSet]
    sample: int | None
    options: Options
    ask: bool = True
    ask_sample: int | None = ASK_SAMPLE

    def gold(self) -> Gold:
        """Give the questions that are searched for.

        Raises:
            SetError: no passage answers any of them.
        """
        found = self._with_passages(lambda one: answerable(one, self.sample))
        if not found:
            raise SetError("No question of these sets is answered by a passage: there is nothing to look for.")
        return found

    def asks(self) -> Gold:
        """Give the questions that are asked; those that nothing answers have no passage."""
        return self._with_passages(lambda one: to_ask(one, self.ask_sample)) if self.ask else {}

    def _with_passages(self, choose: Callable[[EvaluationSet], Sequence[Question]]) -> Gold:
        texts = {one.name: one.passages() for one in self.sets}
        chosen = (each for one in self.sets for each in choose(one))
        return {each: [texts[each.set][number] for number in each.gold] for each in chosen}

    def stamps(self) -> dict[str, object]:
        """Say which sets are in the index."""
        return {one.name: one.stamp() for one in self.indexed}

    def said(self) -> dict[str, object]:
        """Give the options for the row of the run."""
        asks = {"ask": self.ask, "ask_sample": self.ask_sample if self.ask else None}
        return {"sets": [one.name for one in self.sets], "sample": self.sample, **self.options.as_json(), **asks}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run, as it is printed; `models` by role, `change` is None for the first of its kind."""

    run: int
    started_at: datetime
    sets: dict[str, object]
    options: dict[str, object]
    models: dict[str, object]
    figures: LegFigures
    latency: LegFigures
    change: Change | None


def how_many(said: str) -> int | None:
    """Read a number of questions; None for all.

    Raises:
        BadParameter: it is neither a number from 1 nor the word.
    """
    if said == ALL:
        return None
    if not said.isdecimal() or int(said) < 1:
        raise typer.BadParameter(f"{said!r} is neither a number from 1 nor the word {ALL}.")
    return int(said)


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format, "cli")
    return settings


@group.command("run")
def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of sets, or one set.")],
    sets: Sets = None,
    sample: Sample = None,
    analyze: Analyze = Switch.FALSE,
    rerank: Rerank = Switch.FALSE,
    study: Study = Switch.FALSE,
    ask: Ask = Switch.TRUE,
    ask_sample: AskSample = str(ASK_SAMPLE),
    as_json: AsJson = False,
) -> None:
    """Search for every answerable question, ask some of every kind, and say how often it went well."""
    indexed = read_sets(folder)
    if study is Switch.TRUE:
        _run_study(indexed, named(indexed, sets), sample, as_json)
        return
    options = Options(analyze is Switch.TRUE, rerank is Switch.TRUE)
    asked = Asked(indexed, named(indexed, sets), sample, options, ask is Switch.TRUE, how_many(ask_sample))
    with opened_place(_settings()) as place:
        found = evaluate(place, asked)
    emit(asdict(found), as_json, lambda _: show_run(found.run, found.figures, found.latency, found.change))


def _run_study(indexed: list[EvaluationSet], sets: list[EvaluationSet], sample: int | None, as_json: bool) -> None:
    with opened_place(_settings()) as place:
        made_by = {"prompt_versions": prompt_versions(), "models": models_of(place.settings)}
        found = evaluate_study(place, indexed, sets, sample, made_by)
    emit(asdict(found), as_json, lambda _: show_study(found))
    if landed_wrong(found):
        raise typer.Exit(1)


@group.command("list")
def list_(limit: Most = LISTED, as_json: AsJson = False) -> None:
    """List former runs, newest first."""
    with opened_place(_settings()) as place:
        rows = place.db.many(ListedRun, "list_eval_runs", most=limit)
    emit({"runs": rows}, as_json, lambda _: show_runs(rows))


def evaluate(place: Place, asked: Asked) -> Evaluation:
    """Ask, store the run, and compare it with the last one of the same sets and options.

    Raises:
        SeodangError: another run is at work, and the two would slow each other; or the index cannot be made.
    """
    gold = asked.gold()
    if not place.db.value("hold_evaluation", space=SEODANG, number=Lock.EVALUATION):
        raise SeodangError("Another evaluation runs on this database: wait for its end, the two would slow each other.")
    started_at = datetime.now(UTC)
    with opened_corpus(place, asked.indexed) as corpus:
        measured, replies = anyio.run(_held, place, corpus, asked, gold)
    figures = figures_of(measured) | ask_figures(replies.heard)
    latency = latency_of(measured) | ask_latency(replies.heard, replies.timed)
    results = {**results_of(measured), "asks": asks_of(replies.heard)}
    before = place.db.one(EvalRun, "last_eval_run", sets=asked.stamps(), options=asked.said())
    found = {"figures": figures, "latency": latency, "results": results}
    number = _store(place, asked, started_at, found)
    change = changed(before, EvalRun(number, started_at, figures, latency, results)) if before else None
    models = models_of(place.settings)
    return Evaluation(number, started_at, asked.stamps(), asked.said(), models, figures, latency, change)


async def _held(place: Place, corpus: Place, asked: Asked, gold: Gold) -> tuple[Measured, Replies]:
    """Search first, then ask: searches that are timed meet no cache that an ask has filled."""
    asks = asked.asks()
    async with corpus_tools(place, corpus, searching=True) as opened:
        tools = asked.options.on(opened)
        with shown("searching", len(gold)) as tell:
            look = probe(tools)
            if asked.options.analyze:
                await _analyzed(corpus, tools, look, list(gold))
            measured = await measure(gold, look, tell)
        with shown("asking", len(asks)) as tell:
            return measured, await ask_all(asks, asker(tools), tell)


async def _analyzed(corpus: Place, tools: Tools, look: Look, questions: Sequence[Question]) -> None:
    """Have each question analysed first: a search leaves its question to be analysed, and a later one uses that."""
    at_once = tools.settings.search.analyses_waiting
    for first in range(0, len(questions), at_once):
        for question in questions[first : first + at_once]:
            await look(question.query, False)
        await Runner(corpus.dsn, stage_named("analyze"), tools, tools.settings.queue, until_empty=True).run()


def _store(place: Place, asked: Asked, started_at: datetime, found: dict[str, Any]) -> int:
    return int(
        place.db.value(
            "insert_eval_run",
            started_at=started_at,
            sets=asked.stamps(),
            options=asked.said(),
            settings={part: getattr(place.settings, part).model_dump(mode="json") for part in SETTINGS},
            prompt_versions=prompt_versions(),
            models=models_of(place.settings),
            chunker=CHUNKER,
            schema_version=schema_version(),
            **found,
        )
    )


def prompt_versions() -> dict[str, object]:
    """Give the version of every prompt by its name."""
    names = sorted(path.stem for path in PROMPTS_DIR.glob("*.md"))
    return {prompt.name: prompt.version for prompt in map(load_prompt, names)}


def models_of(settings: Settings) -> dict[str, object]:
    """Give the label of the model behind every role that names a server."""
    found = {role: endpoint_of(role, settings.models, settings.gate.capacity) for role in configured(settings.models)}
    return {str(role): endpoint.label for role, endpoint in found.items() if endpoint is not None}
