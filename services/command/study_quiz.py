"""`seodang study quiz`, `review` and `explain`: asked in the terminal, or by lines of standard input."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import anyio
import typer
from rich.markup import escape

from db.gate import Priority
from db.notify import Bell
from db.pool import Database, open_pool
from db.study_quiz_rows import ExplanationRow, QuizItem, QuizRow, ReviewCard
from db.study_rows import TopicRow
from services.command.place import Place, opened_place
from services.command.quiz_keys import QUIT, Answer, read_answer
from services.command.show import emit, err, out, table
from services.kit.errors import SeodangError
from services.kit.log import set_up_logging
from services.kit.settings import Settings, load_settings
from services.study import quiz as quizzes
from services.study import review as reviews
from services.study.quiz import Said, Wanted
from services.web.wire import clean

OWNER = 1
LOOK_S = 0.5
STAGE = "explanation"
UNDER_WAY = ("pending", "processing")
STORED = ("ready", "stale")
MARKS = {"right": "[green]right[/green]", "wrong": "[red]wrong[/red]", "unsure": "[yellow]unsure[/yellow]",
         "dont_know": "[yellow]not known[/yellow]", None: "[dim]not answered[/dim]"}  # fmt: skip


class Mode(StrEnum):
    """What is asked; cram leaves the schedule alone."""

    QUIZ = "quiz"
    WRONG_ONLY = "wrong_only"
    REVIEW = "review"
    CRAM = "cram"


Tab = Literal["due_today", "pending_review", "chronic", "regressed", "mastered"]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output; questions on the other.")]
TopicName = Annotated[str | None, typer.Argument(metavar="TOPIC", help="A topic's name or number; all without one.")]
Count = Annotated[int | None, typer.Option("--count", min=1, max=quizzes.MOST_QUESTIONS, help="So many questions.")]
Resume = Annotated[int | None, typer.Option("--resume", metavar="QUIZ", help="Go on with a quiz that was left.")]
Again = Annotated[bool, typer.Option("--again", help="Have it made anew.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until it is there.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `study`."""
    group.command("quiz")(quiz)
    group.command("review")(review)
    group.command("explain")(explain)


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format, "cli")
    return settings


def _asked(place: Place, ask: Callable[[Database], Any]) -> Any:
    """Run something of the product on a pool of its own."""

    async def run() -> Any:
        async with open_pool(place.dsn, "study", 1) as db:
            return await ask(db)

    return anyio.run(run)


def _topic(place: Place, named: str | None) -> TopicRow | None:
    if named is None:
        return None
    row = place.db.one(TopicRow, "study_topic", user_id=OWNER, named=clean(named))
    if row is None:
        raise SeodangError(f"There is no topic {named!r}: `seodang study topic ls` lists them.")
    return row


# -- quiz --------------------------------------------------------------------------------------------------------------


def quiz(
    topic: TopicName = None,
    mode: Annotated[Mode, typer.Option("--mode", help="What is asked; cram leaves the schedule alone.")] = Mode.QUIZ,
    count: Count = None,
    wrong_only: Annotated[bool, typer.Option("--wrong-only", help="What was wrong the last time.")] = False,
    resume: Resume = None,
    as_json: AsJson = False,
) -> None:
    """Be asked one question at a time: 1-5 answers, u is unsure, ? is not known, q leaves and keeps."""
    with opened_place(_settings()) as place:
        row = _topic(place, topic)
        wanted = Wanted(() if row is None else (row.id,), mode.value, count, wrong_only)
        number = resume or _asked(place, lambda db: quizzes.make_quiz(db, OWNER, wanted, place.settings.review))
        left = not _ask_all(place, number)
        result = _read(place, number)
    emit(_as_json(*result), as_json, lambda _: _show_left(number) if left else show_result(*result))


def _read(place: Place, number: int) -> tuple[QuizRow, list[QuizItem]]:
    found: tuple[QuizRow, list[QuizItem]] = _asked(
        place, lambda db: quizzes.read(db, OWNER, number, place.settings.review)
    )
    return found


def _ask_all(place: Place, number: int) -> bool:
    """Ask what is open of a quiz, and end it; False where its asker left before."""
    row, items = _read(place, number)
    if row.status == "finished":
        return True
    for item in items:
        if item.outcome is None:
            _show_question(item, len(items))
            given = read_answer(len(item.choices))
            if given is QUIT:
                return False
            _keep(place, number, item, given)
    _asked(place, lambda db: quizzes.finish(db, OWNER, number))
    return True


def _keep(place: Place, number: int, item: QuizItem, given: Answer) -> None:
    said = Said(given.choice, given.said)
    _asked(place, lambda db: quizzes.answer(db, OWNER, number, item.id, said, place.settings.review))


def _show_question(item: QuizItem, total: int) -> None:
    """Print a question where a person sees it and a program that reads the result does not."""
    err.print(f"\n[bold]{item.position}/{total}[/bold] {escape(item.text)}", highlight=False)
    for place, choice in enumerate(item.choices, start=1):
        err.print(f"  {place}. {choice}", highlight=False, markup=False)


def _show_left(number: int) -> None:
    out.print(f"Kept. Go on with `seodang study quiz --resume {number}`.")


