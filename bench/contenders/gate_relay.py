"""Turn by turn: the benchmark says who asks, who leaves and who dies, and sleeps while the slot changes hands."""

import asyncio
import random
import time
from collections.abc import Sequence

from bench.contenders.gate_crew import Crew, Report, Worker
from bench.contenders.gate_holds import NS_PER_MS

# Long enough for who asked to be in the queue, uneven so that nothing falls into step with it.
HOLD_S = (0.003, 0.006)


async def relay(crew: Crew, workers: Sequence[Worker], laps: int, poll_s: float) -> list[float]:
    """Pass the slot on `laps` times and return the times from leave to the successor being inside, in ms.

    The holder asks again when the successor is in, so that all but one always wait; the first laps warm up.

    Args:
        poll_s: how long a waiter may sleep through a free slot, in seconds.
    """
    times_ms = []
    workers[0].order("ask")
    await crew.hear(1, "inside")
    holder = workers[0]
    for worker in workers[1:]:
        worker.order("ask")
    for _ in range(laps + len(workers)):
        await _hold(poll_s)
        left, inside = await _pass_on(crew, holder)
        times_ms.append((inside.facts["at"] - left.facts["at"]) / NS_PER_MS)
        # Pollers that ask as soon as another is in would all fall into its step.
        await asyncio.sleep(random.uniform(0, poll_s))
        holder.order("ask")
        holder = inside.worker
    for _ in workers[1:]:
        _, inside = await _pass_on(crew, holder)
        holder = inside.worker
    holder.order("leave")
    await crew.hear(1, "left")
    return times_ms[len(workers) :]


async def kill(crew: Crew, victim: Worker, waiter: Worker, poll_s: float) -> float:
    """Kill the holding `victim`; return the time from before the signal to the waiter being inside, in ms."""
    victim.order("ask")
    await crew.hear(1, "inside")
    waiter.order("ask")
    await _hold(poll_s)
    killed = time.perf_counter_ns()
    victim.kill()
    (report,) = await crew.hear(1, "inside")
    waiter.order("leave")
    await crew.hear(1, "left")
    return float(report.facts["at"] - killed) / NS_PER_MS


async def _pass_on(crew: Crew, holder: Worker) -> tuple[Report, Report]:
    """Let the holder leave while others wait; return its report and that of the one who is inside."""
    holder.order("leave")
    heard = {report.event: report for report in await crew.hear(2, "left", "inside")}
    return heard["left"], heard["inside"]


async def _hold(poll_s: float) -> None:
    await asyncio.sleep(random.uniform(*HOLD_S) + random.uniform(0, poll_s))
