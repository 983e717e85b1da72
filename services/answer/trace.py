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
        self.anew = False
        """Whether somebody wants the question worked out again, whatever was answered before."""
        self.cache_key: str | None = None
        """Under which the answer may be kept (services/answer/cache.py)."""

    @property
    def failed_calls(self) -> bool:
        """Whether a model was asked in vain, or another had to stand in: the answer is less than it could be."""
        calls = self.facts.get("calls", ())
        return "stood_in_for" in self.facts or any(call.get("error") for call in calls)

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