def _as_json(row: QuizRow, items: list[QuizItem]) -> dict[str, Any]:
    told = row.status == "finished"
    hidden = ("correct_choice", "explanation", "ai_explanation")
    shown = [asdict(item) if told or item.outcome else {**asdict(item), **dict.fromkeys(hidden)} for item in items]
    return {**asdict(row), "questions": shown}


def show_result(row: QuizRow, items: list[QuizItem]) -> None:
    """Print what was right, and of the rest why: explanations that are ready at once, the others are being made."""
    out.print(f"\n[bold]{row.right_answers} of {row.question_count} right[/bold]", highlight=False)
    for item in items:
        out.print(f"\n{item.position}. {escape(item.text)}  {MARKS[item.outcome]}", highlight=False)
        if item.outcome == "right":
            continue
        right = escape(item.choices[item.correct_choice - 1])
        out.print(f"   right: [bold]{item.correct_choice}. {right}[/bold]", highlight=False)
        for text in (item.explanation, _why(item)):
            if text:
                out.print(f"   {text}", highlight=False, markup=False)


def _why(item: QuizItem) -> str | None:
    if item.ai_explanation_status in STORED:
        return item.ai_explanation
    if item.ai_explanation_status == "pending":
        return f"The explanation is being made: `seodang study explain {item.id}` shows it."
    if item.ai_explanation_status in ("failed", "skipped"):
        return f"It could not be explained: `seodang study explain {item.id}` says why."
    return None


# -- review ------------------------------------------------------------------------------------------------------------


def review(
    topic: TopicName = None,
    tab: Annotated[Tab, typer.Option("--tab", help="What is listed.")] = "due_today",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At the most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what is to be reviewed today; `seodang study quiz --mode review` asks it."""
    with opened_place(_settings()) as place:
        row = _topic(place, topic)
        topic_id = None if row is None else row.id
        settings = place.settings.review
        tabs, cards = _asked(place, lambda db: reviews.cards_of(db, OWNER, topic_id, tab, limit, settings))
    value = {"tabs": tabs, "tab": tab, "cards": cards}
    emit(value, as_json, lambda _: _show_review(tabs, cards))


def _show_review(tabs: dict[str, int], cards: list[ReviewCard]) -> None:
    out.print("   ".join(f"{name.replace('_', ' ')}: {count}" for name, count in tabs.items()), highlight=False)
    cells = [(card.topic, card.id, card.text, card.state, _day(card.due_at)) for card in cards]
    table("", ("topic", "id", "question", "state", "due"), cells)
    if not cards:
        out.print("There are none here.")


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d}"


# -- explain -----------------------------------------------------------------------------------------------------------


def explain(question_id: int, again: Again = False, wait: Wait = False, as_json: AsJson = False) -> None:
    """Show the explanation of a question; one that is not there is made, before what nobody waits for."""
    with opened_place(_settings()) as place:
        row = explanation_of(place, question_id, again, wait)
    emit(asdict(row), as_json, lambda _: _show_explanation(row))
    raise typer.Exit(1 if row.status in ("failed", "skipped") else 0)


def explanation_of(place: Place, question_id: int, again: bool, wait: bool) -> ExplanationRow:
    """Give the explanation of a question, or how far it is.

    Args:
        again: it is made anew, also where one is stored.
        wait: stay until it is made or could not be; without a daemon it is made here.
    Raises:
        SeodangError: there is no such question.
    """
    row = _explanation(place, question_id)
    ended = row.status in ("failed", "skipped") and row.job_status not in UNDER_WAY
    if again or not (row.status in STORED or ended):
        payload = {"asked_by": "person", **({"again": True} if again else {})}
        values = {"user_id": OWNER, "id": question_id, "urgency": int(Priority.FOREGROUND), "payload": payload}
        place.db.value("enqueue_explanation", **values)
    if wait and STAGE not in place.served():
        place.drain([STAGE])
        wait = False  # what was put off, nobody would make now
    row = _explanation(place, question_id)
    while wait and row.job_status in UNDER_WAY:
        anyio.run(Bell().wait, 0, LOOK_S)  # nobody rings for the end of such a job: the row is looked at
        row = _explanation(place, question_id)
    return row


def _explanation(place: Place, question_id: int) -> ExplanationRow:
    row = place.db.one(ExplanationRow, "study_explanation", user_id=OWNER, id=question_id)
    if row is None:
        raise SeodangError(f"There is no question {question_id}.")
    return row


def _show_explanation(row: ExplanationRow) -> None:
    if row.status in STORED and row.withheld:
        out.print("It quotes a document that has become restricted since: --again has it made of the others.")
    elif row.status in STORED:
        out.print(row.explanation or "", highlight=False, markup=False)
        for cited in row.citations or []:
            snippet = " ".join(str(cited.get("snippet", "")).split())
            out.print(f"  {cited.get('title', '')}: “{snippet}”", highlight=False, markup=False, style="dim")
        if row.status == "stale":
            out.print("The question was changed since: --again has it made anew.", style="yellow")
    elif row.status in ("failed", "skipped"):
        out.print(f"It could not be explained: {row.error_message or row.error_code}. --again tries once more.")
    else:
        out.print("It is being made: ask again in a moment, or with --wait.")
