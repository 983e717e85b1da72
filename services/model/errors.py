"""What can go wrong between us and a model server; each class says what a job's row will say and whether it may help
to try again.

ModelError
├── ModelUnavailable     no answer can be had now: put the job off, it costs no attempt     model_unavailable
│   ├── CircuitOpen      too many failures in a row; nobody calls for a while
│   └── ModelMisnamed    the server does not know the model, or the key: a person must act
├── ModelTimeout         the call's own limit passed, counted from the gate's entry           llm_timeout
├── ReplyUnusable        a reply came that cannot be used                                     parse_fail
│   ├── ReplyEmpty       no text where a text was asked for
│   ├── ReplyCut         the token limit ended it (`finish_reason` "length")
│   ├── ReplyBroken      the stream ended without `finish_reason` and `[DONE]`
│   └── ReplyMisshapen   not the JSON, or not the shape, that was asked for
└── RequestRefused       the server will never take this request                              model_refused, final
    └── PromptTooLong    it does not fit into the model's context                             prompt_too_long, final
"""

from typing import ClassVar

from services.kit.errors import JobError


class ModelError(JobError):
    """Base of all errors of the model client; `hint` tells the operator what to do.

    `said` is what the server said, as the message has it. It may repeat the prompt: a row may keep it, a log may not.
    """

    job_code: ClassVar[str] = "unknown"
    again: ClassVar[bool] = True
    said = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(self.job_code, f"{message} {hint}".rstrip(), retryable=self.again)
        self.hint = hint

    @property
    def for_log(self) -> str:
        """The message without the server's own words."""
        return str(self).replace(f"said: {self.said}", "said: …") if self.said else str(self)


class ModelUnavailable(ModelError):
    """No answer can be had now: refused, reset, overloaded, restarting."""

    job_code = "model_unavailable"
    counted = False

    def __init__(self, message: str, hint: str = "", after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.after_s = after_s


class CircuitOpen(ModelUnavailable):
    """The role failed too often in a row; `after_s` says when one caller may probe."""


class ModelMisnamed(ModelUnavailable):
    """The server does not know the model, or does not take the key; work waits until a person has mended it."""


class ModelTimeout(ModelError):
    """The call's own limit passed; waiting at the gate is not counted."""

    job_code = "llm_timeout"


class ReplyUnusable(ModelError):
    """A reply came that cannot be used; `reply` keeps the head of it for study."""

    job_code = "parse_fail"

    def __init__(self, message: str, hint: str = "", reply: str = "") -> None:
        super().__init__(message, hint)
        self.reply = reply[:2000]


class ReplyEmpty(ReplyUnusable):
    """The reply has no text where a text was asked for."""


class ReplyCut(ReplyUnusable):
    """The token limit ended the reply, perhaps while it was still thinking."""


class ReplyBroken(ReplyUnusable):
    """The stream ended before the reply was whole."""


class ReplyMisshapen(ReplyUnusable):
    """The reply is not the JSON, or not the shape, that was asked for."""


class RequestRefused(ModelError):
    """The server will never take this request; the message repeats what it said."""

    job_code = "model_refused"
    again = False


class PromptTooLong(RequestRefused):
    """The prompt does not fit into the model's context."""

    job_code = "prompt_too_long"
