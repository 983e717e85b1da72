"""Where a command works: the settings and a database that answers, started for the command where no `up` runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from db.locks import WORKERS
from db.migrate import migrate
from db.plain import Plain, plain
from db.rows import WorkerRow
from db.server import EmbeddedServer
from services.kit.runner import Runner
from services.kit.settings import Settings
from services.stages import stage_named
from services.wiring import open_tools


@dataclass(frozen=True, slots=True)
class Place:
    """Settings, the address of the database, and a connection to it."""

    settings: Settings
    dsn: str
    db: Plain

    def served(self) -> set[str]:
        """Name the stages of which a daemon is alive anywhere."""
        return {row.stage for row in self.db.many(WorkerRow, "list_workers", worker_locks=WORKERS)}

    def drain(self, stages: Sequence[str]) -> dict[str, int]:
        """Do the ready work of some stages in this process, in their order; gives the rows ended per stage."""
        return anyio.run(_drain, self, stages)

    async def serve(self, stage: str, until: anyio.Event) -> None:
        """Do the work of a stage as its daemon does, later attempts too; at the event finish what is in hand."""
        async with open_tools(self.settings, "drain") as tools, anyio.create_task_group() as tasks:
            runner = Runner(self.dsn, stage_named(stage), tools, self.settings.queue)
            tasks.start_soon(runner.run)
            await until.wait()
            runner.stop()


@contextmanager
def opened_place(settings: Settings) -> Iterator[Place]:
    """Open the database of the settings, brought to this version's schema."""
    if settings.database_url is not None:
        dsn = settings.database_url.get_secret_value()
        migrate(dsn)
        with plain(dsn) as db:
            yield Place(settings, dsn, db)
        return
    with EmbeddedServer(settings.home_dir).joined() as dsn:
        migrate(dsn)
        with plain(dsn) as db:
            yield Place(settings, dsn, db)


async def _drain(place: Place, stages: Sequence[str]) -> dict[str, int]:
    done = {}
    async with open_tools(place.settings, "drain") as tools:
        for name in stages:
            runner = Runner(place.dsn, stage_named(name), tools, place.settings.queue, until_empty=True)
            await runner.run()
            done[name] = runner.completed
    return done
