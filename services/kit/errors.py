"""The error tree; each class says what a job's row will say, and whether another try can help.

SeodangError
├── SettingsError      a setting is missing or wrong; names it
├── JobError           ends a job; `code` is the row's error_code, `retryable` decides about another try
│   ├── DocumentError  the file cannot be read; the code is the reader's (encrypted, corrupt, …)
│   └── ModelError     a call to a model failed; its own tree is in services/model/errors.py
└── RequestError       the caller's fault over HTTP; `status` is the reply's
"""


class SeodangError(Exception):
    """Base of our own errors; `hint` tells the operator what to do."""

    hint = ""


class SettingsError(SeodangError):
    """A setting is missing or wrong; the message names it and what it takes."""


class JobError(SeodangError):
    """An unexpected ending of a job that has a name of its own.

    Attributes:
        counted: False where the attempt is not the job's fault and costs it nothing.
        after_s: when it is worth trying again; None leaves it to the queue.
    """

    counted = True
    after_s: float | None = None

    def __init__(self, code: str, message: str, retryable: bool = True) -> None:
        super().__init__(message)
        self.code, self.retryable = code, retryable


class DocumentError(JobError):
    """The file cannot be read; trying the same bytes again would not help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, retryable=False)


class RequestError(SeodangError):
    """The caller asked for something that cannot be given."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.hint = status, code, hint


def first_of(group: ExceptionGroup[Exception]) -> Exception:
    """Give the first error of a group that is none itself: callers tell errors apart by their class."""
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, ExceptionGroup) else inner
