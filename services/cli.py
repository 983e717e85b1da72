"""The command line. Every command takes --json; exit code 0 is done, 1 failed, 2 wrong use. A refusal is a result."""

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from db.errors import DatabaseError
from db.migrate import migrate as apply_migrations
from services.command import add as adding
from services.command import ask as asking
from services.command import ask_show, documents, study
from services.command import demo as demonstration
from services.command import digest as digests
from services.command import eval as evaluations
from services.command import gate as gates
from services.command import queue as queues
from services.command import search as searching
from services.command import status as statuses
from services.command.ask_told import Voice
from services.command.ask_trace import show_trace
from services.command.drain import drain
from services.command.place import opened_place
from services.command.show import emit, err, out
from services.kit.errors import RequestError, SeodangError, SettingsError
from services.kit.log import set_up_logging
from services.kit.settings import Settings, load_settings
from services.search.filters import KINDS, parse_filters
from services.supervise import up as run_everything
from services.web.context import OWNER
from services.wiring import dsn_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
queue = typer.Typer(no_args_is_help=True, help="What waits, what failed; again, or now.")
app.add_typer(queue, name="queue")
gate = typer.Typer(no_args_is_help=True, help="Who may call the model now.")
app.add_typer(gate, name="gate")
app.add_typer(documents.group, name="document")
app.add_typer(evaluations.group, name="eval")
app.add_typer(study.group, name="study")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
StageName = Annotated[str | None, typer.Option("--stage", help="Only this stage.")]
AnyOf = Annotated[list[str] | None, typer.Option(help="May be given several times: any of them.")]
Code = Annotated[str | None, typer.Option("--code", help="Only this error code.")]


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format, "cli")
    return settings


@app.command()
def up(as_json: AsJson = False) -> None:
    """Run Postgres, the daemons and the web until Ctrl-C."""
    raise typer.Exit(run_everything(load_settings()))


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Read the samples, ask three questions, and one that cannot be answered."""
    demonstration.demo(_settings())


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    settings = _settings()
    with opened_place(settings) as place:
        applied = apply_migrations(place.dsn)
    emit({"applied": applied}, as_json, lambda _: out.print("The schema is up to date."))


@app.command("db-url")
def db_url(as_json: AsJson = False) -> None:
    """Print the address of the database for psql and every other client."""
    url = dsn_of(_settings())
    emit({"url": url}, as_json, lambda _: print(url))  # noqa: T201 - one line for a script, never wrapped


@app.command()
def add(
    paths: list[Path],
    collection: Annotated[str, typer.Option(help="Where the documents belong.")] = "default",
    wait: Annotated[bool, typer.Option("--wait", help="Stay until they can be found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take files and folders in."""
    collection = adding.collection_named(collection)
    with opened_place(_settings()) as place:
        added = adding.add(place, paths, collection, wait)
    emit(asdict(added), as_json, lambda _: adding.show_added(added))
    raise typer.Exit(1 if added.failures else 0)


