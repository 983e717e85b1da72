"""What models said of questions: a memory of the process in front of a table that all processes share.

In: the key of a question. Out: the reply as it was kept, while it lives. Entries expire and are bounded in both places.
Refuses nothing: a database that is away or slow is a question that nobody has asked before.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio

from db.analysis_rows import CachedReply
from db.errors import DatabaseError
from db.pool import Database
from services.kit.settings import SearchSettings
from services.model.client import ModelClient
from services.text.normalise import normalise

V = TypeVar("V")

FRONT_S = 60.0
"""So long the memory answers for the table, where each look-up counts as a use: at most one a minute."""
LOOK_UP_S = 0.25
"""Patience with the table: a look-up takes a millisecond beside the legs, and nothing that a search needs."""
_TRAILING = " \t\n?!.。？！"


def fold(question: str) -> str:
    """Bring questions that ask the same to one form: composed, blanks single, no marks at the end."""
    return " ".join(normalise(question).split()).rstrip(_TRAILING)


@dataclass(frozen=True, slots=True)
class Author:
    """By whom and by which prompt a reply is made; part of its key."""

    model: str
    prompt_version: str


def key_of(kind: str, user_id: int, folded: str, author: Author) -> str:
    """Give the key of an entry: sha256, 64 hexadecimal digits.

    The user is part of it, although a reply says nothing but what the question says: an entry that one user finds made
    by another would tell by its effect that somebody has asked just that.
    """
    parts = (kind, str(user_id), author.model, author.prompt_version, folded)
    return hashlib.sha256("\0".join(parts).encode("utf-8", errors="replace")).hexdigest()


class LastUsed(Generic[V]):
    """At most `most` values by key, each until its time; the one that was not used for longest goes first."""

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._clock = most, clock
        self._values: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> V | None:
        """Give a value that lives, None where there is none."""
        found = self._values.get(key)
        if found is None:
            return None
        until, value = found
        if self._clock() >= until:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return value

    def put(self, key: str, value: V, lives_s: float) -> None:
        """Keep a value for `lives_s`."""
        self._values[key] = (self._clock() + lives_s, value)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)


Front = LastUsed[dict[str, Any]]

_fronts: WeakKeyDictionary[ModelClient, Front] = WeakKeyDictionary()
"""One for each door to the models: as long as the process has it open."""


def front_of(models: ModelClient, settings: SearchSettings) -> Front:
    """Give the memory of this process."""
    return _fronts.setdefault(models, LastUsed(settings.cache_front))


class QuestionCache:
    """Both places in one, for replies of one kind."""

    def __init__(self, db: Database, kind: str, settings: SearchSettings, front: Front) -> None:
        self._db, self.kind, self._settings, self._front = db, kind, settings, front

    async def get(self, key: str) -> dict[str, Any] | None:
        """Give what is kept under a key; None also where the table does not say so in time."""
        if (held := self._front.get(key)) is not None:
            return held
        found: CachedReply | None = None
        with anyio.move_on_after(LOOK_UP_S):
            try:
                found = await self._db.one(CachedReply, "look_up_reply", key=key)
            except DatabaseError:  # whoever searches meets the same error where it matters
                return None
        if found is None:
            return None
        self._front.put(key, found.reply, min(found.lives_s, FRONT_S))
        return found.reply

    async def put(self, user_id: int, folded: str, author: Author, reply: dict[str, Any]) -> None:
        """Keep a reply in both places; one that the table does not take is made anew next time."""
        key = key_of(self.kind, user_id, folded, author)
        self._front.put(key, reply, min(self._settings.cache_ttl_s, FRONT_S))
        try:
            await self._db.none("save_reply", **values_of(self.kind, user_id, folded, author, reply, self._settings))
        except DatabaseError:
            return


def values_of(
    kind: str, user_id: int, folded: str, author: Author, reply: dict[str, Any], settings: SearchSettings
) -> dict[str, object]:
    """Give what the statement `save_reply` takes."""
    return {
        "key": key_of(kind, user_id, folded, author),
        "kind": kind,
        "user_id": user_id,
        "question": folded,
        "reply": reply,
        "model": author.model,
        "prompt_version": author.prompt_version,
        "ttl_s": settings.cache_ttl_s,
        "most": settings.cache_rows,
    }
