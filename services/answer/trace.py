"""What an ask did, step by step: times, hits, verdict, findings. Stored with the answer, so it can be looked
at later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from services.answer.events import STEPS, AskEvent, status_event

Publish = Callable[[AskEvent], None]


class Trace:
    """Collects the facts of one ask; `publish` hears of each step as it begins."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self.facts: dict[str, Any] = {"steps": [STEPS[0]], "ms": {}}

    def begin(self, step: str) -> None:
        """Say that a step begins."""
        self.facts["steps"].append(step)
        self._publish(status_event(step))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measure a step in milliseconds."""
        started = perf_counter()
        try:
            yield
        finally:
            self.facts["ms"][step] = round((perf_counter() - started) * 1000, 2)

    def note(self, **facts: object) -> None:
        """Keep facts of the step."""
        self.facts.update(facts)
