"""Every advisory-lock number of the product in one table, so that no two are alike.

Two-integer keys: the first names the purpose, the second the thing. The first is "seod" plus a small number, to stay
clear of other applications in the same database.
"""

import hashlib
from enum import IntEnum
from itertools import count

SEODANG = 0x73656F64  # "seod" in ASCII; also written out in migrations/0002_documents.sql and 0007_chunk_tree.sql


class Lock(IntEnum):
    """Second integer under SEODANG, for locks of which there is one."""

    MIGRATE = 1
    STATISTICS = 3
    EMBEDDERS = 4
    EVALUATION = 5


WORKERS = SEODANG + 1
"""First integer of a worker's lock; the second is workers.id. Held by the session of a living daemon."""

CONTENT = SEODANG + 2
"""First integer of a short lock on one content: the second is the head of its hash. Keeps two uploads apart."""

READERS = SEODANG + 3
"""First integer of the lock of an ask that somebody reads: the second is its number. Held, shared, by the facade."""

RESERVED = range(SEODANG, SEODANG + 256)
"""First integers that are numbered here; no endpoint's key is among them."""


def endpoint_key(name: str) -> int:
    """Give the first integer of an endpoint's locks at the gate: a positive hash of its name, alike on every host.

    The second integers are in migrations/0004_gate.sql. Two names with one key (1 in 2^31) would share one gate, which
    costs time and breaks nothing.
    """
    for salt in count():
        digest = hashlib.blake2b(name.encode(), digest_size=4, salt=salt.to_bytes(2, "big")).digest()
        key = int.from_bytes(digest, "big") >> 1
        if key and key not in RESERVED:
            return key
    raise AssertionError("unreachable")


def line_lock(place: int, waiters: int) -> int:
    """Give the second integer by which a process tells how many of a class, counted from 0, wait in its memory."""
    return (1 + place) << 20 | min(waiters, (1 << 20) - 1)
