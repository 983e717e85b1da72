"""The worker process: `python -m bench.contenders.worker NAME PURPOSE STAMPS`.

It reads the DSN from the first line of stdin, says "ready" when all is imported, starts at the line "go", and
ends when stdin closes: a benchmark that dies leaves no worker behind.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

from bench.contenders.contract import Contender, Mark, Purpose, load
from bench.contenders.stamps import Stamps


def main() -> None:
    """Run one contender's worker until stdin closes."""
    name, purpose, path = sys.argv[1:]
    contender = load(name)
    with Stamps(Path(path)) as stamps:
        dsn = sys.stdin.readline().strip()
        print("ready", flush=True)
        sys.stdin.readline()
        with asyncio.Runner(loop_factory=contender.new_loop) as runner:
            runner.run(_run(contender, dsn, cast(Purpose, purpose), stamps.marker()))


async def _run(contender: Contender, dsn: str, purpose: Purpose, mark: Mark) -> None:
    work = asyncio.create_task(contender.work(dsn, purpose, mark))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # Once: a closed stdin stays readable, and a second cancel would cut the worker's own shutdown short.
        loop.remove_reader(sys.stdin.fileno())
        work.cancel()

    loop.add_reader(sys.stdin.fileno(), stop)
    with suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    main()
