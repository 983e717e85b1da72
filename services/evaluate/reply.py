"""What an ask is to the evaluation: a function from a question to how it ended. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.evaluate.sets import Question

ANSWERED = "answered"
FAILED = "failed: "
"""How the ending of an ask begins that came to no end of its own; the error's code stands behind it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How one ask ended.

    Attributes:
        ended: ANSWERED, the reason of the refusal, or FAILED and a code.
        took_ms: of the whole pipeline, without queue and HTTP.
        text: the answer with its markers; "" where there is none.
        cited: the passages that its citations stand in.
        bad_numbers: whether it has a number that stands in none of them, by value and unit; None without an answer.
        author: the model that wrote the answer, or the name of the built-in answerer.
        facts: of the trace.
    """

    ended: str
    took_ms: float
    facts: dict[str, Any]
    text: str = ""
    cited: tuple[str, ...] = ()
    bad_numbers: bool | None = None
    author: str = ""


AskOne = Callable[[Question], Awaitable[Reply]]
