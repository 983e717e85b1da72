"""`seodang queue drain`: the ready work of one stage, or of all, in this process.

Triage is done by the deep endpoint here, of a share of the documents (`classify.drain_share`): whoever drains by hand
does so to have it done well while that machine is there. When it is away the drain puts off and stops, and the rows
stay as they were; the daemon goes on with the model of the role `triage` meanwhile (J19).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio

from db.jobs import Job
from services.command.place import Place
from services.document.classify import Asking, batch_of, classified
from services.kit.outcome import Outcome, Retry
from services.kit.runner import Runner
from services.kit.stage import Stage
from services.model.endpoint import Role
from services.model.errors import ModelUnavailable
from services.stages import STAGES, stage_named
from services.tools import Tools
from services.wiring import open_tools

CLASSIFY = "classify"


@dataclass(frozen=True, slots=True)
class Drained:
    """Rows that were ended, per stage; and per stage why the rest was put off, as a sentence."""

    done: dict[str, int]
    put_off: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Give the counts by stage, and `put_off` where there is something to say."""
        return {**self.done, **({"put_off": self.put_off} if self.put_off else {})}

    def sentence(self) -> str:
        """Say it to a person."""
        counts = ", ".join(f"{name}: {count}" for name, count in self.done.items())
        return "\n".join([counts, *self.put_off.values()])


def drain(place: Place, stage: str | None) -> Drained:
    """Do the ready work of one stage, or of all in the order of the corridor.

    Raises:
        KeyError: there is no such stage.
    """
    stages = [stage_named(stage)] if stage else list(STAGES)
    return anyio.run(_drain, place, stages)


async def _drain(place: Place, stages: Sequence[Stage[Tools]]) -> Drained:
    drained = Drained({})
    async with open_tools(place.settings, "drain") as tools:
        for stage in stages:
            if stage.name == CLASSIFY:
                await _classify(place, stage, tools, drained)
                continue
            runner = Runner(place.dsn, stage, tools, place.settings.queue, until_empty=True)
            await runner.run()
            drained.done[stage.name] = runner.completed
    return drained


async def _classify(place: Place, stage: Stage[Tools], tools: Tools, drained: Drained) -> None:
    """Drain `classify` by the deep endpoint, until the queue is empty or that endpoint is away."""
    asking = Asking(Role.DEEP, place.settings.classify.drain_share, fallback=False)
    later: list[Retry] = []

    async def run(jobs: Sequence[Job], tools: Tools) -> Sequence[Outcome]:
        outcomes = [_untouched(outcome) for outcome in await classified(jobs, tools, asking)]
        later.extend(outcome for outcome in outcomes if isinstance(outcome, Retry))
        if any(map(_is_away, later)):
            runner.stop()
        return outcomes

    by_deep = replace(stage, run=run, batch=batch_of(tools, asking), batch_of=None)
    runner = Runner(place.dsn, by_deep, tools, place.settings.queue, until_empty=True)
    await runner.run()
    done = drained.done[stage.name] = runner.completed - len(later)
    for outcome in filter(_is_away, later):
        drained.put_off[stage.name] = (
            f"{done} documents were classified; then the deep endpoint was away, and the others wait as before: start "
            f"its server and drain again, or leave them to the daemon. ({outcome.message})"
        )


def _is_away(outcome: Retry) -> bool:
    return outcome.code == ModelUnavailable.job_code


def _untouched(outcome: Outcome) -> Outcome:
    """Put a row off without a pause: it was the drain that was in vain, and the daemon may have it at once."""
    if isinstance(outcome, Retry) and _is_away(outcome):
        return replace(outcome, after_s=0.0)
    return outcome
