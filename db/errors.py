"""What can go wrong between us and Postgres.

DatabaseError
├── DatabaseGone     the server or the connection is away: pause and try again
│   └── GateLost     the connection that held the gate is away: what ran inside was cancelled
├── DatabaseUnfit    the server answers, but cannot serve us: a person must act
│   ├── MigrationRefused
│   └── PoolerRefused
├── GateReentered    who is inside the gate asked for it again: a defect of ours, would wait for itself for ever
└── Refused          the server refused a statement: a rule of the schema, or a defect of ours
    ├── Conflict     another transaction made the same thing first, or took away what it stands on: look again
    └── Deadlocked   another transaction waited for ours, and ours for it: do the same again
"""


class DatabaseError(Exception):
    """Base of all errors that leave this package; the message is a sentence for a person."""


class DatabaseGone(DatabaseError):
    """The server or the connection is away; nothing is known about the last statement."""


class GateLost(DatabaseGone):
    """The session that held a slot is away: somebody else may have it, so the body was cancelled."""


class DatabaseUnfit(DatabaseError):
    """The server lacks something (version, extension, right); the message says what to do."""


class MigrationRefused(DatabaseUnfit):
    """The migration files and the database do not belong together."""


class PoolerRefused(DatabaseUnfit):
    """A pooler sits before the server, and may hand the session, with its locks, to somebody else."""


class GateReentered(DatabaseError):
    """The same task, or one that it started, asked for an endpoint whose slot it holds."""


class Refused(DatabaseError):
    """The server refused a statement; the message names the rule."""


class Conflict(Refused):
    """A unique rule says that somebody else was first; reading again shows what they made."""


class Deadlocked(Refused):
    """Of two transactions that waited for each other the server undid this one; nothing is wrong with it."""
