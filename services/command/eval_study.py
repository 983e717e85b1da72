"""`seodang eval run --study true`: how many questions of multiple-choice sets are explained, and by the right passage.

In: sets whose questions have choices. Out: shares by set, language and kind of question, kept as a run of their own.
The passages are documents of the evaluation's database, tied to a topic for each set; the questions are explained there
by the daemon's own stage, with the configured model or the built-in rules. The user's own bank is not touched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import anyio

from db.locks import SEODANG, Lock
from db.rows import TermDocs
from db.study_eval_rows import ExplainedQuestion
from db.study_rows import TopicRow
from services.command.eval_bar import shown
from services.command.eval_corpus import corpus_tools, opened_corpus, schema_version
from services.command.place import Place
from services.command.show import table
from services.document.embed import CHUNKER
from services.evaluate.figures import Figures, by_group
from services.evaluate.measure import Tell
from services.evaluate.overlap import rank_of
from services.evaluate.sets import EvaluationSet, Question, SetError
from services.evaluate.studying import Explained, fits_other, shares, term_ids, with_choices
from services.kit.errors import SeodangError
from services.kit.runner import Runner
from services.search.lexical import ALL_CHUNKS
from services.stages import stage_named
from services.study.builtin import MODEL
from services.study.guard import Envelope, landed_elsewhere
from services.text.terms import query_weights

OWNER = 1
MEASURES = ("ready", "guard_fail", "skipped", "failed", "open", "elsewhere", "cites", "gold", "fits_other")
ROUNDS = 20
"""So often what was put off is tried again; a model that is away for so long ends the run."""

Bank = Mapping[str, Mapping[str, Question]]
"""Questions by set and id."""


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A run, as it is printed."""

    run: int
    started_at: datetime
    sets: dict[str, object]
    options: dict[str, object]
    figures: Figures


def evaluate_study(
    place: Place,
    indexed: Sequence[EvaluationSet],
    sets: Sequence[EvaluationSet],
    sample: int | None,
    made_by: Mapping[str, Any],
) -> StudyRun:
    """Explain the questions of sets, store the run and give its figures.

    Args:
        indexed: all sets of the index; `sets`: those whose questions are explained, at most `sample` of each.
        made_by: `prompt_versions` and `models` of the run's row.
    Raises:
        SetError: no question has choices.
        SeodangError: another run is at work, or the model was away too long.
    """
    bank = {one.name: {each.id: each for each in found} for one in sets if (found := with_choices(one, sample))}
    if not bank:
        raise SetError("No question of these sets has two to five choices, one of them right: none can be explained.")
    if not place.db.value("hold_evaluation", space=SEODANG, number=Lock.EVALUATION):
        raise SeodangError("Another evaluation runs on this database: wait for its end, the two would slow each other.")
    started_at = datetime.now(UTC)
    with opened_corpus(place, indexed) as corpus:
        topics = [_topic(corpus, name, questions.values()) for name, questions in bank.items()]
        with shown("explaining", sum(map(len, bank.values()))) as tell:
            anyio.run(_explained, place, corpus, topics, tell)
        ended = _ended(corpus, topics, bank, {one.name: one.passages() for one in sets})
    figures = by_group(ended, shares)
    stamps: dict[str, object] = {one.name: one.stamp() for one in indexed}
    options: dict[str, object] = {"sets": list(bank), "sample": sample, "study": True}
    row = {"sets": stamps, "options": options, "figures": {"study": figures}, "results": _results(ended), **made_by}
    return StudyRun(_store(place, started_at, row), started_at, stamps, options, figures)


def _store(place: Place, started_at: datetime, row: Mapping[str, Any]) -> int:
    parts = {part: getattr(place.settings, part).model_dump(mode="json") for part in ("search", "embed", "study")}
    fixed = {"settings": parts, "chunker": CHUNKER, "schema_version": schema_version(), "latency": {}}
    return int(place.db.value("insert_eval_run", started_at=started_at, **fixed, **row))


def _results(ended: Mapping[Question, Explained]) -> dict[str, Any]:
    """Write how each question ended, by set and question."""
    found: dict[str, dict[str, object]] = {}
    for question, how in ended.items():
        found.setdefault(question.set, {})[question.id] = asdict(how)
    return {"study": found}


