"""A bar on a terminal, else a line for every tenth of the way."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.command.show import err
from services.evaluate.measure import Tell

TOLD_PERCENT = 10


@contextmanager
def shown(what: str, total: int) -> Iterator[Tell]:
    """Show on standard error how something goes on while the body works."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        told = 0

        def tell(done: int) -> None:
            nonlocal told
            bar.update(task, completed=done)
            percent = done * 100 // max(total, 1) // TOLD_PERCENT * TOLD_PERCENT
            if bar.disable and percent > told:
                told = percent
                err.print(f"{what}: {percent} %", highlight=False)

        yield tell
