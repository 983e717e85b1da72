"""What an ask did, step by step: times, hits, verdict, findings. Stored with the answer, so it can be looked
at later."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from services.answer.attempts import CUT_OFF, spent, totals
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

    def take_over(self, left: object) -> None:
        """Go on where an earlier attempt of the same ask left off: what it took counts, what it found does not."""
        if (earlier := spent(left)) is not None:
            self.note(earlier=earlier, **totals((), earlier))

    def so_far(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Give what is known if nobody is left to say more: the steps and calls until now, and the one that begins."""
        earlier = {"earlier": self.facts["earlier"]} if "earlier" in self.facts else {}
        calls = [dict(each) for each in self.facts.get("calls", ())]
        began = {**call, "error": CUT_OFF}
        return {"steps": [*self.facts["steps"]], "ms": {**self.facts["ms"]}, **earlier, "calls": [*calls, began]}

    def called(self, call: dict[str, Any]) -> None:
        """Keep a call that has ended, and the sums of all."""
        calls = self.facts.setdefault("calls", [])
        calls.append(call)
        self.note(**totals(calls, self.facts.get("earlier")))

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
