"""Which version of a law a hit is: said after the ranking, and never a reason for another order.

In: ranked hits. Out: the version's status of each law among them. Without a law nothing is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from db.life_rows import LawStatus
from db.pool import Database
from services.search.hit import Hit

LAW = "law"


async def law_statuses(db: Database, hits: Sequence[Hit], now: datetime | None = None) -> Mapping[int, str | None]:
    """Tell of the laws among hits which of their versions they are.

    Args:
        now: the moment whose day counts; None for now, by the database's clock.
    Returns:
        by document: current, superseded or future, None where it is not known from when it holds.
    """
    laws = sorted({hit.document_id for hit in hits if hit.material_type == LAW})
    if not laws:
        return {}
    rows = await db.many(LawStatus, "law_statuses", ids=laws, now=now)
    return {row.document_id: row.version_status for row in rows}
