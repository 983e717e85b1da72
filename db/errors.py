"""What can go wrong between us and Postgres.

DatabaseError
├── DatabaseGone     the server or the connection is away: pause and try again
├── DatabaseUnfit    the server answers, but cannot serve us: a person must act
│   └── MigrationRefused
└── Refused          the server refused a statement: a rule of the schema, or a defect of ours
    └── Conflict     another transaction made the same thing first: look again
"""


class DatabaseError(Exception):
    """Base of all errors that leave this package; the message is a sentence for a person."""


class DatabaseGone(DatabaseError):
    """The server or the connection is away; nothing is known about the last statement."""


class DatabaseUnfit(DatabaseError):
    """The server lacks something (version, extension, right); the message says what to do."""


class MigrationRefused(DatabaseUnfit):
    """The migration files and the database do not belong together."""


class Refused(DatabaseError):
    """The server refused a statement; the message names the rule."""


class Conflict(Refused):
    """A unique rule says that somebody else was first; reading again shows what they made."""
