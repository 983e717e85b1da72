"""What is known of an ask afterwards: its trace, whatever ended it, and how long all of it is kept.

In: how an ask failed; the clock. Out: the same outcome with the trace among its writes; removals. The row of figures in
`ask_events` is written by the database itself, in the transaction that ends the ask (migrations/0018_ask_events.sql):
also where no process of ours is left to do so.
"""

from dataclasses import replace

from services.answer.trace import Trace
from services.kit.errors import JobError
from services.kit.outcome import Outcome, Write
from services.kit.settle import outcome_of
from services.tools import Tools

AT_ONCE = 200
"""Rows that go at one look; the rest follows at the next, `queue.look_s` later."""


def failed(ask_id: int, error: JobError, trace: Trace) -> Outcome:
    """Say how the row ends after an error that has a name; what was done until then is kept with it."""
    trace.note(error=error.code)
    return traced(ask_id, outcome_of(error), trace)


def traced(ask_id: int, outcome: Outcome, trace: Trace) -> Outcome:
    """Give an outcome that also keeps what was done until then."""
    return replace(outcome, writes=(Write.once("save_ask_trace", id=ask_id, trace=trace.facts),))


async def forget_old(tools: Tools) -> None:
    """Let go of kept answers, figures and asks whose time is over, a bounded number at a look."""
    settings = tools.settings.answer
    await tools.db.none("forget_expired_answers", most=AT_ONCE)
    if settings.events_keep_days:
        await tools.db.none("forget_ask_events", days=settings.events_keep_days, most=AT_ONCE)
    if settings.keep_days:
        await tools.db.none("forget_asks", days=settings.keep_days, most=AT_ONCE)
