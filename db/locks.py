"""Every advisory-lock number of the product in one table, so that no two are alike.

Two-integer keys: the first names the purpose, the second the thing. The first is "seod" plus a small number, to stay
clear of other applications in the same database.
"""

from enum import IntEnum

SEODANG = 0x73656F64  # "seod" in ASCII; also written out in migrations/0002_documents.sql


class Lock(IntEnum):
    """Second integer under SEODANG, for locks of which there is one."""

    MIGRATE = 1
    STATISTICS = 3


WORKERS = SEODANG + 1
"""First integer of a worker's lock; the second is workers.id. Held by the session of a living daemon."""

CONTENT = SEODANG + 2
"""First integer of a short lock on one content: the second is the head of its hash. Keeps two uploads apart."""
