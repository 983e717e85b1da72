"""What this process has learnt about a server, so that it errs once and not at every call.

Kept with the HTTP client, and so as long as the process's connections; nothing is lost when it is forgotten.
"""

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import httpx

from services.model.connection import Connection

_learnt: WeakKeyDictionary[httpx.AsyncClient, dict[tuple[str, str | None], "Habits"]] = WeakKeyDictionary()


@dataclass(slots=True)
class Habits:
    """How one model at one address behaves.

    Attributes:
        refuses: fields of a request that it refused, and without which it answered.
        opens_thinking: its template opens the block of thoughts in the prompt, so that a reply begins with thoughts and
            only their end is marked; None: no whole reply was seen yet.
    """

    refuses: set[str] = field(default_factory=set)
    opens_thinking: bool | None = None


def habits_of(connection: Connection) -> Habits:
    """Give what is known of the model at the other end, to be added to."""
    known = _learnt.setdefault(connection.http, {})
    return known.setdefault((connection.endpoint.name, connection.endpoint.model), Habits())
