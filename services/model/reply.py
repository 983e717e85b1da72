"""What a chat model answered, put together from the events of its stream: pure.

In: events in their order. Out: pieces of the answer's text that may be shown at once, and at the end a whole Reply, or
the error that says why there is none.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from services.model.answers import error_of, one_line, refusal_within, setting
from services.model.endpoint import Endpoint
from services.model.errors import ReplyBroken, ReplyCut, ReplyEmpty, ReplyMisshapen, RequestRefused
from services.model.jsonreply import find_json
from services.model.loosejson import parse_loosely
from services.model.stream import Event
from services.model.thinking import ThoughtSplitter
from services.model.wire import Chunk, Delta, ToolPart

MAX_REPLY_CHARS = 2_000_000
"""No answer of ours is a thousandth of this: what writes on and on has lost its way."""
DONE = "[DONE]"
BROKEN_OFF = frozenset({"abort", "error"})
"""vLLM, OpenRouter: the server gave up in the middle."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool as the model wrote it; `arguments` is meant to be a JSON object."""

    id: str
    name: str
    arguments: str

    def read(self) -> dict[str, Any]:
        """Read the arguments.

        Raises:
            ReplyMisshapen: they are no JSON object.
        """
        try:
            given = parse_loosely(self.arguments or "{}")
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise ReplyMisshapen(
                f"The model called {one_line(self.name)} with arguments that are no JSON object.",
                "A larger model calls tools more reliably.",
                self.arguments,
            )
        return given


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply.

    Attributes:
        text: the answer, without thoughts; "" where tools are called.
        reasoning: what the model thought, as far as the server tells.
        finish_reason: "stop", "length" (cut), "tool_calls", or the server's own word.
        model: as the server named it, else as asked, else "default".
        tokens_in, tokens_out: as the server counted; None where it does not say.
    """

    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    model: str
    tokens_in: int | None
    tokens_out: int | None


class ReplyBuilder:
    """Takes the events of one stream.

    Args:
        shape: JSON of this shape is wanted.
        hold: give no text until it is known that it cannot be thoughts; see ThoughtSplitter.
    """

    def __init__(self, endpoint: Endpoint, shape: type[BaseModel] | None = None, hold: bool = False) -> None:
        self._endpoint, self._shape = endpoint, shape
        self._splitter = ThoughtSplitter(hold)
        self._thoughts: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[list[str]] = []
        self._call_at: dict[int | None, int] = {}
        self._finish, self._model = "", ""
        self._tokens: tuple[int | None, int | None] = (None, None)
        self._chars = 0
        self.done = False
        """The server said that this was all."""

    @property
    def opened_by_template(self) -> bool:
        """Only the end of the thoughts was marked."""
        return self._splitter.opened_by_template

    def take(self, event: Event) -> str:
        """Take an event; gives text that may be shown now.

        Raises:
            ReplyBroken: it is no chunk of a reply, or the reply grows beyond all bounds.
            ModelError: it is an error of the server's.
        """
        if self.done:
            return ""
        if event.data.strip() == DONE:
            self.done = True
            return ""
        given = self._read(event)
        if not isinstance(given, dict):
            raise self._broken("sent an event that is no chunk of a reply")
        self._look_for_error(given, event.kind)
        return self._take_chunk(given)

    def take_whole(self, body: bytes) -> str:
        """Take a reply that came as one JSON body, though a stream was asked for.

        Raises:
            ReplyMisshapen: it is no reply.
            ModelError: as above.
        """
        given = self._read(Event("", body.decode(errors="replace")))
        if isinstance(given, dict):
            self._look_for_error(given)
        if not isinstance(given, dict) or not given.get("choices"):
            raise ReplyMisshapen(
                f"{self._place} answered with something that is no chat reply.",
                f"Check {setting(self._endpoint, 'BASE_URL')}.",
                body.decode(errors="replace"),
            )
        self.done = True
        return self._take_chunk(given)

    def close(self) -> str:
        """End the text; gives what was not shown yet. Only a whole reply should show it."""
        return self._splitter.close()

    def reply(self) -> Reply:
        """Give the reply, after `close`.

        Raises:
            ReplyBroken: `finish_reason` or `[DONE]` is missing.
            ReplyCut, ReplyEmpty, RequestRefused: there is nothing in it that could be used.
        """
        text, thoughts = self._splitter.text, "".join(self._thoughts) + self._splitter.thoughts
        if not self._finish or not self.done or self._finish in BROKEN_OFF:
            raise self._broken("ended the stream before the reply was whole")
        calls = tuple(ToolCall(*parts) for parts in self._calls)
        if not text.strip() and not calls:
            text = self._json_among(thoughts)
        self._judge(text, thoughts, calls)
        model = self._model or self._endpoint.model or "default"
        return Reply(text, thoughts, calls, self._finish, model, *self._tokens)

    @property
    def _place(self) -> str:
        return f"{self._endpoint.label} at {self._endpoint.name}"

    def _broken(self, what: str) -> ReplyBroken:
        hint = "The server may have been stopped, or have run out of memory: look at its log."
        return ReplyBroken(f"{self._place} {what}.", hint, self._splitter.text)

    def _read(self, event: Event) -> Any:
        try:
            return json.loads(event.data)
        except (ValueError, RecursionError) as error:
            if event.kind == "error":
                return {"error": event.data}
            raise self._broken("sent an event that is no JSON") from error

    def _look_for_error(self, given: dict[str, Any], kind: str = "") -> None:
        if given.get("error") or kind == "error" or given.get("object") == "error":
            raise error_of(self._endpoint, refusal_within(given))

    def _take_chunk(self, given: dict[str, Any]) -> str:
        try:
            chunk = Chunk.model_validate(given)
        except ValidationError as error:
            raise self._broken("sent a chunk of an unknown form") from error
        self._model = chunk.model or self._model
        if chunk.usage is not None:
            self._tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        shown = ""
        for choice in chunk.choices:
            if choice.index in {None, 0}:
                self._finish = choice.finish_reason or self._finish
                shown += self._take_delta(choice.delta or choice.message or Delta())
        return shown

    def _take_delta(self, delta: Delta) -> str:
        self._grow(delta.content, delta.thought, delta.refusal)
        self._grow(*(part.function.arguments for part in delta.tool_calls))
        shown = ""
        if delta.thought:
            self._thoughts.append(delta.thought)
            shown = self._splitter.release()
        self._refusal.append(delta.refusal)
        for part in delta.tool_calls:
            self._take_call(part)
        if not delta.content:
            return shown
        shown += self._splitter.feed(delta.content)
        if self._shape is not None and self._splitter.text.startswith(("{", "```")):
            shown += self._splitter.release()  # JSON was asked for, and no thought begins like that
        return shown

    def _take_call(self, part: ToolPart) -> None:
        at = self._call_at.get(part.index, len(self._calls) - 1 if part.index is None else -1)
        # Some servers give every call the index 0; a new id with a name begins a new call.
        new = part.function.name and part.id and at >= 0 and self._calls[at][0] not in {"", part.id}
        if at < 0 or new or (part.index is None and part.function.name):
            at = len(self._calls)
            self._calls.append(["", "", ""])
            self._call_at[part.index] = at
        call = self._calls[at]
        call[0] = part.id or call[0]
        call[1] = part.function.name or call[1]
        call[2] += part.function.arguments

    def _grow(self, *texts: str) -> None:
        self._chars += sum(map(len, texts))
        if self._chars > MAX_REPLY_CHARS:
            raise self._broken(f"wrote more than {MAX_REPLY_CHARS} characters and would not end")

    def _json_among(self, thoughts: str) -> str:
        """Find the answer that a server with a schema put among the thoughts (LM Studio 1773, vLLM 18819)."""
        if self._shape is None:
            return ""
        try:
            return find_json(thoughts, self._shape)[1]
        except ReplyMisshapen:
            return ""

    def _judge(self, text: str, thoughts: str, calls: Iterable[ToolCall]) -> None:
        more = "Raise the call's token limit"
        if self._finish == "content_filter" or (not text.strip() and any(self._refusal)):
            said = one_line("".join(self._refusal)) or "its filter stopped the reply"
            raise RequestRefused(f"{self._place} declined to answer: {said}.", "Put the question in other words.")
        if self._finish == "length" and any(map(_is_cut, calls)):
            raise ReplyCut(f"{self._place} was cut off in the call of a tool.", f"{more}.", text)
        if calls:
            return
        if self._finish == "length" and not text.strip():
            quiet = f"{more}, or set {setting(self._endpoint, 'THINKING')}=false"
            raise ReplyCut(f"{self._place} was cut off before its answer began.", f"{quiet}.", thoughts)
        if self._finish == "length" and self._shape is not None:
            raise ReplyCut(f"{self._place} was cut off in the middle of its JSON.", f"{more}.", text)
        if not text.strip():
            hint = "The prompt may not fit into the context that the server gives the model."
            raise ReplyEmpty(f"{self._place} gave no text.", hint, thoughts)


def _is_cut(call: ToolCall) -> bool:
    try:
        call.read()
    except ReplyMisshapen:
        return True
    return False
