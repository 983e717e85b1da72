"""The folder watcher: files that appear, change, move or vanish below a folder become rows of `inbox`, or deletions.

`python -m services.watch`. Events of the file system only wake it; what is to be done comes from comparing the folder
with the database, so an event that was lost, or came while nobody watched, costs `ingest.rescan_s` at the most.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import watchfiles

from db.errors import DatabaseGone
from db.notify import Bell
from db.pool import Database
from db.rows import KnownFile
from services.document.folder import Mark, Marks, Settling, changes, forgotten, scan
from services.kit.document_settings import IngestSettings
from services.kit.errors import SettingsError
from services.kit.lifetime import run_process, until_told_to_stop
from services.kit.log import Event, get_logger, set_up_logging
from services.kit.ready import database_ready
from services.kit.settings import Settings, load_settings
from services.wiring import dsn_of, open_tools

log = get_logger()

OWNER = 1
"""users.id of the one who owns the watched folder; the row is there after every migration."""
NOTICE_MS = 1000
"""The thread that waits for events looks this often whether it is still wanted."""


class Watcher:
    """Keeps one folder and the database alike."""

    def __init__(self, root: Path, db: Database, settings: IngestSettings) -> None:
        self.root, self.db, self.settings = root, db, settings
        self.bell = Bell()
        self.settling = Settling(settings.stable_s)

    async def run(self) -> None:
        """Compare at every wake-up and every `rescan_s`; never returns."""
        self.root.mkdir(parents=True, exist_ok=True)
        log.info(Event.WATCH_STARTED, rescan_s=self.settings.rescan_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._notice)
            while True:
                rings = self.bell.rings
                await self._compare()
                await self.bell.wait(rings, self._pause_s())

    def _pause_s(self) -> float:
        return self.settings.stable_s if self.settling.waiting else self.settings.rescan_s

    async def _notice(self) -> None:
        events = watchfiles.awatch(
            self.root, watch_filter=None, rust_timeout=NOTICE_MS, yield_on_timeout=True, ignore_permission_denied=True
        )
        async for changed in events:
            if changed:
                self.bell.ring()

    async def _compare(self) -> None:
        try:
            seen = await anyio.to_thread.run_sync(scan, self.root)
            known, refused = await self._marks("known_files"), await self._marks("refused_files")
            changed = changes(seen, known, refused)
            settled = self.settling.settled(changed, anyio.current_time())
            for path, mark in settled.items():
                if mark is not None:
                    await self._notice_file(path, mark)
            for path in forgotten(settled, changed, known):
                await self._forget(path)
        except FileNotFoundError as error:  # an unmounted disk must not look like a thousand deletions
            log.warning(Event.FILE_UNREADABLE, reason=str(error))
        except DatabaseGone as error:
            log.warning(Event.DATABASE_GONE, reason=str(error))

    async def _marks(self, name: str) -> Marks:
        rows = await self.db.many(KnownFile, name, prefix=f"{self.root}/")
        return {row.path: Mark(row.size_bytes, row.modified_ns) for row in rows}

    async def _forget(self, path: str) -> None:
        await self.db.value("forget_path", path=path)
        log.info(Event.FILE_DELETED, path=path)

    async def _notice_file(self, path: str, mark: Mark) -> None:
        if await self._offer(path, {"size_bytes": mark.size_bytes, "modified_ns": mark.modified_ns}):
            log.info(Event.FILE_NOTICED, path=path)

    async def _offer(self, path: str, seen: Mapping[str, int]) -> bool:
        async with self.db.session() as session, session.transaction():
            offered = await session.value("offer_file", path=path, user_id=OWNER, **seen)
            if offered is None:
                return False
            return await session.value("withdraw_known_file", id=offered, path=path, **seen) is None


async def serve(settings: Settings) -> None:
    """Watch until the process is told to stop."""
    async with open_tools(settings, "watch") as tools, anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, settings, tools.db)
        await until_told_to_stop()
        tasks.cancel_scope.cancel()


async def _watch(settings: Settings, db: Database) -> None:
    await database_ready(dsn_of(settings))
    await Watcher(settings.inbox_dir, db, settings.ingest).run()


def main() -> int:
    """Run the watcher; 2 for wrong settings, 1 when the database cannot serve."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before logging is set up
        return 2
    set_up_logging(settings.log_level, settings.log_format, "watch")
    return run_process(serve, settings)


if __name__ == "__main__":
    sys.exit(main())