def _topic(corpus: Place, name: str, questions: Iterable[Question]) -> int:
    """Make a topic of a set, with its documents and questions, and enqueue these."""
    corpus.db.value("retire_evaluated_topic", topic=name)
    values = {"user_id": OWNER, "topic": name, "description": "", "scheduler": "steps"}
    made = corpus.db.one(TopicRow, "insert_study_topic", **values)
    assert made is not None  # the name is free: the former topic is deleted
    corpus.db.value("tie_collection", topic_id=made.id, collection=name)
    for each in questions:
        corpus.db.value(
            "insert_study_question",
            user_id=OWNER,
            topic_id=made.id,
            source_key=each.id,
            text=each.text,
            choices=list(each.choices),
            correct_choice=(each.correct or 0) + 1,
            explanation=None,
            exam_name=name,
            exam_round=None,
            exam_number=None,
            tags=[],
        )
    corpus.db.value("enqueue_topic_explanations", topic_id=made.id)
    return made.id


async def _explained(place: Place, corpus: Place, topics: Sequence[int], tell: Tell) -> None:
    """Do the ready work until all of it is final; what was put off is waited for.

    Raises:
        SeodangError: some of it is not, after many rounds.
    """
    settings, never = place.settings.queue, anyio.Event()
    async with corpus_tools(place, corpus) as tools:
        whole = left = int(await tools.db.value("explanations_left", topic_ids=topics))
        for _ in range(ROUNDS):
            await Runner(corpus.dsn, stage_named("explanation"), tools, settings, until_empty=True).run()
            left = int(await tools.db.value("explanations_left", topic_ids=topics))
            tell(whole - left)
            if not left:
                return
            with anyio.move_on_after(settings.retry_after_s + settings.watch_s):
                await never.wait()
    raise SeodangError(
        f"{left} of {whole} questions wait for a model that is away: start its server, and run this again."
    )


def _ended(
    corpus: Place, topics: Sequence[int], bank: Bank, passages: Mapping[str, Mapping[str, str]]
) -> dict[Question, Explained]:
    rows = corpus.db.many(ExplainedQuestion, "explained_questions", topic_ids=list(topics))
    weights = _weights(corpus, [each for of_set in bank.values() for each in of_set.values()])
    found = {(row.topic, row.source_key): row for row in rows}
    return {
        question: _how(found[name, number], question, [passages[name][gold] for gold in question.gold], weights)
        for name, questions in bank.items()
        for number, question in questions.items()
    }


def _weights(corpus: Place, questions: Sequence[Question]) -> dict[int, float]:
    ids = term_ids(questions)
    docs = {row.term: row.docs for row in corpus.db.many(TermDocs, "term_docs", terms=[ALL_CHUNKS, *ids])}
    return query_weights(ids, docs, docs.get(ALL_CHUNKS, 0))


def _how(row: ExplainedQuestion, question: Question, gold: Sequence[str], weights: Mapping[int, float]) -> Explained:
    if row.status != "ready" or row.text is None:
        return Explained(row.status, row.code)
    correct = (question.correct or 0) + 1
    told = Envelope(answer_choice=row.answer_choice or correct, explanation_md=row.text)
    snippets = [str(each["snippet"]) for each in row.citations or () if each.get("document_id") is not None]
    return Explained(
        row.status,
        None,
        elsewhere=landed_elsewhere(told, correct, question.choices) is not None,
        cites=bool(snippets),
        cites_gold=rank_of(snippets, gold) is not None if gold else None,
        fits_other=fits_other(row.text, question, weights) if row.model == MODEL else None,
    )


def show_study(found: StudyRun) -> None:
    """Print shares by group of questions."""
    rows = [
        [group, int(each["n"]), *(_cell(name, each.get(name)) for name in MEASURES)]
        for group, each in found.figures.items()
    ]
    title = f"Run {found.run}: explanations; shares of all, from «cites» on of those that are ready"
    table(title, ("questions", "n", *MEASURES), rows)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if name == "elsewhere" else f"{value:.4f}"


def landed_wrong(found: StudyRun) -> bool:
    """Say whether any stored explanation lands on another choice than the stored one: there may be none."""
    return found.figures["all"]["elsewhere"] > 0
