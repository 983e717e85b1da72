"""What a stage is: a name, the queue it takes from, the function that does the work, and what follows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from db.jobs import Job
from services.kit.outcome import Outcome

ToolsT = TypeVar("ToolsT")
"""What the stages of a product are handed; the machinery passes it on and knows nothing of it."""

ANY_URGENCY = 32767
FOREGROUND = 0


@dataclass(frozen=True, slots=True)
class Stage(Generic[ToolsT]):
    """One line of the map in services/stages.py.

    Attributes:
        name: the word in the Procfile and in the queue's column `stage`.
        queue: the table it claims from.
        run: one outcome per job, in the order given; it reads and computes, and leaves writing to the runner.
        then: the stages that get `Completed.subject` in the transaction that ends the job.
        hand_on: the named statement that enqueues them; takes (subject, stage).
        batch: rows claimed at once at the most.
        batch_of: tells `batch` from the tools, where it depends on what is configured.
        lanes: one per batch in hand at the same time; the number is the least urgent row that the lane takes.
        lease_s: a worker that gives no sign of life for so long is taken to hang, and its rows are given back.
        prepare: called at the start of each shift, for example to enqueue what a changed setting made outdated.
        watch: called every `queue.look_s` beside the lanes, for work that comes by the clock and not by a row.
        upkeep: named statements without arguments, run when the queue is empty.
        called_off: the named statement that lists what a worker (`worker`) has in hand and nobody wants any more. A
            notification on the queue's channel with a job's number says so at once. A batch of one is cancelled then.
    """

    name: str
    queue: str
    run: Callable[[Sequence[Job], ToolsT], Awaitable[Sequence[Outcome]]]
    then: tuple[str, ...] = ()
    hand_on: str = "enqueue_document_job"
    batch: int = 1
    batch_of: Callable[[ToolsT], int] | None = None
    lanes: tuple[int, ...] = (ANY_URGENCY,)
    lease_s: float = 60.0
    prepare: Callable[[ToolsT], Awaitable[None]] | None = None
    watch: Callable[[ToolsT], Awaitable[None]] | None = None
    upkeep: tuple[str, ...] = ()
    called_off: str | None = None


def single(
    run: Callable[[Job, ToolsT], Awaitable[Outcome]],
) -> Callable[[Sequence[Job], ToolsT], Awaitable[Sequence[Outcome]]]:
    """Make a stage's function of one that handles one job."""

    async def run_each(jobs: Sequence[Job], tools: ToolsT) -> Sequence[Outcome]:
        return [await run(job, tools) for job in jobs]

    return run_each
