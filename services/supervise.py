"""`seodang up`: the embedded Postgres and every line of the Procfile under supervisord, their logs in one stream.

In: settings and the Procfile. Out: processes that are started again when they die, until this one is told to stop.
supervisord runs inside this process. Each program writes into a pipe of its own; the printer (services/printer.py), a
child, turns the pipes into one stream. When this process is killed its pipes close: the printer and the daemons end by
themselves, and the next `up` stops the Postgres that was left behind.
"""

import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor import supervisord
from supervisor.xmlrpc import SupervisorTransport

from db.migrate import migrate
from db.server import EmbeddedServer
from services.kit.errors import SettingsError
from services.kit.lifetime import SUPERVISED
from services.kit.settings import CHECKOUT, Settings
from services.wiring import dsn_of

GROUP = "seodang"
STOP_S = 12
"""A daemon has its grace time and a little more; after this it is killed, which loses nothing."""
POSTGRES_STOP_S = 60
START_S = 3
"""A process that dies sooner counts as one that did not start, and is started again after a growing pause."""
TRIES = 1_000_000
"""supervisord waits one second longer after each failed start; it never gives a program up."""


@dataclass(frozen=True, slots=True)
class Program:
    """One line of the Procfile."""

    name: str
    command: str


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A supervised process as `seodang status` shows it."""

    name: str
    state: str
    pid: int
    since_s: float
    said: str


def read_procfile(path: Path = CHECKOUT / "Procfile") -> list[Program]:
    """Read `name: command` lines; `python` stands for the interpreter of this process.

    Raises:
        SettingsError: a line is not of that form.
    """
    return [_program(line, path) for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]


def _program(line: str, path: Path) -> Program:
    name, colon, command = line.partition(":")
    words = shlex.split(command)
    if not colon or not words or not name.strip().isidentifier():
        raise SettingsError(f"{path.name}: {line!r} is not of the form 'name: command'.")
    if words[0] == "python":
        words[0] = sys.executable
    return Program(name.strip(), shlex.join(words))


def up(settings: Settings) -> int:
    """Start everything, stay until told to stop, stop everything.

    Raises:
        AlreadyRunning: another `up` holds the data directory. DatabaseUnfit: the database cannot serve us.
    """
    server = EmbeddedServer(settings.home_dir)
    with server.owned():
        embedded = settings.database_url is None
        if embedded:
            _migrate_embedded(server)
        else:
            migrate(dsn_of(settings))
        programs = read_procfile()
        with _printer([program.name for program in programs], embedded) as pipes:
            config = settings.home_dir / "supervisord.conf"
            config.write_text(configuration(programs, pipes, server, embedded))
            print(f"Seodang is starting: http://{settings.host}:{settings.port}", flush=True)  # noqa: T201 - for the person
            supervisord.main(["--nodaemon", "--configuration", str(config)])
    return 0


def _migrate_embedded(server: EmbeddedServer) -> None:
    """Bring the schema up before any daemon asks for it; a failure is told here, once, and not by seven processes."""
    server.start()
    try:
        migrate(server.dsn)
    finally:
        server.stop()


@contextmanager
def _printer(names: Sequence[str], embedded: bool) -> Iterator[dict[str, int]]:
    """Start the printer and give the write end of each program's pipe, by its name."""
    every = [*names, "supervisor", *(["postgres"] if embedded else [])]
    pipes = {name: os.pipe() for name in every}
    reads = {name: ends[0] for name, ends in pipes.items()}
    command = [sys.executable, "-m", "services.printer", *(f"{name}={fd}" for name, fd in reads.items())]
    printer = subprocess.Popen(command, pass_fds=list(reads.values()), stdin=subprocess.DEVNULL, cwd=CHECKOUT)
    for fd in reads.values():
        os.close(fd)
    try:
        yield {name: ends[1] for name, ends in pipes.items()}
    finally:
        for ends in pipes.values():
            os.close(ends[1])
        printer.wait()


def configuration(programs: Sequence[Program], pipes: dict[str, int], server: EmbeddedServer, embedded: bool) -> str:
    """Write supervisord's configuration; `pipes` are the file descriptors that the logs go to."""
    parts = [_supervisord(server, pipes["supervisor"])]
    if embedded:
        parts.append(_postgres(server, pipes["postgres"]))
    parts += [_daemon(program, pipes[program.name]) for program in programs]
    parts.append(f"[group:{GROUP}]\nprograms={','.join(program.name for program in programs)}\npriority=20\n")
    return "\n".join(parts)


def control_socket(server: EmbeddedServer) -> Path:
    """Give the path of supervisord's own socket."""
    return server.sockets / "supervisor.sock"


def _supervisord(server: EmbeddedServer, pipe: int) -> str:
    as_root = "user=root\n" if os.geteuid() == 0 else ""
    return f"""[supervisord]
nodaemon=true
{as_root}silent=true
logfile=/dev/fd/{pipe}
logfile_maxbytes=0
loglevel=info
pidfile={server.home / "supervisord.pid"}
directory={CHECKOUT}

[unix_http_server]
file={control_socket(server)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def _postgres(server: EmbeddedServer, pipe: int) -> str:
    account = f"user={server.account}\n" if server.account else ""
    return f"""[program:postgres]
command={_quoted(shlex.join(server.command))}
{account}directory=/
priority=10
stopsignal=INT
stopwaitsecs={POSTGRES_STOP_S}
{_common(pipe)}"""


def _daemon(program: Program, pipe: int) -> str:
    return f"""[program:{program.name}]
command={_quoted(program.command)}
environment={SUPERVISED}="1",SEODANG_LOG_FORMAT="json"
directory={CHECKOUT}
stopsignal=TERM
stopwaitsecs={STOP_S}
{_common(pipe)}"""


def _common(pipe: int) -> str:
    return f"""autorestart=true
startsecs={START_S}
startretries={TRIES}
redirect_stderr=true
stdout_logfile=/dev/fd/{pipe}
stdout_logfile_maxbytes=0
"""


def _quoted(command: str) -> str:
    return command.replace("%", "%%")


def process_states(settings: Settings) -> list[ProcessState]:
    """Ask the running supervisor for its processes; empty when none runs."""
    path = control_socket(EmbeddedServer(settings.home_dir))
    transport = SupervisorTransport(None, None, f"unix://{path}")
    try:
        rows = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return []
    assert isinstance(rows, list)
    return [_state(row) for row in rows]


def _state(row: dict[str, object]) -> ProcessState:
    since_s = float(str(row["now"])) - float(str(row["start"]))
    return ProcessState(
        str(row["name"]), str(row["statename"]).lower(), int(str(row["pid"])), since_s, str(row["spawnerr"])
    )