@app.command()
def search(
    question: str,
    limit: int = 10,
    material_type: AnyOf = None,
    jurisdiction: AnyOf = None,
    collection: AnyOf = None,
    kind: Annotated[list[str] | None, typer.Option(help=f"Kind of file: {', '.join(KINDS)}.")] = None,
    year: int | None = None,
    facets: Annotated[bool, typer.Option("--facets", help="Count the hits by type, jurisdiction and version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tell what each leg found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    given = {"material_type": material_type, "jurisdiction": jurisdiction, "collection": collection, "kind": kind}
    filters = parse_filters({**given, "year": year}, OWNER)
    settings = _settings()
    question = searching.readable(question, settings)
    with opened_place(settings) as place:
        found = searching.search_chunks(place, question, limit, filters, facets, debug)
    emit(found.model_dump(mode="json"), as_json, lambda _: searching.show_found(found))


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument()] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    background: Annotated[bool, typer.Option("--background", help="Let questions of people go first.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print what was done for it, and how long it took.")] = False,
    show: Annotated[int | None, typer.Option("--show", help="Show an ask of earlier, by its number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask; every claim of the answer names its page."""
    if (question is None) == (show is None):
        raise RequestError(400, "wrong_use", "Give a question, or --show and the number of an ask.")
    settings = _settings()
    question = None if question is None else asking.readable(question, settings)
    with closing(Voice(stream and not as_json, not as_json)) as voice, opened_place(settings) as place:
        if question is not None:
            result = asking.ask_question(place, question, background, voice, debug)
        else:
            result = asking.asked_before(place, show or 0, debug)
    shown = ask_show.show_rest if stream else ask_show.show_answer
    emit(result, as_json, shown if show is None else ask_show.show_asked)
    if debug and not as_json:
        show_trace(result)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show processes, daemons and queues."""
    with opened_place(_settings()) as place:
        state = statuses.state_of(place)
    emit(asdict(state), as_json, lambda _: statuses.show_state(state))


@queue.command("ls")
def queue_ls(stage: StageName = None, code: Code = None, as_json: AsJson = False) -> None:
    """List what waits and what failed, with the reason."""
    with opened_place(_settings()) as place:
        found = queues.list_queue(place, stage, code)
    emit(asdict(found), as_json, lambda _: queues.show_queue(found))


@queue.command("retry")
def queue_retry(
    ids: Annotated[list[int] | None, typer.Argument()] = None,
    file: Annotated[list[str] | None, typer.Option("--file", help="Name, path or glob; may be repeated.")] = None,
    stage: StageName = None,
    code: Code = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed; the same as to name nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Enqueue failed rows again, each as a new row: by id, by file, by code, by stage, or all."""
    choice = queues.Choice(tuple(ids or ()), tuple(file or ()), stage, code, everything)
    with opened_place(_settings()) as place:
        retried = queues.retry(place, choice)
    emit(retried.as_json(), as_json, lambda _: queues.show_retried(retried))
    raise typer.Exit(1 if choice.by_name and retried.in_vain else 0)


@queue.command("drain")
def queue_drain(stage: StageName = None, as_json: AsJson = False) -> None:
    """Do what is ready in this process, then end; documents are classified by the deep model here."""
    with opened_place(_settings()) as place:
        drained = drain(place, stage)
    emit(drained.as_json(), as_json, lambda _: out.print(drained.sentence()))


@app.command()
def digest(
    now: Annotated[bool, typer.Option("--now", help="Make one of what came in until now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last digests of what came in."""
    with opened_place(_settings()) as place:
        found = digests.digest_now(place) if now else digests.list_digests(place)
        emit(asdict(found), as_json, lambda _: digests.show_digests(found, place))
    raise typer.Exit(1 if found.now is not None and found.now.status == "failed" else 0)


@gate.command("status")
def gate_status(as_json: AsJson = False) -> None:
    """Show who holds each model server, who waits, in which class and how long."""
    with opened_place(_settings()) as place:
        state = gates.gate_state(place)
    emit(asdict(state), as_json, lambda _: gates.show_gate(state))


@app.command()
def config(as_json: AsJson = False) -> None:
    """Show every setting in force; secrets are hidden."""
    values = json.loads(_settings().model_dump_json())
    emit(values, as_json, lambda _: out.print_json(json.dumps(values, ensure_ascii=False)))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong, and say what to do about it."""
    checks = statuses.examine(_settings())
    emit([asdict(check) for check in checks], as_json, lambda _: statuses.show_checks(checks))
    raise typer.Exit(0 if all(check.well for check in checks) else 1)


def main() -> None:
    """Run a command; every expected failure is one sentence."""
    try:
        app()
    except (SettingsError, RequestError, KeyError) as error:
        _fail(2, "wrong_use", error)
    except SeodangError as error:
        _fail(1, "failed", error)
    except DatabaseError as error:
        _fail(1, "database", error)


def _fail(exit_code: int, code: str, error: Exception) -> None:
    message = str(error.args[0]) if error.args else str(error)
    hint = getattr(error, "hint", "")
    if "--json" in sys.argv:
        said = {"code": code, "message": message, "hint": hint}
        print(json.dumps({"error": said}, ensure_ascii=False))  # noqa: T201 - the command's result
    else:
        told = message if hint in message else f"{message} {hint}"
        err.print(told, style="red", highlight=False, markup=False)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
