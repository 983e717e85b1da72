"""A process that starts before its database waits for it; one that comes first brings the schema up."""

import anyio
import anyio.to_thread

from db.errors import DatabaseGone
from db.migrate import migrate
from services.kit.log import Event, get_logger

log = get_logger()
PAUSE_S = 0.5


async def database_ready(dsn: str) -> None:
    """Return when the database answers and has this version's schema.

    Raises:
        DatabaseUnfit: it answers and cannot serve us; the message says what to do.
    """
    told = False
    while True:
        try:
            for name in await anyio.to_thread.run_sync(migrate, dsn, abandon_on_cancel=True):
                log.info(Event.MIGRATION_APPLIED, name=name)
        except DatabaseGone as error:
            if not told:
                log.warning(Event.DATABASE_GONE, reason=str(error))
            told = True
            await anyio.sleep(PAUSE_S)
        else:
            if told:
                log.info(Event.DATABASE_READY)
            return
