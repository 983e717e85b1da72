"""`seodang status` and `seodang doctor`: how it stands, and what is wrong with it."""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.command_rows import ServerFacts
from db.errors import DatabaseError
from db.locks import WORKERS
from db.migrate import migration_files
from db.rows import WorkerRow
from services.command.models import advice_of, probe_models
from services.command.place import Place, opened_place
from services.command.queue import ActiveRows, active_rows, active_table
from services.command.show import duration, out, table
from services.kit.settings import Settings
from services.stages import STAGES
from services.supervise import ProcessState, process_states

LONG_TRANSACTION_S = 600.0
"""A snapshot held so long keeps vacuum from the queues, and every claim gets slower (docs/operations.md)."""


@dataclass(frozen=True, slots=True)
class State:
    """Processes of this host, daemons of all hosts, and what waits."""

    processes: list[ProcessState]
    daemons: list[WorkerRow]
    queues: list[ActiveRows]


def state_of(place: Place) -> State:
    """Look at the supervisor and at the database."""
    daemons = place.db.many(WorkerRow, "list_workers", worker_locks=WORKERS)
    return State(process_states(place.settings), daemons, active_rows(place))


def show_state(state: State) -> None:
    """Print how it stands."""
    rows = [(each.name, each.state, each.pid or "", duration(each.since_s), each.said) for each in state.processes]
    table("Processes of this host", ("name", "state", "pid", "since", ""), rows)
    if not rows:
        out.print("No supervisor runs on this host: start it with `seodang up`.")
    daemons = [(row.stage, row.host, row.pid, row.in_hand, duration(row.beat_age_s)) for row in state.daemons]
    table("Daemons", ("stage", "host", "pid", "in hand", "last sign"), daemons)
    active_table("Queues", state.queues)
    if not state.queues:
        out.print("Nothing waits.")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of doctor's report; `advice` says what to do when it is not well."""

    name: str
    well: bool
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything that has to be right."""
    checks = [_home(settings), _inbox(settings), _port(settings)]
    try:
        with opened_place(settings) as place:
            return [*checks, *_database(place), *_daemons(place), *_models(place)]
    except DatabaseError as error:
        return [
            *checks,
            Check("database", False, str(error), "See docs/operations.md, «The database does not answer»."),
        ]


def _home(settings: Settings) -> Check:
    home = settings.home_dir
    home.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(home).free / 2**30
    return Check("data directory", free_gib > 1 and os.access(home, os.W_OK), f"{home}, {free_gib:.1f} GiB free",
                 "Make room: Postgres stops writing when the disk is full.")  # fmt: skip


def _inbox(settings: Settings) -> Check:
    folder: Path = settings.inbox_dir
    well = not folder.exists() or os.access(folder, os.R_OK | os.X_OK)
    return Check("watched folder", well, str(folder), "Give this account the right to read it.")


def _port(settings: Settings) -> Check:
    with socket.socket() as probe:
        taken = probe.connect_ex((settings.host, settings.port)) == 0
    return Check("web", True, f"http://{settings.host}:{settings.port} is {'answering' if taken else 'free'}")


def _models(place: Place) -> Iterator[Check]:
    for found in probe_models(place):
        well = found.ready and found.listed is not False
        yield Check(f"model {found.role}", well, found.sentence, " ".join(advice_of(found)))


def _database(place: Place) -> Iterator[Check]:
    facts = place.db.one(ServerFacts, "server_facts")
    assert facts is not None
    found = (
        f"PostgreSQL {facts.server_version}, pgvector {facts.vector_version}, {facts.database_bytes / 2**20:.0f} MiB"
    )
    yield Check("database", True, found)
    yield Check("schema", True, f"{len(migration_files())} migrations applied")
    yield Check("corpus", True, f"{facts.documents} documents, {facts.chunks} chunks")
    oldest_s = facts.oldest_transaction_s or 0.0
    yield Check("oldest transaction", oldest_s < LONG_TRANSACTION_S, duration(oldest_s),
                "Close it: it keeps vacuum from the queues (docs/operations.md).")  # fmt: skip


def _daemons(place: Place) -> Iterator[Check]:
    served = place.served()
    for stage in STAGES:
        alive = stage.name in served
        yield Check(f"daemon {stage.name}", alive, "alive" if alive else "none", "Start it with `seodang up`.")


def show_checks(checks: list[Check]) -> None:
    """Print the report."""
    rows = [("✓" if each.well else "✗", each.name, each.found, "" if each.well else each.advice) for each in checks]
    table("", ("", "what", "found", "what to do"), rows)
