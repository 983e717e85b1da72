"""The verbs of a queue over one session: claim, end, turn, rescue, promote.

In: a table of the closed list `QUEUES` and a stage. Out: `Job` values and the ids that were really ended. Refuses
nothing by itself: the claim number in every statement is what keeps a late process from writing.
"""

from collections.abc import Sequence

from db.jobs import Ending, Job, Status
from db.locks import WORKERS
from db.pool import Session
from db.queries import query

QUEUES = (
    "inbox",
    "document_jobs",
    "asks",
    "digests",
    "query_analyses",
    "study_question_jobs",
    "study_topic_jobs",
    "study_quiz_jobs",
)
"""Every table that queue_install() was called on."""

FROM_THE_START = (-32768, 0)
"""A position before every row: (urgency, id)."""

SESSION_SETTINGS = {
    # A plan that was made while the table was small would read all of it when a million rows come at once, until
    # autovacuum has counted them; the partial indexes are right at every size.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    # The server prefers to plan a statement with a LIMIT anew each time: 0.3 ms, as much as claiming ten rows.
    "plan_cache_mode": "force_generic_plan",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    # A lost host is noticed in a minute instead of two hours; it holds the worker's lock until then.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "4",
}


class Queue:
    """One stage's rows of one queue table."""

    def __init__(self, table: str, stage: str) -> None:
        if table not in QUEUES:
            raise ValueError(f"{table} is no queue; the queues are {QUEUES}")
        self.table, self.stage = table, stage
        self._claim = query("queue_claim").on(table)
        self._end = query("queue_end").on(table)
        self._turn = query("queue_turn").on(table)
        self._rescue = query("queue_rescue").on(table)
        self._promote = query("queue_promote").on(table)
        self._archive = query("queue_archive").on(table)

    @property
    def channel(self) -> str:
        """The name that the table's trigger notifies."""
        return f"seodang_{self.table}"

    async def claim(self, session: Session, worker: int, most: int, after: tuple[int, int], ceiling: int) -> list[Job]:
        """Take up to `most` ready rows after the position `after`, most urgent first, oldest first."""
        rows = await session.records(self._claim, self.stage, worker, most, *after, ceiling)
        return sorted(map(Job._make, rows))

    async def end(self, session: Session, endings: Sequence[Ending]) -> set[int]:
        """End or give back rows; the ids that are missing from the result were lost to another process."""
        columns = [
            [ending.id for ending in endings],
            [ending.claim for ending in endings],
            [ending.status.value for ending in endings],
            [ending.code for ending in endings],
            [ending.message for ending in endings],
            [ending.delay_s for ending in endings],
            [ending.refund for ending in endings],
            [ending.payload for ending in endings],
        ]
        return {row["id"] for row in await session.records(self._end, *columns)}

    async def turn(
        self, session: Session, done: Sequence[Job], worker: int, most: int, after: tuple[int, int], ceiling: int
    ) -> tuple[set[int], list[Job]]:
        """Complete a batch that writes nothing and claim the next in one round trip: the ended ids, and the next."""
        ids, claims = [job.id for job in done], [job.claim for job in done]
        rows = await session.records(self._turn, ids, claims, self.stage, worker, most, *after, ceiling)
        jobs = [Job._make(row) for row in rows if row[2] is not None]
        lost = [row["id"] for row in rows if row["claim"] is None] if len(jobs) < len(rows) else []
        return set(ids).difference(lost), sorted(jobs)

    async def rescue(self, session: Session, worker: int, max_crashes: int, stale_s: float) -> list[tuple[int, Status]]:
        """Give back the rows of dead and hung workers other than `worker`."""
        rows = await session.records(self._rescue, self.stage, WORKERS, max_crashes, stale_s, worker)
        return [(row["id"], Status(row["status"])) for row in rows]

    async def promote(self, session: Session) -> float | None:
        """Make put-off rows ready whose time has come; seconds until the next is due, None when none waits."""
        rows = await session.records(self._promote, self.stage)
        return float(rows[0][0]) if rows and rows[0][0] is not None else None

    async def archive(self, session: Session, days: int, most: int = 1000) -> int:
        """Move finished rows of over `days` days to queue_archive, `most` at a time."""
        rows = await session.records(self._archive, self.table, days, most)
        return int(rows[0][0])
